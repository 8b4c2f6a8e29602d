"""``play`` as a function: sound from anywhere, by the player of speech."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from voicestream.api import Handle, SaveTarget, blocking, conduct
from voicestream.errors import UsageError
from voicestream.metrics import Metrics
from voicestream.records import replace
from voicestream.session.callers import check_callbacks
from voicestream.session.forks import refuse_amid_speech
from voicestream.session.listener import OnEvent
from voicestream.session.play_sources import AS_IT_IS, EVEN, asked_early, raw_type, sources_of
from voicestream.session.sounds import source_segments
from voicestream.settings.table import Settings, load


def start_playing(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    settings: Settings | None = None,
    on_event: OnEvent | None = None,
    save: SaveTarget | None = None,
    *,
    rate_hz: int | None = None,
    channels: int = 1,
    sample_format: str = "s16le",
) -> Handle:
    """Begin to play and return at once; packets are played until the handle is told to stop.

    Args:
        sources: the path of a file, an http(s) URL, ``-`` for stdin, ``rtp://ADDRESS:PORT``, or
            several of these, played without a gap; see ``voicestream help play``.
        settings: as read from environment, ``.env`` and config file unless given; what asks for
            or shapes speech means nothing here, and ``loudness`` only where it is chosen.
        on_event: see :func:`start`; ``segment_done`` is told for each source.
        save: see :func:`start`.
        rate_hz: what comes is raw samples, so many a second in each channel.
        channels: of raw samples.
        sample_format: of raw samples: ``u8``, or ``s16``, ``s24``, ``s32``, ``f32`` or ``f64``,
            then ``le`` or ``be``.

    Raises:
        VoicestreamError: a setting is wrong, or a source is nothing that can be played.
    """
    metrics = Metrics(time.monotonic())
    check_callbacks(on_event)
    refuse_amid_speech()
    names = [sources] if isinstance(sources, str | os.PathLike) else list(sources)
    if not names:
        raise UsageError("there is nothing to play", hint="Give a file or a URL.")
    found = sources_of([os.fspath(name) for name in names])
    raw = raw_type(str(rate_hz), str(channels), sample_format) if rate_hz is not None else ""
    given = settings if settings is not None else load()
    changes = dict(AS_IT_IS)
    if not given.is_set("loudness"):
        changes["loudness"] = "off"
    if all(source.is_packets for source in found) and not given.is_set("playout"):
        changes |= EVEN
    chosen = replace(given, **changes)
    segments = source_segments(chosen, found, raw, asked_early(chosen, found[0]))
    return Handle(conduct(chosen, segments.endpoint, segments, metrics, on_event, save))


play = blocking(
    start_playing,
    "play",
    """Play sound from anywhere and return when its last sample was heard. See
    :func:`start_playing`.

    Raises:
        VoicestreamError: nothing was heard.
    """,
)
