"""Segments become one stream: nothing lost, pauses as wanted, no click, no jump in level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.segments import (
    PCM,
    RATE_HZ,
    joined,
    largest_step,
    quiet_runs,
    room,
    segment,
    silence,
    tone,
)
from voicestream.dsp.join import Joiner, JoinSettings
from voicestream.pcm import PcmFormat, Samples, no_samples

TRIM_ONLY = JoinSettings(normalize=False)
KEEP_FRAMES = 600
WINDOW_FRAMES = 120
SILENCE_LEVEL = 10 ** (-55 / 20)
TONE_LEVEL = 0.05


def frames(seconds: float) -> int:
    return PCM.s_to_frames(seconds)


def test_a_single_segment_passes_bit_for_bit() -> None:
    samples = segment(0.0, 0.5, 0.7)
    assert np.array_equal(joined([samples], []), samples)


def test_long_silence_inside_and_after_passes_bit_for_bit() -> None:
    samples = np.concatenate((tone(0.3), silence(1.5), segment(0.2, 0.3, 3.0)))
    assert np.array_equal(joined([samples], []), samples)


def test_leading_silence_is_shortened_and_nothing_else() -> None:
    samples = segment(0.5, 0.4, 0.3)
    result = joined([samples], [])
    assert len(result) == len(samples) - frames(0.5) + KEEP_FRAMES
    unfaded = result[WINDOW_FRAMES:]
    assert np.array_equal(unfaded, samples[-len(unfaded) :])


@pytest.mark.parametrize("trim", [True, False])
@pytest.mark.parametrize("lead_s", [0.0, 0.01, 0.5])
def test_where_a_segment_is_in_what_is_joined_is_known(lead_s: float, trim: bool) -> None:
    """Of the first one, and of one behind a pause."""
    joiner = Joiner(PCM, JoinSettings(normalize=False, trim=trim))
    samples = segment(lead_s, 0.4, 0.3, room_db=-58.0)
    for pause_s in (None, 0.2):
        joiner.begin(pause_s)
        parts = [joiner.feed(samples[at : at + 700]) for at in range(0, len(samples), 700)]
        result = np.concatenate(parts)
        sound = slice(frames(lead_s), frames(lead_s + 0.3))
        moved = slice(sound.start - joiner.cut_frames, sound.stop - joiner.cut_frames)
        assert np.array_equal(result[moved], samples[sound])


def test_the_shortened_start_rises_from_silence() -> None:
    result = joined([segment(0.5, 0.4, 0.3, room_db=-58.0)], [])
    full = 10 ** (-58 / 20)
    assert np.abs(result[:3]).max() < 0.01 * full
    assert np.abs(result[WINDOW_FRAMES:KEEP_FRAMES]).max() > full


def test_a_soft_onset_is_not_cut() -> None:
    onset = tone(0.25) * np.geomspace(1e-4, 1.0, frames(0.25), dtype=np.float32)[:, None]
    samples = np.concatenate((silence(0.3), onset, tone(0.3)))
    result = joined([samples], [])
    cut = samples[: len(samples) - len(result)]
    assert len(cut) > frames(0.2)
    assert np.abs(cut).max() < 0.6 * SILENCE_LEVEL
    assert np.array_equal(result[WINDOW_FRAMES:], samples[len(cut) + WINDOW_FRAMES :])


@pytest.mark.parametrize("level_db", [-20.0, -50.0])
def test_a_start_without_silence_is_untouched(level_db: float) -> None:
    samples = tone(0.2, level_db)
    assert np.array_equal(joined([samples], []), samples)
    ramp: Samples = (np.arange(24000, dtype=np.float32) / np.float32(32768))[:, None]
    assert np.array_equal(joined([ramp], []), ramp)


def test_a_silent_reply_is_still_played() -> None:
    samples = room(0.7, -70.0)
    assert np.array_equal(joined([samples], []), samples)


@pytest.mark.parametrize("pause_s", [0.08, 0.15, 0.3, 0.6, 1.2])
@pytest.mark.parametrize(("tail_s", "head_s"), [(0.3, 0.25), (0.03, 0.01), (0.39, 0.0), (0.0, 0.2)])
def test_the_pause_is_exactly_as_wanted(pause_s: float, tail_s: float, head_s: float) -> None:
    first, second = segment(0.0, 0.4, tail_s), segment(head_s, 0.4, 0.1)
    # A sound that begins or ends abruptly is mirrored 5 ms into the pause.
    result = joined([first, second], [pause_s], TRIM_ONLY)
    sound = tone(0.4) + room(0.4 + tail_s)[: frames(0.4)]
    assert np.array_equal(result[: frames(0.4)], sound)
    start = frames(0.4) + frames(pause_s)
    begun = result[start:]
    assert np.array_equal(begun, second[frames(head_s) :])


def test_the_pause_is_quiet_and_fades_at_both_ends() -> None:
    result = joined([segment(0.0, 0.4, 0.15), segment(0.15, 0.4, 0.1)], [0.5], TRIM_ONLY)
    pause = result[frames(0.4) : frames(0.9)]
    assert np.abs(pause).max() < 10 ** (-45 / 20)
    kept = frames(0.15)
    assert not pause[kept:-KEEP_FRAMES].any()
    assert np.abs(pause[kept - 3 : kept]).max() < 1e-5
    assert np.abs(pause[-KEEP_FRAMES : -KEEP_FRAMES + 3]).max() < 1e-5


def test_no_pause_becomes_a_crossfade_of_five_ms() -> None:
    result = joined([segment(0.0, 0.4, 0.3), segment(0.3, 0.4, 0.0)], [0.0], TRIM_ONLY)
    assert len(result) == frames(0.8) + WINDOW_FRAMES


@pytest.mark.parametrize("pause_s", [0.0, 0.007, 0.02, 0.2])
@pytest.mark.parametrize("quiet_s", [0.0, 0.002, 0.1])
@pytest.mark.parametrize("hz", [90.0, 200.0, 1100.0])
def test_no_step_at_a_join_is_larger_than_in_the_speech(
    pause_s: float, quiet_s: float, hz: float
) -> None:
    # Quiet that is louder room tone, so that a bare cut to silence would be a step.
    quiet = room(quiet_s, -58.0)
    middle = tone(0.3, hz=hz)
    if quiet_s:
        rise = np.linspace(0.0, 1.0, frames(0.1), dtype=np.float32)[:, None]
        middle[: len(rise)] *= rise
        middle[-len(rise) :] *= rise[::-1]
    part: Samples = np.concatenate((quiet, middle, quiet))
    result = joined([part] * 3, [pause_s] * 2, TRIM_ONLY)
    assert largest_step(result) <= largest_step(part) + 1e-6


def test_a_loud_end_fades_within_the_pause() -> None:
    result = joined([tone(0.3), tone(0.3)], [0.1], TRIM_ONLY)
    pause = result[frames(0.3) : frames(0.4)]
    assert np.abs(pause[:20]).max() > TONE_LEVEL
    assert np.abs(pause[-20:]).max() > TONE_LEVEL
    assert not pause[WINDOW_FRAMES:-WINDOW_FRAMES].any()


def test_released_quiet_counts_toward_the_pause() -> None:
    first = segment(0.0, 0.4, 0.7)
    result = joined([first, segment(0.2, 0.4, 0.0)], [0.5], TRIM_ONLY)
    assert quiet_runs(result, TONE_LEVEL, 1000)[0][1] == pytest.approx(frames(0.5), abs=60)
    # More than the pause has been returned before the end of the segment is known.
    result = joined([first, segment(0.2, 0.4, 0.0)], [0.1], TRIM_ONLY)
    returned = frames(0.3) + WINDOW_FRAMES
    assert quiet_runs(result, TONE_LEVEL, 1000)[0][1] == pytest.approx(returned, abs=60)


def test_sound_is_not_held_back() -> None:
    joiner = Joiner(PCM)
    samples = tone(0.5)
    joiner.begin(None)
    returned = 0
    for start in range(0, len(samples), 100):
        returned += len(joiner.feed(samples[start : start + 100]))
        assert start + 100 - returned <= WINDOW_FRAMES + 60  # a window, and a zero crossing


def test_quiet_is_held_no_longer_than_said() -> None:
    joiner = Joiner(PCM, JoinSettings(hold_ms=300))
    joiner.begin(None)
    returned = len(joiner.feed(tone(0.3)))
    returned += len(joiner.feed(silence(0.25)))
    assert returned <= frames(0.3)
    returned += len(joiner.feed(silence(1.0)))
    assert returned == frames(1.25)
    assert len(joiner.feed(tone(0.1))) >= frames(0.35)


def test_quiet_up_to_the_least_pause_is_never_held() -> None:
    joiner = Joiner(PCM, JoinSettings(least_pause_ms=100))
    joiner.begin(None)
    returned = len(joiner.feed(np.concatenate((tone(0.3), silence(0.05)))))
    assert returned == frames(0.35)
    returned += len(joiner.feed(silence(0.2)))
    last_sound = np.flatnonzero(np.abs(tone(0.3)[:, 0]) >= SILENCE_LEVEL)[-1] + 1
    assert returned == last_sound + frames(0.1)
    joiner.end()
    rest = np.concatenate((joiner.begin(0.15), joiner.feed(tone(0.1))))
    assert returned + len(rest) == last_sound + frames(0.15) + frames(0.1)


def test_the_pause_starts_before_the_next_sound_has_come() -> None:
    joiner = Joiner(PCM)
    joiner.begin(None)
    joiner.feed(segment(0.0, 0.3, 0.2))
    joiner.end()
    assert len(joiner.begin(0.5)) == frames(0.5) - KEEP_FRAMES


@pytest.mark.parametrize("empty", [no_samples(), silence(0.3), room(0.4, -62.0)])
def test_a_segment_without_sound_leaves_one_pause(empty: Samples) -> None:
    parts = [segment(0.0, 0.3, 0.1), empty, segment(0.1, 0.3, 0.0)]
    result = joined(parts, [0.2, 0.4], TRIM_ONLY)
    assert len(result) == frames(0.3 + 0.4 + 0.3)


def test_silent_segments_before_the_first_sound_are_left_out() -> None:
    sound = segment(0.0, 0.3, 0.1)
    assert np.array_equal(joined([silence(0.5), sound], [0.3]), sound)


def test_louder_room_tone_is_still_silence() -> None:
    first = segment(0.0, 0.4, 0.35, room_db=-48.0)
    parts = [segment(0.3, 0.4, 0.3, room_db=-48.0), first]
    result = joined(parts, [0.25], TRIM_ONLY)
    gap = quiet_runs(result, TONE_LEVEL, 1000)[0][1]
    # Its peaks are audible in the window in which the tone ends.
    assert gap == pytest.approx(frames(0.25), abs=2 * WINDOW_FRAMES)


def test_a_quiet_voice_is_not_taken_for_room_tone() -> None:
    parts = [np.concatenate((silence(0.2), tone(0.4, -45.0), silence(0.2)))] * 2
    result = joined(parts, [0.3], TRIM_ONLY)
    assert quiet_runs(result, 0.005, 1000)[0][1] == pytest.approx(frames(0.3), abs=60)


def test_without_trim_nothing_is_added_or_removed() -> None:
    parts = [segment(0.3, 0.2, 0.3), segment(0.1, 0.2, 0.5)]
    for normalize in (True, False):
        plain = JoinSettings(trim=False, normalize=normalize)
        assert np.array_equal(joined(parts, [0.5], plain), np.concatenate(parts))


def test_all_channels_are_heard() -> None:
    left = np.concatenate((segment(0.3, 0.3, 0.0), segment(0.3, 0.0, 0.3)))
    both = np.concatenate((left, np.roll(left, frames(0.3), axis=0)), axis=1)
    result = joined([both, both], [0.2], TRIM_ONLY, pcm=PcmFormat(RATE_HZ, 2))
    assert result.shape == (KEEP_FRAMES + frames(0.6 + 0.2 + 0.6 + 0.3), 2)


PIECES = st.sampled_from(["tone", "soft", "room", "silence"])
PART = st.lists(st.tuples(PIECES, st.integers(1, 9000)), max_size=5)


def built(part: list[tuple[str, int]], seed: int) -> Samples:
    pieces = [no_samples()]
    for kind, size in part:
        seconds = size / RATE_HZ
        pieces.append(
            {
                "tone": tone(seconds, -12.0 - 4 * seed),
                "soft": tone(seconds, -52.0),
                "room": room(seconds, -58.0, seed),
                "silence": silence(seconds),
            }[kind]
        )
    return np.concatenate(pieces)


@settings(max_examples=150, deadline=None)
@given(
    parts=st.lists(PART, min_size=1, max_size=4),
    pauses_ms=st.lists(st.sampled_from([0, 30, 200, 500]), min_size=3, max_size=3),
    cuts=st.lists(st.integers(1, 5000), min_size=1, max_size=5),
    trim=st.booleans(),
    normalize=st.booleans(),
    least_pause_ms=st.sampled_from([0.0, 80.0]),
)
def test_the_result_does_not_depend_on_the_cuts(
    parts: list[list[tuple[str, int]]],
    pauses_ms: list[int],
    cuts: list[int],
    trim: bool,
    normalize: bool,
    least_pause_ms: float,
) -> None:
    segments = [built(part, seed) for seed, part in enumerate(parts)]
    pauses_s = [pause_ms / 1000 for pause_ms in pauses_ms[: len(parts) - 1]]
    chosen = JoinSettings(trim=trim, normalize=normalize, least_pause_ms=least_pause_ms)
    whole = joined(segments, pauses_s, chosen, cut=10**6)
    assert whole.dtype == np.float32
    assert np.array_equal(joined(segments, pauses_s, chosen, cuts), whole)
