"""What each rule would have done with packets as they came: a table."""

from __future__ import annotations

import math

import numpy as np

from voicestream.packets.simulate import (
    Point,
    fixed_at,
    optimum,
    point,
    relative,
    simulate,
)
from voicestream.policy.delay import DelayTarget, FixedDelay, NetEqDelay
from voicestream.trace import PacketTrace

PRICE = 4.0
"""Seconds of delay that the optimum gives for a second less concealed."""
_FIXED_S = (0.04, 0.08, 0.16)


def packet_table(trace: PacketTrace) -> str:
    """Return mean delay and concealed share under each rule, and the delay as a ratio to that of a
    fixed delay at which just as much is concealed."""
    delays = np.array(trace.delays_s, np.float64)
    late = relative(delays, trace.packet_s)
    sound_s = len(delays) * trace.packet_s
    rules: list[tuple[str, DelayTarget]] = [
        ("voicestream", DelayTarget()),
        ("NetEq's rule", NetEqDelay()),
        *((f"fixed {1000 * it:.0f}", FixedDelay(it)) for it in _FIXED_S),
    ]
    rows: list[tuple[str, Point]] = [("optimum", optimum(late, PRICE, trace.packet_s))]
    for name, target in rules:
        rows.append((name, point(simulate(delays, target, trace.packet_s), sound_s)))
    lost = sum(not math.isfinite(it) for it in trace.delays_s)
    lines = [
        f"{len(delays)} packets of {1000 * trace.packet_s:.0f} ms, {lost} lost",
        f"{'':14}{'delay ms':>10}{'concealed %':>13}{'to a fixed one':>16}",
    ]
    for name, (delay_s, share) in rows:
        fixed_s = fixed_at(share, late)
        ratio = f"{delay_s / fixed_s:.2f}" if fixed_s > 0 else "-"
        lines.append(f"{name:14}{1000 * delay_s:10.1f}{100 * share:13.2f}{ratio:>16}")
    return "\n".join(lines)
