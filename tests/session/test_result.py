"""What was heard, told in text."""

from __future__ import annotations

import pytest

from voicestream.counters import Cue
from voicestream.metrics import Metrics
from voicestream.session.result import Result, make_result
from voicestream.state import State


def stopped(played: int, state: State = State.CANCELLED, cues: int = 3) -> Result:
    """Three segments whose sounds follow each other without a pause."""
    metrics = Metrics()
    metrics.feeder.rate_hz = 24_000
    metrics.feeder.cues = [
        *(Cue(0, "One two. ", 900), Cue(900, "Three. ", 1600), Cue(1600, "Four!", 2000))
    ][:cues]
    metrics.feeder.written_frames = 2000
    metrics.play.played_frames = played
    metrics.machine.finish(state)
    return make_result(metrics, [])


@pytest.mark.parametrize(
    ("played", "expected", "stopped_in"),
    [
        (0, "", ""),
        (449, "", "One"),
        (450, "One", "two."),
        (899, "One", "two."),
        (900, "One two. ", "Three."),
        (1599, "One two. ", "Three."),
        (1600, "One two. Three. ", "Four!"),
        (2000, "One two. Three. Four!", ""),
    ],
)
def test_an_interrupt_leaves_the_words_that_were_heard_whole(
    played: int, expected: str, stopped_in: str
) -> None:
    told = stopped(played).to_dict()
    assert (told["spoken"], told["heard_chars"]) == (expected, len(expected))
    assert told["stopped_in"] == stopped_in


def test_to_the_end_everything_was_spoken() -> None:
    for result in (stopped(0, State.DONE), stopped(2000, State.FAILED)):
        assert (result.spoken, result.stopped_in) == ("One two. Three. Four!", "")


def test_nothing_begun_is_nothing_spoken() -> None:
    assert stopped(0, cues=0).spoken == ""


def test_only_the_end_of_everything_is_completed() -> None:
    for state in (State.DONE, State.FAILED, State.CANCELLED):
        metrics = Metrics()
        metrics.machine.finish(state)
        result = make_result(metrics, [])
        assert result.completed is (state is State.DONE)
        assert result.to_dict()["state"] == state.value


def test_the_object_of_json_has_these_members_rounded_by_their_unit() -> None:
    metrics = Metrics(0.0)
    metrics.timeline.mark("first_sound", 0.123456789)
    metrics.feeder.stretched_s = 0.123456789
    told = make_result(metrics, []).to_dict()
    assert (told["ttfa_ms"], told["timeline_ms"]["first_sound"]) == (123.5, 123.5)
    assert (told["stretched_s"], told["state"]) == (0.1235, "idle")
    assert set(told) == set(
        "completed state ttfa_ms timeline_ms underruns rebuffers stall_ms holds hold_ms "
        "device_underflows device_hole_ms overruns stretched_s jitter_ms recommended_buffer_ms "
        "states_ms buffer_health audio_s played_s bytes throughput_kbps decode_ms buffer_ms "
        "endpoint hedges packets cached format format_steps segments reworded spoken heard_chars "
        "stopped_in unspoken warnings errors".split()
    )
