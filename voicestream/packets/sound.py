"""Packets of one sender to sound without a gap."""

from __future__ import annotations

import numpy as np

from voicestream.packets.jitter import JitterBuffer, Kind
from voicestream.packets.payload import decoder, frames_of
from voicestream.packets.rtp import RtpPacket
from voicestream.packets.sdp import Payload
from voicestream.pcm import PcmFormat, Samples, no_samples
from voicestream.playout.holes import FADE_S, bridge, mirror, pitch_frames, repeat
from voicestream.policy.delay import DelayTarget

_PAST_S = 0.03


class PacketSound:
    """Sound of packets, whenever asked, by one thread.

    What is lost is covered by the sound before it and, where that is here, the one after it, which
    fade over 60 ms; a pause is silence.
    """

    def __init__(self, payload: Payload, target: DelayTarget | None = None) -> None:
        self.pcm = PcmFormat(payload.clock_hz, payload.channels)
        self.buffer = JitterBuffer(payload.clock_hz, frames_of(payload), target)
        self.stretched_frames = 0
        """By which sound was made longer or shorter."""
        self.broken = 0
        self._decode = decoder(payload)
        self._fade = max(self.pcm.s_to_frames(FADE_S), 1)
        self._past = no_samples(payload.channels)
        self._filling: Samples | None = None  # of a hole, what is left of it; None: in no hole
        self._ahead: tuple[bytes, Samples | None] | None = None  # decoded before its turn

    def put(self, at_s: float, packet: RtpPacket) -> None:
        """Take a packet that came at ``at_s``."""
        self.buffer.put(at_s, packet)

    def take(self, at_s: float) -> Samples:
        """Return the next sound, which is played from ``at_s`` on: a packet's, or 10 ms."""
        piece = self.buffer.take(at_s)
        sound = self._decoded(piece.payload) if piece.kind is Kind.SOUND else None
        if sound is not None:
            sound = self._out_of_hole(self._changed(sound, piece.change))
        else:
            if piece.kind is Kind.LOST:
                self._bridge(piece.payload, piece.gap)
            self.broken += piece.kind is Kind.SOUND
            sound = self._fill(piece.frames, silent=piece.kind is Kind.SILENCE)
        self._past = np.concatenate((self._past, sound))[-self.pcm.s_to_frames(_PAST_S) :]
        return sound

    def _decoded(self, payload: bytes) -> Samples | None:
        if self._ahead is not None and self._ahead[0] is payload:
            sound, self._ahead = self._ahead[1], None
            return sound
        sound = self._decode(payload)
        fits = sound is not None and sound.shape[1] == self.pcm.channels and len(sound) > 0
        return sound if fits else None

    def _bridge(self, payload: bytes, gap: int) -> None:
        """Fill what is lost before a payload, once."""
        if self._ahead is not None and self._ahead[0] is payload:
            return
        sound = self._decoded(payload)
        self._ahead = payload, sound
        if sound is not None:
            filling = bridge(self._past, sound, gap, self.pcm.rate_hz)
            self._filling = np.concatenate((filling, sound[: self._fade]))

    def _fill(self, frames: int, *, silent: bool) -> Samples:
        if self._filling is None:
            if not self._past.any():  # out of silence sound comes as it is
                return np.zeros((frames, self.pcm.channels), np.float32)
            cover = mirror if silent else repeat
            self._filling = cover(self._past, self.pcm.rate_hz)
        sound = np.zeros((frames, self.pcm.channels), np.float32)
        sound[: len(self._filling)] = self._filling[:frames]
        self._filling = self._filling[frames:]
        return sound

    def _out_of_hole(self, sound: Samples) -> Samples:
        """Let sound rise while what covered the hole before it falls."""
        if self._filling is None:
            return sound
        fade = min(self._fade, len(sound))
        rise = np.linspace(0, 1, fade, endpoint=False, dtype=np.float32)[:, None]
        falling = np.zeros((fade, self.pcm.channels), np.float32)
        falling[: len(self._filling)] = self._filling[:fade]
        risen = sound.copy()
        risen[:fade] = sound[:fade] * rise + falling * (1 - rise)
        self._filling = None
        return risen

    def _changed(self, sound: Samples, change: int) -> Samples:
        """Leave one period of its pitch out, or play one twice; the ends stay as they are."""
        if not change:
            return sound
        period = pitch_frames(np.concatenate((self._past, sound)), self.pcm.rate_hz)
        overlap = min(period, len(sound) - period)
        if overlap < self._fade // 2:
            return sound
        rise = np.linspace(0, 1, overlap, endpoint=False, dtype=np.float32)[:, None]
        first, second = sound[:overlap], sound[period : period + overlap]
        self.stretched_frames += period
        if change < 0:
            crossed = first + (second - first) * rise
            return np.concatenate((crossed, sound[period + overlap :]))
        crossed = second + (first - second) * rise
        return np.concatenate((sound[:period], crossed, sound[overlap:]))
