"""The endpoints: can they be reached, do they take the key, how soon and how fast do they speak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from voicestream.doctor.finding import Check, Finding, broken
from voicestream.doctor.models import ending_findings, gone_finding, list_findings
from voicestream.doctor.sentence import ABOUT, SENTENCE, SpokenSentence
from voicestream.doctor.way import check_way
from voicestream.errors import EndpointError, EndpointTimeoutError
from voicestream.notices import Notices
from voicestream.records import dataclass, replace
from voicestream.redact import redacted
from voicestream.session.pacing import endpoint_key, kept_learnt
from voicestream.session.speech_request import speech_request
from voicestream.session.wiring import make_endpoint
from voicestream.settings.endpoints import Place
from voicestream.settings.kinds import AUTO, KINDS, is_local
from voicestream.settings.table import Settings

_REPLY_S = 20.0
"""The longest that such a short sentence may take to come."""
_SPARE_S = 15.0
_SILENT_S = 5.0
"""The longest that an endpoint may be silent, unless a setting says otherwise."""
_LONGER = "Where it loads its model first, `voicestream doctor --timeout 60` waits for it."


@dataclass(frozen=True, slots=True)
class _Text:
    text: str = SENTENCE
    voice: str | None = None
    language: str = "en"


def endpoint_check(settings: Settings, free: bool) -> Check:
    """Return what there is to find out about the endpoints.

    Args:
        free: ask for nothing that may be billed.
    """
    settings = _bounded(settings)
    one_s = 2 * settings.connect_timeout_s + 2 * settings.timeout_s + _REPLY_S
    limit_s = one_s * (1 + len(settings.fallbacks)) + _SPARE_S
    hung = Finding(ABOUT, "broken", "it does not answer", exit_code=EndpointError.exit_code)
    return Check(lambda: check_endpoints(settings, free), limit_s, hung)


def check_endpoints(settings: Settings, free: bool) -> Iterator[Finding]:
    """Yield findings on each endpoint until one has spoken; those after it are only connected
    to."""
    settings = _bounded(settings)
    spoken = False
    first = settings.endpoint.partition(",")[0]
    others = ((place.name, _standing_in(settings, place)) for place in settings.fallbacks)
    for name, alone in ((first, settings), *others):
        quiet = replace(
            alone,
            endpoint="",
            base_urls="",
            retries=0,
            hedge=False,
            reply_timeout_s=_REPLY_S,
        )
        reached = True
        for finding in check_way(ABOUT, quiet):
            reached = reached and finding.verdict != "broken"
            yield _named(finding, name, quiet.base_url)
        if not reached or (spoken and not free):
            continue
        for finding in _check_free(quiet) if free else _check_speech(quiet):
            spoken = spoken or finding.enough
            yield _named(finding, name, quiet.base_url)


def _bounded(settings: Settings) -> Settings:
    """Who asks what is wrong waits no longer than need be, unless the settings say how long."""
    is_set = settings.is_set
    return replace(
        settings,
        timeout_s=settings.timeout_s if is_set("timeout_s") else _SILENT_S,
        connect_timeout_s=settings.connect_timeout_s if is_set("connect_timeout_s") else _SILENT_S,
    )


def _named(finding: Finding, name: str, address: str) -> Finding:
    """Return the finding with what it is about: which endpoint, and the name of its profile."""
    place = urlsplit(address).netloc.rpartition("@")[2] or address.rstrip(":")
    known = place in finding.what or place == name
    told = " at ".join(filter(None, (name, "" if known else place)))
    what = f"{told}: {finding.what}" if told else finding.what
    figures = {"endpoint": redacted(address), "profile": name, **finding.figures}
    return replace(finding, what=what, figures=figures)


def _standing_in(settings: Settings, place: Place) -> Settings:
    """Return the settings as they are for an endpoint that stands in."""
    voice = place.voice or (settings.voice if settings.is_set("voice") else "")
    form: Any = place.format or settings.format  # looked at when the place was made
    way: Any = place.way(settings.stream_format)
    return replace(
        settings,
        base_url=place.url,
        api_key=settings.keys.get(place.key_variable, ""),
        model=place.model or AUTO,
        auto_model=False,
        voice="" if is_local(place.url) else voice,
        format=form,
        stream_format=way,
        extra_headers=place.extra_headers,
        extra_body=place.extra_body,
        rate_hz=place.rate_hz,
        sources={**settings.sources, "api_key": place.key_variable},
    )


def _check_free(settings: Settings) -> Iterator[Finding]:
    """Yield what can be known without a request that may be billed."""
    if settings.local:
        yield Finding(ABOUT, "good", KINDS[settings.kind].local, enough=True)
        return
    yield from gone_finding(ABOUT, settings)
    yield from list_findings(ABOUT, settings)
    yield Finding(ABOUT, "look", "no speech was asked for", "Without --free it is, once.")


def _check_speech(settings: Settings) -> Iterator[Finding]:
    """Yield findings on one short sentence, and on what the endpoint and what is kept say of its
    model."""
    yield from gone_finding(ABOUT, settings)
    notices = Notices()
    endpoint = make_endpoint(replace(settings, cache="off"), notices)
    request = speech_request(settings, _Text())
    heard = SpokenSentence(request)
    try:
        stream = endpoint.open(request)
        try:
            heard.listen(stream)
        finally:
            stream.close()
        yield from heard.findings(_known(settings, endpoint.name))
        if settings.api_key:
            source = settings.source("api_key")
            yield Finding(ABOUT, "good", f"the key was not refused (from {source})")
    except EndpointTimeoutError as error:
        found = broken(ABOUT, error)
        yield replace(found, todo=f"{found.todo} {_LONGER}".strip())
        return
    except EndpointError as error:
        yield broken(ABOUT, error)
        return
    finally:
        endpoint.close()
    for told in notices.warnings:
        yield Finding(ABOUT, "look", told)
    if not settings.local:
        yield from ending_findings(ABOUT, settings)


def _known(settings: Settings, name: str) -> str:
    """Return what earlier replies were like; empty where there were none."""
    known = kept_learnt().load(endpoint_key(settings, name, settings.model))
    if not known.replies:
        return ""
    return (
        f" (over {known.replies} replies before: {1000 * known.first_byte_s:.0f} ms, "
        f"{known.rate:.1f}x)"
    )
