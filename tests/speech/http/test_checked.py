"""The first bytes of a reply, which may be a message, are held back and not lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from voicestream.errors import IncompleteReplyError, ReplyError
from voicestream.speech.http.sniff import checked


def refused(head: bytes, _rest: Iterator[bytes]) -> ReplyError:
    return ReplyError(f"a message: {head!r}")


def test_a_piece_without_bytes_is_no_end() -> None:
    """As the first bytes of gzip are: they hold no sound yet."""
    pieces = [b"", b"ha", b"", b"lf\x00\xff", b"", b"more"]
    assert b"".join(checked(iter(pieces), refused)) == b"half\x00\xffmore"


def breaking_off(*pieces: bytes) -> Iterator[bytes]:
    yield from pieces
    raise IncompleteReplyError("the reply broke off")


@pytest.mark.parametrize("pieces", [(b"half",), (b"half\x00", b"more")])
def test_what_came_before_a_break_comes_once(pieces: tuple[bytes, ...]) -> None:
    came: list[bytes] = []
    with pytest.raises(IncompleteReplyError):
        came.extend(checked(breaking_off(*pieces), refused))
    assert came == list(pieces)


def test_a_message_that_breaks_off_is_no_sound() -> None:
    sound = checked(breaking_off(b"The model is being loaded"), refused)
    with pytest.raises(IncompleteReplyError):
        next(sound)
