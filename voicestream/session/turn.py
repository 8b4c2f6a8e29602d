"""This reply's turn to speak: it waits for the floor, gives way, and answers verbs."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # which has no floor, see control.floor

import itertools
import math
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from voicestream.control.entries import Rank
from voicestream.control.floor import Floor
from voicestream.control.server import ControlServer, Handler, socket_path
from voicestream.pcm import Frames16
from voicestream.policy.plan import NOT_YET

if TYPE_CHECKING:
    from voicestream.playout.controls import Controls
    from voicestream.playout.player import Player

_LOOK_S = 0.25
"""How often the holder looks whether the floor is still its own."""
_DOUBT_S = 3.0
"""A callback that is so late makes sure first; others pass us over after 4 s. Slow cards ask
once in a second or two."""
_SHORTEST_WORD_S = 0.03
_LONGEST_WORD_S = 0.5
"""A speaker that gives way stops at the end of a word, after this much more sound at most."""
_WINDOW_S = 0.01
_FADE_WAIT_S = 1.0

_numbers = itertools.count(1)


class Speaker(Protocol):
    """The part of the playback that a turn uses."""

    controls: Controls

    @property
    def player(self) -> Player | None: ...

    def coming(self, seconds: float) -> tuple[int, Frames16]:
        """Return the next frame to be played, and the frames from there on that are there
        already."""


class Turn:
    """One reply's place among those who want to speak.

    Args:
        folder: the runtime folder.
        rank: where it stands; None: it speaks beside the others and only answers verbs.
        start_s: when its process (library: its call) began.
        wait: False: where another speaks, it is dropped instead of waiting.
        expires_s: it is dropped after waiting for so long.
        pause_s: silence between two speakers.
    """

    def __init__(
        self,
        folder: str,
        rank: Rank | None = Rank.LAST,
        start_s: float = 0.0,
        wait: bool = True,
        expires_s: float = math.inf,
        pause_s: float = 0.7,
    ) -> None:
        self.who = f"{os.getpid()}-{next(_numbers)}"
        self.waits_for = ""
        """Who speaks before us, ``PID-N``; empty: nobody does."""
        self.folder = folder
        self._rank = rank
        self._start_s = start_s
        self._wait = wait
        self._expires_s = expires_s
        self._pause_s = pause_s
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._closing = False
        self._done = threading.Event()

    def begin(
        self,
        speaker: Speaker,
        answer: Handler,
        drop: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        """Queue up, in a thread of its own.

        Args:
            speaker: silent until it is its turn.
            answer: answers the verbs.
            drop: called with the reason where the speech is not to be heard.
            warn: told what keeps others from waiting for us.
        """
        self._speaker = speaker
        self._drop = drop
        self._warn = warn
        if self._rank is not None:
            speaker.controls.not_before_s = math.inf
        self._server = ControlServer(socket_path(self.folder, self.who), self._answering(answer))
        self._floor = Floor(self.folder, self.who, self._start_s, self._rank or Rank.LAST)
        threading.Thread(target=self._run, name="turn", daemon=True).start()

    def wake(self) -> None:
        """Look at once whether something has changed. Any thread may call it, the audio callback
        too."""
        self._wakes.put(None)

    def close(self) -> None:
        """Leave the queue, and wait until that is done: the speech has ended."""
        self._closing = True
        self.wake()
        self._done.wait(_FADE_WAIT_S)

    def _answering(self, answer: Handler) -> Handler:
        def answered(message: dict[str, object]) -> dict[str, object]:
            if message["verb"] == "yield":
                self.wake()
                return {"ok": True}
            return answer(message)

        return answered

    def _run(self) -> None:
        controls = self._speaker.controls
        try:
            self._server.start()
            if self._rank is not None:
                self._floor.enter()
                self._hold()
            else:
                self._only_answer()
        except OSError as error:
            controls.not_before_s, controls.doubt_after_s = 0.0, math.inf
            controls.yielded = controls.in_doubt = False
            self._warn(f"others may speak at the same time: {error}")
            self._only_answer()
        finally:
            self._floor.leave(self._heard_until_s())
            self._server.close()
            self._done.set()

    def _only_answer(self) -> None:
        """Answer verbs until the speech has ended."""
        while not self._closing:
            self._wakes.get()

    def _hold(self) -> None:
        """Wait for the floor, keep it while we speak, give it away when asked to."""
        controls = self._speaker.controls
        while self._acquire():
            controls.doubt_after_s = _DOUBT_S
            controls.yielded = controls.in_doubt = False
            while not (asked := self._asked_to_give_way()):
                if self._closing or self._has_spoken():
                    return
                self._next_wake(_LOOK_S)
            controls.doubt_after_s = math.inf
            if asked == "now":
                self._rest()
            controls.yielded = True
            controls.not_before_s = math.inf
            self._floor.give_way(self._heard_until_s())
            self._server.tell({"event": "gave way"})

    def _acquire(self) -> bool:
        """Wait for our turn; return False if it will not come."""
        deadline_s = self._start_s + self._expires_s
        began_s = time.monotonic()
        pause_s = 0.0  # who comes when the floor is free does not follow upon anybody

        def cancelled() -> bool:
            if time.monotonic() > deadline_s:
                self._drop(f"it is stale: it waited {self._expires_s:g} s for its turn")
                return True
            return self._closing

        def on_wait(who: str) -> None:
            nonlocal pause_s
            pause_s = self._pause_s
            self.waits_for = who
            if not self._wait:
                self._drop("another speaks")
                self._closing = True

        heard_until_s = self._floor.acquire(cancelled, on_wait)
        self.waits_for = ""
        if heard_until_s is None:
            return False
        # what has begun is spoken to its end, whoever interrupts it
        self._wait, self._expires_s = True, math.inf
        after_s = heard_until_s + pause_s
        # a machine's clock starts anew with it, and the folder may be older
        near = heard_until_s < began_s + 60
        self._speaker.controls.not_before_s = after_s if near else 0.0
        return True

    def _asked_to_give_way(self) -> str:
        """Return ``now`` if another is before us, ``lost`` if we stood still and were passed over,
        else nothing."""
        controls = self._speaker.controls
        if self._floor.lost():
            return "lost"
        if controls.in_doubt:
            controls.in_doubt = False  # it stood still, but the floor is still ours
        return "now" if self._floor.others_before() else ""

    def _has_spoken(self) -> bool:
        player = self._speaker.player
        return player is not None and player.spoken

    def _heard_until_s(self) -> float:
        player = self._speaker.player
        return player.meter.heard_until_s if player is not None else 0.0

    def _rest(self) -> None:
        """Finish the word and fade."""
        player, controls = self._speaker.player, self._speaker.controls
        if player is None or not player.meter.heard_until_s:
            return  # nothing has been heard yet
        first, coming = self._speaker.coming(_LONGEST_WORD_S)
        controls.rest_at_frame = first + end_of_word(coming, player.pcm.rate_hz)
        deadline_s = time.monotonic() + _FADE_WAIT_S
        while not player.silent and time.monotonic() < deadline_s and not self._closing:
            self._next_wake(0.05)
        controls.yielded = True
        controls.rest_at_frame = NOT_YET

    def _next_wake(self, wait_s: float) -> None:
        try:
            self._wakes.get(timeout=wait_s)
        except queue.Empty:
            pass  # time to look again


def end_of_word(frames: Frames16, rate_hz: int) -> int:
    """Find where to stop soon: the quietest 10 ms of what comes, the earliest where several are so.

    Args:
        frames: shape (frames, channels).

    Returns:
        A frame counted from the first of these.
    """
    window = max(round(rate_hz * _WINDOW_S), 1)
    first = round(_SHORTEST_WORD_S / _WINDOW_S)
    count = len(frames) // window
    if count <= first:
        return len(frames)
    sound = frames[: count * window, 0].astype(np.float64).reshape(count, window)
    power = (sound**2).mean(axis=1)[first:]
    quiet = power <= max(float(power.min()) * 2, float(power.max()) * 1e-3)
    return (first + int(np.argmax(quiet))) * window + window // 2
