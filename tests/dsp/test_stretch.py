"""Another tempo at the same pitch: exact at 1, whole, without clicks, however it is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.atempo import atempo, band_levels_db, pitch_hz
from tests.support.encode import speech
from tests.support.segments import largest_step
from voicestream.dsp.stretch import WINDOW_MS, Stretcher
from voicestream.pcm import PcmFormat, Samples

RATE_HZ = 24_000
PCM = PcmFormat(RATE_HZ)
WINDOW = PCM.ms_to_frames(WINDOW_MS)
SPEECH = speech(3.0)
each_tempo = pytest.mark.parametrize("tempo", [0.375, 0.5, 0.75, 0.9, 1.1, 1.5, 2.0, 3.0])


def tone(hz: float, seconds: float = 2.0) -> Samples:
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.asarray(0.5 * np.sin(2 * np.pi * hz * times_s), np.float32)[:, None]


def stretched(samples: Samples, tempo: float, cuts: list[int] | None = None) -> Samples:
    stretcher = Stretcher(PcmFormat(RATE_HZ, samples.shape[1]), tempo)
    pieces = [stretcher.feed(piece) for piece in np.split(samples, cuts or [])]
    return np.concatenate([*pieces, stretcher.flush()])


def test_at_one_the_very_same_array_passes_at_once() -> None:
    stretcher = Stretcher(PCM)
    for piece in np.split(SPEECH, [1, 5, 1000, 1001]):
        assert stretcher.feed(piece) is piece
    assert stretcher.waiting_frames == 0
    assert stretcher.flush().shape == (0, 1)


@given(
    frames=st.integers(0, 9000),
    channels=st.integers(1, 3),
    tempos=st.lists(
        st.tuples(st.integers(0, 9000), st.sampled_from([0.375, 0.75, 0.9, 1.0, 1.3, 2.0, 3.0])),
        max_size=4,
    ),
    cuts=st.lists(st.integers(0, 9000), max_size=12),
)
@example(frames=794, channels=1, tempos=[(0, 2.0), (794, 1.0)], cuts=[795])
def test_the_result_does_not_depend_on_the_cuts(
    frames: int, channels: int, tempos: list[tuple[int, float]], cuts: list[int]
) -> None:
    """Whatever tempo it takes on at which frame."""
    samples = speech(0.4, channels=channels)[:frames]

    def run(cuts: list[int]) -> Samples:
        stretcher = Stretcher(PcmFormat(RATE_HZ, channels), 1.5)
        changes, parts, before = dict(tempos), [], 0
        for at in sorted({*cuts, *changes, len(samples)}):
            parts.append(stretcher.feed(samples[before:at]))
            before = max(at, before)
            stretcher.tempo = changes.get(at, stretcher.tempo)
        return np.concatenate([*parts, stretcher.flush()])

    whole, cut = run([]), run(cuts)
    assert cut.dtype == np.float32
    assert np.array_equal(cut, whole)


@given(st.integers(0, 20_000), st.floats(0.375, 3.0))
def test_it_lasts_as_long_as_it_should_and_keeps_both_ends(frames: int, tempo: float) -> None:
    samples = SPEECH[:frames]
    result = stretched(samples, tempo)
    assert abs(len(result) * tempo - frames) <= WINDOW * max(tempo, 1.0)
    if frames:
        assert np.array_equal(result[0], samples[0])
        assert result[-1] == pytest.approx(samples[-1], abs=1e-3)


@each_tempo
@pytest.mark.parametrize("hz", [90.0, 220.0, 1000.0])
def test_a_tone_keeps_its_pitch_and_goes_on_without_a_step(tempo: float, hz: float) -> None:
    result = stretched(tone(hz), tempo)
    assert pitch_hz(result, RATE_HZ) == pytest.approx(hz, rel=0.01)
    assert largest_step(result) <= 1.05 * largest_step(tone(hz))


@each_tempo
def test_speech_sounds_as_before_and_as_atempo_makes_it(tempo: float) -> None:
    levels = band_levels_db(SPEECH, RATE_HZ)
    result = stretched(SPEECH, tempo)
    assert band_levels_db(result, RATE_HZ) == pytest.approx(levels, abs=3.5)
    if tempo >= 0.5:
        reference = atempo(SPEECH, RATE_HZ, tempo)
        assert band_levels_db(result, RATE_HZ) == pytest.approx(
            band_levels_db(reference, RATE_HZ), abs=3.0
        )
        assert abs(len(result) - len(reference)) <= 4 * WINDOW


@each_tempo
def test_no_sample_is_louder_and_no_step_larger_than_a_fade_makes_it(tempo: float) -> None:
    result = stretched(SPEECH, tempo)
    peak = float(np.abs(SPEECH).max())
    assert np.abs(result).max() <= peak * (1 + 1e-6)
    # two places cross within half a window: each step is one of theirs, and what the fade adds
    fade = 2 * peak * np.pi / WINDOW
    assert largest_step(result) <= largest_step(SPEECH) + fade


def test_all_channels_move_together() -> None:
    left = speech(1.0)
    result = stretched(np.hstack((left, -0.5 * left, 0.25 * left)), 1.7)
    assert result[:, 1] == pytest.approx(-0.5 * result[:, 0], abs=1e-6)
    assert result[:, 2] == pytest.approx(0.25 * result[:, 0], abs=1e-6)


def test_every_channel_counts_in_where_it_goes_on() -> None:
    sound = np.hstack((np.zeros_like(tone(200.0)), tone(200.0)))
    second = stretched(sound, 1.7)[:, 1]
    # out of phase, what is crossed would cancel itself
    levels = np.sqrt((second[: len(second) // 240 * 240].reshape(-1, 240) ** 2).mean(axis=1))
    assert levels == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


@each_tempo
def test_the_first_sound_waits_for_no_more_than_a_window(tempo: float) -> None:
    stretcher = Stretcher(PCM, tempo)
    first = stretcher.feed(SPEECH[:WINDOW])
    assert np.array_equal(first[: WINDOW // 2], SPEECH[: WINDOW // 2])
    for start in range(WINDOW, 20 * WINDOW, 100):
        stretcher.feed(SPEECH[start : start + 100])
        assert stretcher.waiting_frames * tempo < 2 * WINDOW + 100


def test_back_at_one_the_rest_is_the_source_and_nothing_waits() -> None:
    stretcher = Stretcher(PCM, 0.8)
    slow = stretcher.feed(SPEECH[:20_000])
    waiting = stretcher.waiting_frames
    stretcher.tempo = 1.0
    rest = stretcher.feed(SPEECH[20_000:30_000])
    assert np.array_equal(rest, SPEECH[30_000 - len(rest) : 30_000])
    assert len(rest) == pytest.approx(10_000 + 0.8 * waiting, abs=1)
    assert np.array_equal(stretcher.feed(SPEECH[30_000:]), SPEECH[30_000:])
    assert largest_step(np.concatenate((slow, rest))) <= largest_step(SPEECH) + 0.1


@each_tempo
def test_what_is_flushed_between_goes_on_without_a_click(tempo: float) -> None:
    stretcher = Stretcher(PCM, tempo)
    sound = tone(200.0)
    parts = []
    for piece in np.split(sound, 6):
        parts += [stretcher.feed(piece), stretcher.flush()]
        assert stretcher.waiting_frames == 0
    result = np.concatenate(parts)
    assert largest_step(result) <= 1.05 * largest_step(sound)
    assert abs(len(result) * tempo - len(sound)) <= 6 * WINDOW * max(tempo, 1.0)


def test_many_pieces_too_short_to_be_stretched_leave_nothing_to_make_up_for() -> None:
    stretcher = Stretcher(PCM, 0.5)
    for start in range(0, 20_000, 100):
        pieces = stretcher.feed(SPEECH[start : start + 100]), stretcher.flush()
        assert sum(map(len, pieces)) == 100
    result = np.concatenate((stretcher.feed(SPEECH[20_000:44_000]), stretcher.flush()))
    assert abs(0.5 * len(result) - 24_000) <= 2 * WINDOW


def test_silence_stays_silent_and_as_long_as_it_should() -> None:
    result = stretched(np.zeros((RATE_HZ, 1), np.float32), 2.0)
    assert not result.any()
    assert len(result) == pytest.approx(RATE_HZ / 2, abs=WINDOW)


@pytest.mark.parametrize("tempo", [0.0, 0.2, 5.0, float("nan")])
def test_no_such_tempo(tempo: float) -> None:
    with pytest.raises(ValueError, match="tempo"):
        Stretcher(PCM, tempo)
