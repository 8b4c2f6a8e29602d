"""Text: nothing of it is lost or raw, and it is the same however it is cut."""

from __future__ import annotations

import unicodedata

import pytest

from tests.fuzz.pieces import cut, options_of
from voicestream.errors import UsageError
from voicestream.text.blocks import CodeMode
from voicestream.text.clean import Cleaner
from voicestream.text.encoding import TextDecoder
from voicestream.text.markdown import MarkdownFilter
from voicestream.text.pieces import Piece
from voicestream.text.pipeline import TextPipeline
from voicestream.text.segment import Segmenter

CODE: tuple[CodeMode, ...] = ("announce", "skip", "read")
LANGUAGES = ("en", "de", "ja", "xx", "")
_KEPT = "\n\t\u200c\u200d"


def is_harmless(text: str) -> bool:
    """No control but tabs and line feeds, nothing that turns a line around."""
    return all(
        char in _KEPT or unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp") for char in text
    ) and not any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in text)


def _text(body: bytes, seed: int) -> str:
    """Bytes, however broken and cut, the way stdin goes; what is refused counts as UTF-8."""
    decoder = TextDecoder()
    try:
        whole = TextDecoder().feed(body, final=True)
    except UsageError:
        with pytest.raises(UsageError):
            "".join(map(decoder.feed, cut(body, seed))) + decoder.flush()
        return body.decode("utf-8", "replace")
    assert "".join(map(decoder.feed, cut(body, seed))) + decoder.flush() == whole
    return whole


def check_markdown(data: bytes) -> None:
    """The first byte chooses what becomes of code, the second the cut."""
    (code, seed), body = options_of(data, 2)
    raw = _text(body, seed)
    at_once, cleaner = Cleaner(), Cleaner()
    text = at_once.feed(raw) + at_once.flush()
    assert "".join(map(cleaner.feed, cut(raw, seed))) + cleaner.flush() == text
    assert is_harmless(text)
    whole, parts = (MarkdownFilter(CODE[code % len(CODE)]) for _ in range(2))
    spoken = whole.feed(text) + whole.flush()
    assert "".join(map(parts.feed, cut(text, seed))) + parts.flush() == spoken
    assert len(spoken) <= 4 * len(text) + 20
    assert is_harmless(spoken)
    assert "\n\n\n" not in spoken


def check_segmenter(data: bytes) -> None:
    """The bytes before the text: language and wrapping, longest piece, the cut."""
    (kind, longest, seed), body = options_of(data, 3)
    text = body.decode("utf-8", "replace")
    language, wrapped = LANGUAGES[kind % len(LANGUAGES)], bool(kind & 0x80)
    most = 8 + 4 * longest
    whole, parts = (Segmenter(language, wrapped=wrapped, max_pending=most) for _ in range(2))
    pieces = whole.feed(text) + whole.flush()
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)
    again = [piece for part in cut(text, seed) for piece in parts.feed(part)] + parts.flush()
    assert again == pieces
    cutter = Segmenter(language, wrapped=wrapped, max_pending=most)
    taken: list[Piece] = []
    for part in cut(text, seed):
        taken += cutter.feed(part)
        if piece := cutter.cut_clause(1 + longest % 30, last=bool(kind & 0x40)):
            taken.append(piece)
    taken += cutter.flush()
    assert "".join(piece.text for piece in taken) == text


def check_pipeline(data: bytes) -> None:
    """All stages of text in one; the first byte chooses the settings, the second the cut."""
    (kind, seed), body = options_of(data, 2)
    text = body.decode("utf-8", "replace")
    voices = ("narrator", "one", "two") if kind & 3 == 1 else ()
    settings = {"plain": bool(kind & 4), "tags": kind & 3 == 2, "voices": voices}
    code = CODE[kind // 8 % len(CODE)]
    whole, parts = (TextPipeline(code=code, **settings) for _ in range(2))  # type: ignore[arg-type]
    pieces = whole.feed(text) + whole.flush()
    again = [piece for part in cut(text, seed) for piece in parts.feed(part)] + parts.flush()
    assert again == pieces
    assert all(is_harmless(piece.text) for piece in pieces)
    assert all(piece.voice is None or is_harmless(piece.voice) for piece in pieces)
    assert sum(len(piece.text) for piece in pieces) <= 4 * len(text) + 20
