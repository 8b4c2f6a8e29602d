"""The reply of a Realtime API to one request, while it arrives."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator

from voicestream.errors import (
    CutShortError,
    EndpointError,
    EndpointTimeoutError,
    IncompleteReplyError,
    ReplyError,
)
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.realtime.connection import RealtimeConnection
from voicestream.speech.realtime.protocol import RATE_HZ, ServerEvent
from voicestream.speech.realtime.responses import Response


class RealtimeStream:
    """The reply to one request: PCM as it comes, and the words that it says."""

    content_type = f"audio/pcm; rate={RATE_HZ}"
    rate_hz: int | None = RATE_HZ
    channels: int | None = 1

    def __init__(
        self, config: EndpointConfig, connection: RealtimeConnection, reply: Response
    ) -> None:
        self._config = config
        self._connection = connection
        self._reply = reply
        self.sent_at_s = reply.sent_at_s
        self._until_s = self.sent_at_s + config.timeout_s
        self._waited_s = 0.0
        self._kept: list[ServerEvent] = []  # what came before anybody reads
        self._received_bytes = 0
        self._ended = False
        self._parts: list[str] = []
        self._part_open = False

    @property
    def said(self) -> str:
        """The words of what has come so far; it may be ahead of the sound."""
        return " ".join(self._parts)

    def wait_begun(self) -> None:
        """Wait until the server has taken the request.

        Raises:
            EndpointError: it has not.
        """
        self._kept.append(self._next())

    def __iter__(self) -> Iterator[bytes]:
        """Yield PCM as it comes; an empty piece where only ``said`` has grown."""
        while True:
            event = self._kept.pop() if self._kept else self._next()
            if event.kind == "words":
                self._hear(event)
                yield b""
            elif event.kind == "sound":
                yield from self._pieces(event.sound)
            elif event.kind == "done":
                self._ended = True
                self._check_end(event)
                return

    def _pieces(self, sound: bytes | None) -> Iterator[bytes]:
        if sound is None:
            self.close()
            raise IncompleteReplyError(
                f"the reply broke off after {self._received_bytes} bytes",
                "a piece of it is not in base64",
            )
        self._received_bytes += len(sound)
        limit = self._config.chunk_bytes
        for start in range(0, len(sound), limit):
            yield sound[start : start + limit]

    def _next(self) -> ServerEvent:
        began_s = time.monotonic()
        limits = self._config.limits
        until_s = self._until_s
        if self._received_bytes:
            until_s = began_s + limits.stall_s
            if limits.reply_s:
                until_s = min(until_s, began_s + limits.reply_s - self._waited_s)
        try:
            event = self._reply.came.get(timeout=max(until_s - began_s, 0.0))
        except queue.Empty:
            self.close()
            raise self._late() from None
        if self._received_bytes:
            self._waited_s += time.monotonic() - began_s
        if isinstance(event, ServerEvent):
            return event
        self._ended = True
        raise self._broken(event) from event

    def _late(self) -> EndpointError:
        limits = self._config.limits
        if not self._received_bytes:
            if self._connection.heard_at_s < self.sent_at_s:
                self._connection.close()  # not even an answer to the request: it is dead
            return EndpointTimeoutError(
                f"{self._config.base_url} sent no sound for {self._config.timeout_s:g} s",
                hint="Raise --timeout if the server is slow.",
            )
        if limits.reply_s and self._waited_s >= limits.reply_s - limits.stall_s:
            error = IncompleteReplyError(
                f"the reply took more than {limits.reply_s:g} s",
                hint="Raise --reply-timeout if the server is so slow.",
            )
            error.repeatable = False
            return error
        return IncompleteReplyError(
            f"the reply stopped after {self._received_bytes} bytes",
            "the server sent nothing more",
        )

    def _broken(self, error: EndpointError) -> EndpointError:
        """Return what ended the connection, or this reply, as an error of this reply."""
        if not self._received_bytes or isinstance(error, IncompleteReplyError | ReplyError):
            return error
        broken = IncompleteReplyError(
            f"the reply broke off after {self._received_bytes} bytes", str(error)
        )
        broken.repeatable = error.repeatable
        return broken

    def _hear(self, event: ServerEvent) -> None:
        if self._part_open and self._parts:
            self._parts[-1] = event.words if event.whole else self._parts[-1] + event.words
        elif event.words and event.words not in self._parts[-1:]:
            self._parts.append(event.words)
        self._part_open = not event.whole

    def _check_end(self, event: ServerEvent) -> None:
        if event.status == "incomplete" and event.reason == "max_output_tokens":
            raise CutShortError(
                f"the reply ended after {self._received_bytes} bytes",
                "the model may not speak longer at once",
            )
        if event.status == "completed" and self._received_bytes:
            return
        if event.status == "completed":
            raise ReplyError(
                "the endpoint answered without sound",
                f"it wrote: {self.said[:200]}" if self.said else "the response is empty",
                "Check --model and --voice: is it a model that speaks?",
            )
        error = IncompleteReplyError(
            f"the reply ended after {self._received_bytes} bytes",
            f"the endpoint called it {event.status or 'over'}"
            + (f" ({event.reason})" if event.reason else ""),
        )
        error.repeatable = event.reason != "content_filter"
        raise error

    def close(self) -> None:
        """Want nothing more of it: the server is told to stop."""
        if not self._ended:
            self._ended = True
            self._connection.cancel(self._reply)
