"""Loudness beside FFmpeg's ebur128, however the sound is cut."""

from __future__ import annotations

import av
import av.filter
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sound import speechlike
from voicestream.dsp.loudness import LoudnessMeter, amplify
from voicestream.pcm import PcmFormat, Samples


def measured(sound: Samples, rate_hz: int, cuts: list[int] | None = None) -> float:
    meter = LoudnessMeter(PcmFormat(rate_hz, sound.shape[1]))
    for part in np.split(sound, cuts or []):
        meter.feed(part)
    found = meter.measured()
    assert found is not None
    return found[0]


def by_ffmpeg(sound: Samples, rate_hz: int) -> float:
    """Integrated loudness as the filter ``ebur128`` has it at the end."""
    graph = av.filter.Graph()
    layout = "mono" if sound.shape[1] == 1 else "stereo"
    source = graph.add_abuffer(format="flt", sample_rate=rate_hz, layout=layout)
    meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate = rate_hz
    graph.push(frame)
    graph.push(None)
    told = ""
    while True:
        try:
            told = graph.pull().metadata.get("lavfi.r128.I", told)
        except (EOFError, BlockingIOError, av.error.EOFError):
            return float(told)


def tone(hz: float, rate_hz: int, level: float) -> Samples:
    times_s = np.arange(4 * rate_hz) / rate_hz
    return (level * np.sin(2 * np.pi * hz * times_s)).astype(np.float32)[:, None]


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("hz", [60, 440, 997, 3000, 6000])
def test_tones_are_as_loud_as_ffmpeg_says(hz: float, rate_hz: int) -> None:
    sound = tone(hz, rate_hz, 0.2)
    assert measured(sound, rate_hz) == pytest.approx(by_ffmpeg(sound, rate_hz), abs=0.3)


@pytest.mark.parametrize("channels", [1, 2])
def test_speech_with_pauses_is_as_loud_as_ffmpeg_says(channels: int) -> None:
    speech = speechlike(6.0).astype(np.float32)[:, None] / 32768
    quiet = np.zeros((24_000, 1), np.float32)
    sound = np.concatenate((quiet, speech, quiet, 0.3 * speech))
    sound = np.ascontiguousarray(np.repeat(sound, channels, axis=1))
    assert measured(sound, 24_000) == pytest.approx(by_ffmpeg(sound, 24_000), abs=0.3)


@given(st.lists(st.integers(0, 72_000), max_size=20).map(sorted))
def test_how_the_sound_is_cut_does_not_matter(cuts: list[int]) -> None:
    sound = speechlike(3.0).astype(np.float32)[:, None] / 32768
    assert measured(sound, 24_000, cuts) == measured(sound, 24_000)


def test_silence_and_a_moment_of_sound_have_no_loudness() -> None:
    for frames, level in ((48_000, 0.0), (2_000, 0.5)):
        meter = LoudnessMeter(PcmFormat(24_000))
        meter.feed(np.full((frames, 1), level, np.float32))
        assert meter.measured() is None


def test_raised_sound_is_never_cut_off_and_lowered_sound_never_bent() -> None:
    ramp = np.linspace(-1, 1, 1001, dtype=np.float32)[:, None]
    raised = amplify(ramp, 4.0)
    assert float(np.abs(raised).max()) < 1.0
    assert (np.diff(raised[:, 0]) >= 0).all()
    assert np.array_equal(amplify(ramp, 0.5), ramp * np.float32(0.5))
