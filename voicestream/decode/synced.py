"""What MP3 and AAC in ADTS share: frames on end, each with a header that tells its length.

A frame is decoded when its last byte is there, without waiting for the next one.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Protocol

from voicestream.decode.framed import FramedDecoder

_ID3_HEADER_BYTES = 10
_ID3V1_BYTES = 128
_PROOFS = 2
"""Headers that must agree with one that contradicts all before."""


class SyncHeader(Protocol):
    """The part of a frame's header that finding the next one needs."""

    @property
    def rate_hz(self) -> int: ...

    @property
    def size_bytes(self) -> int:
        """Of the whole frame."""


class SyncedDecoder(FramedDecoder):
    """Finds frames and tags; the format's own class decodes them."""

    header_bytes = 4
    beginning: re.Pattern[bytes]
    """Where a frame or a tag may begin; at the very end a part of its mark will do."""

    def __init__(self) -> None:
        super().__init__()
        self._tag_bytes = 0  # of an ID3 tag, still to come
        self._rate_hz = 0  # of the first frame
        self._in_step = True  # right behind a frame or a tag: the next header needs no proof

    @abstractmethod
    def _parse(self, at: int) -> SyncHeader | None:
        """Return the header at that place of the buffer."""

    @abstractmethod
    def _decode(self, frame: bytes) -> None:
        """Emit the sound of one frame."""

    @abstractmethod
    def _begin_file(self) -> None:
        """A tag has come: what follows is a file of its own."""

    def _step(self, ended: bool) -> bool:
        left = len(self._buffer) - self._at
        if self._tag_bytes:
            self._tag_bytes -= len(self._consume(min(left, self._tag_bytes)))
            return not self._tag_bytes
        looks_like_tag = self._buffer.startswith(b"ID3", self._at)
        if left < (_ID3_HEADER_BYTES if looks_like_tag else self.header_bytes):
            return False
        if size_bytes := id3_size_bytes(self._buffer, self._at):
            self._tag_bytes = size_bytes
            self._expect(size_bytes)
            self._in_step = True
            self._begin_file()
            return True
        if self._in_step and self._buffer.startswith(b"TAG", self._at):
            return self._skip_id3v1(left, ended)
        header = self._parse(self._at)
        if header is None:
            return self._resync()
        if self._rate_hz and header.rate_hz != self._rate_hz:
            return self._meet_other(header, ended)
        return self._read_frame(header, left, ended)

    def _read_frame(self, header: SyncHeader, left: int, ended: bool) -> bool:
        if not self._in_step:
            # After junk a header is believed only when the next one agrees.
            if left < header.size_bytes + self.header_bytes and not ended:
                return False
            follower = self._parse(self._at + header.size_bytes)
            proven = follower is not None and follower.rate_hz == header.rate_hz
            if not proven and not (ended and left == header.size_bytes):
                return self._resync()
        if left < header.size_bytes:
            return False
        self._in_step = True
        self._in_junk = False
        self._understood = True
        self._rate_hz = header.rate_hz
        self._decode(self._consume(header.size_bytes))
        return True

    def _meet_other(self, header: SyncHeader, ended: bool) -> bool:
        """Judge a frame of another sample rate: of another file, if the next two agree; else
        broken."""
        at, follower = self._at, header
        for _ in range(_PROOFS):
            at += follower.size_bytes
            if len(self._buffer) < at + self.header_bytes and not ended:
                return False
            parsed = self._parse(at)
            if parsed is None or parsed.rate_hz != header.rate_hz:
                return self._resync()
            follower = parsed
        self._leave_rest(self._at)
        return False

    def _skip_id3v1(self, left: int, ended: bool) -> bool:
        if left < _ID3V1_BYTES and not ended:
            return False
        self._consume(min(left, _ID3V1_BYTES))
        return True

    def _resync(self) -> bool:
        """Go to the next byte a frame or a tag may begin with."""
        self._in_step = False
        found = self.beginning.search(self._buffer, self._at + 1)
        limit = found.start() if found else len(self._buffer)
        self._drop(limit - self._at)
        return True


def id3_size_bytes(data: bytes | bytearray, at: int = 0) -> int | None:
    """Return how long the ID3v2 tag at that place is, with its header; None if it is none."""
    head = data[at : at + _ID3_HEADER_BYTES]
    if len(head) < _ID3_HEADER_BYTES or head[:3] != b"ID3":
        return None
    if head[3] == 0xFF or head[4] == 0xFF or any(byte & 0x80 for byte in head[6:]):
        return None
    size_bytes = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    footer = _ID3_HEADER_BYTES if head[5] & 0x10 else 0
    return _ID3_HEADER_BYTES + size_bytes + footer
