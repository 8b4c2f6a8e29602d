"""``play``: sound from anywhere, by the same player as speech."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from voicestream.cli.options import SayCall
from voicestream.cli.report import report
from voicestream.cli.say import say
from voicestream.errors import UsageError, VoicestreamError
from voicestream.session.sources import STDIN, Source, asked_early, raw_type, sources_of

if TYPE_CHECKING:
    from voicestream.session.sounds import SourceSegments
    from voicestream.settings.table import Settings

_AS_IT_IS: dict[str, Any] = {
    "base_url": "embedded:",
    "cache": "off",
    "trim": "false",
    "normalize": "false",
    "loudness": "off",
    "lookahead": "1",
    "keep_last": "false",
}
"""Every sample as it comes, and what is said again stays the last speech."""

_EVEN: dict[str, Any] = {"playout": "fixed", "prebuffer_ms": "80"}
"""A jitter buffer has made it even already."""


def play(call: SayCall) -> int:
    """Play ``call.sources``; return the exit code."""
    try:
        raw = raw_type(call.rate, call.channels, call.sample_format)
        sources = _sources(call)
    except VoicestreamError as error:
        return report(error, call.json)
    call.settings.update(_AS_IT_IS)
    if all(source.is_packets for source in sources):
        for name, value in _EVEN.items():
            call.settings.setdefault(name, value)
    return say(call, partial(_segments, sources, raw))


def _sources(call: SayCall) -> list[Source]:
    call.sources = call.sources or [STDIN]
    if STDIN in call.sources and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError(
            "there is nothing to play",
            hint="Try: voicestream play FILE, or a URL, or pipe sound in.",
        )
    return sources_of(call.sources)


def _segments(
    sources: list[Source], raw: str, _call: SayCall, settings: Settings
) -> SourceSegments:
    early = asked_early(settings, sources[0])
    from voicestream.session.sounds import source_segments  # most of what reads them

    return source_segments(settings, sources, raw, early)
