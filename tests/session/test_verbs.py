"""Verbs: what is heard after each, to the sample."""

from __future__ import annotations

import numpy as np
import pytest

from tests.session.stage import PERIOD, Stage
from tests.support.matching import match
from tests.support.sound import Int16
from voicestream.state import Status

FADE = 96
LENGTHS = [12_000, 7_200, 4_800]


def heard_of(stage: Stage, heard: Int16, number: int) -> int:
    """How many frames of a sentence were heard as they are."""
    return stage.lengths[number] - match(stage.sound(number), heard).missing


def whole(stage: Stage, heard: Int16, number: int) -> bool:
    """Whether a sentence was heard, but for the fade in which it may begin."""
    return heard_of(stage, heard, number) >= stage.lengths[number] - FADE


def test_next_goes_to_the_sentence_after_this_one() -> None:
    stage = Stage(LENGTHS)
    stage.begin(2400)
    stage.written(LENGTHS[0] + 1000)
    assert stage.verb("next")["ok"]
    stage.sink.pull()
    assert stage.session.snapshot().speaking == "1"
    heard = stage.finish()
    assert heard_of(stage, heard, 0) == 2400
    assert whole(stage, heard, 1)
    assert whole(stage, heard, 2)


@pytest.mark.parametrize("again", [1, 3])
def test_next_in_a_sentence_that_is_still_arriving_leaves_out_its_rest(again: int) -> None:
    stage = Stage(LENGTHS, held={0: 9600})
    stage.begin(2400)
    for _ in range(again):
        stage.verb("next")
    heard = stage.finish()
    assert heard_of(stage, heard, 0) == 2400
    assert whole(stage, heard, 1)
    assert whole(stage, heard, 2)
    result = stage.session.result()
    assert result.completed
    assert result.snapshot.segments[0].status is Status.CANCELLED
    assert sorted(stage.endpoint.opened) == ["0", "1", "2"]
    assert result.snapshot.underruns == 0


def test_next_again_before_the_next_sentence_is_heard_loses_nothing_of_it() -> None:
    stage = Stage(LENGTHS, held={0: 4800})
    stage.begin(2400)
    stage.verb("next")
    stage.until(lambda: len(stage.session.metrics.feeder.cues) > 1)
    stage.verb("next")
    heard = stage.finish()
    assert heard_of(stage, heard, 0) == 2400
    assert whole(stage, heard, 1)
    assert whole(stage, heard, 2)


def test_next_in_the_last_sentence_that_has_come_keeps_the_one_that_comes() -> None:
    stage = Stage(LENGTHS, held={1: 0})
    stage.begin(2400)
    stage.until(lambda: stage.session.metrics.requests.segments[0].status is Status.DONE)
    stage.verb("next")
    assert not np.any(stage.sink.pull()[FADE:])
    heard = stage.finish()
    assert heard_of(stage, heard, 0) == 2400
    assert whole(stage, heard, 1)
    assert whole(stage, heard, 2)


def test_next_in_the_last_sentence_ends_it() -> None:
    stage = Stage(LENGTHS[:1], held={0: 9600})
    stage.begin(2400)
    stage.verb("next")
    heard = stage.finish()
    assert heard_of(stage, heard, 0) == 2400
    assert stage.session.result().completed


def test_next_while_paused_is_silent_until_it_goes_on() -> None:
    stage = Stage(LENGTHS, held={0: 9600})
    stage.begin(2400)
    stage.verb("pause")
    stage.verb("next")
    stage.release(0)
    stage.sink.pull()
    for _ in range(20):
        assert not np.any(stage.sink.pull())
    stage.verb("resume")
    heard = stage.finish()
    assert heard_of(stage, heard, 0) == 2400
    assert whole(stage, heard, 1)


def test_next_skips_more_than_the_buffer_holds() -> None:
    stage = Stage([48_000, 4_800], held={0: 60_000}, max_buffer_s=0.5)
    stage.begin(2400)
    stage.verb("next")
    heard = stage.finish()
    assert heard_of(stage, heard, 0) == 2400
    assert whole(stage, heard, 1)


def test_back_says_this_sentence_again_and_at_its_begin_the_one_before() -> None:
    stage = Stage([36_000, 36_000])
    stage.begin(36_000 + 30_000)
    stage.verb("back")
    stage.sink.pull(PERIOD)
    assert stage.session.metrics.play.played_frames == 36_000 + PERIOD
    stage.verb("back")
    stage.sink.pull(PERIOD)
    assert stage.session.metrics.play.played_frames == PERIOD
    heard = stage.finish()
    after = heard[36_000 + 30_000 + PERIOD :]
    assert whole(stage, after, 0)
    assert whole(stage, after, 1)
    assert stage.endpoint.opened == ["0", "1"]


def test_positions_stay_true_after_verbs() -> None:
    stage = Stage(LENGTHS, held={0: 9600})
    stage.begin(2400)
    stage.verb("next")
    stage.finish()
    seen = stage.session.snapshot()
    assert seen.played_frames == seen.written_frames == seen.cues[2].start_frame + LENGTHS[2]


def test_a_tempo_counts_for_what_waits_already_and_nothing_is_lost() -> None:
    stage = Stage([48_000])
    stage.begin(12_000)
    stage.written(48_000)
    assert stage.verb("tempo", "+0.5")["tempo"] == 1.5
    stage.play_to(36_000)
    fast = len(stage.sink.heard) - 12_000
    assert fast == pytest.approx(24_000 / 1.5, abs=1800)
    assert stage.verb("tempo", "1")["tempo"] == 1.0
    heard = stage.finish()
    assert stage.session.metrics.play.played_frames == 48_000
    # from there on, sample for sample
    assert match(stage.sound(0)[37_800:], heard).missing == 0
    assert stage.session.result().snapshot.underruns == 0


def test_a_tempo_keeps_within_its_bounds_and_beside_that_of_the_settings() -> None:
    stage = Stage(LENGTHS, tempo=1.5)
    assert stage.verb("tempo", "+9")["tempo"] == 3.0
    assert stage.session.controls.tempo == 2.0
    assert stage.verb("tempo", "-9")["tempo"] == 0.5
    assert stage.verb("status")["tempo"] == 0.5
    assert stage.verb("tempo", "1.5")["tempo"] == 1.5
    assert stage.session.controls.tempo == 1.0


def test_what_is_no_verb_is_told() -> None:
    stage = Stage(LENGTHS)
    assert "no verb" in stage.verb("dance")["error"]
    assert "no number" in stage.verb("volume", "loud")["error"]
    assert "from 0 to 4" in stage.verb("volume", "50")["error"]
    assert "from 0.5 to 3" in stage.verb("tempo", "99")["error"]
    assert stage.verb("volume", "-0.25")["volume"] == 0.75
    assert stage.verb("mute")["volume"] == 0.0
    assert stage.verb("mute")["volume"] == 0.75
