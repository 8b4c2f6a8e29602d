"""The small neural voice that comes along (hibari-tts), behind the same interface as a server."""

from __future__ import annotations

import functools
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from voicestream.errors import EndpointError, ReplyError, SettingsError, UnspokenError
from voicestream.notices import Notices
from voicestream.pcm import to_int16
from voicestream.speech.base import SpeechRequest
from voicestream.speech.readable import readable, unspeakable
from voicestream.speech.voice import Voice

VOICES = (
    Voice("heart", "", "en-US", "neural, 24 kHz", "hibari-tts, inside the package", "Apache-2.0"),
)
"""The voices inside the package. hibari's others would be downloaded, which never happens here."""
_OF_OTHERS = re.compile(
    "alloy|ash|ballad|cedar|coral|echo|fable|marin|nova|onyx|sage|shimmer|verse|[a-z][fm]_[a-z]+"
)
"""Voices of OpenAI and of Kokoro, which people give without knowing who speaks."""
RATE_HZ = 24_000
_MOST_CHARS = 300
"""Made at once: a long sentence comes in parts, so that its beginning is heard soon, and others
who want to speak meanwhile get their turn."""
_PART = re.compile(
    rf"(?:.{{{_MOST_CHARS // 3},{_MOST_CHARS}}}[,;:—]|.{{1,{_MOST_CHARS}}})(?:\s+|$)", re.S
)
_SEED = 0
"""Makes the same text sound the same, sample for sample."""


class _Voice:
    """The loaded voice, shared by all endpoints of a process. Loads in the background."""

    def __init__(self) -> None:
        self._speaker: Any = None
        self._failure: BaseException | None = None
        self._loaded = threading.Event()
        # one at a time: two at once on a small machine would only delay the first
        self._busy = threading.Lock()
        threading.Thread(target=self._load, name="embedded-voice", daemon=True).start()

    def _load(self) -> None:
        try:
            # onnxruntime's own telemetry writes an identifier into the user's cache and reports
            # to its maker; this voice promises to need no network
            os.environ["ORT_DISABLE_TELEMETRY"] = "1"
            import hibari
            from hibari.g2p import G2P

            speller = _Later(lambda: G2P(british=False))
            self._speaker = hibari.Hibari(voice=VOICES[0].id, g2p=speller)
            speller.wait()
        except Exception as error:  # noqa: BLE001  a thread's entry: handed on to who speaks
            self._failure = error
        finally:
            self._loaded.set()

    def ready(self) -> bool:
        """Return at once whether it is loaded.

        Raises:
            EndpointError: it cannot be.
        """
        if self._failure is not None:
            raise EndpointError(
                "the embedded voice cannot be loaded",
                str(self._failure),
                "Reinstall voicestream, or set an endpoint with --base-url.",
            )
        return self._loaded.is_set()

    def sentences(self, text: str) -> list[str]:
        """Return the sentences that are made in one go, without what cannot be spoken. Waits for
        the voice to be loaded.

        Raises:
            EndpointError: it cannot be loaded.
        """
        self._loaded.wait()
        self.ready()
        found: list[str] = self._speaker.split_sentences(readable(text))
        return [part.strip() for sentence in found for part in _PART.findall(sentence)]

    def speak(self, sentence: str, speed: float, wanted: Callable[[], bool]) -> bytes:
        """Return one sentence as 16-bit PCM; nothing if it is not ``wanted`` when its turn comes.

        Raises:
            ReplyError: the voice fails at it.
        """
        with self._busy:
            if not wanted():
                return b""
            try:
                samples = self._speaker(sentence, speed=speed, seed=_SEED)
            except Exception as error:  # a foreign library's, whatever it is
                what = f'the embedded voice failed at "{sentence[:80]}"'
                raise ReplyError.unforeseen(what, error) from error
        return to_int16(samples).tobytes()


@functools.cache
def _voice() -> _Voice:
    return _Voice()


def nearest_voice(wanted: str) -> str:
    """Return the embedded voice that speaks where ``wanted`` is asked for."""
    return next((voice.id for voice in VOICES if voice.id == wanted), VOICES[0].id)


class EmbeddedEndpoint:
    """Speaks without a network. The voice loads in the background from construction on.

    Args:
        notices: told which words had to be left out.
    """

    name = "embedded:"

    def __init__(self, notices: Notices | None = None) -> None:
        self.notices = notices or Notices()
        self._voice = _voice()
        self._aborted = False

    def open(self, request: SpeechRequest) -> EmbeddedStream:
        voice = nearest_voice(request.voice)
        if voice != request.voice:
            if not _OF_OTHERS.fullmatch(request.voice):
                raise SettingsError(
                    f"the embedded voice is called {voice}, not {request.voice!r}",
                    hint="Name no other, or set an endpoint with --base-url.",
                )
            self.notices.notify_once(f"the embedded voice {voice} speaks for {request.voice}")
        return EmbeddedStream(self, request)

    def ready(self) -> bool:
        """Return at once whether the voice is loaded.

        Raises:
            EndpointError: it cannot be.
        """
        return self._voice.ready()

    def sentences(self, text: str) -> list[str]:
        """Return the sentences that are made in one go, without what is :func:`unspeakable`.
        Waits for the voice to be loaded."""
        return self._voice.sentences(text)

    def speak(self, sentence: str, speed: float) -> bytes:
        """Return one sentence as 16-bit PCM; nothing once aborted."""
        return self._voice.speak(sentence, speed, lambda: not self._aborted)

    @property
    def aborted(self) -> bool:
        return self._aborted

    def abort(self) -> None:
        self._aborted = True

    def close(self) -> None:
        """Do nothing: nothing is held that has to be given back."""


class EmbeddedStream:
    """Sound of one request, a sentence at a time."""

    def __init__(self, endpoint: EmbeddedEndpoint, request: SpeechRequest) -> None:
        self._endpoint = endpoint
        self._request = request
        self.rate_hz: int | None = RATE_HZ
        self.channels: int | None = 1
        self.content_type = f"audio/pcm; rate={self.rate_hz}"
        self.sent_at_s = time.monotonic()

    def __iter__(self) -> Iterator[bytes]:
        words = unspeakable(self._request.text)
        some = False
        for sentence in self._endpoint.sentences(self._request.text):
            sound = self._endpoint.speak(sentence, self._request.speed)
            yield sound
            if sound and not some:  # who is asked for more is heard, and has not lost a race
                some = True
                self._endpoint.notices.left_out(words)
        if not some and not self._endpoint.aborted:
            raise UnspokenError(words)

    def close(self) -> None:
        """Do nothing: the rest is made only when asked for."""


class _Later:
    """A callable that is being made in a thread of its own."""

    def __init__(self, make: Any) -> None:
        self._made: Any = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(make,), daemon=True)
        self._thread.start()

    def _run(self, make: Any) -> None:
        try:
            self._made = make()
        except Exception as error:  # noqa: BLE001  a thread's entry: raised again in wait()
            self._failure = error

    def wait(self) -> Any:
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return self._made

    def __call__(self, text: str) -> Any:
        return self.wait()(text)
