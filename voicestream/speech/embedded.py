"""The voices that come along, behind the same interface as a server, each for its languages.

The neural one speaks English, SVOX Pico some other languages; where neither has sounds for a
language, the system's own voices are the last resort.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator

from voicestream.errors import SettingsError, UnspokenError
from voicestream.languages import Tongue
from voicestream.notices import Notices
from voicestream.records import dataclass
from voicestream.speech.base import SpeechRequest
from voicestream.speech.child import Child
from voicestream.speech.neural import HEART, RATE_HZ, neural_voice
from voicestream.speech.pico import pico, pico_voices
from voicestream.speech.readable import by_script, readable, unspeakable, words_of
from voicestream.speech.system import SystemVoice, system_voice, system_voices
from voicestream.speech.voice import Voice

_OF_OTHERS = re.compile(
    "alloy|ash|ballad|cedar|coral|echo|fable|marin|nova|onyx|sage|shimmer|verse|[a-z][fm]_[a-z]+"
)
"""Voices of OpenAI and of Kokoro, which people give without knowing who speaks."""
_SENTENCE = re.compile(r".+?(?:[.!?…。！？।][\"'”’»)\]]*(?=\s)|[。！？]|\n|\Z)\s*", re.S)


@dataclass(frozen=True, slots=True)
class Part:
    """Text that one voice speaks in one go; without a voice there is none that could."""

    text: str
    voice: Voice | SystemVoice | None


def embedded_voices() -> tuple[Voice, ...]:
    """Return the voices that come along; the first speaks where none is named."""
    return (HEART, *pico_voices())


def embedded_voice(wanted: str) -> Voice:
    """Return the embedded voice that speaks where ``wanted`` is asked for."""
    return next((voice for voice in embedded_voices() if voice.id == wanted), HEART)


def nearest_voice(wanted: str) -> str:
    """Return its name."""
    return embedded_voice(wanted).id


class EmbeddedEndpoint:
    """Speaks without a network. The neural voice loads in the background from construction on.

    Args:
        notices: told which words had to be left out, and who else speaks.
    """

    name = "embedded:"

    def __init__(self, notices: Notices | None = None) -> None:
        self.notices = notices or Notices()
        self._neural = neural_voice()
        self._lock = threading.Lock()
        # under the lock
        self._children: set[Child] = set()
        self._aborted = False

    def open(self, request: SpeechRequest) -> EmbeddedStream:
        voice = self._named(request.voice)
        if voice is None:
            raise SettingsError(
                f"the embedded voices are called {_in_words()}, not {request.voice!r}",
                hint="Name one of these, or set an endpoint with --base-url.",
            )
        if _OF_OTHERS.fullmatch(request.voice):
            self.notices.notify_once(f"the embedded voice {HEART.id} speaks for {request.voice}")
        return EmbeddedStream(self, request, voice)

    def _named(self, name: str) -> Voice | SystemVoice | None:
        for voice in embedded_voices():
            if voice.id == name:
                return voice
        if _OF_OTHERS.fullmatch(name):
            return HEART
        return next((voice for voice in system_voices() if name in (voice.id, voice.name)), None)

    def ready(self) -> bool:
        """Return at once whether the neural voice is loaded.

        Raises:
            EndpointError: it cannot be.
        """
        return self._neural.ready()

    def parts(
        self, text: str, voice: Voice | SystemVoice = HEART, language: str = ""
    ) -> list[Part]:
        """Return what is spoken in one go, each with its voice, and between them what cannot be
        spoken. Waits for the neural voice where that is to speak.

        Args:
            voice: speaks what is in its language.
            language: of the text, as a code; empty: that of each sentence is found out.
        """
        found = []
        for tongue, piece in [(language, text)] if language else _by_language(text):
            usual = _speaker(voice, tongue)
            if usual is None and 0 < len(unspeakable(piece)) < len(words_of(piece)):
                usual = HEART  # has sounds for what stands in Latin letters between the others
            if usual is None:
                found += [Part(word, None) for word in words_of(piece)]
                continue
            for foreign, run in by_script(piece, tongue, _is_spoken):
                found += self._parts_of(run, system_voice(foreign) if foreign else usual)
        return found

    def _parts_of(self, text: str, voice: Voice | SystemVoice | None) -> list[Part]:
        if isinstance(voice, SystemVoice):
            return [Part(text, voice)]
        unspoken = [Part(word, None) for word in unspeakable(text)]
        if voice is HEART:
            sentences = self._neural.sentences(readable(text))
            return [*unspoken, *(Part(sentence, voice) for sentence in sentences)]
        language = voice.language if voice is not None else ""
        return [*unspoken, Part(readable(text, language), voice)]

    def speak(self, part: Part, speed: float) -> Iterator[bytes]:
        """Yield a part as 16-bit PCM; nothing once aborted, or where there is no voice.

        Raises:
            ReplyError: the voice fails.
        """
        if part.voice is None or not self._wanted():
            return
        if part.voice is HEART:
            yield self._neural.speak(part.text, speed, self._wanted)
            return
        if isinstance(part.voice, SystemVoice):
            self.notices.notify_once(
                f"{part.voice.program} of this system speaks what no embedded voice can"
            )
            child = part.voice.speak(part.text, speed, RATE_HZ)
        else:
            child = pico(part.voice, part.text, speed, RATE_HZ)
        with self._lock:
            self._children.add(child)
            if not self._wanted():
                return
        try:
            yield from child
        finally:
            with self._lock:
                self._children.discard(child)

    def _wanted(self) -> bool:
        return not self._aborted

    @property
    def aborted(self) -> bool:
        return self._aborted

    def abort(self) -> None:
        with self._lock:
            self._aborted = True
            children = tuple(self._children)
        for child in children:
            child.stop()

    def close(self) -> None:
        """Do nothing: nothing is held that has to be given back."""


class EmbeddedStream:
    """Sound of one request, a part at a time."""

    def __init__(
        self, endpoint: EmbeddedEndpoint, request: SpeechRequest, voice: Voice | SystemVoice
    ) -> None:
        self._endpoint = endpoint
        self._request = request
        self._voice = voice
        self.rate_hz: int | None = RATE_HZ
        self.channels: int | None = 1
        self.content_type = f"audio/pcm; rate={self.rate_hz}"
        self.sent_at_s = time.monotonic()

    def __iter__(self) -> Iterator[bytes]:
        asked = self._request
        parts = self._endpoint.parts(asked.text, self._voice, asked.language)
        words = [part.text for part in parts if part.voice is None]
        some = False
        for part in parts:
            for sound in self._endpoint.speak(part, asked.speed):
                yield sound
                if sound and not some:  # who is asked for more is heard, and has not lost a race
                    some = True
                    self._endpoint.notices.left_out(words)
        if not some and not self._endpoint.aborted:
            raise UnspokenError(words)

    def close(self) -> None:
        """Do nothing: the rest is made only when asked for."""


def _by_language(text: str) -> list[tuple[str, str]]:
    """Sentences with the language of each; those of one language that follow each other in one."""
    tongue = Tongue()
    found: list[tuple[str, str]] = []
    for sentence in _SENTENCE.findall(text):
        language = tongue.next(sentence)
        if found and found[-1][0] == language:
            found[-1] = language, found[-1][1] + sentence
        else:
            found.append((language, sentence))
    return found


def _speaker(wanted: Voice | SystemVoice, language: str) -> Voice | SystemVoice | None:
    """``wanted`` if it speaks the language, else who does."""
    voices = (wanted, *embedded_voices())
    for code in dict.fromkeys((language.lower(), language.lower().partition("-")[0])):
        for voice in voices:
            tag = voice.language.lower()
            if code in (tag, tag.partition("-")[0]):
                return voice
    return system_voice(language)


def _is_spoken(language: str) -> bool:
    return bool(language) and system_voice(language) is not None


def _in_words() -> str:
    *names, last = (voice.id for voice in embedded_voices())
    return f"{', '.join(names)} and {last}" if names else last
