"""Replies out of bytes: what h11 makes of the same bytes, however they are cut."""

from __future__ import annotations

from collections.abc import Iterator

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from voicestream.speech.http.wire import BrokenError, HttpReply

_HEAD = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def feed(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    """The data in pieces of these lengths, repeated."""
    at, turn = 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        yield data[at : at + size]
        at, turn = at + size, turn + 1


Told = tuple[int, dict[str, str], bytes, bool]
"""Status, headers, body, and whether the connection may carry another reply."""


def ours(data: bytes, cuts: list[int]) -> Told | None:
    pieces = feed(data, cuts)
    try:
        reply = HttpReply(lambda: next(pieces, b""))
        body = b"".join(reply.body())
    except BrokenError:
        return None
    return reply.status, reply.headers, body, reply.reusable


def theirs(data: bytes, cuts: list[int]) -> Told | None:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=100 << 10)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    pieces = feed(data, cuts)
    status, headers, body = 0, dict[str, str](), b""
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(next(pieces, b""))
            elif isinstance(event, h11.Response):
                status = event.status_code
                for name, value in event.headers:
                    key, text = name.decode(), value.decode("latin-1")
                    headers[key] = f"{headers[key]}, {text}" if key in headers else text
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                kept = connection.states[h11.SERVER] is h11.DONE
                return status, headers, body, kept and connection.trailing_data == (b"", False)
            elif isinstance(event, h11.ConnectionClosed):
                return None
    except h11.RemoteProtocolError:
        return None


_NAMES = ["Content-Type", "X-Rate", "connection", "Content-Length", "Transfer-Encoding", "b@d"]
_VALUES = [
    "audio/pcm",
    " 5 ",
    "5",
    "5, 5",
    "+5",
    "close",
    "keep-alive",
    "chunked",
    "gzip",
    "\t",
    "a\x0bb",
]
_LINES = st.tuples(st.sampled_from(_NAMES), st.sampled_from(_VALUES)).map(": ".join)
_FIRST = [
    *("HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 204 None", "HTTP/1.1 200", "HTTP/1.1 20x"),
    *("HTTP/1.1 304 ", "HTTP/1.1 500 Oh no", "ICY 200 OK", "HTTP/1.1  200 OK"),
]
_BODIES = [b"", b"hello", b"hello, and more", b"5\r\nhello\r\n0\r\n\r\n", b"5;x=y\r\nhello\r\n"]
_BODIES += [
    b"A\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
    b"5\r\nhelloo\r\n0\r\n\r\n",
    b"0x5\r\nhello\r\n",
]
_BODIES += [b"_5\r\nhello\r\n0\r\n\r\n", b"2\r\nhe\r\n3 \r\nllo\r\n0\r\n\r\nHTTP/1.1 200"]


@settings(max_examples=150, deadline=None)
@example("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], "\r\n", 0, _BODIES[5], [1])
@example("HTTP/1.1 200 OK", ["Content-Length: 5", "Content-Length: 6"], "\r\n", 0, b"hello!", [3])
@example("HTTP/1.1 200 OK", ["A: b", " c", "Content-Length: 5"], "\n", 1, b"hello", [2])
@given(
    first=st.sampled_from(_FIRST),
    lines=st.lists(_LINES, max_size=4),
    ending=st.sampled_from(["\r\n", "\n"]),
    before=st.integers(0, 2),
    body=st.sampled_from(_BODIES),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=5),
)
def test_a_reply_is_what_h11_takes_it_for(
    first: str, lines: list[str], ending: str, before: int, body: bytes, cuts: list[int]
) -> None:
    head = ending.join([first, *lines, "", ""]).encode()
    data = b"HTTP/1.1 103 Soon\r\nLink: x\r\n\r\n" * before + head + body
    assert ours(data, cuts) == theirs(data, cuts)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        _HEAD + b"X: " + b"a" * (101 << 10),
        _CHUNKED + b"5" * 21 + b"\r\n",
        _CHUNKED + b"5;" + b"x" * (101 << 10),
        _CHUNKED + b"0\r\nX: " + b"a" * (101 << 10),
        b"HTTP/1.1 099 Low\r\n\r\n",
    ],
)
def test_what_has_no_bounds_is_no_reply(data: bytes) -> None:
    pieces = feed(data, [1 << 10])
    with pytest.raises(BrokenError):
        list(HttpReply(lambda: next(pieces, b"")).body())


def test_who_speaks_no_http_is_not_waited_for() -> None:
    def wait() -> bytes:
        raise AssertionError("it waits for us, too")

    pieces = iter([b"SSH-2.0", b"-OpenSSH"])
    with pytest.raises(BrokenError, match=r"HTTP, but with .*SSH"):
        HttpReply(lambda: next(pieces, None) or wait())
