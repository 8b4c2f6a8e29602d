"""The floor: the right to be heard, held by one process of a user at a time.

No process runs for it. Each one that wants to speak keeps a file in the folder ``floor``,
locked with flock(2) as long as it lives (see ``entries``). Who is first in this queue takes the
lock of ``holder`` and speaks. The others watch the control socket of whoever is before them,
which tells of changes and closes when its process ends; one that does not answer is passed over.
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
from typing import Any

from voicestream.control.entries import Entries, Rank, same_file
from voicestream.control.lines import Peer
from voicestream.control.server import socket_path

PATIENCE_S = 4.0
"""A process that does not answer within this time is stopped or hangs: it loses its place."""
_LOOK_S = 0.5
"""How often a waiter asks whether the process before it is alive, and looks at the queue."""
_RETRY_S = 0.02


class Floor:
    """One process's place in the queue, and the floor when it has it.

    Args:
        folder: the runtime folder.
        who: the speaker, ``PID-N``: a program may have several.
        start_s: when this process came (``time.monotonic()``, which all processes share).
        rank: where it stands in the queue.

    All methods but ``lost`` are called by one thread.
    """

    def __init__(self, folder: str, who: str, start_s: float, rank: Rank = Rank.LAST) -> None:
        self._folder = os.path.join(folder, "floor")
        self._sockets = folder
        self._who = who
        self._entries = Entries(self._folder, who, start_s, rank)
        self._holder = -1  # the descriptor of the holder's lock; -1: we do not speak
        self._holder_path = os.path.join(self._folder, "holder")

    @property
    def held(self) -> bool:
        """Whether this process may be heard, as far as it knows."""
        return self._holder >= 0

    def enter(self) -> None:
        """Queue up. The control socket must listen by now.

        Raises:
            OSError: the folder cannot be written to.
        """
        self._entries.enter()

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
            ahead = self._entries.ahead()
            if ahead:
                who, holding = ahead[-1], False
            elif self._take():
                if not self._entries.ahead():
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
        self._entries.leave()

    def lost(self) -> bool:
        """Return whether another took the floor because this process seemed to hang. Any thread."""
        holder = self._holder
        return holder >= 0 and not same_file(holder, self._holder_path)

    def others_before(self) -> bool:
        """Return whether another is to speak before this one, which has the floor."""
        return bool(self._entries.ahead())

    def _queue_again(self) -> None:
        """Queue up again if others removed this process while it was stopped."""
        if not self._entries.entered:
            self._drop()
            self.enter()

    # the holder's lock

    def _take(self) -> bool:
        """Take the floor if nobody has it."""
        holder = os.open(self._holder_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(holder)
            return False
        if not same_file(holder, self._holder_path):  # just replaced by another
            os.close(holder)
            return False
        self._holder = holder
        return True

    def _begin(self) -> float:
        """Write down that we speak; return when the speaker before has been heard to its end."""
        self._entries.stay_first()
        before_s = _heard_until_s(os.pread(self._holder, 1000, 0))
        self._write_holder({"who": self._who})
        return before_s

    def _leave_word(self, heard_until_s: float) -> None:
        with contextlib.suppress(OSError):  # without it, whoever comes next begins a little early
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
        """Return who has the floor; empty: nobody, or it has not yet written its name."""
        try:
            with open(self._holder_path, "rb") as file:
                return str(json.loads(file.read(1000) or b"{}").get("who", ""))
        except (OSError, ValueError, AttributeError, TypeError):
            return ""

    # waiting for one process

    def _wait_for(self, who: str, cancelled: Callable[[], bool], holding: bool) -> bool:
        """Wait until that process says that something changed, or ends; return False if its socket
        is not there yet."""
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
        """Return whether the process waited for is no longer the one to wait for."""
        ahead = self._entries.ahead()
        return (ahead[-1] if ahead else self._speaker()) != who

    def _pass_over(self, who: str) -> None:
        """Take the place, or the floor, from a process that does not answer."""
        self._entries.remove(who)
        if self._speaker() == who:
            # its lock stays with the old file, which nobody looks at any more
            part = os.path.join(self._folder, f".holder-{self._who}")
            os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
            os.rename(part, self._holder_path)


def last_heard_s(folder: str) -> float:
    """Return when the last speaker of a runtime folder has been heard to its end
    (``time.monotonic()``); 0.0: that is not known."""
    try:
        with open(os.path.join(folder, "floor", "holder"), "rb") as file:
            return _heard_until_s(file.read(1000))
    except OSError:
        return 0.0


def _heard_until_s(written: bytes) -> float:
    try:
        return float(json.loads(written or b"{}").get("heard_until_s", 0.0))
    except (ValueError, AttributeError, TypeError):  # it was killed while it wrote
        return 0.0
