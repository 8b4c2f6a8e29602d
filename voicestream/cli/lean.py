"""What the libraries of a short-lived process need not do: it is said as they are loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from threading import get_ident
from types import ModuleType
from typing import Any

_ENVIRONMENT = {
    # a thread for each core, which matrices would be multiplied by: a third of numpy's loading
    "OPENBLAS_NUM_THREADS": "1",
    # what PulseAudio and PipeWire are told of the stream: mixers show it, and other sound ducks
    # where the user's server is set so
    "PULSE_PROP_application.name": "voicestream",
    "PULSE_PROP_media.role": "a11y",
}
_DOCS = ("numpy._core._add_newdocs", "numpy._core._add_newdocs_scalars")
"""They do nothing but add docstrings to numpy's functions, for 6 ms."""
_SPARED = ("ast", "ctypes", "inspect", "numpy._typing", "pickle", "platform", "textwrap")
"""What numpy loads for functions that nobody here calls, for a third of its time."""

_SPARED_BY_VOICE = ("hashlib", "tempfile", "urllib.error", "urllib.request", "wave")
"""What hibari loads to download voices and to write files, which it is never asked to."""


class _Later(ModuleType):
    """Stands for a module until something of it is used."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._loader_id = get_ident()
        self._answers: dict[str, Any] = {}
        if name == "inspect":  # signatures and docstrings for people who read them
            self._answers = {"signature": lambda *_: None, "cleandoc": str}
        elif name == "numpy._typing":
            self._answers = {"NDArray": list}

    def over(self) -> None:
        """Give the name back to the module."""
        self._answers = {}
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for by the import statement itself
            raise AttributeError(name)
        if name in self._answers and get_ident() == self._loader_id:
            return self._answers[name]
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def lighten() -> None:
    """Set what makes them light, unless the user says otherwise, and load numpy.

    Not for a library: its host may want all of it.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "numpy" in sys.modules:
        return
    for name in _DOCS:
        sys.modules.setdefault(name, ModuleType(name))
    _load_without(_SPARED, "numpy")


def begin_voice() -> None:
    """Begin to load the embedded voice, while the text is read. Not for a library, either."""
    lighten()
    try:
        _load_without(_SPARED_BY_VOICE, "hibari")
    except ImportError:
        return  # whoever speaks tells
    from voicestream.session.wiring import load_voice

    load_voice()


def _load_without(spared: Sequence[str], module: str) -> None:
    """Import a module with stand-ins for some of what it imports."""
    later = [_Later(name) for name in spared if name not in sys.modules]
    sys.modules.update((it.__name__, it) for it in later)
    try:
        import_module(module)
    finally:
        for it in later:
            it.over()
