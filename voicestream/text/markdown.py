"""Markdown as it comes -> what a voice should say, just as incrementally.

Nothing is held back but what is ambiguous (an open bracket, a line that may be
a rule), and that only up to a number of characters: after these it is text.
All decisions look at a window of that length, so the result does not depend on
how the text was cut.
"""

from __future__ import annotations

from voicestream.patterns import lazy_pattern
from voicestream.text import notes
from voicestream.text.blocks import LINE_MARKS, CodeMode, FencedCode, Mark, row, table_head
from voicestream.text.constructs import Constructs, Stretch
from voicestream.text.emoji import EMOJI_RUN, IS_SYMBOL, SELECTORS, SYMBOLS, check_mark
from voicestream.text.emphasis import Emphasis
from voicestream.text.found import NOTHING, Found
from voicestream.text.hidden import Hidden
from voicestream.text.inline import HOLD_MAX, half_link
from voicestream.text.tags import Position
from voicestream.text.writer import Writer

_MARKS = rf"\\$|`*_~=\[!<&#%^\n\t{SYMBOLS}{SELECTORS}{notes.SOURCE_MARKS}"
_SPECIAL = lazy_pattern(
    rf"[{_MARKS}]|\ (?=[\ {_MARKS}]|\Z)"
    r"|(?<![A-Za-z0-9])(?:[hH](?:[tT]{2}[pP][sS]?:|[tT]{0,2}\Z|[tT]{2}[pP][sS]?\Z)"
    r"|[wW](?:[wW]{2}\.|[wW]{0,2}\Z))"
)
_GAP = lazy_pattern(r"[ \t]+")
_RUN = lazy_pattern(r"\*+|_+|~+|#+|=+")
_CELL = lazy_pattern(r"(?<!\\)[|│┃║]")
# What waits may be spoken when the writer pauses: a sentence or a line has ended in it.
_SPEAKABLE = lazy_pattern(r"[.!?…。！？][\"'”’)\]]*(?:\s|\Z)|\n")
_DEPTH_MAX = 8


class MarkdownFilter:
    """Incremental Markdown -> plain text with the line ends that matter.

    A line feed in the result ends a line for the ear too (list item, heading,
    hard break); wrapped lines of a paragraph are joined; two line feeds end a
    paragraph; there are never more than two.

    Args:
        code: fenced code is announced in two words, skipped, or read out.

    Used by one thread, or under a lock.
    """

    def __init__(self, code: CodeMode = "announce", *, _depth: int = 0) -> None:
        self._code = code
        self._depth = _depth
        self._writer = Writer()
        self._buf = ""
        self._plain = False  # ordinary text may pass by
        self._line_start = _depth == 0
        self._heading = False
        self._table = False  # below the head of a table without outer bars
        self._fenced = FencedCode(code, self._writer)
        self._hidden = Hidden()
        self._may_hide = True  # no hidden block was found to be text
        self._constructs = Constructs()
        self._before = "\n"  # the source's character before
        self._emphasis = Emphasis()

    def feed(self, text: str) -> str:
        """Take the next text; return what of it is certain."""
        if self._plain and text:
            blank = " " if text[-1] == " " else ""
            body = text[:-1] if blank else text
            gap = self._writer.gap
            if body and not (gap and body[0] == " ") and _SPECIAL.search(body) is None:
                self._before = text[-1]
                self._writer.passed(gap + body, blank)
                return gap + body
        return self._run(text, final=False)

    def flush(self) -> str:
        """Return what was held back: the text has ended."""
        text = self._run("", final=True)
        if self._writer.soft and not self._depth:
            self._writer.line_feeds(1)
            text += self._writer.take()
        return text

    def settle(self) -> str:
        """Return what only waits to learn how the text goes on: the writer pauses.

        From here on the result may depend on the pause.
        """
        text = ""
        if self._buf in ("!", ":"):
            self._before = self._buf
            self._writer.say(self._buf)
            self._buf = ""
        elif self._holds_speech():
            text = self._run("", final=False, paused=True)
        if self._writer.soft:
            self._writer.line_feeds(1)
        return text + self._writer.take()

    def _holds_speech(self) -> bool:
        """May what waits be spoken, whatever it would have become?"""
        inside = self._line_start or self._fenced.marks or self._hidden.active
        return not inside and bool(_SPEAKABLE.search(self._buf)) and not half_link(self._buf)

    def _run(self, text: str, final: bool, paused: bool = False) -> str:
        buf = self._buf = self._buf + text
        at, size = 0, len(buf)
        while at < size:
            stop = min(size, at + HOLD_MAX)
            known = final or paused or stop == at + HOLD_MAX
            if self._hidden.active:
                end = self._hidden.end(buf, at, final)
                if end is not None and end < 0:  # begin again behind the mark that opened it
                    buf = self._buf = self._hidden.give_back(buf[at:])
                    at, size = 0, len(buf)
                    self._may_hide, self._line_start = False, True
                    continue
                if end is not None:
                    self._writer.dropped()
            elif self._fenced.marks:
                end = self._fenced.line(buf, at, final)
                if not self._fenced.marks:
                    self._end_line(hard=True)
            elif self._line_start:
                end = self._begin_line(at, stop, known)
            else:
                end = self._inline(at, stop, known, final or paused)
            if end is None:
                break
            if end > at:
                at = end
                self._before = buf[at - 1]
        if self._hidden.active:
            at = self._hidden.take(buf, at)
        self._buf = "" if final else buf[at:]
        writer = self._writer
        self._plain = not (
            self._buf or self._line_start or self._fenced.marks or self._hidden.active
            or writer.glue or writer.soft or writer.tail in " \n"
        )  # fmt: skip
        return writer.take()

    # Each of these takes the source on from an index and returns how far it came, or None if
    # more text is needed.

    def _begin_line(self, at: int, stop: int, known: bool) -> int | None:
        """Take what marks a line off its beginning."""
        buf, writer = self._buf, self._writer
        char = buf[at]
        if blanks := _GAP.match(buf, at):
            return blanks.end()
        if char == "\n":
            self._table = False
            if not writer.marked:
                writer.line_feeds(2)
                self._emphasis.end_paragraph()
            writer.end_line(hard=False)
            return at + 1
        if char == ">":
            writer.quote = True
            return at + 1
        readers = (row,) if self._table else LINE_MARKS.get(char, ())
        for reader in readers:
            mark = reader(buf, at, stop, known)
            if mark is None:
                return None
            if mark.kind != "none":
                return self._take_mark(at, mark)
        self._line_start = False
        return at

    def _take_mark(self, at: int, mark: Mark) -> int:
        writer = self._writer
        if mark.kind in ("item", "heading"):
            writer.marked = True
            self._heading = mark.kind == "heading"
            self._line_start = mark.end > at and not self._heading
        elif mark.kind == "rule":
            if writer.soft:
                writer.line_feeds(1)
        elif mark.kind == "fence":
            if writer.soft:
                writer.line_feeds(1)
            self._fenced.begin(mark.text)
        elif mark.kind == "row":
            writer.marked = True
            writer.say(self._cells(mark.text))
            if mark.text.endswith("\n"):
                writer.end_line(hard=writer.line_chars > 0)
        return mark.end

    def _end_line(self, hard: bool) -> None:
        if self._depth:
            self._writer.blank(" ")
            return
        self._writer.end_line(hard or self._heading)
        self._heading = False
        self._line_start = True

    def _inline(self, at: int, stop: int, known: bool, final: bool) -> int | None:
        buf, writer = self._buf, self._writer
        if blanks := _GAP.match(buf, at):
            writer.blank(blanks.group())
            return blanks.end()
        special = _SPECIAL.search(buf, at)
        begin = special.start() if special else len(buf)
        if begin > at:
            writer.say(buf[at:begin])
            return begin
        assert special is not None
        char = buf[at]
        if char == "\n":
            self._end_line(hard=writer.trailing > 1)
            return at + 1
        if char in "*_~#=":
            return self._mark_run(at, stop, known)
        if emoji := EMOJI_RUN.match(buf, at):
            writer.dropped()
            return emoji.end()
        if IS_SYMBOL.match(char) and char != "◁":
            if at + 1 == len(buf) and not known:
                return None  # may become a picture
            writer.say(char)
            return at + 1
        if char in "hHwW" and special.end() == len(buf) and not final:
            return None
        if char == "|":
            found = self._head(at, stop, known)
        else:
            where = Stretch(buf, at, stop, known, final)
            found = self._constructs.find(where, self._place(at), writer.quote)
        return None if found is None else self._take(at, found)

    def _place(self, at: int) -> Position:
        before = self._buf[at - 1] if at else self._before
        return Position(before, self._writer.line_chars == 0, self._may_hide)

    def _take(self, at: int, found: Found) -> int:
        """Give out what a construct says."""
        if found is NOTHING:
            self._writer.say(self._buf[at])
            return at + 1
        if found.kind == "gone":
            self._writer.dropped()
        else:
            rendered = found.kind == "markup"
            self._writer.say(self._render(found.text) if rendered else found.text)
        if found.kind == "break":
            self._end_line(hard=True)
        elif found.kind in ("skip", "hide"):
            self._hidden.begin(found.until, keep=found.kind == "hide")
        return found.end

    def _mark_run(self, at: int, stop: int, known: bool) -> int | None:
        """Take a run of ``*``, ``_``, ``~``, ``=`` or ``#``: dropped where it marks, else
        text."""
        run = _RUN.match(self._buf, at, stop)
        assert run is not None
        end, mark, size = run.end(), self._buf[at], run.end() - at
        if end == stop and not known:
            return None
        after = self._buf[end] if end < stop else " "
        if mark == "#":
            closes = self._heading and self._before.isspace() and after in " \t\n"
            self._writer.say("" if closes else run.group())
            return end
        place = self._place(at)
        used = self._emphasis.read(self._buf, at, end, stop, known, place.before, place.line_start)
        if used is None:
            return None
        self._writer.say(mark * (size - used))
        return end

    def _head(self, at: int, stop: int, known: bool) -> Found | None:
        """Return a bar within a line: between the names on top of a table, if a rule follows."""
        found = NOTHING if self._depth else table_head(self._buf, at, stop, known)
        if found is not None and found is not NOTHING:
            self._table = True
            self._writer.dropped()
            self._writer.say(f", {self._cells(found.text)}")
            return found._replace(text="")
        return found

    def _cells(self, text: str) -> str:
        return ", ".join(filter(None, map(self._cell, _CELL.split(text.strip()))))

    def _cell(self, text: str) -> str:
        return check_mark(text) or self._render(text).strip()

    def _render(self, text: str) -> str:
        """Return the text of a link or a table's cell, itself Markdown."""
        if self._depth >= _DEPTH_MAX:
            return text
        inner = MarkdownFilter(self._code, _depth=self._depth + 1)
        return inner.feed(text) + inner.flush()
