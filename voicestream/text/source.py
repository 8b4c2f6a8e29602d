"""Where text comes from: an argument, a file, or a pipe that is still being written."""

from __future__ import annotations

import codecs
import os
import select
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from voicestream.errors import UsageError

READ_MAX_BYTES = 65536
"""An upper bound on one read, never a reason to wait."""


class Interrupt:
    """Ends a read that waits: ``set()`` from any thread or signal handler, once.

    A context manager; closing it frees two file descriptors.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._lock = threading.RLock()  # a signal handler may come while its own thread holds it
        self._closed = False
        self._set = False

    @property
    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        """Wake whoever waits. Safe at any time, more than once."""
        self._set = True
        with self._lock:
            if not self._closed:
                try:
                    os.write(self._writer, b"\0")
                except BlockingIOError:
                    pass  # the pipe is full of wake-ups already

    def wait_readable(self, fd: int) -> bool:
        """Wait without using the processor until ``fd`` has bytes or has ended.

        Returns:
            False if interrupted instead.
        """
        if self._set:
            return False
        if not hasattr(select, "poll"):  # Windows selects sockets only: the read itself waits
            return True
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.register(self._reader, select.POLLIN)
        ready = {which for which, _ in poll.poll()}
        return self._reader not in ready and not self._set

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


class Utf8:
    """Bytes as they come -> text; a BOM is dropped, what is no UTF-8 becomes U+FFFD.

    Args:
        on_replaced: called once, at the first byte that is no UTF-8.
    """

    def __init__(self, on_replaced: Callable[[], None] | None = None) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="strict")
        self._on_replaced = on_replaced
        self._begun = False

    def feed(self, data: bytes, final: bool = False) -> str:
        pending = self._decoder.getstate()[0]
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError:
            text = self._replace(pending + data, final)
        if not text or self._begun:
            return text
        self._begun = True
        return text.removeprefix("\ufeff")

    def flush(self) -> str:
        return self.feed(b"", final=True)

    def _replace(self, data: bytes, final: bool) -> str:
        """From the first wrong byte on, be lenient."""
        if self._on_replaced is not None:
            self._on_replaced()
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        return self._decoder.decode(data, final)


def read_pieces(
    stream: BinaryIO,
    *,
    interrupt: Interrupt | None = None,
    on_replaced: Callable[[], None] | None = None,
    chunk_bytes: int = READ_MAX_BYTES,
) -> Iterator[str]:
    """The text of a stream, as it comes and not later.

    Args:
        stream: with a file descriptor it is read past its buffer, so it must not
            have been read from before; without one, ``read1`` or ``read`` is used.
        interrupt: ends a read that waits; what came until then has been given out.
        on_replaced: called once, at the first byte that is no UTF-8.
        chunk_bytes: an upper bound on one read.

    Raises:
        OSError: the stream cannot be read.
    """
    decoder = Utf8(on_replaced)
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
                select.select([fd], [], [])
                continue
        else:
            data = getattr(stream, "read1", stream.read)(size)
        if not data:
            return
        yield data


def open_file(path: str | Path) -> BinaryIO:
    """A file to read text from.

    Raises:
        UsageError: there is no such file, or it cannot be read.
    """
    try:
        if Path(path).is_dir():
            raise UsageError(f"{path} is a folder", hint="Name a text file.")
        return Path(path).open("rb", buffering=0)
    except OSError as error:
        raise UsageError(
            f"cannot read {path}", error.strerror or str(error), "Name a text file."
        ) from error
