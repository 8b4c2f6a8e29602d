"""What a server says when it refuses, in the shapes servers use."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.errors import EndpointError, KeyRefusedError, ResponseError
from voicestream.speech.http.refusal import refusal, server_message

_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["error", "message", "detail", "msg", "x"]), inner)
    ),
)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "no", "type": "t", "code": None}}, "no"),
        ({"error": "no"}, "no"),
        ({"error": {"error": {"message": "no"}}}, "no"),
        ({"message": "no"}, "no"),
        ({"detail": "no"}, "no"),
        ({"detail": {"error": "validation", "message": "no"}}, "validation"),
        ({"detail": {"message": "no"}}, "no"),
        (
            {"detail": [{"loc": ["body", "voice"], "msg": "no"}, {"msg": "nor this"}]},
            "voice: no; nor this",
        ),
        ({"title": "no", "status": 400}, "no"),
        ({"object": "error", "message": "no"}, "no"),
        ("no", "no"),
        (["no", "nor this"], "no; nor this"),
        ({"code": 7}, '{"code": 7}'),
        ({}, "{}"),
    ],
)
def test_the_words_for_people_are_found_in_json(body: object, words: str) -> None:
    assert server_message(json.dumps(body).encode()) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", ""),
        (b"  plain\r\n words\t ", "plain words"),
        (b"<html><head><style>p{}</style></head><h1>Bad</h1><p>Gateway</html>", "Bad Gateway"),
        (b"\xff\xfe half", "\ufffd\ufffd half"),
        (b'{"error": {"message": "cut of', '{"error": {"message": "cut of'),
        (b"\x1b]0;title\x07\x1b[31mred\x1b[0m \xe2\x80\xaedesrever", "red desrever"),
        (b"[" * 100_000, "[" * 399 + "…"),
        (b"x" * 1000, "x" * 399 + "…"),
    ],
)
def test_other_bodies_are_shown_as_one_harmless_line(body: bytes, words: str) -> None:
    assert server_message(body) == words


@given(_JSON.map(json.dumps).map(str.encode) | st.binary() | st.text().map(str.encode))
def test_no_body_breaks_the_line(body: bytes) -> None:
    words = server_message(body)
    assert len(words) <= 400
    assert not any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in words)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, KeyRefusedError, 4),
        (403, KeyRefusedError, 4),
        *((status, ResponseError, 3) for status in (201, 301, 400, 404, 422, 429, 500, 503)),
    ],
)
def test_a_status_has_its_error(status: int, kind: type[EndpointError], code: int) -> None:
    error = refusal(status, "http://host/v1/audio/speech", b"no")
    assert type(error) is kind
    assert (error.exit_code, error.why) == (code, "" if status == 301 else "no")
    assert str(status) in error.what
    assert error.hint


def test_a_websocket_where_speech_was_expected_is_told_how_to_write_it() -> None:
    assert "wss://" in refusal(426, "https://host/v1/audio/speech", b"Upgrade Required").hint
