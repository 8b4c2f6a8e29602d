"""Arrivals of speech from servers of many kinds, and speech to arrive.

Each family resembles one file of ``tests/data/traces``; every trace draws its
own parameters from the family's ranges.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.support.trace_content import (
    RATE_HZ,
    SENTENCES,
    Content,
    Rng,
    content_of,
    sentences,
    silence,
    speech_in_parts,
    speech_of,
)
from voicestream.trace import Trace, load_trace

FOLDER = Path(__file__).parents[1] / "data" / "traces"


def _trace(name: str, arrivals: Sequence[tuple[float, float]], content: Content) -> Trace:
    """Arrivals in seconds of sound, cut and rounded to the content's frames."""
    left = len(content.samples)
    pieces: list[tuple[float, int]] = []
    for at_s, frames in arrivals:
        count = min(int(frames), left)
        if count:
            pieces.append((at_s, count))
        left -= count
    if left:
        pieces.append((pieces[-1][0] + 0.01, left))
    return Trace(name, RATE_HZ, tuple(pieces), content.chars, content.found_pauses())


def _paced(
    start_s: float, pace: Callable[[int, float], float], seconds: float, chunk: float = 2048
) -> list[tuple[float, float]]:
    """Chunks, each so many seconds after the one before, until all sound is there."""
    arrivals: list[tuple[float, float]] = []
    at_s, frames = start_s, 0.0
    for index in itertools.count():
        if frames >= seconds * RATE_HZ:
            return arrivals
        if index:
            at_s += pace(index, at_s - start_s)
        arrivals.append((at_s, chunk))
        frames += chunk
    return arrivals


Made = tuple[Trace, Content]


def _plain(name: str, rng: Rng, arrivals: list[tuple[float, float]]) -> Made:
    seconds = sum(frames for _, frames in arrivals) / RATE_HZ - rng.uniform(0, 0.04)
    content = speech_of(seconds, rng)
    return _trace(name, arrivals, content), content


def _length_s(rng: Rng) -> float:
    return float(np.clip(rng.lognormal(math.log(11), 0.5), 2, 30))


def _step_s(rate: float, chunk: float = 2048) -> float:
    return chunk / RATE_HZ / rate


def _in_order(times: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """What is late keeps back what comes after it, as TCP does."""
    latest = itertools.accumulate((at for at, _ in times), max)
    return [(at, frames) for at, (_, frames) in zip(latest, times, strict=True)]


def _jittered(
    start_s: float, rate: float, seconds: float, jitter: Callable[[], float]
) -> list[tuple[float, float]]:
    steady = _paced(0.0, lambda _i, _t: _step_s(rate), seconds)
    late = [0.0, *(jitter() for _ in steady[1:])]
    return _in_order(
        [(start_s + at + more, frames) for (at, frames), more in zip(steady, late, strict=True)]
    )


def fast_local(rng: Rng) -> Made:
    step = _step_s(rng.uniform(6, 20))
    return _plain(
        "fast_local", rng, _paced(rng.uniform(0.06, 0.2), lambda _i, _t: step, _length_s(rng))
    )


def cloud(rng: Rng) -> Made:
    scale = rng.uniform(0.02, 0.06)
    start, rate = rng.uniform(0.3, 0.9), rng.uniform(2, 5)
    times = _jittered(start, rate, _length_s(rng), lambda: rng.exponential(scale))
    return _plain("cloud", rng, times)


def near_realtime(rng: Rng) -> Made:
    scale = rng.uniform(0.04, 0.12)
    start, rate = rng.uniform(0.25, 0.6), rng.uniform(1.03, 1.3)
    times = _jittered(start, rate, _length_s(rng), lambda: rng.exponential(scale))
    return _plain("near_realtime", rng, times)


def marginal(rng: Rng) -> Made:
    scale = rng.uniform(0.02, 0.07)
    start, rate = rng.uniform(0.25, 0.6), rng.uniform(0.88, 1.04)
    times = _jittered(start, rate, _length_s(rng), lambda: rng.exponential(scale))
    return _plain("marginal", rng, times)


def slow(rng: Rng) -> Made:
    step = _step_s(rng.uniform(0.6, 0.9))
    return _plain("slow", rng, _paced(rng.uniform(0.3, 0.9), lambda _i, _t: step, _length_s(rng)))


def gc_pauses(rng: Rng) -> Made:
    step, each_s = _step_s(rng.uniform(1.3, 2.2)), rng.uniform(2, 6)
    low, high = sorted(rng.uniform(0.4, 1.6, 2))

    def pace(_index: int, _at_s: float) -> float:
        pause = rng.uniform(low, high) if rng.random() < step / each_s else 0.0
        return step + pause

    return _plain("gc_pauses", rng, _paced(rng.uniform(0.2, 0.5), pace, _length_s(rng)))


def wifi_spikes(rng: Rng) -> Made:
    scale, each_s = rng.uniform(0.005, 0.02), rng.uniform(0.8, 3)
    start, rate = rng.uniform(0.15, 0.5), rng.uniform(1.7, 3)
    spike = rng.uniform(0.15, 0.5)

    def jitter() -> float:
        hit = rng.random() < _step_s(rate) / each_s
        return float(rng.exponential(scale) + (rng.uniform(0.5, 1.3) * spike if hit else 0))

    return _plain("wifi_spikes", rng, _jittered(start, rate, _length_s(rng), jitter))


def roam(rng: Rng) -> Made:
    step, seconds = _step_s(rng.uniform(2, 4)), _length_s(rng)
    at_s, gap_s = rng.uniform(0.2, 0.8) * seconds / 3, rng.uniform(1.5, 4)
    done = [False]

    def pace(_index: int, elapsed_s: float) -> float:
        if elapsed_s > at_s and not done[0]:
            done[0] = True
            return gap_s
        # what was held back comes at once
        return 0.0 if done[0] and elapsed_s < at_s + gap_s + 0.001 and rng.random() < 0.97 else step

    return _plain("roam", rng, _paced(rng.uniform(0.2, 0.5), pace, seconds))


def slows_down(rng: Rng) -> Made:
    fast, slow_ = _step_s(rng.uniform(1.8, 3.5)), _step_s(rng.uniform(0.7, 0.95))
    turn_s = rng.uniform(1.0, 3.5)
    return _plain(
        "slows_down",
        rng,
        _paced(
            rng.uniform(0.2, 0.5),
            lambda _i, elapsed: fast if elapsed < turn_s else slow_,
            _length_s(rng),
        ),
    )


def trickle_start(rng: Rng) -> Made:
    small, count = rng.integers(240, 720), int(rng.integers(10, 30))
    first_step, step = _step_s(rng.uniform(0.35, 0.6), small), _step_s(rng.uniform(2.5, 7))
    start = rng.uniform(0.2, 0.5)
    times = [(start + k * first_step, float(small)) for k in range(count)]
    rest = _paced(times[-1][0] + step, lambda _i, _t: step, _length_s(rng))
    return _plain("trickle_start", rng, times + rest)


def short_reply(rng: Rng) -> Made:
    step = _step_s(rng.uniform(1.1, 2.5), 960)
    seconds = rng.uniform(0.4, 1.6)
    times = _paced(rng.uniform(0.12, 0.4), lambda _i, _t: step, seconds, 960)
    return _plain("short_reply", rng, times)


def markov(rng: Rng) -> Made:
    good, bad = _step_s(rng.uniform(2.2, 3.5), 1200), _step_s(rng.uniform(0.45, 0.8), 1200)
    leave_good, leave_bad = rng.uniform(0.02, 0.06), rng.uniform(0.06, 0.2)
    state = [bool(rng.random() < 0.7)]

    def pace(_index: int, _at_s: float) -> float:
        if rng.random() < (leave_good if state[0] else leave_bad):
            state[0] = not state[0]
        return good if state[0] else bad

    return _plain("markov", rng, _paced(rng.uniform(0.2, 0.5), pace, _length_s(rng), 1200))


def _by_sentence(name: str, rng: Rng, rate: tuple[float, float], first_s: float) -> Made:
    overhead_s, speed = rng.uniform(0.1, 0.4) * first_s, rng.uniform(*rate)
    parts: list[npt.NDArray[np.float32]] = []
    arrivals: list[tuple[float, float]] = []
    at_s, seconds, chars, total_s = rng.uniform(0.1, 0.4), 0.0, 0, _length_s(rng)
    while seconds < total_s or len(parts) < 2:
        piece = sentences()[rng.integers(len(SENTENCES))]
        part = np.concatenate((piece.samples, silence(rng.uniform(0.1, 0.4))))
        length_s = len(part) / RATE_HZ
        at_s += overhead_s + length_s / speed * rng.uniform(0.8, 1.2)
        whole, rest = divmod(len(part), 4096)
        arrivals += [(at_s, 4096.0)] * whole + ([(at_s, float(rest))] if rest else [])
        parts.append(part)
        chars += len(piece.text)
        seconds += length_s
    content = content_of(parts, chars)
    return _trace(name, arrivals, content), content


def sentence_bursts(rng: Rng) -> Made:
    return _by_sentence("sentence_bursts", rng, (2.5, 6), 0.5)


def slow_sentences(rng: Rng) -> Made:
    return _by_sentence("slow_sentences", rng, (0.95, 1.4), 0.8)


FAMILIES: dict[str, Callable[[Rng], Made]] = {
    maker.__name__: maker
    for maker in (
        cloud,
        fast_local,
        gc_pauses,
        marginal,
        markov,
        near_realtime,
        roam,
        sentence_bursts,
        short_reply,
        slow,
        slow_sentences,
        slows_down,
        trickle_start,
        wifi_spikes,
    )
}


def family(name: str, count: int, seed: int) -> list[Made]:
    """So many traces of a family, the same for the same seed."""
    code = sorted(FAMILIES).index(name)
    return [FAMILIES[name](np.random.default_rng((seed, code, i))) for i in range(count)]


def given(seed: int = 0) -> list[Made]:
    """The traces of ``tests/data/traces`` with speech in them."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        trace = load_trace(path)
        rng = np.random.default_rng((seed, 99))
        if "sentence" in trace.name:
            content = speech_in_parts(_bursts_s(trace), rng)
        else:
            content = speech_of(trace.audio_s, rng)
        full = replace(trace, chars=content.chars, pauses=content.found_pauses())
        found.append((full, content))
    return found


def _bursts_s(trace: Trace) -> list[float]:
    bursts: list[float] = []
    last_s = -math.inf
    for at_s, frames in trace.arrivals:
        if at_s - last_s > 0.05:
            bursts.append(0.0)
        bursts[-1] += frames / trace.rate_hz
        last_s = at_s
    return bursts
