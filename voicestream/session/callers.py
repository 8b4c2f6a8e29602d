"""What a program gives the library, looked at before anything begins."""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterable, Iterable, Mapping, Set
from typing import BinaryIO, cast

from voicestream.errors import UsageError
from voicestream.session.script import Script
from voicestream.settings.table import Settings


def check_callbacks(*callbacks: object) -> None:
    """Refuse what would fail each time it is called.

    Raises:
        UsageError: one is neither None nor a plain function.
    """
    for callback in callbacks:
        if callback is not None and (
            not callable(callback) or inspect.iscoroutinefunction(callback)
        ):
            raise UsageError(
                f"{callback!r} cannot be called back", hint="Give a plain function, not async."
            )


def script_of(settings: Settings, text: object) -> Script:
    """Return a script of a text, or of its pieces as they come.

    Raises:
        UsageError: it is neither; VoicestreamError: see ``Script``.
    """
    if isinstance(text, str):
        return Script(settings, text)
    if isinstance(text, Iterable) and not isinstance(text, bytes | bytearray | Mapping | Set):
        return Script(settings, rest=text)
    hint = "Use speak_stream." if isinstance(text, AsyncIterable) else "Give str."
    raise UsageError(f"{kind_of(text)} is no text", hint=hint)


def save_target(save: object) -> str | BinaryIO:
    """Return a path as text, or what can be written to.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(save, str | os.PathLike) and isinstance(path := os.fspath(save), str):
        return path
    if not hasattr(save, "write"):
        raise UsageError(f"{kind_of(save)} is nothing to save to", hint="Give the path of a file.")
    return cast("BinaryIO", save)


def kind_of(value: object) -> str:
    """Return what type a value is of, for messages."""
    return type(value).__name__
