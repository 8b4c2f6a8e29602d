"""Where text comes from: an argument, a file, or a pipe that is still being written."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from voicestream.errors import UsageError
from voicestream.text.encoding import HEAD_BYTES, TextDecoder, check_text, encoding_of
from voicestream.waiting import wait_ready

READ_MAX_BYTES = 65536
"""An upper bound on one read, never a reason to wait."""


class Interrupt:
    """Ends a read that waits: ``set()`` from any thread or signal handler, once.

    A context manager; closing it frees two file descriptors.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._lock = threading.RLock()  # a signal handler may come while its own thread holds it
        self._closed = False
        self._set = False

    @property
    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        """Wake whoever waits. Safe at any time, more than once."""
        with self._lock:
            before, self._set = self._set, True
            if not before and not self._closed:
                os.write(self._writer, b"\0")  # one byte never waits for room

    def wait_readable(self, fd: int) -> bool:
        """Wait without using the processor until ``fd`` has bytes or has ended.

        Returns:
            False if interrupted instead.
        """
        if sys.platform != "win32":  # which can wait for sockets only: there the read itself waits
            wait_ready([fd, self._reader])
        return not self._set

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._reader)
                os.close(self._writer)

    def __enter__(self) -> Interrupt:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_pieces(
    stream: BinaryIO,
    *,
    interrupt: Interrupt | None = None,
    on_doubt: Callable[[str], None] | None = None,
    chunk_bytes: int = READ_MAX_BYTES,
) -> Iterator[str]:
    """The text of a stream, as it comes and not later.

    Args:
        stream: with a file descriptor it is read past its buffer, so it must not
            have been read from before; without one, ``read1`` or ``read`` is used.
        interrupt: ends a read that waits; what came until then has been given out.
        on_doubt: called once, with a sentence for the user, if the encoding is not certain.
        chunk_bytes: an upper bound on one read.

    Raises:
        OSError: the stream cannot be read.
        UsageError: it is no text.
    """
    decoder = TextDecoder(on_doubt)
    for data in _chunks(stream, interrupt, chunk_bytes):
        if text := decoder.feed(data):
            yield text
    if text := decoder.flush():
        yield text


def _chunks(stream: BinaryIO, interrupt: Interrupt | None, size: int) -> Iterator[bytes]:
    try:
        fd = stream.fileno()
    except (OSError, AttributeError):  # io.BytesIO and the like have none
        fd = -1
    while interrupt is None or not interrupt.is_set:
        if fd >= 0:
            if interrupt is not None and not interrupt.wait_readable(fd):
                return
            try:
                data = os.read(fd, size)
            except BlockingIOError:  # whoever shares this pipe made it non-blocking
                wait_ready([fd])
                continue
        else:
            data = getattr(stream, "read1", stream.read)(size)
        if not data:
            return
        yield data


def open_file(path: str | Path) -> BinaryIO:
    """Open a file to read text from.

    Raises:
        UsageError: there is no such file, it cannot be read, or it is no text.
    """
    hint = "Name a text file."
    try:
        if Path(path).is_dir():
            raise UsageError(f"{path} is a folder", hint=hint)
        stream = Path(path).open("rb", buffering=0)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise UsageError(f"cannot read {path}", error.strerror or str(error), hint) from error
    try:
        if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):  # a pipe's bytes come once
            head = stream.read(HEAD_BYTES)
            check_text(head, str(path), encoding_of(head, final=True) or "utf-8")
            stream.seek(0)
    except OSError as error:
        stream.close()
        raise UsageError(f"cannot read {path}", error.strerror or str(error), hint) from error
    except UsageError:
        stream.close()
        raise
    return stream


def argument(text: str, on_doubt: Callable[[str], None]) -> str:
    """The text of a command line's argument, whose bytes need not be UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:  # such bytes come as halves of characters
        return TextDecoder(on_doubt).feed(os.fsencode(text), final=True)
    return text
