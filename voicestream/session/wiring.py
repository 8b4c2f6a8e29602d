"""From settings to the parts of a session: which endpoint, which sink."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from voicestream.errors import DeviceError, UsageError
from voicestream.settings.endpoints import (
    AUTO,
    REALTIME_MODEL,
    SPEECH_MODEL,
    endpoint_kind,
    http_twin,
    model_for,
)
from voicestream.settings.table import EMBEDDED_URL, OPENAI_URL, Settings

if TYPE_CHECKING:
    import asyncio

    from voicestream.errors import EndpointError
    from voicestream.metrics import PlayFigures
    from voicestream.output.base import Sink
    from voicestream.output.miniaudio import MiniaudioSink
    from voicestream.output.portaudio import PortAudioSink
    from voicestream.session.turn import Turn
    from voicestream.settings.endpoints import Place
    from voicestream.speech.base import Endpoint, SpeechRequest
    from voicestream.speech.embedded import EmbeddedEndpoint
    from voicestream.speech.http.endpoint import HttpEndpoint
    from voicestream.speech.http.request import EarlyRequest
    from voicestream.speech.realtime.endpoint import RealtimeEndpoint
    from voicestream.speech.realtime.handshake import Opening

    Early = EarlyRequest | Opening


def make_endpoint(settings: Settings, early: Early | None = None) -> Endpoint:
    """The endpoint that the base URL names, those that stand in for it, and their patience."""
    if settings.embedded and not settings.fallbacks:
        return embedded_endpoint()
    from voicestream.speech.failover import ResilientEndpoint, RetryPolicy, Route
    from voicestream.speech.hedge import HedgePolicy

    def on_gone(text: str) -> None:
        resilient.stood_in = True  # what is learnt now is of another model
        resilient.on_switch(text)

    # made at once: its imports belong into the time in which the server thinks
    first = embedded_endpoint() if settings.embedded else _first(settings, early, on_gone)
    learnt_s = partial(_learnt_s, settings)
    routes = [Route(first.name, lambda: first, learnt_s=partial(learnt_s, first.name))]
    for place in settings.fallbacks:
        adapt = partial(_adapted, place)
        known = partial(learnt_s, place.url, place.model)
        routes.append(Route(place.url, partial(_fallback, settings, place, on_gone), adapt, known))
    resilient = ResilientEndpoint(
        routes,
        RetryPolicy(settings.retries, settings.retry_budget_s),
        hedge=HedgePolicy() if settings.hedge else None,
    )
    return resilient


def _learnt_s(settings: Settings, name: str, model: str = "") -> float:
    """How long the first byte of an endpoint took in earlier sessions; 0: not known."""
    from voicestream.session.pacing import endpoint_key, kept_learnt

    key = endpoint_key(settings, name, model or settings.model)
    return kept_learnt().load(key).first_byte_s


def embedded_endpoint() -> EmbeddedEndpoint:
    """The voice that comes along."""
    from voicestream.speech.embedded import EmbeddedEndpoint

    return EmbeddedEndpoint()


def http_endpoint(settings: Settings) -> HttpEndpoint:
    """The endpoint at the base URL, for what is asked over HTTP."""
    return _http(settings, _Asked.first(settings, http_twin(settings.base_url)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where to ask, and with which key."""

    url: str
    key: str
    key_source: str

    @classmethod
    def first(cls, settings: Settings, url: str = "") -> _Asked:
        source = settings.sources.get("api_key", "the program") if settings.api_key else ""
        return cls(url or settings.base_url, settings.api_key, source)

    @classmethod
    def fallback(cls, settings: Settings, place: Place) -> _Asked:
        key = settings.keys.get(place.key_variable, "")
        return cls(place.url, key, place.key_variable if key else "")


def _first(settings: Settings, early: Early | None, on_gone: Callable[[str], None]) -> Endpoint:
    asked = _Asked.first(settings)
    if settings.kind == "realtime":
        return _realtime(settings, asked, early)
    speech = _http(settings, asked, early)
    return _auto(settings, asked, speech, on_gone) if settings.auto_model else speech


def _auto(
    settings: Settings, asked: _Asked, speech: Endpoint, on_gone: Callable[[str], None]
) -> Endpoint:
    """The speech route as long as it has its model."""
    from voicestream.speech.auto import AutoEndpoint

    def tell(refusal: EndpointError) -> None:
        from voicestream.settings.gone import keep_gone

        kept = ""
        try:
            keep_gone(asked.url, SPEECH_MODEL)
        except OSError as error:
            kept = f" (this cannot be remembered: {error.strerror})"
        on_gone(f"{refusal.what}; {REALTIME_MODEL} speaks from here on{kept}")

    return AutoEndpoint(
        speech,
        (partial(_realtime, settings, asked), REALTIME_MODEL),
        tell,
        any_404=asked.url.startswith(OPENAI_URL),
    )


def _http(settings: Settings, asked: _Asked, early: Early | None = None) -> HttpEndpoint:
    from voicestream.speech.http.endpoint import HttpConfig, HttpEndpoint
    from voicestream.speech.http.limits import Limits
    from voicestream.speech.http.request import EarlyRequest

    config = HttpConfig(
        base_url=asked.url,
        api_key=asked.key,
        key_source=asked.key_source,
        timeout_s=settings.timeout_s,
        connect_s=settings.connect_timeout_s,
        limits=Limits(settings.stall_timeout_s, settings.reply_timeout_s),
        chunk_bytes=settings.chunk_size,
        connections=settings.lookahead + 2,
    )
    return HttpEndpoint(config, early if isinstance(early, EarlyRequest) else None)


def _realtime(settings: Settings, asked: _Asked, early: Early | None = None) -> RealtimeEndpoint:
    from voicestream.speech.http.limits import Limits
    from voicestream.speech.realtime.endpoint import RealtimeEndpoint
    from voicestream.speech.realtime.handshake import Opening
    from voicestream.speech.realtime.stream import RealtimeConfig

    config = RealtimeConfig(
        base_url=asked.url,
        api_key=asked.key,
        key_source=asked.key_source,
        timeout_s=settings.timeout_s,
        connect_s=settings.connect_timeout_s,
        limits=Limits(settings.stall_timeout_s, settings.reply_timeout_s),
        chunk_bytes=settings.chunk_size,
    )
    return RealtimeEndpoint(config, early if isinstance(early, Opening) else None)


def endpoint_of(
    settings: Settings, given: Any, loop: asyncio.AbstractEventLoop | None = None
) -> tuple[Endpoint, Settings]:
    """The endpoint that a program gave, or that the settings name; and the settings for it.

    Raises:
        UsageError: ``given`` is no endpoint.
    """
    if given is None:
        return make_endpoint(settings), settings
    from voicestream.speech.openai_client import client_endpoint, is_client

    if is_client(given):
        given = client_endpoint(given, settings.timeout_s, loop)
    elif not callable(getattr(given, "open", None)):
        raise UsageError(
            f"a {type(given).__name__} is no endpoint",
            hint="Give a client of the openai package, or an object with open(request).",
        )
    if settings.embedded:  # whose voice and URL are the defaults without a key
        voice = "" if settings.voice == "heart" else settings.voice
        settings = replace(settings, base_url=OPENAI_URL, voice=voice)
    return given, settings


def _fallback(settings: Settings, place: Place, on_gone: Callable[[str], None]) -> Endpoint:
    if place.url == EMBEDDED_URL:
        return embedded_endpoint()
    asked = _Asked.fallback(settings, place)
    if endpoint_kind(place.url, place.model) == "realtime":
        return _realtime(settings, asked)
    speech = _http(settings, asked)
    return _auto(settings, asked, speech, on_gone) if place.model == AUTO else speech


def _adapted(place: Place, request: SpeechRequest) -> SpeechRequest:
    """The request with the model and voice of another endpoint.

    Where that endpoint's voice is not named, the voices of a dialogue stay as they are.
    """
    voice = place.voice or request.voice
    if place.url == EMBEDDED_URL:
        from voicestream.speech.embedded import VOICES

        voice = voice if voice in VOICES else VOICES[0]
    return replace(request, model=model_for(place.url, place.model), voice=voice)


def make_sink(settings: Settings, figures: PlayFigures | None = None) -> Sink:
    """The sink that the device setting names, watched over. Nothing is opened yet.

    ``figures``: where it is counted that a device ran dry.
    """
    from voicestream.output.lasting import LastingSink

    return LastingSink(lambda: _device_sink(settings, figures), settings.device_wait_s)


def _device_sink(settings: Settings, figures: PlayFigures | None) -> Sink:
    if settings.device == "null":
        from voicestream.output.null import NullSink

        return NullSink()
    return card_sink(settings.backend, settings.device, figures)


def make_turn(settings: Settings, start_s: float) -> Turn | None:
    """The turn of a reply that is heard; None where there is no floor (Windows), or no card.

    Args:
        start_s: when the process (library: the call) began.

    Raises:
        VoicestreamError: the runtime folder cannot be used.
    """
    if sys.platform == "win32" or settings.device == "null":
        return None
    from voicestream.control.floor import Rank
    from voicestream.control.runtime import runtime_folder
    from voicestream.session.turn import Turn

    ranks = {"next": Rank.NEXT, "now": Rank.NOW, "mix": None}
    return Turn(
        runtime_folder(),
        ranks.get(settings.turn, Rank.LAST),
        start_s,
        wait=settings.turn != "skip",
        expires_s=settings.expires_s or math.inf,
        pause_s=settings.pause_paragraph_ms / 1000,
    )


def card_sink(
    backend: str, device: str = "", figures: PlayFigures | None = None
) -> MiniaudioSink | PortAudioSink:
    """A sink for a sound card.

    Args:
        backend: ``miniaudio``, ``pyaudio``, or ``auto``: the first of these that is installed.
        device: part of its name, its index, or empty for the system's default.
        figures: where it is counted that the card ran dry.
    """
    if backend == "miniaudio" or (backend == "auto" and _installed("_miniaudio")):
        from voicestream.output.miniaudio import MiniaudioSink

        return MiniaudioSink(device)
    from voicestream.output.portaudio import PortAudioSink

    return PortAudioSink(device, figures)


def _installed(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def prepare_in_background(sink: Sink) -> None:
    """Let the sink do what takes time and not the interpreter."""
    prepare = getattr(sink, "prepare", None)
    if prepare is None:
        return

    def run() -> None:
        try:
            prepare()
        except DeviceError:
            pass  # open() tries again and tells

    threading.Thread(target=run, name="prepare-sink", daemon=True).start()
