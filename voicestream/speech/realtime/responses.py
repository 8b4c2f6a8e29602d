"""The replies that one connection carries at once, and which event belongs to which."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from voicestream.errors import EndpointError, IncompleteReplyError, ReplyError
from voicestream.speech.realtime.protocol import ServerEvent

_MAX_STRAYS = 64


class Response:
    """Holds what comes for one request: put there by the connection, taken out by one fetch thread.

    Attributes:
        sent_at_s: when the request was on the wire.
        response_id: empty until the server has named it.
        limit_bytes: more sound than this is no reply to it.
    """

    def __init__(self, key: str, limit_bytes: int) -> None:
        self.key = key
        self.sent_at_s = time.monotonic()
        self.response_id = ""
        self.limit_bytes = limit_bytes
        self.came: queue.SimpleQueue[ServerEvent | EndpointError] = queue.SimpleQueue()
        # the connection's reader
        self.size_bytes = 0
        # under the lock of the replies
        self.unwanted = False


class Responses:
    """Hands each event to the reply that it belongs to.

    ``expect``, ``drop`` and ``running`` may be called by any thread, the rest by the reader.

    Args:
        end: tells the server that a response, by its name, need not be made.
        failure: makes the error for what the server reports.
    """

    def __init__(
        self,
        end: Callable[[str], None],
        failure: Callable[[dict[str, Any], float | None], EndpointError],
    ) -> None:
        self._end = end
        self._failure = failure
        self._lock = threading.Lock()
        # under the lock
        self._count = 0
        self._waiting: dict[str, Response] = {}  # by key, until the response has a name
        self._running: dict[str, Response] = {}  # by response
        # the reader
        self._strays: deque[ServerEvent] = deque(maxlen=_MAX_STRAYS)
        self._ended: deque[str] = deque(maxlen=_MAX_STRAYS)
        self._reset_at_s: float | None = None
        self.retired = False
        """The server takes no more requests on this connection."""

    def expect(self, limit_bytes: int) -> Response:
        """Make a place for one more reply."""
        with self._lock:
            self._count += 1
            reply = Response(str(self._count), limit_bytes)
            self._waiting[reply.key] = reply
            return reply

    def drop(self, reply: Response) -> None:
        """Forget a reply of which nothing more is wanted: the server need not make it."""
        with self._lock:
            if reply.unwanted:
                return
            reply.unwanted = True
        if reply.response_id:
            self._end(reply.response_id)

    def running(self) -> list[str]:
        """Return the names of the responses that the server is making."""
        with self._lock:
            return list(self._running)

    def fail_all(self, error: EndpointError) -> None:
        """Fail all replies: the connection has ended."""
        with self._lock:
            found = [*self._waiting.values(), *self._running.values()]
            self._waiting.clear()
            self._running.clear()
        for reply in found:
            reply.came.put(error)

    def hand_out(self, event: ServerEvent, heard_at_s: float) -> None:
        """Hand an event to the reply that it belongs to.

        Args:
            heard_at_s: when it came.
        """
        if event.kind == "limits":
            self._reset_at_s = None if event.reset_s is None else heard_at_s + event.reset_s
        elif event.kind == "error":
            self._hand_out_error(event)
        elif event.kind != "other":
            self._hand_to_reply(event)

    def _hand_to_reply(self, event: ServerEvent) -> None:
        with self._lock:
            reply = self._reply_of(event)
            unwanted = reply is not None and reply.unwanted
            if event.kind == "done":
                self._running.pop(event.response_id, None)
                self._ended.append(event.response_id)
        if reply is None:
            if event.response_id not in self._ended:
                self._strays.append(event)
            return
        if event.kind == "created":
            self._named(reply, unwanted)
        if unwanted:
            return
        reply.size_bytes += len(event.sound or b"")
        if reply.size_bytes > reply.limit_bytes:
            self.drop(reply)
            reply.came.put(_too_large(reply.limit_bytes))
        elif event.trouble is not None:
            reply.came.put(self._error(event))
        else:
            reply.came.put(event)

    def _reply_of(self, event: ServerEvent) -> Response | None:
        """Return whose event it is; one that names no key is the oldest's. Call it under the
        lock."""
        known = self._running.get(event.response_id)
        if known is not None or event.kind not in ("created", "done"):
            return known
        key = event.key or next(iter(self._waiting), "")
        reply = self._waiting.pop(key, None)
        if reply is not None:
            reply.response_id = event.response_id
            self._running[event.response_id] = reply
        return reply

    def _named(self, reply: Response, unwanted: bool) -> None:
        """Give a response its name: what came too early belongs to it, or it is to be ended."""
        if unwanted:
            self._end(reply.response_id)
        early = [stray for stray in self._strays if stray.response_id == reply.response_id]
        for event in early:
            self._strays.remove(event)
            self._hand_to_reply(event)

    def _error(self, event: ServerEvent) -> EndpointError:
        wait_s = None
        if self._reset_at_s is not None:
            wait_s = max(self._reset_at_s - time.monotonic(), 0.0)
        error = self._failure(event.trouble or {}, wait_s)
        if event.reason:
            return IncompleteReplyError(error.what, error.why, error.hint)
        return error

    def _hand_out_error(self, event: ServerEvent) -> None:
        """Hand an error to those it concerns: one request, or all that have not begun."""
        self.retired = self.retired or event.ends_session or event.about_session
        with self._lock:
            if event.about_session:
                found = list(self._waiting.values())
                self._waiting.clear()
            elif event.key in self._waiting:
                found = [self._waiting.pop(event.key)]
            else:  # of a cancel that came too late, or of the session: its end will be seen
                found = []
        for reply in found:
            reply.came.put(self._error(event))


def _too_large(limit_bytes: int) -> ReplyError:
    return ReplyError(
        f"the reply has more than {limit_bytes >> 20} MB, and goes on",
        "no speech for this text is so large",
    )
