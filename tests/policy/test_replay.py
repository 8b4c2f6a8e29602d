"""The table and the plot of a replay."""

from __future__ import annotations

import pytest

from tests.support.traces import FOLDER
from voicestream.policy.arrivals import Arrivals
from voicestream.policy.history import Knowledge
from voicestream.policy.replay import replay, replay_table
from voicestream.trace import Trace, load_trace


@pytest.mark.parametrize("width", [20, 80, 200])
def test_the_table_fits_and_tells_of_each_policy(width):
    trace = load_trace(FOLDER / "slow.json")
    lines = replay_table(trace, replay(trace), width).splitlines()
    table, plot = lines[: lines.index("")], lines[lines.index("") + 1 :]
    names = ["optimum", "fixed 150", "fixed 500", "neteq-like", "adaptive cold"]
    assert [line[:14].strip() for line in table] == ["", *names]
    assert table[1].split()[1] == "2394"
    assert all(len(line) <= max(width, 60) for line in plot)
    assert "!" in plot[1]


def test_where_a_stop_is_in_the_plot():
    # 0.1 s, then nothing until 5 s, then 5 s of sound at once: 10 s in 50 columns
    trace = Trace("made", 1000, ((0.0, 200), (5.0, 4800)))
    fixed = replay(trace)[:1]
    plot = replay_table(trace, fixed, 65).splitlines()[-3][14:]
    assert plot[1:25] == "!" * 24
    assert "!" not in plot[26:]
    assert plot[26] == "█"


def test_a_known_endpoint_adds_a_line():
    trace = load_trace(FOLDER / "slow.json")
    seen = Arrivals()
    for at_s, frames in trace.arrivals:
        seen.add(at_s, frames / trace.rate_hz)
    replays = replay(trace, Knowledge().with_reply(seen))
    assert replays[-1][0] == "adaptive warm"
    assert len(replay(trace, Knowledge())) == 4
