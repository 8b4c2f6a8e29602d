"""Channels and rate: exact where nothing changes, the same however the stream is cut."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.dsp.convert import Converter, mix_gains
from voicestream.pcm import PcmFormat, Samples, no_samples


def noise(frames: int, channels: int = 1) -> Samples:
    generator = np.random.default_rng(frames * 10 + channels)
    return generator.uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)


def tone(hz: float, rate_hz: int, frames: int) -> Samples:
    times_s = np.arange(frames) / rate_hz
    return (0.5 * np.sin(2 * np.pi * hz * times_s)).astype(np.float32)[:, None]


def converted(
    source: PcmFormat, target: PcmFormat, samples: Samples, cuts: list[int] | None = None
) -> Samples:
    converter = Converter(source, target)
    pieces = [converter.feed(piece) for piece in np.split(samples, cuts or [])]
    return np.concatenate([*pieces, converter.flush()])


def test_same_format_returns_the_very_same_array() -> None:
    samples = noise(100, 2)
    converter = Converter(PcmFormat(24000, 2, "s16"), PcmFormat(24000, 2, "f32"))
    assert converter.feed(samples) is samples
    assert converter.flush().shape == (0, 2)


def test_mono_fills_the_front_pair_exactly() -> None:
    samples = noise(100)
    stereo = converted(PcmFormat(24000, 1), PcmFormat(24000, 2), samples)
    assert np.array_equal(stereo, np.repeat(samples, 2, axis=1))
    surround = converted(PcmFormat(24000, 1), PcmFormat(24000, 6), samples)
    assert np.array_equal(surround[:, :2], stereo)
    assert not surround[:, 2:].any()


def test_stereo_to_mono_is_the_average() -> None:
    samples = noise(100, 2)
    mono = converted(PcmFormat(24000, 2), PcmFormat(24000, 1), samples)
    assert np.array_equal(mono[:, 0], samples[:, 0] * 0.5 + samples[:, 1] * 0.5)


def test_surround_to_stereo_weighs_as_bs775_says() -> None:
    half = 0.5**0.5
    expected = np.array([[1, 0], [0, 1], [half, half], [0, 0], [half, 0], [0, half]])
    gains = mix_gains(6, 2)
    assert gains / gains[0, 0] == pytest.approx(expected)
    assert gains.sum(axis=0) == pytest.approx([1, 1])


def test_channels_that_both_have_are_handed_on() -> None:
    samples = noise(50, 5)
    surround = converted(PcmFormat(24000, 5), PcmFormat(24000, 6), samples)
    assert np.array_equal(surround[:, [0, 1, 2, 4, 5]], samples)
    assert not surround[:, 3].any()


def test_no_mix_clips_and_no_voice_is_lost() -> None:
    for source, target in product(range(1, 11), repeat=2):
        gains = mix_gains(source, target)
        assert gains.sum(axis=0).max() <= 1.0 + 1e-6
        front = gains[: min(3, source)]
        assert front.any(axis=1).all(), (source, target)


RATES = [(24000, 48000), (24000, 44100), (22050, 24000), (48000, 16000), (8000, 96000)]


@pytest.mark.parametrize(("source_hz", "target_hz"), RATES)
@pytest.mark.parametrize("frames", [0, 1, 2, 239, 960, 24001])
def test_length_is_kept_to_within_a_frame(source_hz: int, target_hz: int, frames: int) -> None:
    result = converted(PcmFormat(source_hz), PcmFormat(target_hz), noise(frames))
    assert abs(len(result) - frames * target_hz / source_hz) <= 1


@pytest.mark.parametrize(("source_hz", "target_hz"), RATES)
def test_a_tone_stays_itself_and_in_place(source_hz: int, target_hz: int) -> None:
    result = converted(PcmFormat(source_hz), PcmFormat(target_hz), tone(440, source_hz, source_hz))
    expected = tone(440, target_hz, len(result))
    edge = target_hz // 50  # the filter rings where the tone begins and ends abruptly
    assert np.abs(result - expected)[edge:-edge].max() < 1e-4


@given(
    rates=st.sampled_from([*RATES, (24000, 24000)]),
    channels=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    frames=st.integers(0, 6000),
    data=st.data(),
)
def test_the_result_does_not_depend_on_the_cuts(
    rates: tuple[int, int], channels: tuple[int, int], frames: int, data: st.DataObject
) -> None:
    source, target = PcmFormat(rates[0], channels[0]), PcmFormat(rates[1], channels[1])
    cuts = sorted(data.draw(st.lists(st.integers(0, frames), max_size=12)))
    samples = noise(frames, channels[0])
    whole = converted(source, target, samples)
    assert whole.shape[1] == channels[1]
    assert whole.dtype == np.float32
    assert np.array_equal(converted(source, target, samples, cuts), whole)


def test_strided_input_is_taken() -> None:
    samples = noise(4000, 2)
    result = converted(PcmFormat(24000), PcmFormat(48000), samples[:, 1:])
    assert np.array_equal(
        result, converted(PcmFormat(24000), PcmFormat(48000), samples[:, 1:].copy())
    )


def test_an_empty_stream_stays_empty() -> None:
    result = converted(PcmFormat(24000), PcmFormat(44100, 2), no_samples())
    assert result.shape == (0, 2)


def test_the_resampler_is_loaded_only_when_rates_differ() -> None:
    program = (
        "import sys\n"
        "from voicestream.pcm import PcmFormat\n"
        "from voicestream.dsp.convert import Converter\n"
        "Converter(PcmFormat(24000), PcmFormat(24000, 2))\n"
        "assert 'soxr' not in sys.modules\n"
        "Converter(PcmFormat(24000), PcmFormat(48000))\n"
        "assert 'soxr' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
