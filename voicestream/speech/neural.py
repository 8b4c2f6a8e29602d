"""The neural voice that comes along (hibari-tts): English, loaded in the background."""

from __future__ import annotations

import functools
import os
import re
import threading
from collections.abc import Callable
from typing import Any

from voicestream.errors import EndpointError, ReplyError
from voicestream.pcm import to_int16
from voicestream.speech import prepared
from voicestream.speech.voice import Voice

HEART = Voice(
    "heart", "", "en-US", "neural, 24 kHz", "hibari-tts, inside the package", "Apache-2.0"
)
"""The voice inside the package. hibari's others would be downloaded, which never happens here."""
RATE_HZ = 24_000
_MOST_CHARS = 300
"""Made at once: a long sentence comes in parts, so that its beginning is heard soon, and others
who want to speak meanwhile get their turn."""
_PART = re.compile(
    rf"(?:.{{{_MOST_CHARS // 3},{_MOST_CHARS}}}[,;:—]|.{{1,{_MOST_CHARS}}})(?:\s+|$)", re.S
)
_SEED = 0
"""Makes the same text sound the same, sample for sample."""


class NeuralVoice:
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
            import hibari  # before both threads: they would wait for each other's imports

            speller = _Later(_speller)
            kept = prepared.read(prepared.MODEL)
            model = None if kept is None else bytes(kept)
            self._speaker = _voice_of(hibari.Hibari, model, speller)
            speller.wait()
            if model is None:
                prepared.prepare_later()
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
        """Return the sentences that are made in one go. Waits for the voice to be loaded.

        Raises:
            EndpointError: it cannot be loaded.
        """
        self._loaded.wait()
        self.ready()
        found: list[str] = self._speaker.split_sentences(text)
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


def _voice_of(load: Callable[..., Any], model: bytes | None, speller: _Later) -> Any:
    """Return the voice with the prepared model; with the package's where that is of no use."""
    try:
        return load(voice=HEART.id, model=model, g2p=speller)
    except Exception:
        if model is None:
            raise
        return load(voice=HEART.id, g2p=speller)


def _speller() -> Any:
    """Return hibari's phonemiser, made of the prepared tables as far as there are any."""
    from hibari import g2p

    tables, unpack = prepared.read_tables(), getattr(g2p, "_load_json", None)
    if not tables or unpack is None:
        return g2p.G2P(british=False)
    g2p._load_json = lambda name: tables[name] if name in tables else unpack(name)
    try:
        return g2p.G2P(british=False)
    finally:
        g2p._load_json = unpack


@functools.cache
def neural_voice() -> NeuralVoice:
    """Return the one of this process, which begins to load at the first call."""
    return NeuralVoice()


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
