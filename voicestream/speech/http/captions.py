"""Speech that comes with the times of its words (``stream_format=captions``).

Kokoro-FastAPI streams lines of JSON: ``audio``, the next of the sound in base64, then
``timestamps``, the words in it, each with ``word``, ``start_time`` and ``end_time`` in seconds
from the beginning of the reply. The sound is handed on before its line is whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from voicestream.errors import IncompleteReplyError, ReplyError
from voicestream.speech.base import TimedWord
from voicestream.speech.http.json_sound import decoded
from voicestream.speech.http.refusal import MAX_MESSAGE_BYTES, server_message

_SOUND = re.compile(rb'"audio"\s*:\s*"')
_MOST_LINE_BYTES = 1 << 20
"""Of a line, without its sound: the words of an hour."""
_MOST_WORDS = 10_000


class CaptionLines:
    """Makes bytes of speech, and times of words, of lines of JSON. However the bytes are cut, both
    are the same."""

    def __init__(self) -> None:
        self.words: list[TimedWord] = []
        """The words told so far; grows while the sound is read."""
        self.beginning = b""
        """The first line, as far as it is no sound: what to tell where there is none."""
        self._held = bytearray()  # not looked at yet
        self._line = bytearray()  # this one, without its sound
        self._begun = False  # this line's sound has begun
        self._sounding = False  # its end has not come

    def read(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the sound in a body, as it comes.

        Raises:
            EndpointError: the server tells of an error, what should be sound is none, or it ends
                amid its sound.
        """
        for piece in pieces:
            self._held += piece
            while self._held and (found := self._next()) is not None:
                if found:
                    yield found
        if self._sounding:
            raise IncompleteReplyError("the reply broke off amid a line")
        self._end_line()

    def _next(self) -> bytes | None:
        """Take the next of what is held: its sound, or nothing; None: more must come first."""
        if self._sounding:
            end = self._held.find(b'"')
            size = end if end >= 0 else len(self._held) // 4 * 4
            self._sounding = end < 0
            return _sound(self._taken(size)) if size or end >= 0 else None
        newline = self._held.find(b"\n")
        part = self._taken(newline + 1 if newline >= 0 else len(self._held))
        before_bytes = len(self._line)
        self._line += part
        if not self._begun and (found := _SOUND.search(self._line)):
            self._begun = self._sounding = True
            self._held[:0] = part[found.end() - before_bytes :]
            del self._line[found.end() :]
        elif newline >= 0:
            self._end_line()
        elif len(self._line) > _MOST_LINE_BYTES:
            del self._line[: -len(b'"audio": ')]  # no JSON any more: its words are not known
        return b""

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def _end_line(self) -> None:
        line, self._line, self._begun = bytes(self._line), bytearray(), False
        self.beginning = self.beginning or line[:MAX_MESSAGE_BYTES]
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(fields, dict):
            return
        if fields.get("error"):
            raise ReplyError("the endpoint reports an error in its stream", server_message(line))
        told = fields.get("timestamps")
        for item in told if isinstance(told, list) else ():
            if (word := _word(item)) is not None and len(self.words) < _MOST_WORDS:
                self.words.append(word)


def _sound(coded: bytes | bytearray) -> bytes:
    try:
        return decoded(coded.decode("ascii"))
    except ValueError as error:
        raise ReplyError("the sound in a line is not base64", str(error)) from error


def _word(item: Any) -> TimedWord | None:
    try:
        return str(item["word"]), float(item["start_time"]), float(item["end_time"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
