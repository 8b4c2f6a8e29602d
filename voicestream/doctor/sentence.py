"""A short sentence that an endpoint speaks: how soon, how fast, in which format and words."""

from __future__ import annotations

import time
from collections.abc import Iterator

from voicestream.decode.registry import choose, open_decoder
from voicestream.doctor.finding import Finding
from voicestream.errors import ReplyError
from voicestream.speech.base import SpeechRequest, SpeechStream, ends_of, said_by, words_of
from voicestream.text.said import compare

ABOUT = "endpoint"
SENTENCE = "This is a test."
"""What an endpoint is asked to say, once: it may be billed."""
_SLOW_S = 2.0
"""A first byte that comes later is felt."""
_LEAST_RATE = 1.1
"""Of sound to time: below this it will stop while it speaks."""
_MEASURABLE_S = 0.1
_HEAD_BYTES = 64


class SpokenSentence:
    """One sentence as it comes, and what is to be told of it."""

    def __init__(self, request: SpeechRequest) -> None:
        self._request = request
        self._head = b""
        self._kind = ""
        self._began_s = time.monotonic()
        self._first_s = 0.0
        self._last_s = 0.0
        self._sound_s = 0.0
        self._rate_hz = 0
        self._broken_pieces = 0
        self._said: str | None = None
        self._timed = False
        self._ends = ""

    def listen(self, stream: SpeechStream) -> None:
        """Take the reply to its end.

        Raises:
            EndpointError: it breaks off, cannot be decoded, or holds no sound.
        """
        self._ends = ends_of(stream)
        self._kind = stream.content_type.partition(";")[0].strip().lower()
        decoder = open_decoder(
            stream.content_type, self._request.format, stream.rate_hz, stream.channels
        )
        frames = 0
        for piece in stream:
            if not piece:
                continue
            self._last_s = time.monotonic()
            self._first_s = self._first_s or self._last_s
            self._head += piece[: _HEAD_BYTES - len(self._head)]
            frames += len(decoder.feed(piece))
        frames += len(decoder.flush())
        pcm = decoder.format
        if pcm is None or not frames:
            raise ReplyError(
                "the reply holds no sound", hint="Check --model, --voice and --format."
            )
        self._sound_s, self._rate_hz = pcm.frames_to_s(frames), pcm.rate_hz
        self._broken_pieces = decoder.skipped
        self._said = said_by(stream)
        self._timed = bool(words_of(stream))

    @property
    def _first_byte_s(self) -> float:
        return self._first_s - self._began_s

    @property
    def _rate(self) -> float | None:
        """Sound to time; None where all came at once."""
        took_s = self._last_s - self._first_s
        return self._sound_s / took_s if took_s > _MEASURABLE_S else None

    @property
    def _format(self) -> str:
        return choose(self._head, self._kind, self._request.format, ended=True) or ""

    def findings(self, known: str) -> Iterator[Finding]:
        """Yield what is to be told of it.

        Args:
            known: of earlier replies, in words.
        """
        yield self._speed(known)
        wanted, came = self._request.format, self._format
        if came != wanted:
            yield Finding(
                ABOUT,
                "look",
                f"it was asked for {wanted} and sent {came}, which is played all the same",
                f"--format {came} asks for what it has." if came != "buffered" else "",
                figures={"format": came},
            )
        if self._broken_pieces:
            yield Finding(ABOUT, "look", f"{self._broken_pieces} broken pieces were left out")
        if self._said is not None and (others := compare(SENTENCE, self._said).differences):
            told = "; ".join(map(str, others))
            yield Finding(ABOUT, "look", f"other words: it {told}", "Try another model.")
        if self._request.stream_format == "captions" and not self._timed:
            yield Finding(ABOUT, "look", "it tells no times of words, which are estimated then")
        if self._ends:
            yield Finding(
                ABOUT, "look", f"it says that it ends: {self._ends}", "Look for another model."
            )

    def _speed(self, known: str) -> Finding:
        first_ms, rate = round(1000 * self._first_byte_s), self._rate
        fast = "at once" if rate is None else f"at {rate:.1f}x the speed of its sound"
        told = (
            f'"{SENTENCE}": first byte after {first_ms} ms, then {fast}{known}; '
            f"{self._format}, {self._rate_hz} Hz"
        )
        figures = {
            "model": self._request.model,
            "voice": self._request.voice,
            "first_byte_ms": first_ms,
            "rate": None if rate is None else round(rate, 2),
            "audio_s": round(self._sound_s, 3),
            "format": self._format,
            "rate_hz": self._rate_hz,
        }
        if rate is not None and rate < _LEAST_RATE:
            todo = (
                "It will stop while it speaks. Where the network is slow, --format auto needs "
                "less; --underrun stretch plays slower instead; or choose a faster model."
            )
            return Finding(ABOUT, "look", told, todo, enough=True, figures=figures)
        if self._first_byte_s > _SLOW_S:
            todo = "It begins late: the model is slow, or was being loaded. Ask again to know."
            return Finding(ABOUT, "look", told, todo, enough=True, figures=figures)
        return Finding(ABOUT, "good", told, enough=True, figures=figures)
