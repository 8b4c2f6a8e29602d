"""What the libraries of a short-lived process need not do: it is set before they are loaded."""

from __future__ import annotations

import os
import sys
from types import ModuleType

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


def lighten() -> None:
    """Say so, unless the user says otherwise. Not for a library: its host may want all of it."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "numpy" not in sys.modules:
        for name in _DOCS:
            sys.modules.setdefault(name, ModuleType(name))
