"""The routes: speech, voices, models, and errors in OpenAI's shape."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from voicestream.errors import VoicestreamError
from voicestream.pcm import PcmFormat
from voicestream.records import asdict
from voicestream.serve.admission import Admission
from voicestream.serve.asked import MODEL, ApiError, Asked, unspoken
from voicestream.serve.realtime import RealtimeSession
from voicestream.speech.embedded import EmbeddedEndpoint, Part, embedded_voice, embedded_voices
from voicestream.speech.neural import RATE_HZ

MAX_BODY_BYTES = 1 << 23
"""Of a request: some days of speech."""
_MODEL = {"id": MODEL, "object": "model", "created": 0, "owned_by": "voicestream"}
_SAID = ("x-voicestream-voice", "x-voicestream-model")
"""Headers of a reply that tell who speaks, whoever was asked for."""
_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg; codecs=opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
}


class Routes:
    """The voice behind the routes."""

    def __init__(self, endpoint: EmbeddedEndpoint) -> None:
        self._endpoint = endpoint

    async def speech(self, request: Request) -> Response:
        """``POST /v1/audio/speech``: sentence by sentence, as each is made."""
        asked = Asked.parse(await _body(request))
        pcm = PcmFormat(RATE_HZ)
        sounds = self._sounds(asked)
        # what cannot be spoken is known before anything is answered
        first = await run_in_threadpool(_first, sounds)
        pieces = _encoded(asked.format, chain([first], sounds), pcm)
        media = _TYPES.get(asked.format, f"audio/pcm; rate={pcm.rate_hz}")
        if asked.events:
            pieces, media = _events(pieces), "text/event-stream"
        said = dict(zip(_SAID, (asked.voice, MODEL), strict=True))
        return StreamingResponse(pieces, headers={"content-type": media, **said})

    async def health(self, _: Request) -> Response:
        """``GET /health``: 200 once the voice can speak."""
        try:
            status = "ok" if self._endpoint.ready() else "loading"
        except VoicestreamError as error:
            status = str(error)
        return JSONResponse({"status": status}, 200 if status == "ok" else 503)

    async def realtime(self, socket: WebSocket) -> None:
        """``/v1/realtime``: the same voice behind the Realtime protocol."""
        await RealtimeSession(socket, self._endpoint, self._parts).run()

    def _parts(self, text: str, voice: str) -> list[Part]:
        """Return what is made at once. Waits for the voice to be loaded.

        Raises:
            ApiError: 400 for words that it has no sounds for, 503 if it cannot be loaded.
        """
        try:
            parts = self._endpoint.parts(text, embedded_voice(voice))
        except VoicestreamError as error:
            raise ApiError(503, str(error)) from error
        if words := [part.text for part in parts if part.voice is None]:
            raise unspoken(words)
        return parts

    def _sounds(self, asked: Asked) -> Iterator[bytes]:
        """Yield the sentences that have a sound, as 16-bit PCM, each as it is made."""
        for part in self._parts(asked.text, asked.voice):
            yield from filter(None, self._endpoint.speak(part, asked.speed))


def _first(sounds: Iterator[bytes]) -> bytes:
    try:
        first = next(sounds, b"")
    except VoicestreamError as error:
        raise ApiError(500, str(error)) from error
    if not first:
        raise unspoken()
    return first


def _encoded(form: str, sounds: Iterable[bytes], pcm: PcmFormat) -> Iterator[bytes]:
    from voicestream.encode.pieces import PiecesEncoder

    encoder = PiecesEncoder(form, pcm)
    for sound in sounds:
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
    listed = [{**asdict(voice), "name": voice.name or voice.id} for voice in embedded_voices()]
    return JSONResponse({"voices": listed})


async def _models(_: Request) -> Response:
    return JSONResponse({"object": "list", "data": [_MODEL]})


async def _model(request: Request) -> Response:
    name = request.path_params["name"]
    if name != MODEL:
        raise ApiError(404, f"The model is called {MODEL!r}.", "model", "model_not_found")
    return JSONResponse(_MODEL)


class Guard:
    """Refuses whom :class:`Admission` does not let in."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        error = self._admission.refusal(headers)
        if error is not None and error.status == 401 and scope["path"] == "/health":
            error = None  # who looks whether it lives has no key
        if error is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(_answer(error))
        else:
            await _answer(error)(scope, receive, send)


class Preflight(CORSMiddleware):
    """Tells browsers which pages may speak; those of other places learn that they may not."""

    def preflight_response(self, request_headers: Headers) -> Response:
        if self.is_allowed_origin(request_headers["origin"]):
            return super().preflight_response(request_headers)
        return Response(status_code=204, headers={"vary": "Origin"})


def _answer(error: ApiError) -> JSONResponse:
    return JSONResponse(error.to_dict(), error.status)


async def _on_api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return _answer(error)


async def _on_leaving(_: Request, _error: Exception) -> Response:
    return Response(status_code=499)  # which nobody reads


async def _on_fault(_: Request, error: Exception) -> Response:
    return _answer(ApiError(500, f"This server failed: {type(error).__name__}."))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = f"{request.method} {request.url.path}: {error.detail}"
    return JSONResponse(
        ApiError(error.status_code, told, code="unknown_url").to_dict(),
        error.status_code,
        headers=error.headers,
    )


def make_app(admission: Admission, endpoint: EmbeddedEndpoint | None = None) -> Starlette:
    """Return the server. Its voice begins to load at once."""
    speaker = Routes(endpoint or EmbeddedEndpoint())
    pages = Middleware(
        Preflight,
        allow_origins=admission.origins,
        allow_methods=("GET", "POST"),
        allow_headers=("*",),
        expose_headers=_SAID,
        allow_private_network=True,
    )
    return Starlette(
        routes=[
            Route("/v1/audio/speech", speaker.speech, methods=["POST"]),
            Route("/health", speaker.health),
            Route("/v1/audio/voices", _voices),
            Route("/v1/models", _models),
            Route("/v1/models/{name}", _model),
            WebSocketRoute("/v1/realtime", speaker.realtime),
        ],
        middleware=[pages, Middleware(Guard, admission)],
        exception_handlers={
            ApiError: _on_api_error,
            HTTPException: _on_http_error,
            ClientDisconnect: _on_leaving,
            Exception: _on_fault,
        },
    )
