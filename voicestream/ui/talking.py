"""A conversation on a terminal: who is heard, and what is being typed."""

from __future__ import annotations

from voicestream.records import dataclass
from voicestream.ui.canvas import Canvas
from voicestream.ui.lines import Line, cells, cut_off

_WORDS = {
    "listening": "listening",
    "you": "you",
    "thinking": "thinking",
    "speaking": "speaking",
    "deaf": "no microphone",
}
_ENTER, _DELETE, _END = "\r\n", "\x08\x7f", "\x04"


@dataclass(frozen=True, slots=True)
class TalkView:
    """What is seen of a conversation now."""

    floor: str
    """Who is heard: ``listening``, ``you``, ``thinking``, ``speaking``, ``deaf``."""
    recording: bool
    speaking: str = ""
    """The sentence that is being heard."""
    typed: str = ""
    """What is being typed."""


def draw_talk(
    seen: TalkView,
    width: int,
    height: int | None = None,  # noqa: ARG001  two lines fit everywhere
    encoding: str = "utf-8",
    color: bool = True,
    hint: str = "",
    full: bool = False,  # noqa: ARG001
) -> list[Line]:
    """Lay two lines; see :func:`voicestream.ui.picture.draw`."""
    canvas = Canvas(width, encoding, color)
    line: Line = [
        (f"{canvas.glyphs.bullet} " if seen.recording else "", "red"),
        (_WORDS[seen.floor], "bold"),
    ]
    if seen.floor == "speaking":
        line.append((f": {canvas.shown(seen.speaking, 1)}", "dim"))
    below: Line = [(hint, "dim")]
    if seen.typed:
        typed = canvas.shown(seen.typed[-canvas.width :], 1)
        while cells(below := [("> ", "dim"), (typed, "")]) > canvas.width and typed:
            typed = typed[1:]
    return [cut_off(line, canvas.width), cut_off(below, canvas.width)]


class TypedLine:
    """What is typed key by key, until the line is done."""

    def __init__(self) -> None:
        self.text = ""
        self.ended = False
        """Ctrl-D was typed where nothing else was."""

    def key(self, key: str) -> str:
        """Take a key; return the line once it is done, else nothing."""
        if key in _ENTER:
            done, self.text = self.text, ""
            return done
        if key in _DELETE:
            self.text = self.text[:-1]
        elif key == _END:
            self.ended |= not self.text
        elif len(key) == 1 and key.isprintable():
            self.text += key
        return ""
