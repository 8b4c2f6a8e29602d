"""What each policy would have done with a reply's arrivals: a table and a plot, as text."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence

from voicestream.policy.adaptive import Adaptive
from voicestream.policy.base import Fixed, Policy
from voicestream.policy.delay import neteq_like
from voicestream.policy.history import Knowledge
from voicestream.policy.simulate import Outcome, SimulatedDevice, simulate
from voicestream.trace import Trace

_LEVELS = " ▁▂▃▄▅▆▇█"
_WAIT_WORD, _WAIT_PAUSE = "!", "·"

Replay = tuple[str, Outcome]


def replay(trace: Trace, knowledge: Knowledge | None = None) -> list[Replay]:
    """Return the outcome under each policy, by name, on a device that pulls nothing ahead.

    Args:
        knowledge: of the endpoint, if it was met before.
    """
    policies: list[Policy] = [Fixed(0.15), Fixed(0.5), neteq_like(), Adaptive()]
    if knowledge and knowledge.replies:
        policies.append(Adaptive(knowledge))
    device = SimulatedDevice(period_s=0.01, periods=1, lead_in_s=0.0)
    return [(policy.name, simulate(trace, policy, device=device)) for policy in policies]


def replay_table(trace: Trace, replays: Sequence[Replay], width: int = 80) -> str:
    """Return a table, the offline optimum first, and a plot of the sound waiting under each policy.

    Milliseconds, but for the cost in seconds. ``width`` is that of the plot, in columns.
    """
    head = (
        f"{'':14}{'start':>8}{'waits':>7}{'in pauses':>11}{'stops':>7}{'in words':>10}{'cost':>8}"
    )
    best_s = trace.best_start_s
    lines = [head, f"{'optimum':14}{1000 * best_s:8.0f}{0:7}{0:11}{0:7}{0:10}{best_s:8.2f}"]
    for name, outcome in replays:
        pauses = len(outcome.stops) - outcome.word_stops
        lines.append(
            f"{name:14}{1000 * outcome.start_s:8.0f}{pauses:7}{1000 * outcome.pause_wait_s:11.0f}"
            f"{outcome.word_stops:7}{1000 * outcome.word_wait_s:10.0f}{outcome.cost_s:8.2f}"
        )
    return "\n".join([*lines, "", *_plot(trace, replays, max(width - 15, 10))])


def _plot(trace: Trace, replays: Sequence[Replay], columns: int) -> list[str]:
    until_s = max(outcome.end_s for _, outcome in replays)
    times = [(column + 0.5) * until_s / columns for column in range(columns)]
    fills = [[_fill_s(trace, outcome, at_s) for at_s in times] for _, outcome in replays]
    most_s = max(max(max(row) for row in fills), 1e-3)
    lines = [f"sound waiting, 0 to {most_s:.1f} s"]
    for (name, outcome), row in zip(replays, fills, strict=True):
        marks = _waits(outcome, times, until_s / columns)
        cells = (
            mark or _LEVELS[min(int(fill_s / most_s * 8.99), 8)]
            for fill_s, mark in zip(row, marks, strict=True)
        )
        lines.append(f"{name:14}" + "".join(cells).rstrip())
    lines.append(f"{'':14}0{f'{until_s:.1f} s':>{columns - 1}}")
    lines.append(f"{'':14}{_WAIT_PAUSE} waits at a pause   {_WAIT_WORD} stops inside a word")
    return lines


def _fill_s(trace: Trace, outcome: Outcome, at_s: float) -> float:
    arrived = bisect.bisect_right(trace.arrivals, at_s, key=lambda arrival: arrival[0])
    written = sum(frames for _, frames in itertools.islice(trace.arrivals, arrived))
    return max(written / trace.rate_hz - _played_s(trace, outcome, at_s), 0.0)


def _played_s(trace: Trace, outcome: Outcome, at_s: float) -> float:
    """Return the seconds of the reply that have been played at a time."""
    played_s = at_s - outcome.start_s
    for stop in outcome.stops:
        reached_s = stop.at_frame / trace.rate_hz
        if played_s <= reached_s:
            break
        played_s = max(played_s - stop.seconds, reached_s)
    return min(max(played_s, 0.0), trace.audio_s)


def _waits(outcome: Outcome, times: Sequence[float], step_s: float) -> list[str]:
    """Return for each column the mark of a wait that touches it, or nothing."""
    marks = [""] * len(times)
    for stop in outcome.stops:
        first = int(stop.began_s / step_s)
        last = int((stop.began_s + stop.seconds) / step_s)
        for column in range(first, min(last + 1, len(marks))):
            if marks[column] != _WAIT_WORD:
                marks[column] = _WAIT_PAUSE if stop.in_pause else _WAIT_WORD
    return marks
