"""The boundary to FFmpeg."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.decoding import decode_in_pieces, pieces
from tests.support.encode import aac, every_format, flac, opus, speech
from voicestream.decode.compressed import PacketDecoder
from voicestream.decode.framed import FramedDecoder
from voicestream.decode.registry import open_decoder
from voicestream.errors import DecodeError
from voicestream.pcm import PcmFormat


def test_eight_channels() -> None:
    """PyAV's own way to samples reads wild memory here."""
    sound = speech(0.3, 24_000, 8)
    got = decode_in_pieces(open_decoder("audio/flac", "flac"), [flac(sound)])
    assert np.abs(got - sound).max() <= 1 / 32768
    got = decode_in_pieces(open_decoder("audio/aac", "aac"), [aac(sound, bit_rate=256_000)])
    assert got.shape[1] == 8


def test_more_channels_than_can_be_played() -> None:
    data = opus(speech(0.3, 48_000, 16), bit_rate=512_000, mapping_family=255)
    with pytest.raises(DecodeError, match="no Ogg Opus sound"):
        decode_in_pieces(open_decoder("audio/ogg", "opus"), [data])


def test_an_unknown_codec_is_an_error_of_ours() -> None:
    with pytest.raises(DecodeError, match="nonsense"):
        PacketDecoder("nonsense")


def test_every_format_by_its_name_alone() -> None:
    sound = speech(0.5)
    for name, data in every_format(sound).items():
        if name != "buffered":
            decoder = open_decoder("", name)
            got = decode_in_pieces(decoder, pieces(data, [321]))
            assert decoder.skipped == 0
            assert abs(len(got) - len(sound)) < 1024


class _TwoRates(FramedDecoder):
    """Each byte is a frame of one sample, at as many kHz."""

    def _step(self, _ended: bool) -> bool:
        for rate_khz in self._consume(len(self._buffer)):
            self._emit(np.ones((1, 1), np.float32), 1000 * rate_khz)
        return False


def test_one_frame_with_another_rate_does_not_end_the_reply() -> None:
    decoder = _TwoRates()
    assert len(decoder.feed(bytes([24, 48, 24]))) == 2
    assert decoder.skipped == 1
    assert decoder.format == PcmFormat(24_000, 1, "f32")
