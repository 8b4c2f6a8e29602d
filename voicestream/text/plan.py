"""What one request will speak."""

from __future__ import annotations

from dataclasses import dataclass

from voicestream.text.segment import Boundary, Segmenter


@dataclass(frozen=True, slots=True)
class Segment:
    """What one request speaks."""

    index: int
    text: str
    end: Boundary
    voice: str | None = None


def split_text(text: str, max_chars: int) -> list[Segment]:
    """A whole text as requests: as few as fit, cut at sentence ends."""
    segmenter = Segmenter(max_pending=max_chars)
    pieces = segmenter.feed(text) + segmenter.flush()
    parts: list[str] = []
    ends: list[Boundary] = []
    for piece in pieces:
        if parts and len(parts[-1]) + len(piece.text) <= max_chars:
            parts[-1] += piece.text
            ends[-1] = piece.end
        elif piece.text.strip():
            parts.append(piece.text)
            ends.append(piece.end)
    return [Segment(i, part, end) for i, (part, end) in enumerate(zip(parts, ends, strict=True))]
