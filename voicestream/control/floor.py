"""The floor: the right to be heard, held by one process of a user at a time.

No process runs for it. Each one that wants to speak keeps a file in the folder ``floor``,
locked with flock(2) as long as it lives, so that the kernel says who is dead. The file's name
sorts by whose turn it is, as in a ticket queue. Who is first takes the lock of ``holder``
and speaks. The others watch the control socket of whoever is before them, which tells of
changes and closes when its process ends; one that does not answer is passed over.
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # which has neither flock(2) nor, in Python, Unix sockets

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from voicestream.control.lines import Peer
from voicestream.control.server import socket_path

PATIENCE_S = 4.0
"""Who does not answer for so long is stopped or hangs, and is passed over."""
_LOOK_S = 0.5
"""How often a waiter asks whether the process before it is alive, and looks at the queue."""
_RETRY_S = 0.02
_END_OF_TIME_US = 10**16


class Rank(Enum):
    """Where a newcomer stands in the queue."""

    NOW = "now"
    """Before everybody: whoever speaks gives way, and goes on afterwards."""
    NEXT = "next"
    """Before those who wait, behind whoever speaks."""
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Entry:
    """One speaker in the queue, as its file's name tells."""

    name: str

    @property
    def who(self) -> str:
        """The speaker, as in the name of its control socket: ``PID-N``."""
        return self.name.split("-", 2)[2]

    @property
    def has_held(self) -> bool:
        """Whether it speaks, or gave way while it spoke, or is to speak now."""
        return self.name.startswith("0-")


class Floor:
    """One process's place in the queue, and the floor when it has it.

    Args:
        folder: the runtime folder.
        who: the speaker, ``PID-N``: a program may have several.
        start_s: when this process came (``time.monotonic()``, which all processes share).
        rank: where it stands in the queue.

    All methods but ``lost`` are called by one thread.
    """

    def __init__(
        self,
        folder: str,
        who: str,
        start_s: float,
        rank: Rank = Rank.LAST,
    ) -> None:
        self._folder = os.path.join(folder, "floor")
        self._sockets = folder
        self._who = who
        self._entry = -1  # the descriptor of our file
        self._holder = -1  # that of the holder's lock; -1: we do not speak
        if rank is Rank.NOW:
            self._name = _first_name(who)
        else:
            self._name = _name(1 if rank is Rank.NEXT else 2, round(start_s * 1e6), who)

    @property
    def held(self) -> bool:
        """Whether this process may be heard, as far as it knows."""
        return self._holder >= 0

    def enter(self) -> None:
        """Queue up. The control socket must listen by now.

        Raises:
            OSError: the folder cannot be written to.
        """
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        part = self._path(f".{self._who}")
        entry = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            fcntl.flock(entry, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(part, self._path(self._name))  # seen only once it is locked
        except BaseException:
            os.close(entry)
            raise
        self._close_entry()
        self._entry = entry

    def acquire(
        self, cancelled: Callable[[], bool], on_wait: Callable[[str], None] | None = None
    ) -> float | None:
        """Wait until it is this process's turn.

        Args:
            cancelled: asked again and again; True ends the waiting.
            on_wait: told the speaker that is waited for, whenever that changes.

        Returns:
            When the speaker before has been heard to its end (``time.monotonic()``; 0.0:
            nobody spoke before); None when cancelled.

        Raises:
            OSError: the folder cannot be used.
        """
        before, since_s = "", 0.0
        while not cancelled():
            self._queue_again()
            ahead = self._ahead()
            if ahead:
                who, holding = ahead[-1].who, False
            elif self._take():
                if not self._ahead():
                    return self._begin()
                self._drop()  # somebody came in before us meanwhile
                continue
            else:
                who, holding = self._speaker(), True
            if who != before and on_wait is not None:
                on_wait(who)
            if who != before:
                before, since_s = who, time.monotonic()
            if who and self._wait_for(who, cancelled, holding):
                continue
            if who and time.monotonic() - since_s > PATIENCE_S:
                self._pass_over(who)
            time.sleep(_RETRY_S)  # it is just coming or going
        return None

    def give_way(self, heard_until_s: float) -> None:
        """Let another speak first; ``acquire`` waits for the floor to come back.

        Args:
            heard_until_s: when what was given to the sound card will have been heard.
        """
        self._leave_word(heard_until_s)
        self._drop()

    def leave(self, heard_until_s: float = 0.0) -> None:
        """Give up the floor and the place in the queue; may be called at any time."""
        if self._holder >= 0:
            self._leave_word(heard_until_s)
        self._drop()
        if self._entry >= 0 and self._is_ours():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(self._name))
        self._close_entry()

    def lost(self) -> bool:
        """Whether another took the floor because this process seemed to hang. Any thread."""
        holder = self._holder
        return holder >= 0 and not _same_file(holder, self._path("holder"))

    def others_before(self) -> bool:
        """Whether another is to speak before this one, which has the floor."""
        return bool(self._ahead())

    def queue(self) -> list[Entry]:
        """Everybody who lives and was not passed over, whose turn is next first."""
        return [Entry(name) for name in _names(self._folder) if self._alive(name)]

    # the queue

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _alive(self, name: str) -> bool:
        """Whether the process behind an entry lives; the entry of a dead one is removed."""
        if name == self._name:
            return True
        try:
            entry = os.open(self._path(name), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(entry, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(name))
            return False
        finally:
            os.close(entry)

    def _ahead(self) -> list[Entry]:
        return [entry for entry in self.queue() if entry.name < self._name]

    def _is_ours(self) -> bool:
        return self._entry >= 0 and _same_file(self._entry, self._path(self._name))

    def _queue_again(self) -> None:
        """Whoever was passed over while it was stopped takes its place again."""
        if not self._is_ours():
            self._drop()
            self.enter()

    def _close_entry(self) -> None:
        if self._entry >= 0:
            os.close(self._entry)
        self._entry = -1

    # the holder's lock

    def _take(self) -> bool:
        """Take the floor if nobody has it."""
        holder = os.open(self._path("holder"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(holder)
            return False
        if not _same_file(holder, self._path("holder")):  # just replaced by another
            os.close(holder)
            return False
        self._holder = holder
        return True

    def _begin(self) -> float:
        """Say who speaks; return until when the one before is heard."""
        if not self._name.startswith("0-"):
            name = _first_name(self._who)
            os.rename(self._path(self._name), self._path(name))
            self._name = name
        try:
            before = json.loads(os.pread(self._holder, 1000, 0) or b"{}")
            heard_until_s = float(before.get("heard_until_s", 0.0))
        except (ValueError, AttributeError, TypeError):  # it was killed while it wrote
            heard_until_s = 0.0
        self._write_holder({"who": self._who})
        return heard_until_s

    def _leave_word(self, heard_until_s: float) -> None:
        if not self.lost():
            self._write_holder({"heard_until_s": heard_until_s})

    def _write_holder(self, content: dict[str, Any]) -> None:
        written = json.dumps(content).encode()
        os.pwrite(self._holder, written, 0)
        os.ftruncate(self._holder, len(written))

    def _drop(self) -> None:
        if self._holder >= 0:
            os.close(self._holder)
        self._holder = -1

    def _speaker(self) -> str:
        """Who has the floor; empty: it has gone, or has just come."""
        try:
            with open(self._path("holder"), "rb") as file:
                return str(json.loads(file.read(1000) or b"{}").get("who", ""))
        except (OSError, ValueError, AttributeError, TypeError):
            return ""

    # waiting for one process

    def _wait_for(self, who: str, cancelled: Callable[[], bool], holding: bool) -> bool:
        """Until that process says that something changed, or ends; False: it is not there yet."""
        deadline_s = time.monotonic() + PATIENCE_S
        try:
            peer = Peer(socket_path(self._sockets, who), PATIENCE_S)
        except TimeoutError:
            self._pass_over(who)
            return True
        except OSError:
            return False
        try:
            if holding:
                peer.send({"verb": "yield"})
            peer.send({"verb": "watch"})
            while not cancelled():
                try:
                    message = peer.receive(_LOOK_S)
                except TimeoutError:
                    if time.monotonic() > deadline_s:
                        self._pass_over(who)
                        return True
                    peer.send({"verb": "ping"})
                    continue
                if message is None or "event" in message:
                    return True
                deadline_s = time.monotonic() + PATIENCE_S
                if self._changed(who):
                    return True
        except (OSError, ValueError):
            pass  # it ended in mid-line
        finally:
            peer.close()
        return True

    def _changed(self, who: str) -> bool:
        """Whether the process waited for is no longer the one to wait for."""
        ahead = self._ahead()
        return (ahead[-1].who if ahead else self._speaker()) != who

    def _pass_over(self, who: str) -> None:
        """Take the place, or the floor, from a process that does not answer."""
        for entry in self.queue():
            if entry.who == who and entry.name != self._name:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._path(entry.name))
        if self._speaker() == who:
            # its lock stays with the old file, which nobody looks at any more
            part = self._path(f".holder-{self._who}")
            os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
            os.rename(part, self._path("holder"))


def _name(rank: int, order: int, who: str) -> str:
    return f"{rank}-{order:016d}-{who}"


def _first_name(who: str) -> str:
    """The name of who speaks from now on: before all who spoke or came before."""
    return _name(0, _END_OF_TIME_US - round(time.monotonic() * 1e6), who)


def _names(folder: str) -> list[str]:
    """The entries' names in their order; other files are not looked at."""
    try:
        found = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(name for name in found if name[:2] in ("0-", "1-", "2-") and _numbered(name))


def _numbered(name: str) -> bool:
    return all(part.isascii() and part.isdigit() for part in name.split("-"))


def _same_file(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
