"""An endpoint, a text and a loudspeaker made of lists and events."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from voicestream.output.base import Fill
from voicestream.pcm import PcmFormat
from voicestream.speech.base import SpeechRequest
from voicestream.text.plan import Segment
from voicestream.text.segment import Boundary

LONG_S = 10.0
"""Nobody waits so long unless something hangs."""
Answer = Callable[[SpeechRequest], Iterable[bytes]]


class FakeStream:
    """A reply made of pieces; what is raised while they are made is what broke it."""

    content_type = "audio/pcm"
    rate_hz: int | None = None
    channels: int | None = None

    def __init__(self, pieces: Iterable[bytes], on_close: Callable[[], None]) -> None:
        self._pieces = pieces
        self._on_close = on_close
        self.sent_at_s = time.monotonic()

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    def close(self) -> None:
        self._on_close()


class FakeEndpoint:
    """Answers by a function of the request; an exception it raises is the refusal."""

    name = "fake"

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
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
            stream = FakeStream(self._answer(request), self._ended)
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


class FakeSegments:
    """A text that is known, or, with ``gate``, is written on when the gate opens."""

    def __init__(self, texts: Sequence[str], end: BaseException | None = None) -> None:
        self._texts = list(texts)
        self._end = end
        self._taken = 0
        self.waits = threading.Event()
        self._cancelled = threading.Event()
        self.hangs_at: int | None = None
        self.more = threading.Event()
        """Before the segment ``hangs_at`` the writer pauses until this is set."""

    late = False

    def start(self) -> None:
        return

    def take(self, waiting_s: Callable[[], float]) -> Segment | None:
        waiting_s()
        if self._taken == self.hangs_at:
            self.waits.set()
            while not self.more.wait(0.005) and not self._cancelled.is_set():
                continue
        if self._cancelled.is_set():
            return None
        if self._taken == len(self._texts):
            if self._end is not None:
                raise self._end
            return None
        self._taken += 1
        return Segment(self._taken - 1, self._texts[self._taken - 1], Boundary.SENTENCE)

    def stop(self) -> None:
        self.more.set()

    def length(self) -> tuple[int, bool]:
        return sum(map(len, self._texts)), self.hangs_at is None

    def cancel(self) -> None:
        self._cancelled.set()


class Keeper:
    """A sink in no time: pulls as fast as it can and keeps what it pulled.

    It may be faster than who fills the ring; ``written``, to save to, has no holes.
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
            self._thread.join(LONG_S)


def tone_of(number: int, frames: int = 2400) -> np.ndarray:
    """A constant level that names the segment: 1000, 2000, ..."""
    return np.full(frames, 1000 * (number % 20 + 1), np.int16)


def numbers_in(heard: np.ndarray, least_frames: int = 200) -> list[int]:
    """The segments that are heard, in order: each level that lasts."""
    edges = np.flatnonzero(np.diff(heard)) + 1
    runs = np.split(heard, edges)
    levels = [int(run[0]) for run in runs if len(run) >= least_frames and run[0]]
    numbers = [level // 1000 - 1 for level in levels if level % 1000 == 0]
    # on a busy machine a hole may part one: it is the same segment that goes on
    return [n for n, before in zip(numbers, [None, *numbers[:-1]], strict=True) if n != before]
