"""From settings to the parts of a session: which endpoint, which sink."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from voicestream.errors import DeviceError, UsageError
from voicestream.settings.table import EMBEDDED_URL, OPENAI_URL, Settings

if TYPE_CHECKING:
    import asyncio

    from voicestream.metrics import PlayFigures
    from voicestream.output.base import Sink
    from voicestream.output.miniaudio import MiniaudioSink
    from voicestream.output.portaudio import PortAudioSink
    from voicestream.settings.endpoints import Place
    from voicestream.speech.base import Endpoint, SpeechRequest
    from voicestream.speech.embedded import EmbeddedEndpoint
    from voicestream.speech.http.endpoint import HttpEndpoint
    from voicestream.speech.http.request import EarlyRequest


def make_endpoint(settings: Settings, early: EarlyRequest | None = None) -> Endpoint:
    """The endpoint that the base URL names, those that stand in for it, and their patience."""
    if settings.embedded and not settings.fallbacks:
        return embedded_endpoint()
    from voicestream.speech.failover import ResilientEndpoint, RetryPolicy, Route
    from voicestream.speech.hedge import HedgePolicy

    # made at once: its imports belong into the time in which the server thinks
    first = embedded_endpoint() if settings.embedded else http_endpoint(settings, early)
    learnt_s = partial(_learnt_s, settings)
    routes = [Route(first.name, lambda: first, learnt_s=partial(learnt_s, first.name))]
    for place in settings.fallbacks:
        adapt = partial(_adapted, place)
        known = partial(learnt_s, place.url, place.model)
        routes.append(Route(place.url, partial(_fallback, settings, place), adapt, known))
    return ResilientEndpoint(
        routes,
        RetryPolicy(settings.retries, settings.retry_budget_s),
        hedge=HedgePolicy() if settings.hedge else None,
    )


def _learnt_s(settings: Settings, name: str, model: str = "") -> float:
    """How long the first byte of an endpoint took in earlier sessions; 0: not known."""
    from voicestream.session.pacing import endpoint_key, kept_learnt

    key = endpoint_key(settings, name, model or settings.model)
    return kept_learnt().load(key).first_byte_s


def embedded_endpoint() -> EmbeddedEndpoint:
    """The voice that comes along."""
    from voicestream.speech.embedded import EmbeddedEndpoint

    return EmbeddedEndpoint()


def http_endpoint(settings: Settings, early: EarlyRequest | None = None) -> HttpEndpoint:
    """The endpoint at the base URL alone."""
    key_source = settings.sources.get("api_key", "the program") if settings.api_key else ""
    return _http(settings, settings.base_url, settings.api_key, key_source, early)


def _http(
    settings: Settings, url: str, key: str, key_source: str, early: EarlyRequest | None = None
) -> HttpEndpoint:
    from voicestream.speech.http.endpoint import HttpConfig, HttpEndpoint
    from voicestream.speech.http.limits import Limits

    config = HttpConfig(
        base_url=url,
        api_key=key,
        key_source=key_source,
        timeout_s=settings.timeout_s,
        connect_s=settings.connect_timeout_s,
        limits=Limits(settings.stall_timeout_s, settings.reply_timeout_s),
        chunk_bytes=settings.chunk_size,
        connections=settings.lookahead + 2,
    )
    return HttpEndpoint(config, early)


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


def _fallback(settings: Settings, place: Place) -> Endpoint:
    if place.url == EMBEDDED_URL:
        return embedded_endpoint()
    key = settings.keys.get(place.key_variable, "")
    return _http(settings, place.url, key, place.key_variable if key else "")


def _adapted(place: Place, request: SpeechRequest) -> SpeechRequest:
    """The request with the model and voice of another endpoint.

    Where that endpoint's voice is not named, the voices of a dialogue stay as they are.
    """
    voice = place.voice or request.voice
    if place.url == EMBEDDED_URL:
        from voicestream.speech.embedded import VOICES

        voice = voice if voice in VOICES else VOICES[0]
    return replace(request, model=place.model, voice=voice)


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
