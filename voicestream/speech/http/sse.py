"""Server-sent events, and the speech in them (``stream_format=sse``).

The parser keeps the rules of the HTML standard (WHATWG, 9.2.6): lines end with
CR, LF or CRLF, ``data`` of several lines is joined by LF, comments and unknown
fields are ignored. However the bytes are cut, the events are the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from voicestream.errors import ReplyError
from voicestream.records import dataclass
from voicestream.speech.http.json_sound import SOUND_KEYS, decoded, told_rate
from voicestream.speech.http.refusal import server_message

MAX_EVENT_BYTES = 32 << 20
"""Most bytes of one event: four minutes of PCM from a server that does not stream fit."""
_BOM = b"\xef\xbb\xbf"
_PLAIN_KINDS = frozenset({"", "message", "delta", "chunk"})
_FLOAT_NAMES = frozenset({"float32", "f32", "f32le", "pcm_f32le", "float"})


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event: its name (mostly empty) and its data."""

    name: str
    data: bytes


class EventParser:
    """Parses ``text/event-stream`` into events."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._began = False
        self._after_cr = False
        self._name = ""
        self._data: list[bytes] = []
        self._data_bytes = 0

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Yield the events that these bytes complete.

        Raises:
            ReplyError: an event is larger than ``MAX_EVENT_BYTES``.
        """
        self._buffer += data
        events = []
        while (line := self._next_line()) is not None:
            if event := self._take(line):
                events.append(event)
        if len(self._buffer) + self._data_bytes > MAX_EVENT_BYTES:
            raise ReplyError(
                "an event of the reply is too large", f"more than {MAX_EVENT_BYTES >> 20} MB"
            )
        return events

    def _next_line(self) -> bytes | None:
        buffer = self._buffer
        if self._after_cr and buffer:  # the LF of a CRLF that was cut in two
            self._after_cr = False
            if buffer[0] == 0x0A:
                del buffer[0]
        ends = [at for at in (buffer.find(sign, self._searched) for sign in b"\r\n") if at >= 0]
        if not ends:
            self._searched = len(buffer)
            return None
        end = min(ends)
        self._after_cr = buffer[end] == 0x0D
        line = bytes(buffer[:end])
        del buffer[: end + 1]
        self._searched = 0
        if not self._began:
            self._began = True
            line = line.removeprefix(_BOM)
        return line

    def _take(self, line: bytes) -> StreamEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._data_bytes += len(value) + 1
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        return None

    def _dispatch(self) -> StreamEvent | None:
        event = StreamEvent(self._name, b"\n".join(self._data)) if self._data else None
        self._name, self._data, self._data_bytes = "", [], 0
        return event


class SpeechEvents:
    """Makes bytes of speech of the bytes of an event stream.

    Known: ``speech.audio.delta`` with its sound in base64 under ``audio``,
    ``delta``, ``audio_data`` or ``data``, with or without a ``type``;
    ``speech.audio.done`` and ``[DONE]``; errors in any of the shapes servers use.
    """

    def __init__(self) -> None:
        self._parser = EventParser()
        self.content_type = ""
        """What the first sound turned out to be; empty if it does not say."""
        self.rate_hz: int | None = None
        self.done = False
        """The reply is complete; whatever follows is nothing to us."""
        self._seen = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the sound that these bytes complete.

        Raises:
            ReplyError: the server tells of an error, or an event cannot be read.
        """
        for event in self._parser.feed(data):
            if self.done:
                return
            if sound := self._sound(event):
                yield sound

    def _sound(self, event: StreamEvent) -> bytes:
        if event.data.strip() == b"[DONE]":
            self.done = True
            return b""
        try:
            fields = json.loads(event.data)
        except (ValueError, RecursionError):
            fields = None
        kind = str(fields.get("type") or event.name) if isinstance(fields, dict) else event.name
        if kind.endswith("error") or (isinstance(fields, dict) and fields.get("error")):
            raise ReplyError(
                "the endpoint reports an error in its stream", server_message(event.data)
            )
        if kind.endswith(".done"):
            self.done = True
        if not isinstance(fields, dict) or not ("audio" in kind or kind in _PLAIN_KINDS):
            return b""  # a ping, a transcript, or something else that is not for us
        for key in SOUND_KEYS:
            found = fields.get(key)
            if isinstance(found, str) and found:
                return self._decoded(key, found, fields)
        return b""

    def _decoded(self, key: str, text: str, fields: dict[str, Any]) -> bytes:
        if self.done and self._seen:
            return b""  # some repeat the whole sound at the end
        try:
            sound = decoded(text)
        except ValueError as error:
            raise ReplyError("the sound in an event is not base64", str(error)) from error
        if sound and not self._seen:
            self._seen = True
            self._describe(key, sound, fields)
        return sound

    def _describe(self, key: str, sound: bytes, fields: dict[str, Any]) -> None:
        """Take from the first sound how all of it is encoded."""
        self.rate_hz = told_rate(fields)
        said = {str(fields.get(name, "")).lower() for name in ("encoding", "dtype", "format")}
        if said & _FLOAT_NAMES or (key == "audio_data" and _looks_float(sound)):
            self.content_type = "audio/pcm; encoding=float32"


def _looks_float(sound: bytes) -> bool:
    """Return whether the bytes are 32-bit floats within full scale: integers or a file, read so,
    have NaN and huge ones."""
    import numpy as np

    values = np.frombuffer(sound[: min(len(sound), 8192) // 4 * 4], "<f4")
    return len(values) > 0 and bool(np.all(np.abs(values) <= 2.0))
