"""Packets as they came: recorded, kept, and played back under each rule."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.support.packets import NETWORKS
from voicestream.errors import UsageError
from voicestream.packets.jitter import JitterBuffer
from voicestream.packets.record import PacketRecorder
from voicestream.packets.simulate import CLOCK_HZ, delayed, optimum, play, relative, sent
from voicestream.session.tracing import replayed
from voicestream.trace import PacketTrace, load_trace, save_trace


def test_what_is_recorded_is_what_came_in_whatever_order(tmp_path: Path) -> None:
    delays = NETWORKS["two ways"](np.random.default_rng(2), 300)
    delays[[0, 299]] = 0.0
    buffer = JitterBuffer(CLOCK_HZ, lambda _: 960)
    buffer.recorder = PacketRecorder()
    play(buffer, delayed(sent(300), delays))
    trace = buffer.recorder.trace("it")
    assert trace is not None
    assert trace.packet_s == pytest.approx(0.02)
    assert np.array_equal(np.isfinite(trace.delays_s), np.isfinite(delays))
    came = np.isfinite(delays)
    assert np.allclose(np.array(trace.delays_s)[came], delays[came], atol=1e-6)
    save_trace(trace, str(tmp_path / "kept.json"))
    kept = load_trace(tmp_path / "kept.json")
    assert isinstance(kept, PacketTrace)
    assert np.allclose(np.array(kept.delays_s)[came], delays[came], atol=1e-5)
    assert PacketRecorder().trace("nothing") is None


def test_a_replay_tells_of_each_rule(tmp_path: Path) -> None:
    delays = tuple(NETWORKS["uniform"](np.random.default_rng(1), 400))
    save_trace(PacketTrace("it", 0.02, delays), str(tmp_path / "a.json"))
    head, titles, *rows = replayed(str(tmp_path / "a.json"), 80).splitlines()
    lost = sum(not math.isfinite(it) for it in delays)
    assert head == f"400 packets of 20 ms, {lost} lost"
    assert titles.split()[:2] == ["delay", "ms"]
    names = ["optimum", "voicestream", "NetEq's rule", "fixed 40", "fixed 80", "fixed 160"]
    assert [row[:14].strip() for row in rows] == names
    cells = {row[:14].strip(): row[14:].split() for row in rows}
    assert float(cells["fixed 160"][1]) == pytest.approx(100 * lost / 400, abs=0.5)
    assert float(cells["optimum"][0]) < float(cells["voicestream"][0])
    assert float(cells["voicestream"][2]) < float(cells["fixed 160"][2])


def test_nobody_beats_the_optimum() -> None:
    for make in NETWORKS.values():
        late = relative(make(np.random.default_rng(3), 200))
        best_s, concealed = optimum(late, 4.0)
        for fixed_s in (0.02, 0.05, 0.1):
            missed = float(np.mean(late > fixed_s))
            assert best_s + 4 * concealed <= fixed_s + 4 * missed + 1e-9


@pytest.mark.parametrize(
    "content",
    [
        '{"delays_ms": [1, 2]}',
        '{"packet_ms": 0, "delays_ms": [1]}',
        '{"packet_ms": 20, "delays_ms": [null]}',
        '{"packet_ms": 20, "delays_ms": []}',
        '{"packet_ms": 20, "delays_ms": [NaN, 1]}',
        '{"packet_ms": 20, "delays_ms": [-1]}',
        '{"packet_ms": 20, "delays_ms": 7}',
    ],
)
def test_what_is_no_trace_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UsageError, match="is no trace"):
        load_trace(tmp_path / "a.json")
