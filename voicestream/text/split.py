"""A text that is too long for one request, in parts."""

from __future__ import annotations

from voicestream.text.cut import best_cut
from voicestream.text.segment import Segmenter


def split_text(text: str, max_chars: int) -> list[str]:
    """Return parts of a whole text, each of at most so many characters, that join to it.

    Cut at ends of sentences, else at a clause, else at a blank, else between
    two characters. A text that is short enough is one part.
    """
    if len(text) <= max_chars:
        return [text]
    segmenter = Segmenter(max_pending=max_chars)
    parts = [""]
    for piece in segmenter.feed(text) + segmenter.flush():
        rest = piece.text
        if len(parts[-1]) + len(rest) <= max_chars:
            parts[-1] += rest
            continue
        while len(rest) > max_chars:
            cut = best_cut(rest, 0, max_chars)
            parts.append(rest[:cut])
            rest = rest[cut:]
        parts.append(rest)
    return [part for part in parts if part]
