"""Fakes for those who write an endpoint or a sink, or a program that speaks.

    endpoint = FakeEndpoint(lambda request: [b"\x00\x10" * 2400])
    result = voicestream.say("Hello.", endpoint=endpoint)

None of them needs a network or a sound card. They show what the protocols
:class:`voicestream.speech.base.Endpoint` and :class:`voicestream.output.base.Sink` ask for, too.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from voicestream.output.base import Fill
from voicestream.pcm import PcmFormat
from voicestream.speech.base import SpeechRequest

Answer = Callable[[SpeechRequest], Iterable[bytes]]
"""Gives the encoded bytes of the reply to a request, a piece at a time."""
_END_S = 10.0


class FakeStream:
    """A reply made of pieces.

    Args:
        pieces: encoded bytes; an exception raised while they are made breaks the reply.
        on_close: called when the reply is closed.
        content_type: what they are said to be.
    """

    rate_hz: int | None = None
    channels: int | None = None

    def __init__(
        self,
        pieces: Iterable[bytes],
        on_close: Callable[[], None],
        content_type: str = "audio/pcm",
    ) -> None:
        self._pieces = pieces
        self._on_close = on_close
        self.content_type = content_type
        self.sent_at_s = time.monotonic()

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    def close(self) -> None:
        self._on_close()


class FakeEndpoint:
    """Answers by a function of the request; an exception it raises is the refusal.

    Args:
        content_type: what the replies are said to be.

    Attributes:
        opened: the texts asked for, in order.
        most_in_flight: the most requests that were open at once.
        aborted: set once ``abort`` was called.
        closed: whether ``close`` was called.
    """

    name = "fake"

    def __init__(self, answer: Answer, content_type: str = "audio/pcm") -> None:
        self._answer = answer
        self._content_type = content_type
        self._lock = threading.Lock()
        self._in_flight = 0
        self.opened: list[str] = []
        self.most_in_flight = 0
        self.aborted = threading.Event()
        self.closed = False
        self.rates_hz: dict[str, int] = {}
        """What the replies to some texts say of their rate."""

    def open(self, request: SpeechRequest) -> FakeStream:
        with self._lock:
            self.opened.append(request.text)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            stream = FakeStream(self._answer(request), self._ended, self._content_type)
        except BaseException:
            self._ended()
            raise
        if request.text in self.rates_hz:
            stream.rate_hz = self.rates_hz[request.text]
        return stream

    def _ended(self) -> None:
        with self._lock:
            self._in_flight -= 1

    def abort(self) -> None:
        self.aborted.set()

    def close(self) -> None:
        self.closed = True


class FakeSink:
    """A sink without a clock: it pulls as fast as it can and keeps what it pulled.

    It may be faster than what fills the ring; a :class:`Saver` given ``written`` has no holes.

    Args:
        period_frames: frames asked for at once.
    """

    latency_s = 0.0
    lead_in_s = 0.0

    def __init__(self, period_frames: int = 480) -> None:
        self._period_frames = period_frames
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._heard: list[bytes] = []
        self.written = io.BytesIO()
        self.fell_silent = threading.Event()
        """Sound was heard, and then none."""

    @property
    def wanted(self) -> np.ndarray:
        """All frames that were to be played, as they were saved."""
        return np.frombuffer(self.written.getvalue()[44:], "<i2")

    @property
    def active(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def heard(self) -> np.ndarray:
        """All frames pulled, without the silence at both ends."""
        samples = np.frombuffer(b"".join(self._heard), "<i2")
        loud = np.flatnonzero(samples)
        return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]

    def open(self, wanted: PcmFormat) -> PcmFormat:
        return wanted.with_encoding("s16")

    def start(self, fill: Fill) -> None:
        self._thread = threading.Thread(target=self._run, args=(fill,), daemon=True)
        self._thread.start()

    def _run(self, fill: Fill) -> None:
        while not self._stop.is_set():
            self._heard.append(fill(self._period_frames, time.monotonic()))
            if len(self.heard) and not any(self._heard[-1]):
                self.fell_silent.set()
            self._stop.wait(0.0005)

    def stop(self, drain: bool) -> None:  # noqa: ARG002
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_END_S)
