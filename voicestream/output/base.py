"""What a sink is: where samples go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from voicestream.pcm import Frames16, PcmFormat

Fill: TypeAlias = Callable[[int, float], bytes]
"""``fill(frames, dac_time_s) -> bytes``.

Called by the sink's own thread: returns exactly ``frames`` frames in the sink's
format, at once, always. ``dac_time_s`` is when the first of them leaves the
loudspeaker, on the clock of ``time.monotonic()``.
"""


class Sink(Protocol):
    """A place where samples go, pulled at the rate of its clock.

    ``open``, ``start`` and ``stop`` are called by one thread. A sink may also have
    ``prepare()``, what takes time and needs no format; any thread may call that first.
    Call ``open`` early and ``start`` late: a stream that starts with sound ready is heard
    sooner than one that idles on silence.
    """

    @property
    def latency_s(self) -> float:
        """From the return of ``fill`` to the loudspeaker, at most. 0 until opened."""

    @property
    def lead_in_s(self) -> float:
        """Silence to give first so that this sink swallows no sound."""

    @property
    def active(self) -> bool:
        """Started and still asking for frames."""

    def open(self, wanted: PcmFormat) -> PcmFormat:
        """Open for 16-bit sound near ``wanted``; return the format ``fill`` must deliver.

        Raises:
            DeviceError: there is no such device, or it refuses.
        """

    def start(self, fill: Fill) -> None:
        """Begin to pull.

        Raises:
            DeviceError: the device refuses.
        """

    def stop(self, drain: bool) -> None:
        """End the stream: with ``drain`` after what was pulled has been heard, else at once.

        Safe to call at any time, more than once.
        """


class Recipient(Protocol):
    """Gets all of the sound as it is joined, played or not; called by the feeder."""

    def prepare(self) -> None:
        """Do what takes time and needs no format."""

    def open(self, pcm: PcmFormat, text: str = "") -> None:
        """The format is known; ``text`` is the beginning of what is said.

        Raises:
            SaveError: it cannot be kept.
        """

    def write(self, frames: Frames16) -> None:
        """The next frames; may wait.

        Raises:
            SaveError: it cannot be kept any more.
        """

    def close(self, complete: bool = False) -> None:
        """No more will come; ``complete``: that was all there was to be said.

        Raises:
            SaveError: what was kept cannot be finished.
        """
