"""A simulated device with a real clock: for machines without one, for tests and soaks."""

from __future__ import annotations

import threading
import time

from voicestream.output.base import Fill
from voicestream.pcm import PcmFormat

PERIOD_S = 0.016
_SHORTEST_WAIT_S = 0.004
"""A clock that runs faster asks for more frames at once, so that it does not keep a core busy."""


class NullSink:
    """Pulls frames at their rate and drops them.

    Args:
        speed: how much faster than time its clock runs.
    """

    lead_in_s = 0.0

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._pcm = PcmFormat(24000)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def latency_s(self) -> float:
        return PERIOD_S

    @property
    def active(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def open(self, wanted: PcmFormat) -> PcmFormat:
        self._pcm = wanted.with_encoding("s16")
        return self._pcm

    def start(self, fill: Fill) -> None:
        self._stop.clear()
        self._thread = threading.Thread(
            target=self._run, args=(fill,), name="null-device", daemon=True
        )
        self._thread.start()

    def _run(self, fill: Fill) -> None:
        period_s = max(PERIOD_S / self._speed, _SHORTEST_WAIT_S)
        frames = self._pcm.s_to_frames(period_s * self._speed)
        due_s = time.monotonic()
        while True:
            fill(frames, due_s)
            due_s += period_s
            if self._stop.wait(max(due_s - time.monotonic(), 0.0)):
                return

    def stop(self, drain: bool) -> None:
        if drain:
            self._stop.wait(PERIOD_S / self._speed)
        self._stop.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join()
