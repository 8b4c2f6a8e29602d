"""A sink that outlives its device: unplugged, restarted or stuck, playback goes on elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from voicestream.errors import DeviceError, VoicestreamError
from voicestream.notices import Notices
from voicestream.output.base import Fill, Sink
from voicestream.pcm import PcmFormat

LOOK_S = 0.1
STUCK_S = 0.4
"""A started device that has not asked for sound for so long is dead."""
_RETRY_S = 0.2
_CLOSE_S = 1.0


class LastingSink:
    """A :class:`Sink` made of one device after another.

    Args:
        make: gives a new sink, which finds the device that is the default then.
        wait_s: how long to look for a device when there is none any more.
        notices: told when the device is lost or found again, and how much of what the
            lost one was given has not been heard.
    """

    def __init__(
        self, make: Callable[[], Sink], wait_s: float, notices: Notices | None = None
    ) -> None:
        self._make = make
        self._wait_s = wait_s
        self._notices = notices or Notices()
        self._sink = make()
        self._pcm: PcmFormat | None = None
        self._fill: Fill | None = None
        self._asked_s = 0.0
        self._stop = threading.Event()
        self._lost = False
        self._watch: threading.Thread | None = None

    @property
    def latency_s(self) -> float:
        return self._sink.latency_s

    @property
    def lead_in_s(self) -> float:
        return self._sink.lead_in_s

    @property
    def active(self) -> bool:
        """False only when the device is gone and no other was found in time."""
        return self._watch is not None and not self._lost and not self._stop.is_set()

    def prepare(self) -> None:
        """What takes time and can be done before the format is known."""
        prepare = getattr(self._sink, "prepare", None)
        if prepare is not None:
            prepare()

    def open(self, wanted: PcmFormat) -> PcmFormat:
        self._pcm = self._sink.open(wanted)
        return self._pcm

    def start(self, fill: Fill) -> None:
        self._fill = fill
        self._asked_s = time.monotonic()
        self._sink.start(self._asked)
        self._watch = threading.Thread(target=self._run, name="device", daemon=True)
        self._watch.start()

    def _asked(self, frames: int, dac_time_s: float) -> bytes:
        """The audio callback: note that the device lives, then fill."""
        self._asked_s = time.monotonic()
        fill = self._fill
        assert fill is not None
        return fill(frames, dac_time_s)

    def stop(self, drain: bool) -> None:
        self._stop.set()
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join(_CLOSE_S)
        _close(self._sink, drain)

    def _run(self) -> None:
        looked_s = time.monotonic()
        while not self._stop.wait(LOOK_S):
            now_s = time.monotonic()
            if now_s - looked_s > STUCK_S:  # it was this process that stood still (Ctrl-Z)
                self._asked_s = now_s
            looked_s = now_s
            if self._dead() and not self._replace():
                self._lost = True
                return

    def _dead(self) -> bool:
        return not self._sink.active or time.monotonic() - self._asked_s > STUCK_S

    def _replace(self) -> bool:
        """Find another device; whether there was one in time."""
        self._notices.notify("the audio device stopped; looking for another")
        unheard_s = self._sink.latency_s
        deadline_s = time.monotonic() + self._wait_s
        _close(self._sink, drain=False)
        self._notices.unheard(unheard_s)
        while not self._stop.is_set() and time.monotonic() < deadline_s:
            if self._restarted():
                self._notices.notify("playing on")
                return True
            self._stop.wait(_RETRY_S)
        return False

    def _restarted(self) -> bool:
        sink = self._make()
        try:
            if sink.open(self._pcm or PcmFormat(24_000)) != self._pcm:
                raise DeviceError("the new device wants another format")
            self._asked_s = time.monotonic()
            sink.start(self._asked)
        except VoicestreamError:
            # none yet: the caller looks again until its time is over, then tells
            _close(sink, drain=False)
            return False
        self._sink = sink
        return True


def _close(sink: Sink, drain: bool) -> None:
    """Close a sink whose device may hang; a hung one is left to the end of the process."""
    closing = threading.Thread(target=sink.stop, args=(drain,), name="close-device", daemon=True)
    closing.start()
    closing.join(_CLOSE_S)
