"""``play``: sound from anywhere, by the same player as speech."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from voicestream.cli.options import SayCall
from voicestream.cli.report import report
from voicestream.cli.say import say
from voicestream.errors import UsageError, VoicestreamError
from voicestream.session.play_sources import (
    AS_IT_IS,
    EVEN,
    STDIN,
    Source,
    asked_early,
    raw_type,
    sources_of,
)

if TYPE_CHECKING:
    from voicestream.session.sounds import SourceSegments
    from voicestream.settings.table import Settings


def play(call: SayCall) -> int:
    """Play ``call.sources``; return the exit code."""
    try:
        raw = raw_type(call.rate, call.channels, call.sample_format)
        sources = _sources(call)
    except VoicestreamError as error:
        return report(error, call.json)
    call.settings.update(AS_IT_IS)
    even = EVEN if all(source.is_packets for source in sources) else {}
    for name, value in {"loudness": "off", **even}.items():
        call.settings.setdefault(name, value)
    return say(call, partial(_segments, sources, raw), None)


def _sources(call: SayCall) -> list[Source]:
    call.sources = call.sources or [STDIN]
    if STDIN in call.sources and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError(
            "there is nothing to play",
            hint="Try: voicestream play FILE, or a URL, or pipe sound in.",
        )
    sources = sources_of(call.sources)
    for target in filter(None, (call.output, call.save)):
        if any(_same_file(target, source.place) for source in sources):
            raise UsageError(f"{target} is what is played", hint="Give another name to write to.")
    return sources


def _same_file(one: str, other: str) -> bool:
    return Path(one).is_file() and Path(other).is_file() and Path(one).samefile(other)


def _segments(sources: list[Source], raw: str, call: SayCall, settings: Settings) -> SourceSegments:
    early = asked_early(settings, sources[0])
    from voicestream.session.sounds import source_segments  # most of what reads them

    packet_trace = None
    if sources[0].is_packets:  # when these came, and not the even sound that is made of them
        packet_trace, call.trace = call.trace, None
    return source_segments(settings, sources, raw, early, packet_trace)
