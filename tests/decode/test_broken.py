"""Broken bytes: samples and counted skips, or an error that says what was wrong. No more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.decoding import mutated, survives
from tests.support.encode import every_format, speech
from voicestream.decode.base import FREE_SAMPLES
from voicestream.decode.compressed import decode_whole
from voicestream.decode.framed import FramedDecoder
from voicestream.decode.registry import open_decoder
from voicestream.errors import DecodeError

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus" / "decoders"
EXAMPLES = every_format(speech(0.8))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", EXAMPLES)
def test_mutated(name: str, seed: int) -> None:
    for number in range(40):
        data = mutated(EXAMPLES[name], 1000 * seed + number)
        kind = "mp4" if name == "buffered" else name
        got, error = survives(open_decoder(f"audio/{kind}", name), data, 500)
        assert np.isfinite(got).all()
        assert error is None or str(error)
        if name != "buffered":
            again, other = survives(open_decoder(f"audio/{kind}", name), data, 37)
            assert np.array_equal(got, again)
            assert str(error) == str(other)


@pytest.mark.parametrize("name", EXAMPLES)
def test_truncated(name: str) -> None:
    """What came before the end is the same as in the whole reply."""
    data = EXAMPLES[name]
    whole, _ = survives(open_decoder("", name), data, 4096)
    for size in range(0, len(data), len(data) // 40):
        got, error = survives(open_decoder("", name), data[:size], 500)
        assert len(got) <= len(whole)
        if name != "buffered":
            assert np.array_equal(got, whole[: len(got)])
        assert not (error and len(got))


def test_nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """FFmpeg likes to complain there."""
    for name, data in EXAMPLES.items():
        for seed in range(10):
            survives(open_decoder("", name), mutated(data, seed), 500)
    assert capfd.readouterr() == ("", "")


class Generous(FramedDecoder):
    """Half a million samples for every byte, as the emptiest FLAC frames have them."""

    def _step(self, ended: bool) -> bool:
        del ended
        if not self._consume(1):
            return False
        self._emit(np.zeros((65_536, 8), np.float32), 24_000)
        return True


def test_a_few_bytes_cannot_fill_memory() -> None:
    decoder = Generous()
    got = decoder.feed(bytes(4096))
    assert 1_000_000 < got.size <= FREE_SAMPLES + 65_536 * 8
    with pytest.raises(DecodeError, match="without bound"):
        decoder.feed(bytes(1))


def test_nor_can_a_file_that_is_decoded_whole() -> None:
    bomb = (CORPUS / "found-flac-bomb").read_bytes()[2:]
    with pytest.raises(DecodeError, match="without bound"):
        decode_whole(bomb)
