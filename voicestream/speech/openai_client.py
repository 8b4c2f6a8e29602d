"""The caller's own client of the ``openai`` package as an endpoint.

``OpenAI``, ``AsyncOpenAI`` and their Azure kin are known by their shape: nothing of
that package is imported here. Whatever the client was given (keys, headers, proxies,
retries, an HTTP client of its own) stays in force, and it is never closed.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from functools import cache
from typing import Any, TypeVar

from voicestream.errors import EndpointError, IncompleteReplyError, ReplyError
from voicestream.redact import remember_key
from voicestream.speech.base import Endpoint, SpeechRequest, SpeechStream
from voicestream.speech.http.refusal import MAX_MESSAGE_BYTES
from voicestream.speech.http.sniff import (
    beginning,
    checked,
    is_bounded,
    is_events,
    is_speech,
    not_speech,
    told_channels,
    told_rate_hz,
)
from voicestream.speech.openai_errors import foreign_error

_Value = TypeVar("_Value")
_Gone = (CancelledError, asyncio.CancelledError)


def is_client(value: object) -> bool:
    """Return whether this has the shape of an ``openai`` client that can speak."""
    speech = getattr(getattr(value, "audio", None), "speech", None)
    return hasattr(speech, "with_streaming_response")


def client_endpoint(
    client: Any, timeout_s: float, loop: asyncio.AbstractEventLoop | None = None
) -> Endpoint:
    """Return an endpoint for one reply.

    Args:
        client: see :func:`is_client`.
        timeout_s: the longest silence of the server.
        loop: where an asynchronous client is at home and running; without one it
            lives in one of ours: its connections are bound to the loop they began in.
    """
    create = client.audio.speech.with_streaming_response.create
    if inspect.iscoroutinefunction(create) or hasattr(client, "__aenter__"):
        return AsyncClientEndpoint(client, timeout_s, loop)
    return ClientEndpoint(client, timeout_s)


def _arguments(request: SpeechRequest, timeout_s: float) -> dict[str, Any]:
    """Return what ``create`` is called with; optional parts are left out rather than sent empty."""
    found: dict[str, Any] = {
        "model": request.model,
        "input": request.text,
        "voice": request.voice,
        "response_format": request.format,
        "timeout": timeout_s,
    }
    if request.speed != 1.0:
        found["speed"] = request.speed
    if request.instructions:
        found["instructions"] = request.instructions
    return found


class _Reply:
    """What both kinds of stream have: content type, rate and channels, and a check of the
    beginning."""

    def __init__(self, headers: Any) -> None:
        self.content_type: str = headers.get("content-type", "")
        self.rate_hz = told_rate_hz(headers)
        self.channels = told_channels(headers)
        self.sent_at_s = 0.0  # the client does not tell
        self.whole = is_bounded(headers)

    def pieces(self, read: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
        """Yield the pieces that ``read`` gives, with its errors as ours."""
        received = False
        try:
            sound = self._arriving(read)
            # events are never asked for, and not unwrapped here
            if not is_speech(self.content_type) or is_events(self.content_type):
                raise self._message(b"", sound)
            for piece in checked(sound, self._message):
                received = True
                yield piece
        except _Gone:
            return  # aborted
        if not received:
            raise ReplyError(
                "the endpoint answered with an empty body",
                hint="Check the model and the voice.",
            )

    def _arriving(self, read: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
        received = 0
        try:
            for piece in read():
                received += len(piece)
                yield piece
        except _Gone:
            raise
        except Exception as error:  # foreign boundary: two HTTP libraries and their parts
            raise IncompleteReplyError(
                f"the reply broke off after {received} bytes", str(error) or repr(error)
            ) from error

    def _message(self, head: bytes, rest: Iterator[bytes]) -> ReplyError:
        return not_speech(self.content_type, head + beginning(rest, MAX_MESSAGE_BYTES))


class ClientEndpoint:
    """Asks a synchronous client. A request that waits for its reply to begin cannot be taken
    back; its connection is closed as soon as it does."""

    def __init__(self, client: Any, timeout_s: float) -> None:
        remember_key(str(getattr(client, "api_key", None) or ""))
        self.name = str(client.base_url).rstrip("/")
        self._client = client
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._streams: set[ClientStream] = set()
        self._aborted = False

    def open(self, request: SpeechRequest) -> SpeechStream:
        create = self._client.audio.speech.with_streaming_response.create
        try:
            manager = create(**_arguments(request, self._timeout_s))
            response = manager.__enter__()
        except Exception as error:  # foreign boundary: see foreign_error
            raise foreign_error(error, self.name) from error
        stream = ClientStream(response, manager, self._forget)
        with self._lock:
            self._streams.add(stream)
            aborted = self._aborted
        if aborted:
            stream.close()
            raise EndpointError("the request was taken back")
        return stream

    def _forget(self, stream: ClientStream) -> None:
        with self._lock:
            self._streams.discard(stream)

    def abort(self) -> None:
        with self._lock:
            self._aborted = True
            streams = list(self._streams)
        for stream in streams:
            stream.abort()

    def close(self) -> None:
        """Do nothing: the client belongs to the caller."""


class ClientStream(_Reply):
    def __init__(self, response: Any, manager: Any, forget: Callable[[Any], None]) -> None:
        super().__init__(response.headers)
        self._response = response
        self._manager = manager
        self._forget = forget

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces(self._response.iter_bytes)

    def abort(self) -> None:
        """Another thread waits in a read: end the connection under it."""
        network = self._response.http_response.extensions.get("network_stream")
        connection = network.get_extra_info("socket") if network is not None else None
        if connection is not None:
            from voicestream.speech.http.connect import reset

            reset(connection)

    def close(self) -> None:
        self._forget(self)
        self._manager.__exit__(None, None, None)


class AsyncClientEndpoint:
    """Asks an asynchronous client, driven in the event loop where it is at home."""

    def __init__(
        self, client: Any, timeout_s: float, loop: asyncio.AbstractEventLoop | None
    ) -> None:
        remember_key(str(getattr(client, "api_key", None) or ""))
        self.name = str(client.base_url).rstrip("/")
        self._client = client
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._waits: set[Future[Any]] = set()
        self._aborted = False
        self._loop = loop or _own_loop()

    def run(self, step: Coroutine[Any, Any, _Value]) -> _Value:
        """Run one step in the loop, and wait for it. For a fetch thread.

        Raises:
            CancelledError: aborted.
        """
        with self._lock:
            if self._aborted or self._loop.is_closed():
                step.close()
                raise CancelledError
            future = asyncio.run_coroutine_threadsafe(step, self._loop)
            self._waits.add(future)
        try:
            return future.result()
        finally:
            with self._lock:
                self._waits.discard(future)

    def open(self, request: SpeechRequest) -> SpeechStream:
        create = self._client.audio.speech.with_streaming_response.create
        try:
            manager = create(**_arguments(request, self._timeout_s))
            response = self.run(manager.__aenter__())
        except _Gone as gone:
            self.leave(manager)  # it may have begun in the same moment
            raise EndpointError("the request was taken back") from gone
        except Exception as error:  # foreign boundary: see foreign_error
            raise foreign_error(error, self.name) from error
        return AsyncClientStream(self, response, manager)

    def leave(self, manager: Any) -> None:
        """Give a connection back; if all was aborted, without waiting for that. For a fetch
        thread."""
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(_leave(manager), self._loop)

    def abort(self) -> None:
        with self._lock:
            self._aborted = True
            waits = list(self._waits)
        for future in waits:
            future.cancel()

    def close(self) -> None:
        """Do nothing: the client belongs to the caller."""


class AsyncClientStream(_Reply):
    def __init__(self, endpoint: AsyncClientEndpoint, response: Any, manager: Any) -> None:
        super().__init__(response.headers)
        self._endpoint = endpoint
        self._response = response
        self._manager = manager

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces(self._read)

    def _read(self) -> Iterator[bytes]:
        pieces = self._response.iter_bytes()
        while (piece := self._endpoint.run(_next(pieces))) is not None:
            yield piece

    def close(self) -> None:
        self._endpoint.leave(self._manager)


async def _leave(manager: Any) -> None:
    await manager.__aexit__(None, None, None)


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)


def _own_loop() -> asyncio.AbstractEventLoop:
    """Return the one loop for all asynchronous clients that come without theirs."""
    return _loop_of(os.getpid())  # the thread that ran it is not in a child of fork


@cache
def _loop_of(_process: int) -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="openai", daemon=True).start()
    return loop
