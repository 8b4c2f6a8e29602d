"""The player: exactly N frames, whenever asked.

``fill`` is a plain function of the ring and the state; it needs no device.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from voicestream.counters import PlayFigures, Timeline
from voicestream.pcm import Frames16, PcmFormat
from voicestream.playout.conceal import Concealer
from voicestream.playout.controls import Controls
from voicestream.playout.gate import Gate
from voicestream.playout.meter import Meter
from voicestream.playout.reel import Reel, Stretching, no_stretcher
from voicestream.playout.ring import Ring
from voicestream.playout.volume import Volume
from voicestream.state import State, StateMachine

TAIL_S = 0.05
"""Silence after the last sample, on top of the sink's latency: a card that stops
at once swallows 20 to 100 ms."""


class Player:
    """Fills the sink's buffers: prebuffer gate, underruns, drain and silence of one reply.

    Args:
        wake: called from the callback when something happened that the
            conductor waits for; it may wait for nothing and raise nothing.
        controls: what is asked of it while it plays.
        stretcher: makes what changes the tempo while it plays.
        clock: that of the arrivals that plans are made from.
    """

    def __init__(
        self,
        ring: Ring,
        pcm: PcmFormat,
        machine: StateMachine,
        timeline: Timeline,
        figures: PlayFigures,
        wake: Callable[[], None],
        controls: Controls | None = None,
        stretcher: Callable[[], Stretching] = no_stretcher,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ring = ring
        self._reel = Reel(ring, stretcher)
        self.gate = Gate(ring, pcm, figures, clock)
        """When there is enough to play."""
        self.meter = Meter(pcm, timeline, figures)
        """What is noted of the sound that is played."""
        self.pcm = pcm
        self._machine = machine
        self._timeline = timeline
        self._figures = figures
        self._wake = wake
        self._controls = controls or Controls()
        self._clock = clock
        # conductor, before the sink starts
        self._lead_in_frames = 0
        self.latency_frames = 0
        self.tail_frames = pcm.s_to_frames(TAIL_S)
        # feeder
        self.wanted_room_frames = 0
        """The feeder waits for so much room in the ring; 0: it does not wait."""
        # conductor
        self.cancelled = False
        # audio callback
        self.drained = False
        """Everything, the tail included, has been handed to the sink."""
        self.silenced = False
        """After a cancel: the fade has left the sink, which asked for what comes behind it."""
        self._lead_left = 0
        self._concealer = Concealer(pcm)
        self._fading = False  # after a cancel
        self._silent_frames = 0
        self._asked_s = math.inf  # the callback before this one
        self._volume = Volume()
        self._goes_on = False  # after a rest: a rise is due before the sound
        self._leading_frames = 0  # of that rise
        self._seeking = False  # silent until the frame to go on at is written
        self.resting = False
        """Silent because the controls wish it, the fade included."""
        self.silent = False
        """Resting, and the fade has been handed to the sink."""
        self.spoken = False
        """The last sample has been handed to the sink."""

    def attach(self, lead_in_s: float, latency_s: float) -> None:
        """Note what the sink swallows at first and what waits in it. Call it before the sink
        starts."""
        self._lead_in_frames = self._lead_left = self.pcm.s_to_frames(lead_in_s)
        self.latency_frames = self.pcm.s_to_frames(latency_s)

    @property
    def read_frames(self) -> int:
        """Frames of the reply handed to the sink so far."""
        return self._ring.read

    def fill(self, frames: int, dac_time_s: float) -> bytes:
        """Return the next frames as 16-bit bytes, silence where there is nothing to play.

        Args:
            frames: how many.
            dac_time_s: when the first of them leaves the DAC, on the clock of ``time.monotonic()``.
        """
        out = np.zeros((frames, self.pcm.channels), np.int16)
        self._see_time()
        start = min(self._lead_left, frames)
        self._lead_left -= start
        if self.cancelled:
            self._fade_to_silence(out[start:])
        elif start < frames:
            self._play_or_rest(out[start:], dac_time_s + self.pcm.frames_to_s(start))
        self._volume.turn(out, self._controls.volume)
        self._concealer.remember(out)
        room = 0 < self.wanted_room_frames <= self._ring.writable_frames
        if room or self.drained or self.silenced:
            self._wake()
        sound = out.tobytes()
        if self._controls.sent is not None:
            self._controls.sent.append((dac_time_s, sound, self.pcm))
        return sound

    def rewind(self, seconds: float) -> None:
        """Play the last ``seconds`` again. Called between two devices, when none asks for frames.

        The new device gets a lead-in as the old one did.
        """
        frames = self._reel.rewind(self.pcm.s_to_frames(seconds))
        self._figures.played_frames -= frames
        self._silent_frames = 0
        self._lead_left = self._lead_in_frames
        self._concealer.restart()

    def _play_or_rest(self, out: Frames16, dac_time_s: float) -> None:
        """Play, but for the frames that are to be silent because somebody wishes it."""
        wished = self._controls
        self._reel.turn(wished.tempo)
        frame = wished.seek_frame
        seeking = frame is not None and not self._sought(frame)
        resting = wished.paused or wished.yielded or wished.in_doubt
        if resting or self._ring.read >= wished.rest_at_frame:
            self._rest(out)
            return
        if seeking:
            self._concealer.fill(out)
            return
        silent = self._too_early_frames(dac_time_s)
        self._concealer.fill(out[:silent])
        out = out[silent:]
        if len(out) and self.resting:
            self._end_rest()
        if len(out) and self._goes_on and self.gate.ready:
            self._goes_on = False
            self._leading_frames = self._concealer.lead_into(self._reel.peek)
        if self._leading_frames:
            rising = min(self._leading_frames, len(out))
            self._leading_frames -= rising
            self._concealer.fill(out[:rising])
            out = out[rising:]
            silent += rising
        if len(out):
            self._play(out, dac_time_s + self.pcm.frames_to_s(silent))

    def _too_early_frames(self, dac_time_s: float) -> int:
        """Return how many frames from ``dac_time_s`` on come before the time at which it may be
        heard.

        None once it has gone on: a sink's times waver by more than a sample.
        """
        if self._leading_frames or self._machine.state in (State.PLAYING, State.DRAINING):
            return 0
        early_s = self._controls.not_before_s - dac_time_s
        return self.pcm.s_to_frames(min(max(early_s, 0.0), 10.0))

    def _see_time(self) -> None:
        now_s = self._clock()
        if now_s - self._asked_s > self._controls.doubt_after_s:
            self._controls.in_doubt = True
        self._asked_s = now_s

    def _rest(self, out: Frames16) -> None:
        """Fade out and be silent; the ring is not read."""
        if not self.resting:
            self.resting = True
            self.silent = False
            self.gate.forgive()
            self._leading_frames = 0
            if self._machine.advance(State.PAUSED):
                self._concealer.stop(out[:0])
        self._concealer.fill(out)
        if not self.silent and not self._concealer.filling:
            self.silent = True
            self._wake()

    def _end_rest(self) -> None:
        """Go on where the sound was left, every sample of it as it is, once there is enough."""
        self.resting = self.silent = False
        self._goes_on = self._machine.advance(State.REBUFFERING)

    def _sought(self, frame: int) -> bool:
        """Go on at another frame, out of a fade; return False if what lies before it is still to be
        written, and is left out as it comes."""
        if not self._seeking:
            self._seeking = True
            self._turn_off()
        ended = self.gate.ended  # before the ring is looked at: nothing is written after it is set
        self._figures.played_frames += self._reel.seek(frame)
        self.spoken = False
        self._silent_frames = 0
        if self._ring.read < frame and not ended:
            return False
        self._seeking = False
        if self._controls.seek_frame == frame:
            self._controls.seek_frame = None
        self._wake()
        return True

    def _turn_off(self) -> None:
        """Fade what is heard, as before a hole: the new place waits until there is enough."""
        self.gate.forgive()
        playing = self._machine.state in (State.PLAYING, State.DRAINING)
        if playing or self._leading_frames:
            self._leading_frames = 0
            self._concealer.stop_here()
        self._goes_on = False
        if self._machine.state is State.PLAYING:
            self._machine.advance(State.REBUFFERING)

    def _play(self, out: Frames16, dac_time_s: float) -> None:
        if self._machine.state in (State.PREBUFFERING, State.REBUFFERING):
            if not self.gate.ready:
                self.gate.waited(len(out))
                self._concealer.fill(out)
                return
            self._machine.advance(State.PLAYING)
            self._concealer.go_on()
            self._timeline.mark("playback_start")
        # before the ring is looked at: what is written after these are set counts as not yet
        ended, idle = self.gate.ended, self.gate.idle
        waiting = self._ring.readable_frames
        self.meter.fill(waiting + self.latency_frames)
        allowed = waiting if ended or idle else self.gate.allowed(waiting)
        before = self._ring.read
        rest_at = self._controls.rest_at_frame
        # it may just have been set to a place that has passed
        sound = self._reel.take(len(out), min(allowed, max(rest_at - before, 0)))
        taken = self._ring.read - before
        self._figures.played_frames += taken
        out[: len(sound)] = sound
        self._concealer.smooth(out if ended else out[: len(sound)])
        self.meter.sound(out[: len(sound)], dac_time_s)
        if ended:
            self._machine.advance(State.DRAINING)
        missing = len(out) - len(sound)
        if not missing:
            return
        if self._ring.read >= rest_at:
            self._concealer.stop(out[: len(sound)])
            self._machine.advance(State.PAUSED)
            self._rest(out[len(sound) :])
        elif ended:
            self._drain(missing)
        elif idle:
            self.gate.forgive()
            self._pause(out, len(sound))
        else:
            self.gate.close(held=waiting > taken)
            self._pause(out, len(sound))
            self.gate.waited(missing)

    def _pause(self, out: Frames16, heard: int) -> None:
        """Play nothing after ``heard`` frames of ``out``, until there is enough again."""
        self._concealer.stop(out[:heard], repeating=self.gate.repeats)
        self._concealer.fill(out[heard:])
        self._machine.advance(State.REBUFFERING)

    def _drain(self, silent_frames: int) -> None:
        if not self.spoken:
            self.spoken = True
            self._wake()
        self._silent_frames += silent_frames
        if self._silent_frames >= self.tail_frames + self.latency_frames:
            self.drained = True

    def _fade_to_silence(self, out: Frames16) -> None:
        if not self._fading:
            self._fading, self._silent_frames = True, 0
            self._concealer.stop(out[:0])
        self._silent_frames += 0 if self._concealer.filling else len(out)
        self._concealer.fill(out)
        self.silenced = self._silent_frames >= self.latency_frames and not self._concealer.filling
