"""Text as it comes -> pieces that can be spoken: sentences, list items, paragraphs.

The result does not depend on how the text was cut when fed: a piece is given
out as soon as, and not before, no further text could join it. For that every
decision is made on a window that starts with the piece and has a fixed length,
and waits until the window is known as far as the decision looks.
"""

from __future__ import annotations

import re

from voicestream.patterns import lazy_pattern
from voicestream.text.boundary import AUTO, OPENERS, ends_sentence
from voicestream.text.cut import NEAR, best_cut, clause_end, open_code
from voicestream.text.pieces import Boundary, Piece
from voicestream.text.writer import is_wide

_EMOJI = (
    "\u2600-\u27bf\u2b00-\u2bff\u231a\u231b\u23e9-\u23fa\ufe0e\ufe0f\u20e3\U0001f000-\U0001faff"
)
_HARD = "。！？｡।॥۔؟۝។៕။።‼⁇⁈⁉։"
_STOPS = f".!?…{_HARD}"
_CLOSERS = "\"'“”’»›)\\]}*_`」』）］】〉》"
_LINE_MARKS = "-*+•>|#0123456789"

_CANDIDATE = lazy_pattern(f"[{_STOPS}\n]")
_RUN = lazy_pattern(f"([{_STOPS}]+)([{_CLOSERS}]*)")
_HARD_STOPS = frozenset(_HARD)
_AFTER = lazy_pattern(rf"[\s{_EMOJI}]*")
_BLANKS = lazy_pattern(r"\s*")
_OPENING = lazy_pattern(f"[{re.escape(OPENERS)}]*")
_WORD = lazy_pattern(r"\S*")
_LETTER = lazy_pattern(r"[^\W_]")

_RUN_END = lazy_pattern(rf"[{_STOPS}][{_CLOSERS}]*\Z")
_ENDED = lazy_pattern(rf"[{_STOPS},;:،؛，、；：—][{_CLOSERS}]*\s*\Z")

_WRAP_MIN = 50
"""A line of so many characters that ends without a stop was probably wrapped."""
MAX_PENDING = 350
"""Text without an end that is longer is cut: some 20 s of speech."""
_LOOKAHEAD = 200
"""Characters after the longest piece that are looked at, at most."""
_WORD_MAX = 40
_EARLIER_CHARS = 200
"""Of the text before a piece that tell its language where itself does not."""


class Segmenter:
    """Cuts a stream of text into pieces whose texts join to exactly the input.

    Args:
        language: the code by which doubtful abbreviations are judged; AUTO: by that of the text.
        wrapped: lines may be wrapped in mid-sentence (plain text); otherwise a
            line end always ends a piece.
        max_pending: characters after which text without an end is cut all the
            same: at a clause, else at a blank, else between any two characters.

    Used by one thread, or under a lock.
    """

    def __init__(
        self, language: str = AUTO, *, wrapped: bool = False, max_pending: int = MAX_PENDING
    ) -> None:
        self._language = language
        self._wrapped = wrapped
        self._max = max_pending
        self._full = max_pending + _LOOKAHEAD
        self._buf = ""
        self._earlier = ""  # the end of the text before the buffer
        self._scan = 0  # no piece ends at a candidate before this index of the buffer
        self._waiting = False  # the candidate at this index waits for more text
        self._paused = False  # the last word is whole, for all that is known

    @property
    def pending(self) -> str:
        """The tail that has not been given out."""
        return self._buf

    def feed(self, text: str) -> list[Piece]:
        """Take the next text; return the pieces that are certain now."""
        buf = self._buf = self._buf + text
        if not self._waiting and len(buf) < self._full and _CANDIDATE.search(text) is None:
            self._scan = len(buf)
            return []
        return self._split(final=False)

    def settle(self) -> list[Piece]:
        """Return the sentences that end if no more of the last word comes: the writer pauses."""
        self._paused = True
        pieces = self._split(final=False) if self._waiting else []
        self._paused = False
        return pieces

    def flush(self, end: Boundary = Boundary.SENTENCE) -> list[Piece]:
        """Return what is left: the text has ended.

        Args:
            end: what ends the tail if nothing in it tells.
        """
        pieces = self._split(final=True)
        tail = self._buf
        self._buf, self._scan, self._waiting = "", 0, False
        if tail:
            bare = tail.rstrip()
            ended = _RUN_END.search(bare, max(0, len(bare) - NEAR)) or "\n" in tail[len(bare) :]
            pieces.append(Piece(tail, _boundary(tail) if ended else end))
        return pieces

    def cut_clause(self, min_chars: int = 1, *, last: bool = False) -> Piece | None:
        """Take what is pending up to a clause boundary (comma, colon, dash and the like).

        Args:
            min_chars: the piece has at least so many characters.
            last: take the last such boundary, also one at the very end of what is
                pending (for when the writer pauses); otherwise take the first.

        Returns:
            The piece, or None if there is no boundary. Never cuts inside a number, a
            word, an address or inline code.
        """
        buf = self._buf
        if last and _ends_here(buf) and len(buf) >= min_chars:
            cut, end = len(buf), _boundary_of_tail(buf)
        else:
            cut, end = clause_end(buf, 0, len(buf), min_chars, last), Boundary.CLAUSE
        if not cut or not buf[:cut].strip():
            return None
        self._drop(cut)
        return Piece(buf[:cut], end)

    def cut_blank(self, size: int) -> Piece | None:
        """Take about ``size`` characters of what is pending, up to a blank if there is one.

        Returns:
            The piece, or None if no more than that is pending.
        """
        buf = self._buf
        if len(buf) <= size:
            return None
        cut = best_cut(buf, 0, size)
        if not buf[:cut].strip():
            return None
        self._drop(cut)
        return Piece(buf[:cut], Boundary.CLAUSE)

    def _drop(self, count: int) -> None:
        self._earlier = (self._earlier + self._buf[:count])[-_EARLIER_CHARS:]
        self._buf = self._buf[count:]
        self._scan = max(0, self._scan - count)
        self._waiting = self._waiting and bool(self._buf)

    def _split(self, final: bool) -> list[Piece]:
        pieces: list[Piece] = []
        buf = self._buf
        start = 0
        while start < len(buf):
            cut, end = self._next_end(start, final), None
            if cut is None:
                if len(buf) - start < (self._max + 1 if final else self._full):
                    break
                cut, end = best_cut(buf, start, self._max), Boundary.CLAUSE
            text = buf[start:cut]
            pieces.append(Piece(text, end or _boundary(text)))
            start = self._scan = cut
            self._waiting = False
        self._drop(start)
        return pieces

    def _next_end(self, start: int, final: bool) -> int | None:
        """Return where the piece that begins at ``start`` ends; None if that is not known (yet)."""
        buf = self._buf
        stop = min(len(buf), start + self._full)
        limit = min(stop, start + self._max)
        known = final or stop == start + self._full
        at = max(self._scan, start)
        while (found := _CANDIDATE.search(buf, at, limit)) is not None:
            at = found.start()
            judge = self._judge_line if buf[at] == "\n" else self._judge_stop
            end = judge(start, at, stop, known)
            if end is None:
                self._scan, self._waiting = at, True
                return None
            if end > 0:
                return end
            at = -end
        self._scan, self._waiting = max(at, limit), False
        return None

    # The judges return the end of the piece; or minus the index to search on from if the
    # piece does not end here; or None if more text is needed to tell. ``known`` says that no
    # more text will come before ``stop``.

    def _judge_line(self, start: int, at: int, stop: int, known: bool) -> int | None:
        buf = self._buf
        after = _end(_BLANKS, buf, at, stop)
        if not buf[start:at].strip():
            return -after if known or after < stop else -(at + 1)
        if after == stop and not known:
            return None
        if self._wrapped and after < stop and self._goes_on(start, at, after):
            return -after
        return after

    def _goes_on(self, start: int, at: int, after: int) -> bool:
        """Was the line that ends at ``at`` wrapped in mid-sentence?"""
        buf = self._buf
        if buf.find("\n", at + 1, after) >= 0 or buf[after] in _LINE_MARKS:
            return False
        line = buf[max(start, buf.rfind("\n", start, at) + 1) : at].strip()
        if line.endswith((":", "：")) or line.startswith(("#", "|")):
            return False
        return buf[after].islower() or len(line) >= _WRAP_MIN

    def _judge_stop(self, start: int, at: int, stop: int, known: bool) -> int | None:
        buf = self._buf
        run = _RUN.match(buf, at, stop)
        assert run is not None  # a candidate that is no line end is a stop
        close = run.end()
        after = _end(_AFTER, buf, close, stop)
        if after == stop:
            return after if known else None
        gap = buf[close:after]
        if not _LETTER.search(buf, start, at):
            return -close
        if (tick := open_code(buf, start, close)) >= 0:
            if buf.find("`", close, min(stop, tick + NEAR)) >= 0:
                return -close
            if stop < tick + NEAR and not known:
                return None
        if "\n" in gap and (not self._wrapped or gap.count("\n") > 1 or buf[after] in _LINE_MARKS):
            return after
        closed = bool(run.group(2))
        if not _HARD_STOPS.isdisjoint(run.group(1)):
            return -close if closed and _is_hiragana(buf[after]) else after
        if not gap:
            wide = run.group(1)[-1] in "!?" and is_wide(buf[after])
            return after if wide and not (closed and _is_hiragana(buf[after])) else -close
        return self._judge_word(start, run, after, stop, known)

    def _judge_word(
        self, start: int, run: re.Match[str], after: int, stop: int, known: bool
    ) -> int | None:
        """Judge a stop with a blank after it, by the next word."""
        buf = self._buf
        begin = _end(_OPENING, buf, after, stop)
        end = _end(_WORD, buf, begin, min(stop, begin + _WORD_MAX))
        verdict = ends_sentence(
            buf[start : run.start()],
            run.group(1),
            bool(run.group(2)),
            buf[begin:end],
            known or end < stop or self._paused,
            self._language,
            (self._earlier + buf[max(0, start - _EARLIER_CHARS) : start])[-_EARLIER_CHARS:],
        )
        if verdict is None:
            return None
        return after if verdict else -run.end()


def _is_hiragana(char: str) -> bool:
    """After a closing quote: a particle, so the sentence goes on."""
    return "\u3041" <= char <= "\u309f"


def _end(pattern: re.Pattern[str], text: str, at: int, stop: int) -> int:
    """Return where a match of a pattern that may be empty ends."""
    found = pattern.match(text, at, stop)
    return found.end() if found else at


def _boundary(text: str) -> Boundary:
    blanks = text[len(text.rstrip()) :]
    return Boundary.PARAGRAPH if blanks.count("\n") > 1 else Boundary.SENTENCE


def _boundary_of_tail(text: str) -> Boundary:
    bare = text.rstrip()
    if "\n" not in text[len(bare) :] and bare[-1:] in ",;:،؛，、；：—":
        return Boundary.CLAUSE
    return _boundary(text)


def _ends_here(text: str) -> bool:
    """May what is pending be spoken as it is, when nothing more comes?"""
    if text.endswith("\n"):
        return True
    found = _ENDED.search(text, max(0, len(text) - NEAR))
    if found is None:
        return False
    return text[-1].isspace() or not text[: found.start()][-1:].isdigit()
