"""From settings to endpoints: which kind is asked where, and what stands in for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from voicestream.notices import Notices
from voicestream.records import dataclass, field, replace
from voicestream.settings.endpoints import http_twin
from voicestream.settings.kinds import (
    AUTO,
    EMBEDDED_URL,
    OPENAI_URL,
    REALTIME_MODEL,
    SPEECH_MODEL,
    SYSTEM_URL,
    endpoint_kind,
    model_for,
)
from voicestream.settings.table import Settings

if TYPE_CHECKING:
    import asyncio

    from voicestream.errors import EndpointError
    from voicestream.settings.endpoints import Place
    from voicestream.settings.kinds import EndpointKind
    from voicestream.speech.base import Endpoint, SpeechRequest
    from voicestream.speech.embedded import EmbeddedEndpoint
    from voicestream.speech.http.config import EndpointConfig
    from voicestream.speech.http.endpoint import HttpEndpoint
    from voicestream.speech.http.request import EarlyRequest
    from voicestream.speech.realtime.endpoint import RealtimeEndpoint
    from voicestream.speech.realtime.handshake import Handshake

    Early = EarlyRequest | Handshake


def make_endpoint(
    settings: Settings,
    notices: Notices | None = None,
    early: Early | None = None,
    *,
    later: bool = False,
) -> Endpoint:
    """Return the endpoint of the base URL with those that stand in for it, and their patience,
    behind the replies that are kept here.

    Args:
        notices: told when another endpoint takes over or is asked, too.
        early: a connection to the first endpoint that is being made.
        later: nobody has to be asked for the first segment: nothing is loaded for the others
            before they need it.
    """
    notices = notices or Notices()
    make = partial(_asked_endpoint, settings, notices, early)
    if settings.cache == "off":
        return make()
    from voicestream.session.caching import cached

    endpoint = cached(settings, make, notices)
    if not later:
        endpoint.asked()
    return endpoint


def _asked_endpoint(settings: Settings, notices: Notices, early: Early | None) -> Endpoint:
    """Return the endpoint as it is asked for whatever is not kept."""
    if settings.embedded and not settings.fallbacks:
        return embedded_endpoint(notices)
    from voicestream.speech.failover import ResilientEndpoint, Route
    from voicestream.speech.hedge import HedgePolicy
    from voicestream.speech.retry import RetryPolicy

    # made at once: its imports belong into the time in which the server thinks
    asked = _Asked.first(settings)
    first = _endpoint(settings, notices, asked, early)
    learnt_s = partial(_learnt_s, settings)
    called = settings.endpoint.partition(",")[0]
    known = partial(learnt_s, first.name)
    routes = [Route(first.name, lambda: first, learnt_s=known, called=called)]
    for place in settings.fallbacks:
        make = partial(_endpoint, settings, notices, _Asked.fallback(settings, place))
        adapt = partial(_adapted, place)
        model = model_for(place.url, place.model)
        known = partial(learnt_s, place.url.partition("?")[0], model, place.format)
        routes.append(Route(place.url.partition("?")[0], make, adapt, known, place.name))
    return ResilientEndpoint(
        routes,
        RetryPolicy(settings.retries, settings.retry_budget_s),
        hedge=HedgePolicy() if settings.hedge else None,
        notices=notices,
    )


def _learnt_s(settings: Settings, name: str, model: str = "", form: str = "") -> float:
    """Return the seconds an endpoint's first byte took in earlier sessions; 0: not known."""
    from voicestream.session.pacing import endpoint_key, kept_learnt

    key = endpoint_key(settings, name, model or settings.model, form)
    return kept_learnt().load(key).first_byte_s


def embedded_endpoint(notices: Notices | None = None) -> EmbeddedEndpoint:
    """Return the voice that comes along.

    Args:
        notices: told which words it left out.
    """
    from voicestream.speech.embedded import EmbeddedEndpoint

    return EmbeddedEndpoint(notices)


def load_voice() -> None:
    """Begin to load the neural voice, in the background, unless it is there."""
    from voicestream.speech.neural import neural_voice

    neural_voice()


def http_endpoint(settings: Settings) -> HttpEndpoint:
    """Return the endpoint at the base URL, for what is asked over HTTP."""
    return _http(settings, _Asked.first(settings, http_twin(settings.base_url)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where to ask, for which model, and with which key."""

    url: str
    model: str
    auto: bool
    """The model was left to be chosen."""
    key: str
    key_source: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    rate_hz: int = 0

    @classmethod
    def first(cls, settings: Settings, url: str = "") -> _Asked:
        source = settings.sources.get("api_key", "the program") if settings.api_key else ""
        url = url or settings.base_url
        more = settings.headers, settings.body, settings.rate_hz
        return cls(url, settings.model, settings.auto_model, settings.api_key, source, *more)

    @classmethod
    def fallback(cls, settings: Settings, place: Place) -> _Asked:
        key = settings.keys.get(place.key_variable, "")
        source = place.key_variable if key else ""
        more = place.headers, place.body, place.rate_hz
        return cls(place.url, place.model, place.model == AUTO, key, source, *more)


def _endpoint(
    settings: Settings, notices: Notices, asked: _Asked, early: Early | None = None
) -> Endpoint:
    """Return the endpoint at one address, of the kind that its URL's scheme and its model say."""
    kind = endpoint_kind(asked.url, asked.model)
    if kind == "embedded":
        return embedded_endpoint(notices)
    if kind == "system":
        from voicestream.speech.system import SystemEndpoint

        return SystemEndpoint(notices)
    endpoint = _MAKERS[kind](settings, asked, early)
    if asked.auto and kind == "speech":
        return _auto(settings, notices, asked, endpoint)
    return endpoint


def _auto(settings: Settings, notices: Notices, asked: _Asked, speech: Endpoint) -> Endpoint:
    """Return the speech route that goes over to Realtime once its model is gone."""
    from voicestream.speech.auto import AutoEndpoint

    def tell(refusal: EndpointError) -> None:
        from voicestream.settings.gone import keep_gone

        kept = ""
        try:
            keep_gone(asked.url, SPEECH_MODEL)
        except OSError as error:
            kept = f" (this cannot be remembered: {error.strerror})"
        notices.stood_in = True  # what is learnt now is of another model
        notices.notify(f"{refusal.what}; {REALTIME_MODEL} speaks from here on{kept}")

    # extra_body is meant for the speech route: a Realtime session knows none of its fields
    bare = replace(asked, body={})
    return AutoEndpoint(
        speech,
        (partial(_realtime, settings, bare), REALTIME_MODEL),
        tell,
        any_404=asked.url.startswith(OPENAI_URL),
    )


def _http(settings: Settings, asked: _Asked, early: Early | None = None) -> HttpEndpoint:
    from voicestream.speech.http.endpoint import HttpEndpoint
    from voicestream.speech.http.request import EarlyRequest

    config = _config(settings, asked)
    return HttpEndpoint(config, early if isinstance(early, EarlyRequest) else None)


def _realtime(settings: Settings, asked: _Asked, early: Early | None = None) -> RealtimeEndpoint:
    from voicestream.speech.realtime.endpoint import RealtimeEndpoint
    from voicestream.speech.realtime.handshake import Handshake

    config = _config(settings, asked)
    return RealtimeEndpoint(config, early if isinstance(early, Handshake) else None)


def _config(settings: Settings, asked: _Asked) -> EndpointConfig:
    from voicestream.speech.http.config import EndpointConfig
    from voicestream.speech.http.limits import Limits

    return EndpointConfig(
        base_url=asked.url,
        api_key=asked.key,
        key_source=asked.key_source,
        timeout_s=settings.timeout_s,
        connect_s=settings.connect_timeout_s,
        limits=Limits(settings.stall_timeout_s, settings.reply_timeout_s),
        chunk_bytes=settings.chunk_size,
        headers=asked.headers,
        body=asked.body,
        rate_hz=asked.rate_hz,
    )


_MAKERS: dict[EndpointKind, Callable[[Settings, _Asked, Early | None], Endpoint]] = {
    "speech": _http,
    "realtime": _realtime,
}
"""How each kind of endpoint that has a server is made. The kinds stand in
``voicestream/settings/kinds.py``."""


def endpoint_of(
    settings: Settings,
    given: Any,
    loop: asyncio.AbstractEventLoop | None = None,
    notices: Notices | None = None,
) -> tuple[Endpoint, Settings]:
    """Return the endpoint that a program gave or the settings name, and the settings for it.

    Args:
        given: its replies are kept if it is a client, or has a member ``cache_key``, a str that
            stands for all that shapes its sound and stands in no request.
        loop: where an async client is at home.
        notices: told what the endpoint has to say, see :func:`make_endpoint`.

    Raises:
        UsageError: ``given`` is no endpoint.
    """
    if given is None:
        return make_endpoint(settings, notices), settings
    from voicestream.speech.openai_client import client_endpoint, is_client

    notices = notices or Notices()
    key = getattr(given, "cache_key", "")
    if is_client(given):
        given = client_endpoint(given, settings.timeout_s, loop)
        key = given.name
    else:
        from voicestream.speech.given import GivenEndpoint

        given = GivenEndpoint(given, notices)
    if isinstance(key, str) and key and settings.cache != "off":
        from voicestream.session.caching import cached

        asked = given
        given = cached(settings, lambda: asked, notices, ("given", key), asked.name)
    if settings.embedded:  # whose voice, model and URL are the defaults without a key
        voice = "" if settings.voice == "heart" else settings.voice
        model = SPEECH_MODEL if settings.auto_model else settings.model
        settings = replace(settings, base_url=OPENAI_URL, model=model, voice=voice)
    return given, settings


def _adapted(place: Place, request: SpeechRequest) -> SpeechRequest:
    """Return the request with the model, voice and format of another endpoint.

    Where that endpoint's voice is not named, the voices of a dialogue stay as they are.
    """
    voice = place.voice or request.voice
    if place.url == SYSTEM_URL:
        voice = place.voice
    if place.url == EMBEDDED_URL:
        from voicestream.speech.embedded import nearest_voice

        voice = nearest_voice(voice)
    form = request.format if place.format in ("", "auto") else place.format
    model = model_for(place.url, place.model)
    way = place.way(request.stream_format)
    return replace(request, model=model, voice=voice, format=form, stream_format=way)
