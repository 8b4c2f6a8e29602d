"""Waiting until descriptors can be read from or written to, and reading them as bytes come."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import BinaryIO


def wait_ready(
    reading: Iterable[int] = (), writing: Iterable[int] = (), wait_s: float | None = None
) -> set[int]:
    """Wait until one of these descriptors is ready, has ended or has failed.

    Args:
        reading: descriptors that are to be read from. On Windows only sockets can be waited for.
        writing: descriptors that are to be written to, or sockets that are being connected.
        wait_s: how long to wait; None: for ever.

    Returns:
        Those that are ready, have ended or have failed; none after ``wait_s``.
    """
    if sys.platform == "win32":  # which tells of a connection that failed as exceptional
        found = select.select(list(reading), list(writing), list(writing), wait_s)
        ready = {descriptor for some in found for descriptor in some}
    else:  # select() fails at descriptors from 1024 on
        poll = select.poll()
        for descriptor in reading:
            poll.register(descriptor, select.POLLIN)
        for descriptor in writing:
            poll.register(descriptor, select.POLLOUT)
        wait_ms = None if wait_s is None else max(wait_s, 0.0) * 1000
        ready = {descriptor for descriptor, _ in poll.poll(wait_ms)}
    return ready


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


def read_chunks(stream: BinaryIO, interrupt: Interrupt | None, size: int) -> Iterator[bytes]:
    """Yield the bytes of a stream, as they come and not later.

    Args:
        stream: with a file descriptor it is read past its buffer, so it must not
            have been read from before; without one, ``read1`` or ``read`` is used.
        interrupt: ends a read that waits.
        size: an upper bound on one read.

    Raises:
        OSError: the stream cannot be read.
    """
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
