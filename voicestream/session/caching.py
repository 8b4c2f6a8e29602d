"""Which replies are kept, by the settings; and whether one is here before anything is loaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec

from voicestream.cache import Cache
from voicestream.notices import Notices, unheeded
from voicestream.session.speech_request import Speakable, speech_request
from voicestream.settings.table import Settings
from voicestream.speech.base import Endpoint
from voicestream.speech.cached import CachedEndpoint, Keeping

_SECRET = {"auth", "authorization", "cookie", "key", "apikey", "secret", "token"}
"""Words in the name of a header that says who asks, not what for: a new key is no new voice."""


def cached(
    settings: Settings,
    make: Callable[[], Endpoint],
    notices: Notices,
    identity: tuple[object, ...] = (),
    name: str = "",
) -> CachedEndpoint:
    """Return an endpoint that is asked only for what is not kept.

    Args:
        notices: what they tell of a reply decides whether it may be kept.
        identity: of an endpoint that a program gave; else the settings' is taken.
        name: of the endpoint until it is made.
    """

    def may_keep() -> bool:
        # another endpoint's voice, or a text that was not read whole, would be told of only once
        return not (notices.stood_in or notices.unspoken)

    keeping = _keeping(settings, identity or _identity(settings), may_keep)
    name = name or settings.base_url.partition("?")[0]
    # who asked for it wants to know; by default it would be a word about nothing
    tell = notices.notify_once if settings.cache == "on" else unheeded
    cache = Cache(_most_bytes(settings), tell=tell)
    return CachedEndpoint(make, name, cache, keeping, bool(settings.fallbacks))


def is_kept(settings: Settings, segment: Speakable) -> bool:
    """Return whether the reply to a segment is here, so that nobody has to be asked."""
    if settings.cache == "off":
        return False
    keeping = _keeping(settings, _identity(settings))
    request = speech_request(settings, segment)
    return keeping.concerns(request) and Cache(_most_bytes(settings)).holds(keeping.key(request))


def _most_bytes(settings: Settings) -> int:
    return int(settings.cache_mb * 1_000_000)


def _keeping(
    settings: Settings, identity: tuple[object, ...], may_keep: Callable[[], bool] = lambda: True
) -> Keeping:
    short_chars = settings.cache_chars if settings.cache == "short" else None
    return Keeping(identity, short_chars, may_keep, _is_faithful)


def _identity(settings: Settings) -> tuple[object, ...]:
    """Return what shapes the sound beside the request: never a key."""
    if settings.embedded:
        return settings.base_url, _installed()
    identity = settings.base_url, settings.body, settings.rate_hz
    shaping = {name: held for name, held in settings.headers.items() if not _SECRET & _words(name)}
    return (*identity, shaping) if shaping else identity


def _words(name: str) -> set[str]:
    return set(name.split("-"))


def _installed() -> int:
    """Return what changes with each version of the embedded voice: the time of its folder's
    folder, in which packages are installed. To read versions would take ten times as long."""
    spec = find_spec("hibari")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return os.stat(os.path.dirname(places[0])).st_mtime_ns if places else 0


def _is_faithful(text: str, said: str) -> bool:
    from voicestream.text.said import compare

    found = compare(text, said)
    return not (found.differences or found.rest or found.something_else)
