"""How far the making of a file has come: a bar while it goes on, a line at its end."""

from __future__ import annotations

from voicestream.counters import Snapshot
from voicestream.ui.canvas import Canvas
from voicestream.ui.lines import Line, first_fitting
from voicestream.ui.summary import seconds

_CHARS_PER_S = 15.0
"""How fast a voice reads, roughly."""
_LEAST_BAR = 8


def share_done(snapshot: Snapshot) -> float | None:
    """Return how much of the text has become sound, from 0 to 1; None: its length is unknown."""
    if not snapshot.text_complete or not snapshot.text_chars:
        return None
    done = 0.0
    for figures in snapshot.segments:
        whole = len(figures.text)
        done += whole if figures.status.ended else min(_CHARS_PER_S * figures.audio_s, whole)
    return min(done / snapshot.text_chars, 1.0)


def draw_bar(
    snapshot: Snapshot,
    width: int,
    height: int | None = None,  # noqa: ARG001  one line fits everywhere
    encoding: str = "utf-8",
    color: bool = True,
    hint: str = "",  # noqa: ARG001
    full: bool = False,  # noqa: ARG001
) -> list[Line]:
    """Lay the bar, a picture of one line; see :func:`voicestream.ui.picture.draw`."""
    canvas = Canvas(width, encoding, color)
    glyphs = canvas.glyphs
    share = share_done(snapshot)
    sound = f"{seconds(snapshot.audio_s)} of sound"
    told = glyphs.dot.join([sound, seconds(snapshot.at_ms / 1000)])
    if share is None:
        return [first_fitting(canvas.width, [(told, "")], [(sound, "")])]
    percent = f"{100 * share:3.0f} % "
    room = max(canvas.width - len(percent) - len(told) - 2, _LEAST_BAR)
    done = int(share * room)
    bar: Line = [
        (percent, "bold"),
        (glyphs.full * done, "green"),
        (glyphs.empty * (room - done), "dim"),
    ]
    whole: Line = [*bar, ("  " + told, "dim")]
    return [first_fitting(canvas.width, whole, [(percent + sound, "")], [(percent, "")])]
