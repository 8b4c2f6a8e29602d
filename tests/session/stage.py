"""A session whose sound card is moved by hand, so that a verb comes at an exact frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.session.fakes import LONG_S, FakeEndpoint, FakeSegments
from tests.support.sound import Int16, ramp
from voicestream.output.base import Fill
from voicestream.pcm import PcmFormat
from voicestream.session.conductor import Session
from voicestream.session.outputs import AnyTurn
from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest

PERIOD = 240
_PIECE_BYTES = 4800


class HandSink:
    """Pulls when it is told to."""

    latency_s = 0.0
    lead_in_s = 0.0
    active = True

    def __init__(self) -> None:
        self.started = threading.Event()
        self.stopped = False
        self._heard: list[bytes] = []

    def open(self, wanted: PcmFormat) -> PcmFormat:
        return wanted.with_encoding("s16")

    def start(self, fill: Fill) -> None:
        self._fill = fill
        self.started.set()

    def stop(self, drain: bool) -> None:  # noqa: ARG002
        self.stopped = True

    def pull(self, frames: int = PERIOD) -> Int16:
        """The next frames of what is played."""
        self._heard.append(self._fill(frames, time.monotonic()))
        return np.frombuffer(self._heard[-1], "<i2")

    @property
    def heard(self) -> Int16:
        return np.frombuffer(b"".join(self._heard), "<i2")


class Stage:
    """Sentences, each a part of one long ramp, spoken into a :class:`HandSink`.

    Args:
        lengths: frames of each sentence.
        held: from which byte on the reply of a sentence waits for ``release``.
        turn: for the session.
        more: settings.
    """

    def __init__(
        self,
        lengths: list[int],
        held: dict[int, int] | None = None,
        turn: AnyTurn | None = None,
        **more: Any,
    ) -> None:
        self.lengths = lengths
        self._held = held or {}
        self._gates = {number: threading.Event() for number in self._held}
        self.sink = HandSink()
        self.endpoint = FakeEndpoint(self._answer)
        quiet: dict[str, Any] = {"trim": False, "normalize": False, "pause_sentence_ms": 0}
        settings = Settings(base_url="http://fake", **(quiet | {"lookahead": 1} | more))
        texts = FakeSegments([str(number) for number in range(len(lengths))])
        self.session = Session(settings, self.endpoint, texts, self.sink, turn=turn)

    def sound(self, number: int) -> Int16:
        """What a sentence sounds like."""
        return ramp(self.lengths[number], start=sum(self.lengths[:number]))

    def _answer(self, request: SpeechRequest) -> Iterator[bytes]:
        number = int(request.text)
        body = self.sound(number).tobytes()
        held = self._held.get(number, len(body))
        for start, end in ((0, held), (held, len(body))):
            for at in range(start, end, _PIECE_BYTES):
                yield body[at : min(at + _PIECE_BYTES, end)]
            if number in self._gates:
                self._gates[number].wait(LONG_S)

    def release(self, number: int) -> None:
        """Let the rest of a reply come."""
        self._gates[number].set()

    def begin(self, frames: int) -> None:
        """Start, and play so many frames of sound."""
        self.session.start()
        assert self.sink.started.wait(LONG_S)
        self.play_to(frames)

    def play_to(self, frames: int) -> None:
        """Play on until so many frames of the reply have been played."""
        while (left := frames - self.session.metrics.play.played_frames) > 0:
            self.pull(min(left, PERIOD))

    def pull(self, frames: int = PERIOD) -> Int16:
        """The next frames of what is played, once they are there."""
        self.until(lambda: self.has(frames))
        # who is sought for may have just begun to come
        return self.sink.pull(1 if self.session.controls.seek_frame is not None else frames)

    def has(self, frames: int) -> bool:
        """Whether so much is there to play, or the player is to do something else first."""
        session, playback = self.session, self.session._playback
        if session.controls.seek_frame is not None or session.controls.paused or session.wait(0):
            return True
        deck = playback._deck
        if deck is None:
            return False
        return deck.ring.readable_frames >= frames or deck.player.gate.ended

    def verb(self, verb: str, value: str | None = None) -> dict[str, Any]:
        return self.session.verbs.answer({"verb": verb, "value": value})

    def until(self, true: Callable[[], bool]) -> None:
        """Wait, playing nothing, until something is true."""
        deadline_s = time.monotonic() + LONG_S
        while not true():
            assert time.monotonic() < deadline_s
            time.sleep(0.0005)

    def written(self, frames: int) -> None:
        """Until so much of the reply waits to be played, or was."""
        self.until(lambda: self.session.metrics.feeder.written_frames >= frames)

    def finish(self) -> Int16:
        """Play to the end; return all that was heard."""
        for number in self._gates:
            self.release(number)
        while not self.session.wait(0):
            if not np.any(self.pull()):
                time.sleep(0.0005)
        return self.sink.heard
