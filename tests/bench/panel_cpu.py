"""What the panel costs: CPU a second while it is shown on a terminal. ``python -m``, from the top.

Prints milliseconds of CPU per second of showing at each rate, and per picture.
"""

from __future__ import annotations

import contextlib
import os
import pty
import sys
import threading
import time
from typing import TextIO

from tests.bench.picture import sample
from voicestream.counters import Cue
from voicestream.metrics import Metrics
from voicestream.ui.panel import Panel

SECONDS = 4.0


def cost_ms(stream: TextIO, rate_hz: float) -> tuple[float, int]:
    """CPU of one thread that shows a reply for ``SECONDS``, and the number of pictures."""
    metrics = Metrics()
    metrics.requests.segments.extend(sample().segments)
    metrics.capacity_ms = 2_000.0
    metrics.feeder.prebuffer_ms = 150.0
    metrics.feeder.cues.append(Cue(0, sample().speaking))
    metrics.feeder.decoded_s = 12.4
    metrics.timeline.mark("request_sent")
    metrics.timeline.mark("first_byte")
    metrics.feeder.rate_hz = 24_000
    metrics.play.played_frames = sample().played_frames
    metrics.play.fill = sample().fill
    pictures = 0
    with Panel(metrics.snapshot, stream, rate_hz=rate_hz) as panel:
        before_s = time.thread_time()
        until_s = time.monotonic() + SECONDS
        while time.monotonic() < until_s:
            time.sleep(panel.interval_s)
            panel.tick()
            pictures += 1
        return 1000.0 * (time.thread_time() - before_s), pictures


def main() -> None:
    master, slave = pty.openpty()

    def read() -> None:
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            while os.read(master, 65_536):
                pass

    threading.Thread(target=read, daemon=True).start()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        for rate_hz in (5.0, 10.0, 20.0):
            spent_ms, pictures = cost_ms(stream, rate_hz)
            sys.stderr.write(
                f"{rate_hz:4.0f} Hz: {spent_ms / SECONDS:5.2f} ms of CPU a second, "
                f"{spent_ms / pictures:.2f} ms a picture\n"
            )
    os._exit(0)  # the reader still waits


if __name__ == "__main__":
    main()
