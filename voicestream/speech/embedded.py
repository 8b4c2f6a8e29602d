"""The small neural voice that comes along (hibari-tts), behind the same interface as a server."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

from voicestream.errors import EndpointError, SettingsError
from voicestream.pcm import to_int16
from voicestream.speech.base import SpeechRequest

VOICES = ("heart",)
"""The voices inside the package. hibari's others would be downloaded, which never happens here."""
_SEED = 0
"""Makes the same text sound the same, sample for sample."""


class EmbeddedEndpoint:
    """Speaks without a network. Loads in the background from construction on."""

    name = "embedded:"
    max_chars = 4096

    def __init__(self) -> None:
        self._voice: Any = None
        self._failure: BaseException | None = None
        self._loaded = threading.Event()
        self._aborted = False
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
            self._voice = hibari.Hibari(voice=VOICES[0], g2p=speller)
            speller.wait()
        except Exception as error:  # noqa: BLE001  a thread's entry: handed on to who opens
            self._failure = error
        finally:
            self._loaded.set()

    def open(self, request: SpeechRequest) -> EmbeddedStream:
        if request.voice not in VOICES:
            raise SettingsError(
                f"the embedded voice is called {' or '.join(VOICES)}, not {request.voice!r}",
                hint="Leave --voice out, or set an endpoint with --base-url.",
            )
        return EmbeddedStream(self, request)

    def sentences(self, text: str) -> list[str]:
        """What is made at once. Waits for the voice to be loaded."""
        self._loaded.wait()
        if self._failure is not None:
            raise EndpointError(
                "the embedded voice cannot be loaded",
                str(self._failure),
                "Reinstall voicestream, or set an endpoint with --base-url.",
            )
        found: list[str] = self._voice.split_sentences(text)
        return found

    def speak(self, sentence: str, speed: float) -> bytes:
        """One sentence as 16-bit PCM."""
        with self._busy:
            if self._aborted:
                return b""
            samples = self._voice(sentence, speed=speed, seed=_SEED)
        return to_int16(samples).tobytes()

    def abort(self) -> None:
        self._aborted = True

    def close(self) -> None:
        """Nothing is held that has to be given back."""


class EmbeddedStream:
    """Sound of one request, a sentence at a time."""

    def __init__(self, endpoint: EmbeddedEndpoint, request: SpeechRequest) -> None:
        import hibari

        self._endpoint = endpoint
        self._request = request
        self.rate_hz: int | None = hibari.SAMPLE_RATE
        self.channels: int | None = 1
        self.content_type = f"audio/pcm; rate={self.rate_hz}"
        self.sent_at_s = time.monotonic()

    def __iter__(self) -> Iterator[bytes]:
        for sentence in self._endpoint.sentences(self._request.text):
            yield self._endpoint.speak(sentence, self._request.speed)

    def close(self) -> None:
        """The rest is made only when asked for."""


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
