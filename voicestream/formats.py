"""The formats that speech comes in: their names, how they are known, and what decodes them.

To add one, write ``decode/NAME.py`` and its row here: ``--format``, the content types, what is
asked for where another is refused, and what is known by its first bytes follow from the rows.
"""

from __future__ import annotations

from collections.abc import Callable


def _never(_head: bytes) -> bool:
    return False


class Format:
    """One row. A plain class: a generated one costs a millisecond before the first sound.

    Args:
        name: as an endpoint is asked for it (``response_format``).
        decoder: ``module:Class`` of a :class:`~voicestream.decode.base.Decoder` that needs no
            arguments; empty for raw PCM, whose decoder is told rate and channels.
        content_types: what replies call it, without parameters, in lower case.
        shown_by: whether first bytes (40, if there are so many) show it beyond doubt.
        hinted_by: whether the first two bytes may begin a frame of it.
        tagged: an ID3 tag may stand before it.
    """

    def __init__(
        self,
        name: str,
        decoder: str,
        content_types: tuple[str, ...] = (),
        shown_by: Callable[[bytes], bool] = _never,
        hinted_by: Callable[[bytes], bool] = _never,
        tagged: bool = False,
    ) -> None:
        self.name = name
        self.decoder = decoder
        self.content_types = content_types
        self.shown_by = shown_by
        self.hinted_by = hinted_by
        self.tagged = tagged


def _is_wav(head: bytes) -> bool:
    return head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"


def _has_id3(head: bytes) -> bool:
    known = head[:3] == b"ID3" and len(head) >= 10 and head[3] in (2, 3, 4) and head[4] == 0
    return known and not head[5] & 0x0F and max(head[6:10]) < 0x80


def _is_mp3_frame(head: bytes) -> bool:
    return head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08


def _is_opus(head: bytes) -> bool:
    return head[:6] == b"OggS\x00\x02" and head[28:36] == b"OpusHead"


def _is_flac(head: bytes) -> bool:
    return head[:8] in (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")


def _is_aac_frame(head: bytes) -> bool:
    return head[0] == 0xFF and head[1] & 0xF6 == 0xF0


def _is_other_container(head: bytes) -> bool:
    """Return whether it is Ogg with another codec, MP4, Matroska, AIFF, CAF, AU or WMA."""
    return (
        head[:6] == b"OggS\x00\x02"
        or (head[:3] == b"\x00\x00\x00" and head[4:8] == b"ftyp")
        or head[:4] == b"\x1a\x45\xdf\xa3"
        or (head[:4] == b"FORM" and head[8:11] == b"AIF")
        or head[:8] == b"caff\x00\x01\x00\x00"
        or head[:6] == b".snd\x00\x00"
        or head[:8] == b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"
    )


_ROWS = (
    Format("pcm", "", ("audio/pcm", "audio/x-pcm", "audio/raw", "audio/l16")),
    Format(
        "wav",
        "voicestream.decode.wav:WavDecoder",
        ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"),
        _is_wav,
    ),
    Format(
        "mp3",
        "voicestream.decode.mp3:Mp3Decoder",
        ("audio/mpeg", "audio/mp3", "audio/mpeg3", "audio/x-mpeg", "audio/x-mp3"),
        _has_id3,
        _is_mp3_frame,
        tagged=True,
    ),
    Format(
        "opus",
        "voicestream.decode.opus:OpusDecoder",
        ("audio/opus", "audio/ogg", "application/ogg"),
        _is_opus,
    ),
    Format(
        "flac",
        "voicestream.decode.flac:FlacDecoder",
        ("audio/flac", "audio/x-flac"),
        _is_flac,
        tagged=True,
    ),
    Format(
        "aac",
        "voicestream.decode.aac:AacDecoder",
        ("audio/aac", "audio/x-aac", "audio/aacp"),
        hinted_by=_is_aac_frame,
        tagged=True,
    ),
)
FORMATS = {row.name: row for row in _ROWS}
"""What can be asked for: the first is the one whose first sound comes soonest. They are tried in
this order where an endpoint refuses one."""
OTHER = Format(
    "buffered", "voicestream.decode.buffered:BufferedDecoder", shown_by=_is_other_container
)
"""What no endpoint is asked for, but may send: decoded once it is there as a whole."""

_BY_CONTENT_TYPE = {kind: row for row in _ROWS for kind in row.content_types}


def named_by(content_type: str) -> Format | None:
    """Return the format that a content type (without parameters, in lower case) names."""
    named = _BY_CONTENT_TYPE.get(content_type)
    if named is None and content_type.startswith(("audio/", "video/")):
        return OTHER
    return named


def shown_by(head: bytes) -> Format | None:
    """Return the format that these first bytes show beyond doubt."""
    return next((row for row in (*_ROWS, OTHER) if row.shown_by(head)), None)


def hinted_by(head: bytes) -> Format | None:
    """Return the format that the first two bytes may begin a frame of; it could be chance."""
    if len(head) < 2:
        return None
    return next((row for row in _ROWS if row.hinted_by(head)), None)
