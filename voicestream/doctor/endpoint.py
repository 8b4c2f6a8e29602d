"""The endpoints: can they be reached, do they take the key, how soon and how fast do they speak."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from voicestream.decode.registry import choose, open_decoder
from voicestream.doctor.finding import Check, Finding, broken
from voicestream.doctor.models import ending_findings, gone_finding, list_findings
from voicestream.doctor.way import check_way
from voicestream.errors import EndpointError, EndpointTimeoutError, ReplyError
from voicestream.notices import Notices
from voicestream.records import dataclass, replace
from voicestream.redact import redacted
from voicestream.session.pacing import endpoint_key, kept_learnt
from voicestream.session.speech_request import speech_request
from voicestream.session.wiring import make_endpoint
from voicestream.settings.endpoints import Place
from voicestream.settings.kinds import AUTO, is_local
from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest, SpeechStream, ends_of, said_by, words_of
from voicestream.text.said import compare

ABOUT = "endpoint"
SENTENCE = "This is a test."
"""What an endpoint is asked to say, once: it may be billed."""
_REPLY_S = 20.0
"""The longest that such a short sentence may take to come."""
_SPARE_S = 15.0
_SILENT_S = 5.0
"""The longest that an endpoint may be silent, unless a setting says otherwise."""
_SLOW_S = 2.0
"""A first byte that comes later is felt."""
_LEAST_RATE = 1.1
"""Of sound to time: below this it will stop while it speaks."""
_MEASURABLE_S = 0.1
_HEAD_BYTES = 64
_LONGER = "Where it loads its model first, `voicestream doctor --timeout 60` waits for it."


@dataclass(frozen=True, slots=True)
class _Sentence:
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
        whose = "the voice that comes along" if settings.embedded else "the system's voices"
        yield Finding(ABOUT, "good", whose, enough=True)
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
    request = speech_request(settings, _Sentence())
    heard = _Heard(request)
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


class _Heard:
    """One sentence as it comes."""

    def __init__(self, request: SpeechRequest) -> None:
        self._request = request
        self._head = b""
        self._kind = ""
        self._began_s = time.monotonic()
        self._first_s = 0.0
        self._last_s = 0.0
        self._sound_s = 0.0
        self._rate_hz = 0
        self._broken_pieces = 0
        self._said: str | None = None
        self._timed = False
        self._ends = ""

    def listen(self, stream: SpeechStream) -> None:
        """To its end.

        Raises:
            EndpointError: it breaks off, cannot be decoded, or holds no sound.
        """
        self._ends = ends_of(stream)
        self._kind = stream.content_type.partition(";")[0].strip().lower()
        decoder = open_decoder(
            stream.content_type, self._request.format, stream.rate_hz, stream.channels
        )
        frames = 0
        for piece in stream:
            if not piece:
                continue
            self._last_s = time.monotonic()
            self._first_s = self._first_s or self._last_s
            self._head += piece[: _HEAD_BYTES - len(self._head)]
            frames += len(decoder.feed(piece))
        frames += len(decoder.flush())
        pcm = decoder.format
        if pcm is None or not frames:
            raise ReplyError(
                "the reply holds no sound", hint="Check --model, --voice and --format."
            )
        self._sound_s, self._rate_hz = pcm.frames_to_s(frames), pcm.rate_hz
        self._broken_pieces = decoder.skipped
        self._said = said_by(stream)
        self._timed = bool(words_of(stream))

    @property
    def _first_byte_s(self) -> float:
        return self._first_s - self._began_s

    @property
    def _rate(self) -> float | None:
        """Sound to time; None where all came at once."""
        took_s = self._last_s - self._first_s
        return self._sound_s / took_s if took_s > _MEASURABLE_S else None

    @property
    def _format(self) -> str:
        return choose(self._head, self._kind, self._request.format, ended=True) or ""

    def findings(self, known: str) -> Iterator[Finding]:
        """Yield what is to be told of it.

        Args:
            known: of earlier replies, in words.
        """
        yield self._speed(known)
        wanted, came = self._request.format, self._format
        if came != wanted:
            yield Finding(
                ABOUT,
                "look",
                f"it was asked for {wanted} and sent {came}, which is played all the same",
                f"--format {came} asks for what it has." if came != "buffered" else "",
                figures={"format": came},
            )
        if self._broken_pieces:
            yield Finding(ABOUT, "look", f"{self._broken_pieces} broken pieces were left out")
        if self._said is not None and (others := compare(SENTENCE, self._said).differences):
            told = "; ".join(map(str, others))
            yield Finding(ABOUT, "look", f"other words: it {told}", "Try another model.")
        if self._request.stream_format == "captions" and not self._timed:
            yield Finding(ABOUT, "look", "it tells no times of words, which are estimated then")
        if self._ends:
            yield Finding(
                ABOUT, "look", f"it says that it ends: {self._ends}", "Look for another model."
            )

    def _speed(self, known: str) -> Finding:
        first_ms, rate = round(1000 * self._first_byte_s), self._rate
        fast = "at once" if rate is None else f"at {rate:.1f}x the speed of its sound"
        told = (
            f'"{SENTENCE}": first byte after {first_ms} ms, then {fast}{known}; '
            f"{self._format}, {self._rate_hz} Hz"
        )
        figures = {
            "model": self._request.model,
            "voice": self._request.voice,
            "first_byte_ms": first_ms,
            "rate": None if rate is None else round(rate, 2),
            "audio_s": round(self._sound_s, 3),
            "format": self._format,
            "rate_hz": self._rate_hz,
        }
        if rate is not None and rate < _LEAST_RATE:
            todo = (
                "It will stop while it speaks. Where the network is slow, --format auto needs "
                "less; --underrun stretch plays slower instead; or choose a faster model."
            )
            return Finding(ABOUT, "look", told, todo, enough=True, figures=figures)
        if self._first_byte_s > _SLOW_S:
            todo = "It begins late: the model is slow, or was being loaded. Ask again to know."
            return Finding(ABOUT, "look", told, todo, enough=True, figures=figures)
        return Finding(ABOUT, "good", told, enough=True, figures=figures)
