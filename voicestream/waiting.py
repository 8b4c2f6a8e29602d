"""Waiting until descriptors can be read from or written to."""

from __future__ import annotations

import select
import sys
from collections.abc import Iterable


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
