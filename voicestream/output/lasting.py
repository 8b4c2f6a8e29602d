"""A sink that outlives its device: unplugged, restarted or stuck, playback goes on elsewhere."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from voicestream.counters import PlayFigures
from voicestream.errors import DeviceError, NoAnswerError, VoicestreamError
from voicestream.notices import Notices
from voicestream.output.base import Fill, Sink
from voicestream.output.holes import HoleMeter
from voicestream.output.sound_server import ServerWatch
from voicestream.pcm import PcmFormat

_T = TypeVar("_T")
_clock = time.monotonic
_SILENT_HINT = "Restart it, or keep the sound with --save FILE."

LOOK_S = 0.1
STUCK_S = 4.0
"""A started device that has not asked for sound for so long is dead. An idle PulseAudio sink
lives and asks for nothing for up to 2 s; a device that is gone says so at once (``active``)."""
_LATE_S = 0.5
"""A device that has not asked for so long is looked at: has its sound server ended?"""
_STOOD_STILL_S = 0.4
"""A look so late means that this process stood still, not the device."""
_HELD_S = 0.016
"""A sound server that dies takes along what it held itself, beyond what the device tells of."""
_RETRY_S = 0.2
_CLOSE_S = 1.0
_POLL_S = 0.05
_ANSWER_S = 5.0
"""A sound system that has not opened or started a device after so long does not answer."""
_ALIVE_S = 1.0
"""A device that has asked for this much sound plays; one that asked for less only filled its
buffer."""
_HOPELESS = 2
"""Devices in a row that opened and did not play, after which none is looked for."""


class _Bond:
    """Ties the callback of one device to ``fill`` until the device is replaced.

    A device that hung may ask again when another already plays: it gets silence then, and
    never reads the ring beside its replacement.

    Args:
        figures: where the holes that the device leaves in speech are counted.
    """

    def __init__(self, sink: Sink, fill: Fill, pcm: PcmFormat, figures: PlayFigures) -> None:
        self.sink = sink
        self._fill = fill
        self._pcm = pcm
        self._figures = figures
        self._holes = HoleMeter(pcm.rate_hz)
        self._lock = threading.Lock()
        self._cut = False
        self.asked_s = time.monotonic()
        self.asked_frames = 0

    @property
    def plays(self) -> bool:
        return self.asked_frames >= self._pcm.s_to_frames(_ALIVE_S)

    def ask(self, frames: int, dac_time_s: float) -> bytes:
        """Note that the device lives, then fill: the audio callback."""
        with self._lock:
            if self._cut:
                return self._pcm.silence(frames)
            self.asked_s = _clock()
            self.asked_frames += frames
            if self._figures.played_frames:  # a card that is slow to wake leaves no hole
                self._count(self._holes.asked(self.asked_s, frames))
            return self._fill(frames, dac_time_s)

    def _count(self, hole_s: float) -> None:
        if hole_s:
            self._figures.device_underflows += 1
            self._figures.device_hole_s += hole_s

    def cut(self) -> None:
        """Silence from now on; returns when no callback is being answered."""
        with self._lock:
            self._cut = True


class LastingSink:
    """A :class:`Sink` made of one device after another.

    Args:
        make: gives a new sink, which finds the device that is the default then.
        wait_s: how long to look for a device when there is none any more.
        notices: told when the device is lost or found again, and how much of what the
            lost one was given has not been heard.
        figures: where the holes that a device leaves are counted.
    """

    def __init__(
        self,
        make: Callable[[], Sink],
        wait_s: float,
        notices: Notices | None = None,
        figures: PlayFigures | None = None,
    ) -> None:
        self._make = make
        self._wait_s = wait_s
        self._notices = notices or Notices()
        self._figures = figures or PlayFigures()
        self._sink = make()
        self._pcm: PcmFormat | None = None
        self._fill: Fill | None = None
        self._bond: _Bond | None = None
        self._hopeless = 0
        self._server: ServerWatch | None = None
        self._stop = threading.Event()
        self._abandoned = False
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

    def abandon(self) -> None:
        """Any thread, or a signal handler: wait no longer for a device that is being opened."""
        self._abandoned = True

    def prepare(self) -> None:
        """What takes time and can be done before the format is known."""
        prepare = getattr(self._sink, "prepare", None)
        if prepare is not None:
            prepare()
            self._server = ServerWatch()

    def open(self, wanted: PcmFormat) -> PcmFormat:
        self._pcm = self._bounded(self._sink, lambda: self._sink.open(wanted))
        return self._pcm

    def start(self, fill: Fill) -> None:
        self._fill = fill
        self._bond = self._started(self._sink)
        self._watch = threading.Thread(target=self._run, name="device", daemon=True)
        self._watch.start()

    def _started(self, sink: Sink) -> _Bond:
        """Start to pull from ``fill``; whoever gave up meanwhile has cut the device off.

        Raises:
            DeviceError: the device refuses, or does not answer.
        """
        assert self._fill is not None
        assert self._pcm is not None
        bond = _Bond(sink, self._fill, self._pcm, self._figures)
        try:
            self._bounded(sink, lambda: sink.start(bond.ask))
        except VoicestreamError:
            bond.cut()
            raise
        return bond

    def _bounded(self, sink: Sink, call: Callable[[], _T]) -> _T:
        """Return what ``call`` returns, or an error when the sound system does not answer in time.

        A call that returns after that closes its device.

        Raises:
            DeviceError: there was no answer, or nobody waits for it any more.
        """
        answers: queue.SimpleQueue[_T | BaseException] = queue.SimpleQueue()
        gave_up = threading.Event()

        def run() -> None:
            try:
                answers.put(call())
            except BaseException as error:  # noqa: BLE001 - told to the thread that waits
                answers.put(error)
            if gave_up.is_set():
                sink.stop(drain=False)

        threading.Thread(target=run, name="open-device", daemon=True).start()
        deadline_s = time.monotonic() + _ANSWER_S
        while not (self._abandoned or self._stop.is_set()) and time.monotonic() < deadline_s:
            try:
                answer = answers.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if isinstance(answer, BaseException):
                raise answer
            return answer
        gave_up.set()
        if not answers.empty():  # it came between the last look and giving up
            close_in_time(sink, drain=False)
        raise NoAnswerError("the sound system does not answer", hint=_SILENT_HINT)

    def stop(self, drain: bool) -> None:
        self._stop.set()
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join(_CLOSE_S)
        close_in_time(self._sink, drain)

    def _run(self) -> None:
        looked_s = time.monotonic()
        server = self._server or ServerWatch()
        while not self._stop.wait(LOOK_S):
            now_s = time.monotonic()
            if now_s - looked_s > _STOOD_STILL_S and self._bond:  # Ctrl-Z, or a busy machine
                self._bond.asked_s = now_s
            looked_s = now_s
            late_s = time.monotonic() - self._bond.asked_s if self._bond else 0.0
            gone = late_s > _LATE_S and not server.there
            if gone or late_s > STUCK_S or not self._sink.active:
                if not self._replace(close_s=0.0 if gone else _CLOSE_S):
                    self._lost = True
                    return
                server = ServerWatch()

    def _replace(self, close_s: float) -> bool:
        """Find another device; whether there was one in time.

        Args:
            close_s: how long the one before may take to close.
        """
        assert self._bond is not None
        self._notices.notify("the audio device stopped; looking for another")
        unheard_s = self._sink.latency_s + _HELD_S
        deadline_s = time.monotonic() + self._wait_s
        self._hopeless = 0 if self._bond.plays else self._hopeless + 1
        self._bond.cut()
        close_in_time(self._sink, drain=False, within_s=close_s)
        self._notices.unheard(unheard_s)
        if self._hopeless > _HOPELESS:
            return False
        while not self._stop.is_set() and time.monotonic() < deadline_s:
            if self._restarted():
                self._notices.notify("playing on")
                return True
            self._stop.wait(_RETRY_S)
        return False

    def _restarted(self) -> bool:
        sink = self._make()
        wanted = self._pcm or PcmFormat(24_000)
        try:
            if self._bounded(sink, lambda: sink.open(wanted)) != self._pcm:
                raise DeviceError("the new device wants another format")
            bond = self._started(sink)
        except VoicestreamError:
            # none yet: the caller looks again until its time is over, then tells
            close_in_time(sink, drain=False)
            return False
        self._sink, self._bond = sink, bond
        if self._stop.is_set():  # stop() may have closed the one before
            bond.cut()
            close_in_time(sink, drain=False)
        return True


class Closable(Protocol):
    """What is stopped at its end."""

    def stop(self, drain: bool) -> None: ...


def close_in_time(sink: Closable, drain: bool, within_s: float = _CLOSE_S) -> None:
    """Close a device that may hang; a hung one is left to the end of the process."""
    closing = threading.Thread(target=sink.stop, args=(drain,), name="close-device", daemon=True)
    closing.start()
    closing.join(within_s)
