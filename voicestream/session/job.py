"""One segment on its way from text to samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from voicestream.counters import SegmentFigures
from voicestream.records import dataclass, field
from voicestream.session.spool import Spool
from voicestream.speech.base import SpeechRequest, SpeechStream, TimedWord, settle
from voicestream.text.pieces import Segment


@dataclass(slots=True, eq=False)
class Job:
    """One segment on its way from text to samples."""

    segment: Segment
    request: SpeechRequest
    figures: SegmentFigures
    spool: Spool = field(default_factory=Spool)
    # fetch thread, before the first byte is in the spool
    content_type: str = ""
    rate_hz: int | None = None
    channels: int | None = None
    words: Sequence[TimedWord] | None = None
    """When each word is spoken; grows while the reply comes. None: it does not tell."""
    opened_at_s: float = 0.0
    recorded: bool = False
    """It is no reading of the segment's text: nothing is known of how long it sounds."""
    give_up: Callable[[], None] = lambda: None
    """Ends the waiting for more of it. Any thread."""
    in_parts: bool = False
    """Its text was asked for in several requests."""
    read_late: bool = False
    """Whether its first bytes had been waiting before they were read, nobody knows how long."""
    streams: list[SpeechStream] = field(default_factory=list)
    """The replies of the latest attempt that came whole."""

    def settle(self, good: bool) -> None:
        """Say whether the replies were sound throughout, and all was wanted, so that they may be
        kept. For the feeder; the fetch thread before it asks anew."""
        while self.streams:
            settle(self.streams.pop(), good)
