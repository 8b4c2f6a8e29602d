"""The queue for the floor: a locked file for each speaker, whose name says whose turn it is."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # which has no flock(2)

import contextlib
import fcntl
import os
import time
from enum import Enum

_END_OF_TIME_US = 10**16


class Rank(Enum):
    """Where a newcomer stands in the queue."""

    NOW = "now"
    """In front of whoever speaks, who is interrupted and goes on afterwards."""
    NEXT = "next"
    """In front of those who wait, behind whoever speaks."""
    LAST = "last"


class Entries:
    """Everybody's place in the queue, and our own.

    A file is locked as long as its process lives, so that the kernel says who is dead. Its name
    is ``RANK-ORDER-PID-N``; names in their order are the queue.

    Args:
        folder: where the files are.
        who: our own name, ``PID-N``: a program may have several speakers.
        start_s: when we came (``time.monotonic()``, which all processes share).
        rank: where we stand.
    """

    def __init__(self, folder: str, who: str, start_s: float, rank: Rank) -> None:
        self._folder = folder
        self._who = who
        self._file = -1  # the descriptor of ours
        if rank is Rank.NOW:
            self._name = _first_name(who)
        else:
            self._name = _name(1 if rank is Rank.NEXT else 2, round(start_s * 1e6), who)

    def enter(self) -> None:
        """Queue up.

        Raises:
            OSError: the folder cannot be written to.
        """
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        part = self._path(f".{self._who}")
        file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(part, self._path(self._name))  # seen only once it is locked
        except BaseException:
            os.close(file)
            raise
        self._close()
        self._file = file

    def leave(self) -> None:
        """Give up our place; may be called at any time."""
        with contextlib.suppress(OSError):  # its lock goes with us
            if self.entered:
                os.unlink(self._path(self._name))
        self._close()

    @property
    def entered(self) -> bool:
        """Whether our file is in the queue: others remove it when this process does not answer."""
        return self._file >= 0 and same_file(self._file, self._path(self._name))

    def stay_first(self) -> None:
        """Rename our file so that it stands before all others: we speak from now on."""
        if not self._name.startswith("0-"):
            name = _first_name(self._who)
            os.rename(self._path(self._name), self._path(name))
            self._name = name

    def ahead(self) -> list[str]:
        """Return those before us who live, ``PID-N``, the first of them first."""
        found = [name for name in _names(self._folder) if name < self._name]
        return [_who(name) for name in found if self._lives(name)]

    def remove(self, who: str) -> None:
        """Remove another speaker, who does not answer, from the queue."""
        for name in _names(self._folder):
            if _who(name) == who and name != self._name:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._path(name))

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _lives(self, name: str) -> bool:
        """Return whether the process behind a file lives; the file of a dead one is removed."""
        try:
            file = os.open(self._path(name), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(name))
            return False
        finally:
            os.close(file)


def queued(folder: str) -> list[str]:
    """Return everybody in the queue, ``PID-N``, in order; some of them may be dead. Where it cannot
    be looked at nobody is in it: all speak at once."""
    try:
        return [_who(name) for name in _names(folder)]
    except OSError:
        return []


def same_file(descriptor: int, path: str) -> bool:
    """Return whether an open file is the one that has that path now."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _name(rank: int, order: int, who: str) -> str:
    return f"{rank}-{order:016d}-{who}"


def _first_name(who: str) -> str:
    """Return a file name that stands before all others: that of whoever speaks now."""
    return _name(0, _END_OF_TIME_US - round(time.monotonic() * 1e6), who)


def _names(folder: str) -> list[str]:
    """Return the files' names in their order; others in the folder are not looked at."""
    try:
        found = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(name for name in found if name[:2] in ("0-", "1-", "2-") and _numbered(name))


def _who(name: str) -> str:
    return name.split("-", 2)[2]


def _numbered(name: str) -> bool:
    parts = name.split("-")
    return len(parts) == 4 and all(part.isascii() and part.isdigit() for part in parts)
