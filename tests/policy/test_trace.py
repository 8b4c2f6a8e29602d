"""Trace files."""

from __future__ import annotations

import pytest

from voicestream.errors import UsageError
from voicestream.trace import TraceRecorder, dump_trace, load_trace


def test_a_trace_is_read_as_it_was_written(tmp_path):
    recorder = TraceRecorder("mine", 24_000, 100.0)
    for at_s, frames in ((100.5, 480), (100.4, 480), (101.0, 0), (102.0, 5)):
        recorder.arrived(at_s, frames)
    made = recorder.trace(12, [(100, 200)])
    assert [at_s for at_s, _ in made.arrivals] == pytest.approx([0.5, 0.5, 1.0, 2.0])
    path = tmp_path / "trace.json"
    path.write_text(dump_trace(made))
    assert load_trace(path) == made


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[1, 2]",
        '{"sample_rate": 0, "arrivals": [[0, 1]]}',
        '{"sample_rate": 24000, "arrivals": []}',
        '{"sample_rate": 24000, "arrivals": [[1, 5], [0.5, 5]]}',
        '{"sample_rate": 24000, "arrivals": [[NaN, 5]]}',
        '{"sample_rate": 24000, "arrivals": [[0, -5]]}',
        '{"sample_rate": 24000, "arrivals": [[0, 0]]}',
        '{"sample_rate": 24000, "arrivals": [["x", 5]]}',
        '{"sample_rate": 24000, "arrivals": [[0, 5, 6]]}',
        '{"sample_rate": 1e999, "arrivals": [[0, 5]]}',
        '{"sample_rate": 24000, "arrivals": [[0, 1' + 400 * "0" + "]]}",
        "[" * 100_000,
        "\udcff",
    ],
)
def test_a_file_that_is_no_trace_is_a_usage_error(tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=r"bad\.json is no trace"):
        load_trace(path)


def test_a_missing_trace_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_trace(tmp_path / "none.json")
