"""A sink that is opened before there is sound to play; a card that sleeps is woken by silence."""

from __future__ import annotations

import threading
from collections.abc import Callable

from voicestream.errors import DeviceError
from voicestream.output.base import Fill, Sink
from voicestream.output.devices import EXPECTED
from voicestream.pcm import PcmFormat

SWALLOWED_S = (("bluez", 1.0), ("usb", 0.5))
"""So long a card that was idle swallows sound, or less, by what is in its name: headphones on
Bluetooth, and cards on USB. Others wake within the lead-in that every stream begins with."""


class WakingSink:
    """A :class:`Sink` that plays silence from ``prepare`` on, while the server thinks.

    It is opened for the sound that is expected; other sound opens the card anew. What is left of
    the silence when there is sound comes before that, as its lead-in. Silence counts once the
    card asks for it: one that was suspended asks late.

    A card that need not be woken is opened as early, where that may be repeated
    (``opens_again``), and starts with the sound.

    Args:
        make: gives the sink of the card.
        wake_s: says of that sink, once it is prepared, how long its card swallows sound; 0: not
            at all, and the sink is left as it is.
    """

    def __init__(self, make: Callable[[], Sink], wake_s: Callable[[Sink], float]) -> None:
        self._make = make
        self._sink = make()
        self._needs_s = wake_s
        self._wake_s = 0.0
        self._lock = threading.Lock()  # held by whoever opens, starts or stops the card
        self._stopped = False
        self._pcm: PcmFormat | None = None
        self._wakes = False
        self._ahead = False
        # audio callback
        self._fill: Fill | None = None
        self._silent_frames = 0

    @property
    def latency_s(self) -> float:
        return self._sink.latency_s

    @property
    def lead_in_s(self) -> float:
        silent_s = 0.0
        if self._wakes and self._pcm is not None:
            # what waits in the card has not been played yet
            silent_s = max(self._pcm.frames_to_s(self._silent_frames) - self._sink.latency_s, 0.0)
        if silent_s >= self._wake_s > 0:
            return 0.0
        return max(self._wake_s - silent_s, self._sink.lead_in_s)

    @property
    def active(self) -> bool:
        return self._sink.active

    def prepare(self) -> None:
        """Wake the card, if it needs that.

        Raises:
            DeviceError: there is none.
        """
        with self._lock:
            prepare = getattr(self._sink, "prepare", None)
            if prepare is not None:
                prepare()
            if self._stopped or self._pcm is not None:
                return
            self._wake_s = self._needs_s(self._sink)
            self._ahead = not self._wake_s and getattr(self._sink, "opens_again", False)
            if self._wake_s or self._ahead:
                self._pcm = self._sink.open(EXPECTED)
            if self._wake_s:
                self._sink.start(self._ask)
                self._wakes = True

    def open(self, wanted: PcmFormat) -> PcmFormat:
        with self._lock:
            if self._pcm is not None and wanted.with_encoding("s16") == self._pcm:
                return self._pcm
            if self._wakes:
                self._wakes = False
                self._silent_frames = 0
                self._renew()
            self._pcm = self._sink.open(wanted)
            return self._pcm

    def start(self, fill: Fill) -> None:
        with self._lock:
            self._fill = fill
            if self._wakes:
                return
            try:
                self._sink.start(fill)
            except DeviceError:
                if not self._ahead or self._pcm is None:
                    raise
                self._renew()  # what was opened a while ago may have gone since
                self._sink.open(self._pcm)
                self._sink.start(fill)

    def _renew(self) -> None:
        self._sink.stop(drain=False)
        self._sink = self._make()

    def stop(self, drain: bool) -> None:
        with self._lock:
            self._stopped = True
            self._sink.stop(drain)

    def _ask(self, frames: int, dac_time_s: float) -> bytes:
        """Fill the card's buffer: the audio callback."""
        fill, pcm = self._fill, self._pcm or EXPECTED
        if fill is not None:
            return fill(frames, dac_time_s)
        self._silent_frames += frames
        return pcm.silence(frames)
