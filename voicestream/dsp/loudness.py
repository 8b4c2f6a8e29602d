"""How loud speech is, as ears judge it, and bringing it to another loudness.

ITU-R BS.1770-4 and EBU R128: the power of 400 ms at a time, weighted by frequency (K), in
LUFS; silence and quiet parts are gated out.
"""

from __future__ import annotations

import math

import numpy as np

from voicestream.pcm import NDArray, PcmFormat, Samples, no_samples

_STEP_S = 0.1
_STEPS = 4
"""A block of 400 ms begins every 100 ms."""
_OFFSET_DB = -0.691
_SILENT_LUFS = -70.0
_GATE_LU = -10.0
_KNEE, _TOP = 0.9, 0.999
"""Raised sound bends from the one and never passes the other."""
_SHELF = (
    *(1.53512485958697, -2.69169618940638, 1.19839281085285),
    *(-1.69065929318241, 0.73248077421585),
)
_HIGH_PASS = (1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621)
"""The two filters of BS.1770 at 48 kHz: b0 b1 b2 a1 a2."""
_MADE_FOR_HZ = 48_000


class LoudnessMeter:
    """Measures speech as it comes, however it is cut.

    The weights are applied to the spectrum of each 100 ms instead of filtering in time.
    Used by one thread.
    """

    def __init__(self, pcm: PcmFormat) -> None:
        self._step = pcm.s_to_frames(_STEP_S)
        self._weights = _k_weights(self._step, pcm.rate_hz)
        self._rest = no_samples(pcm.channels)
        self._powers: list[float] = []  # of each 100 ms, all channels

    def feed(self, samples: Samples) -> None:
        """Add samples of shape ``(frames, channels)``."""
        sound = np.concatenate((self._rest, samples)) if len(self._rest) else samples
        count = len(sound) // self._step
        self._rest = sound[count * self._step :].copy()
        for step in sound[: count * self._step].reshape(count, self._step, sound.shape[1]):
            spectrum = np.abs(np.fft.rfft(step, axis=0)) ** 2
            self._powers.append(float((spectrum.sum(axis=1) * self._weights).sum()))

    def measured(self) -> tuple[float, float] | None:
        """Return the loudness so far in LUFS, and the seconds of speech it was measured in."""
        powers = np.array(self._powers)
        if len(powers) < _STEPS:
            return None
        blocks = np.convolve(powers, np.full(_STEPS, 1 / _STEPS), "valid")
        loud = blocks[blocks > _power(_SILENT_LUFS)]
        if not len(loud):
            return None
        gated = loud[loud > loud.mean() * 10 ** (_GATE_LU / 10)]
        return _lufs(float(gated.mean())), len(gated) * _STEP_S


def _lufs(power: float) -> float:
    return _OFFSET_DB + 10 * math.log10(power)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET_DB) / 10))


def _k_weights(frames: int, rate_hz: int) -> NDArray[np.float64]:
    """Return what each bin of a real spectrum of ``frames`` adds to the mean weighted power."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(frames, 1 / rate_hz) / _MADE_FOR_HZ)
    gain = np.ones(len(turn))
    for b0, b1, b2, a1, a2 in (_SHELF, _HIGH_PASS):
        through = (b0 + b1 * turn + b2 * turn**2) / (1 + a1 * turn + a2 * turn**2)
        gain *= np.abs(through) ** 2
    twice = np.full(len(turn), 2.0)  # the half of the spectrum that is not there
    twice[0] = 1.0
    if frames % 2 == 0:
        twice[-1] = 1.0
    weights: NDArray[np.float64] = gain * twice / frames**2
    return weights


def amplify(samples: Samples, gain: float | NDArray[np.float64]) -> Samples:
    """Multiply by ``gain``; sound that is raised bends before it would be cut off."""
    louder: Samples = (samples * gain).astype(np.float32)
    size = np.abs(louder)
    over = (size > _KNEE) & (size > np.abs(samples))
    if over.any():
        room = _TOP - _KNEE
        bent = _KNEE + room * np.tanh((size[over] - _KNEE) / room)
        louder[over] = np.copysign(bent, louder[over])
    return louder
