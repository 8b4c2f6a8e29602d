"""What a text is cut into: pieces that can be spoken, and segments, one a request."""

from __future__ import annotations

from enum import Enum

from voicestream.records import dataclass

SPEECH_CHARS_PER_S = 15.0
"""How fast a voice reads, roughly: to guess how long a text will sound."""


class Boundary(Enum):
    """What ends a piece: how long the pause after it is."""

    CLAUSE = "clause"
    SENTENCE = "sentence"
    PARAGRAPH = "paragraph"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that may be spoken on its own, with the blanks that follow it."""

    text: str
    end: Boundary
    voice: str | None = None
    pause_ms: int | None = None
    """The silence before it, where the text says so; a piece without text is that alone."""
    language: str = ""


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """How text becomes requests.

    Attributes:
        first_chars: the first segment may be a clause of at least so many characters.
        first_max_chars: a first sentence longer than this is cut at a clause; one twice
            as long, or text that goes on without an end while nothing plays, at a blank.
        min_chars: shorter sentences are joined with what is there already.
        batch_above_s: while more sound than this waits, sentences are gathered.
        batch_chars: until they have so many characters.
        low_s: with less sound than this waiting, an unfinished sentence may be
            cut at a clause of at least ``first_chars``;
        pause_s: and at any clause once the writer has paused for so long.
        max_chars: no request is longer (what endpoints accept).
        queue_chars: with more text than this waiting, the writer has to wait.
    """

    first_chars: int = 25
    first_max_chars: int = 120
    min_chars: int = 25
    batch_above_s: float = 4.0
    batch_chars: int = 400
    low_s: float = 1.0
    pause_s: float = 0.4
    max_chars: int = 4096
    queue_chars: int = 65536


@dataclass(frozen=True, slots=True)
class Segment:
    """What one request speaks.

    Attributes:
        index: counts from 0 in the order of the text.
        text: with the blanks that follow it, as it stands in the text.
        end: what ends it.
        voice: who speaks it; None for the voice that is set.
        pause_ms: the silence before it, where the text says so.
        language: its language as a code; empty where nobody asked for that.
    """

    index: int
    text: str
    end: Boundary
    voice: str | None = None
    pause_ms: int | None = None
    language: str = ""

    @property
    def spoken(self) -> str:
        """The text without blanks around it: what to ask an endpoint for."""
        return self.text.strip()
