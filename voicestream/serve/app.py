"""The routes: speech, voices, models, and errors in OpenAI's shape."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from voicestream.errors import VoicestreamError
from voicestream.pcm import PcmFormat
from voicestream.serve.asked import MODEL, ApiError, Asked
from voicestream.serve.realtime import RealtimeSession
from voicestream.speech.base import SpeechRequest
from voicestream.speech.embedded import VOICES, EmbeddedEndpoint

MAX_BODY_BYTES = 1 << 20
_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg; codecs=opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
}


class Speaker:
    """The voice behind the routes."""

    def __init__(self) -> None:
        self._endpoint = EmbeddedEndpoint()

    async def speech(self, request: Request) -> Response:
        """``POST /v1/audio/speech``: sentence by sentence, as each is made."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            # a web page can send anything else here without asking
            raise ApiError(415, "The content type must be application/json.")
        asked = Asked.parse(await _body(request))
        sentences = await run_in_threadpool(self._sentences, asked.text)
        stream = self._endpoint.open(SpeechRequest(asked.text, MODEL, asked.voice, "pcm"))
        pcm = PcmFormat(stream.rate_hz or 24_000, stream.channels or 1)
        pieces = self._encoded(asked, sentences, pcm)
        if asked.events:
            return StreamingResponse(_events(pieces), media_type="text/event-stream")
        media = _TYPES.get(asked.format, f"audio/pcm; rate={pcm.rate_hz}")
        return StreamingResponse(pieces, headers={"content-type": media})

    async def realtime(self, socket: WebSocket) -> None:
        """``/v1/realtime``: the same voice behind the Realtime protocol."""
        await RealtimeSession(socket, self._endpoint, self._sentences).run()

    def _sentences(self, text: str) -> list[str]:
        """What is made at once. Waits for the voice to be loaded, which can fail."""
        try:
            return self._endpoint.sentences(text)
        except VoicestreamError as error:
            raise ApiError(503, str(error)) from error

    def _encoded(self, asked: Asked, sentences: list[str], pcm: PcmFormat) -> Iterator[bytes]:
        from voicestream.serve.encode import open_encoder

        encoder = open_encoder(asked.format, pcm)
        for sentence in sentences:
            sound = self._endpoint.speak(sentence, asked.speed)
            frames = np.frombuffer(sound, np.int16).reshape(-1, pcm.channels)
            if piece := encoder.encode(frames):
                yield piece
        if piece := encoder.finish():
            yield piece


def _events(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    yield _event({"type": "speech.audio.done", "usage": usage})


def _event(fields: dict[str, object]) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise ApiError(413, f"The body is larger than {MAX_BODY_BYTES} bytes.")
    return bytes(body)


async def _voices(_: Request) -> Response:
    listed = [{"id": voice, "name": voice, "language": "en"} for voice in VOICES]
    return JSONResponse({"voices": listed})


async def _models(_: Request) -> Response:
    model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "voicestream"}
    return JSONResponse({"object": "list", "data": [model]})


class Guard:
    """Lets nobody in who has no key, nor a web page that reaches this machine by a false name.

    Args:
        hosts: names this server goes by; empty lets any pass.
    """

    def __init__(self, app: ASGIApp, api_key: str, hosts: frozenset[str]) -> None:
        self._app = app
        self._key = api_key.encode()
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = None
        if scope["type"] in ("http", "websocket"):
            error = self._refusal(Headers(scope=scope))
        if scope["type"] == "websocket":
            error = error or _foreign_page(Headers(scope=scope))
        if error is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(_answer(error))
        else:
            await _answer(error)(scope, receive, send)

    def _refusal(self, headers: Headers) -> ApiError | None:
        host = headers.get("host", "")
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        if self._hosts and name.lower() not in self._hosts:
            return ApiError(403, "This server does not go by that name.", code="unknown_host")
        given = headers.get("authorization", "").removeprefix("Bearer ").strip().encode()
        if self._key and not hmac.compare_digest(given, self._key):
            said = "Incorrect API key provided." if given else "No API key provided."
            return ApiError(401, said, code="invalid_api_key")
        return None


def _foreign_page(headers: Headers) -> ApiError | None:
    """A web page of another place may open a WebSocket here without asking."""
    origin = headers.get("origin")
    if origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower():
        return None
    return ApiError(403, "Web pages of other places may not speak here.", code="foreign_origin")


def _answer(error: ApiError) -> JSONResponse:
    return JSONResponse(error.to_dict(), error.status)


async def _on_api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return _answer(error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = f"{request.method} {request.url.path}: {error.detail}"
    return JSONResponse(
        ApiError(error.status_code, told, code="unknown_url").to_dict(),
        error.status_code,
        headers=error.headers,
    )


def make_app(api_key: str = "", hosts: frozenset[str] = frozenset()) -> Starlette:
    """The server. Its voice begins to load at once."""
    speaker = Speaker()
    return Starlette(
        routes=[
            Route("/v1/audio/speech", speaker.speech, methods=["POST"]),
            Route("/v1/audio/voices", _voices),
            Route("/v1/models", _models),
            WebSocketRoute("/v1/realtime", speaker.realtime),
        ],
        middleware=[Middleware(partial(Guard, api_key=api_key, hosts=hosts))],
        exception_handlers={ApiError: _on_api_error, HTTPException: _on_http_error},
    )
