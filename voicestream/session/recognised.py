"""What sound from anywhere is: by its first bytes, what its sender calls it, and its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from voicestream.errors import SourceError
from voicestream.formats import FORMATS, OTHER, Format, hinted_by, named_by, shown_by
from voicestream.session.play_sources import Source

if TYPE_CHECKING:
    from voicestream.decode.synced import SyncHeader

_HEAD_BYTES = 40
"""How many first bytes show every format that can be known by them."""
_LOOK_BYTES = 8192
"""In so many the frames of a stream that is joined in its middle are found."""
_PROOFS = 3
"""Frames on end that are no chance."""
_NO_SOUND = "Raw samples need --rate; for all else: ffmpeg -i FILE -f wav - | voicestream play -"
_PLAYLISTS = (b"#extm3u", b"[playlist]", b"<asx")


def recognised(head: bytes, told: str, source: Source, *, ended: bool) -> Format | None:
    """Return the format of what begins like this; None if more must be seen.

    Args:
        told: what its sender calls it, without parameters, in lower case; empty: nobody does.
        ended: no more bytes will come.

    Raises:
        SourceError: it is no sound.
    """
    if len(head) < _HEAD_BYTES and not ended:
        return None
    if not head:
        raise SourceError(f"{source.title} is empty")
    if head[:16].lstrip(b"\xef\xbb\xbf").lower().startswith(_PLAYLISTS):
        raise SourceError(
            f"{source.title} is a list of sounds", hint="Give what stands in it, one by one."
        )
    named = named_by(told) or source.named_format
    if named is OTHER:
        named = source.named_format
    shown = shown_by(head)
    if shown is not None:
        # an ID3 tag says no more than that one of those it may stand before will follow
        return named if shown.tagged and named is not None and named.tagged else shown
    if (hinted := hinted_by(head)) is not None and named is not FORMATS["pcm"]:
        return hinted
    if named is not None and not told.startswith(("text/", "application/")):
        return named
    if len(head) < _LOOK_BYTES and not ended:
        return None
    if (joined := _joined(head)) is not None:
        return joined
    from voicestream.decode.base import describe

    called = f"it is called {told}; " if told else ""
    is_text = source.place.lower().endswith((".txt", ".md"))
    hint = f"To have it spoken: voicestream -f {source.title}" if is_text else _NO_SOUND
    raise SourceError(
        f"{source.title} is no sound that is known here", called + describe(head), hint
    )


def _joined(head: bytes) -> Format | None:
    """Return the format of a stream that was joined in the middle of a frame."""
    from voicestream.decode.aac import parse_adts
    from voicestream.decode.mp3 import parse_header

    parsers: tuple[tuple[str, Callable[[bytes, int], SyncHeader | None]], ...]
    parsers = (("mp3", parse_header), ("aac", parse_adts))
    for name, parse in parsers:
        at = head.find(0xFF)
        while at >= 0:
            place, rate_hz = at, 0
            for _ in range(_PROOFS):
                header = parse(head, place)
                if header is None or rate_hz not in (0, header.rate_hz):
                    break
                place, rate_hz = place + header.size_bytes, header.rate_hz
            else:
                return FORMATS[name]
            at = head.find(0xFF, at + 1)
    return None
