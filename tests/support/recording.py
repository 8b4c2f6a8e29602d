"""What was heard, sample for sample, and when."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tests.support.matching import Match, match
from tests.support.sound import QUIETEST, Int16

LOUD = QUIETEST // 2
"""A sample further from zero than this is sound (full scale is 32768)."""

_SAME_CLOCK_S = 2.0
_START_TIMEOUT_S = 10.0


class Span(NamedTuple):
    """A stretch of a recording, in frames; ``end`` is the first frame after it."""

    start: int
    end: int


class Recording:
    """A running recorder, and after :meth:`stop` what it heard.

    Times are ``time.monotonic()``, which all processes of a machine share. The sink
    takes 5 ms at a time; a sample is heard when the piece that begins with it is taken.
    That is told from when the recorder's pieces arrived: of all pieces within two
    seconds the earliest counts, for a piece can only be late. Two recordings of one
    sound agree within 0.1 ms.

    Args:
        command: writes 16-bit frames to stdout as they are heard.
        env: its environment.
        rate_hz: frames a second.
        channels: of the recording; its samples are ``(frames,)`` for one channel,
            else ``(frames, channels)``.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], rate_hz: int, channels: int = 1
    ) -> None:
        self.rate_hz = rate_hz
        self.channels = channels
        self._frame_bytes = 2 * channels
        self._pieces: list[bytes] = []
        self._ends_frames: list[int] = []
        self._arrivals_s: list[float] = []
        self._first_loud: int | None = None
        self._last_loud = 0
        self._changed = threading.Condition()
        self._ended = False
        self._samples: Int16 | None = None
        self._process = subprocess.Popen(
            list(command),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._read, name="recorder", daemon=True)
        self._thread.start()
        if not self._wait(lambda: bool(self._pieces), _START_TIMEOUT_S):
            self.stop()
            raise RuntimeError("the recorder hears nothing: is the loudspeaker running?")

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # While it runs.

    def wait_sound(self, timeout_s: float = 20.0) -> None:
        """Return once sound has been heard."""
        if not self._wait(lambda: self._first_loud is not None, timeout_s):
            raise TimeoutError(f"no sound within {timeout_s} s")

    def wait_silence(self, silence_s: float = 0.3, timeout_s: float = 60.0) -> None:
        """Return once nothing has been heard for so long (of recorded time)."""
        frames = round(silence_s * self.rate_hz)
        begin = self._heard_frames()
        if not self._wait(
            lambda: self._heard_frames() - max(self._last_loud, begin) >= frames, timeout_s
        ):
            raise TimeoutError(f"no silence of {silence_s} s within {timeout_s} s")

    def stop(self) -> Int16:
        """End the recording: all samples heard. May be called again."""
        if self._samples is None:
            self._process.terminate()
            self._process.wait(10)
            self._thread.join(10)
            data = b"".join(self._pieces)
            whole = data[: len(data) - len(data) % self._frame_bytes]
            samples = np.frombuffer(whole, "<i2")
            self._samples = samples if self.channels == 1 else samples.reshape(-1, self.channels)
        return self._samples

    # After it.

    @property
    def samples(self) -> Int16:
        """All samples heard; stops the recording."""
        return self.stop()

    @property
    def mono(self) -> Int16:
        """The first channel; stops the recording."""
        return self.samples if self.channels == 1 else self.samples[:, 0]

    def time_of(self, frame: int) -> float:
        """When the loudspeaker took this frame."""
        ends_frames = np.asarray(self._ends_frames)
        starts_s = np.concatenate([[0], ends_frames[:-1]]) / self.rate_hz
        lateness_s = np.asarray(self._arrivals_s[: len(starts_s)]) - starts_s
        near = np.abs(starts_s - frame / self.rate_hz) <= _SAME_CLOCK_S
        return float(frame / self.rate_hz + lateness_s[near].min())

    def first_sound_s(self, threshold: int = LOUD) -> float | None:
        """When the first sound was heard; None: never."""
        loud = self._loud(threshold)
        return self.time_of(int(loud[0])) if len(loud) else None

    def last_sound_s(self, threshold: int = LOUD) -> float | None:
        """When the last sound was heard; None: never."""
        loud = self._loud(threshold)
        return self.time_of(int(loud[-1])) if len(loud) else None

    def silences(self, threshold: int = LOUD, min_ms: float = 1.0) -> list[Span]:
        """Silences between the first and the last sound."""
        loud = self._loud(threshold)
        gaps = np.diff(loud) - 1
        shortest = max(1.0, min_ms * self.rate_hz / 1000)
        return [Span(int(loud[i]) + 1, int(loud[i + 1])) for i in np.flatnonzero(gaps >= shortest)]

    def match(self, reference: Int16) -> Match:
        """What became of a known sequence of samples (``ramp()``), in the first channel."""
        return match(reference, self.mono)

    def find(self, reference: Int16) -> int | None:
        """The frame where the known sequence starts to be heard; None: never heard."""
        return self.match(reference).first_frame

    def missing(self, reference: Int16) -> int:
        """How many samples of the known sequence were not heard in their order."""
        return self.match(reference).missing

    def _loud(self, threshold: int) -> npt.NDArray[np.intp]:
        levels = np.abs(self.samples.reshape(-1, self.channels).astype(np.int32)).max(axis=1)
        return np.flatnonzero(levels > threshold)

    # The recorder's thread, and waiting for it.

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        size_bytes = 0
        with pipe:
            while piece := os.read(pipe.fileno(), 65536):
                arrival_s = time.monotonic()
                with self._changed:
                    self._note_loud(piece, size_bytes)
                    size_bytes += len(piece)
                    self._pieces.append(piece)
                    self._arrivals_s.append(arrival_s)
                    self._ends_frames.append(size_bytes // self._frame_bytes)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _note_loud(self, piece: bytes, start_bytes: int) -> None:
        """Good to a piece, for those who wait; the exact places are looked up afterwards."""
        if start_bytes % 2 or len(piece) % 2:
            return
        if np.abs(np.frombuffer(piece, "<i2").astype(np.int32)).max() > LOUD:
            self._last_loud = (start_bytes + len(piece)) // self._frame_bytes
            if self._first_loud is None:
                self._first_loud = start_bytes // self._frame_bytes

    def _heard_frames(self) -> int:
        return self._ends_frames[-1] if self._ends_frames else 0

    def _wait(self, happened: Callable[[], bool], timeout_s: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: happened() or self._ended, timeout_s)
            return happened()
