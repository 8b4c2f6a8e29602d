"""What somebody said, written down by a Realtime API: one WebSocket for many turns."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from voicestream.errors import ConnectionFailedError, EndpointError, EndpointTimeoutError
from voicestream.pcm import PcmFormat
from voicestream.records import replace
from voicestream.speech.realtime.dialogue import PCM, Dialogue
from voicestream.speech.realtime.failures import reported
from voicestream.speech.realtime.protocol import RATE_HZ, ServerEvent

if TYPE_CHECKING:
    from voicestream.speech.http.config import EndpointConfig

_INTENT = "intent=transcription"
_PIECE_BYTES = 2 * RATE_HZ


class RealtimeTranscriber:
    """Asks a server what was said, over a connection that is kept. Used by one thread.

    Args:
        model: the one that listens.
        language: of what is said, as two letters; empty: it is for the server to find out.
        convert: makes what the server hears, 24 kHz, mono, of 16-bit frames of a format.
    """

    def __init__(
        self,
        config: EndpointConfig,
        model: str,
        language: str,
        convert: Callable[[bytes, PcmFormat], bytes],
    ) -> None:
        url = config.base_url
        asked = url if _INTENT in url else f"{url}{'&' if '?' in url else '?'}{_INTENT}"
        self._config = replace(config, base_url=asked)
        self._model = model
        self._convert = convert
        written = {"model": model} | ({"language": language} if language else {})
        heard = {"format": PCM, "transcription": written, "turn_detection": None}
        self._session = {"type": "transcription", "audio": {"input": heard}}
        self._came: queue.SimpleQueue[ServerEvent | EndpointError] = queue.SimpleQueue()
        self._dialogue: Dialogue | None = None
        self._aborted = False

    def text_of(self, sound: bytes, pcm: PcmFormat) -> str:
        """Return the text of what was said; empty: nothing was understood.

        Args:
            sound: 16-bit frames of ``pcm``.

        Raises:
            EndpointError: it cannot be asked, or does not tell.
        """
        heard, kept = self._convert(sound, pcm), self._dialogue is not None
        try:
            return self._asked(heard)
        except ConnectionFailedError:
            if not kept or self._aborted:
                raise
            return self._asked(heard)  # the one that was kept had died meanwhile

    def _asked(self, heard: bytes) -> str:
        dialogue = self._dialogue or self._connected()
        for start in range(0, len(heard), _PIECE_BYTES):
            dialogue.send_sound(heard[start : start + _PIECE_BYTES])
        dialogue.send("input_audio_buffer.commit")
        until_s = time.monotonic() + self._config.timeout_s
        try:
            while (came := self._next(until_s)).kind != "written":
                if came.trouble is not None:
                    raise reported(self._config, "", came.trouble)
        except EndpointError:
            self.close()  # what comes late would be taken for another turn's words
            raise
        return came.words.strip()

    def _next(self, until_s: float) -> ServerEvent:
        try:
            came = self._came.get(timeout=max(until_s - time.monotonic(), 0.0))
        except queue.Empty:
            raise EndpointTimeoutError(
                f"{self._config.base_url} does not tell what was said",
                f"nothing has come for {self._config.timeout_s:g} s",
                "Raise --timeout if the server is slow.",
            ) from None
        if isinstance(came, EndpointError):
            raise came
        return came

    def _connected(self) -> Dialogue:
        came: queue.SimpleQueue[ServerEvent | EndpointError] = queue.SimpleQueue()
        self._came = came
        self._dialogue = dialogue = Dialogue(self._config, "", came.put, came.put)
        if self._aborted:
            dialogue.close()
        try:
            dialogue.open(self._session)
        except EndpointError:
            self._dialogue = None
            raise
        return dialogue

    def abort(self) -> None:
        """End what goes on, and let nothing begin. Any thread."""
        self._aborted = True
        dialogue = self._dialogue
        if dialogue is not None:
            dialogue.close()
        self._came.put(ConnectionFailedError("given up"))

    def close(self) -> None:
        dialogue, self._dialogue = self._dialogue, None
        if dialogue is not None:
            dialogue.close()
