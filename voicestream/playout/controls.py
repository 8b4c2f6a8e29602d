"""What is asked of a player while it plays: by keys, verbs, and whoever else wants to speak."""

from __future__ import annotations

import math
from collections import deque

from voicestream.pcm import PcmFormat
from voicestream.policy.plan import NOT_YET
from voicestream.records import dataclass


@dataclass(slots=True)
class Controls:
    """Holds what is asked of a player while it plays. Any thread may set it; the callback only
    reads, but for ``seek_frame`` and ``in_doubt``."""

    paused: bool = False
    """Fade out and be silent until this is False again; nothing of the sound is lost."""
    yielded: bool = False
    """The same, for another speaker."""
    rest_at_frame: int = NOT_YET
    """The same, from that frame of the reply on; ``NOT_YET`` to go on."""
    not_before_s: float = 0.0
    """No sound leaves the DAC before this time; ``inf``: it is another speaker's turn."""
    seek_frame: int | None = None
    """Where to go on, counted from the first frame of the reply: as far back as the ring goes;
    what is not written yet is waited for in silence. The callback sets it back to None when it
    has got there."""
    tempo: float = 1.0
    """Times as fast as what was written, from the next period on."""
    volume: float = 1.0
    """Factor on every sample, reached within a period."""
    doubt_after_s: float = math.inf
    """A callback that comes later than this after the one before is silent: this process
    stood still, and another may speak by now."""
    sent: deque[tuple[float, bytes, PcmFormat]] | None = None
    """Gets what was handed to the sink, and when that leaves the DAC: for whoever must know what
    the loudspeaker says. Bounded, so that nobody needs to take it."""
    in_doubt: bool = False
    """Set by the callback when it came so late; silent until this is set back."""
