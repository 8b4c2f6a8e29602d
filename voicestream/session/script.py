"""The text of one reply, as the segments that requests will speak."""

from __future__ import annotations

import os
import sys
from collections import deque
from pathlib import Path

from voicestream.errors import EmptyTextError, UsageError
from voicestream.text.clean import clean
from voicestream.text.plan import Segment, split_text

MAX_CHARS = 4096
"""The longest ``input`` of the API."""


class Script:
    """Segments known from the start. Its methods may be called by any thread, one at a time.

    Raises:
        EmptyTextError: there is nothing to speak in ``text``.
    """

    def __init__(self, text: str) -> None:
        self._segments: deque[Segment] = deque(split_text(clean(text), MAX_CHARS))
        if not self._segments:
            raise EmptyTextError(
                "there is nothing to say", hint='Try: voicestream say "Hello", or pipe text in.'
            )

    @property
    def first(self) -> Segment:
        return self._segments[0]

    def take(self) -> Segment | None:
        """The next segment; None after the last."""
        return self._segments.popleft() if self._segments else None


def read_file(path: str) -> tuple[str, bool]:
    """A file's text, and whether something in it was not UTF-8 and had to be replaced.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return _decoded(Path(path).read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read", error.strerror or str(error)) from error


def read_stdin() -> tuple[str, bool]:
    """All of stdin, like :func:`read_file`."""
    parts = []
    while part := os.read(sys.stdin.fileno(), 1 << 16):
        parts.append(part)
    return _decoded(b"".join(parts))


def _decoded(data: bytes) -> tuple[str, bool]:
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace"), True
