"""What a server says when it refuses, in the shapes servers use."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.errors import EndpointError, KeyRefusedError, ResponseError, TooLongError
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
        ({"Message": "no"}, "no"),
        ({"base_resp": {"status_code": 4, "status_msg": "no"}}, "no"),
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


@pytest.mark.parametrize(
    ("status", "words", "most"),
    [
        (400, "The text length must be between 1 and 150", 150),
        (400, "text must be shorter than 150 characters", 150),
        (400, "length 250 > 150", 150),
        (400, "Text is 250/150 characters", 150),
        (400, "You used 250 of 150 allowed characters", 150),
        (400, "文本长度超过限制，最多150字", 150),
        (400, "Der Text darf höchstens 150 Zeichen haben", 150),
        (500, "text too long, max 150 characters", 150),
        (400, "текст слишком длинный", None),
    ],
)
def test_a_limit_is_learnt_however_it_is_worded(status: int, words: str, most: int | None) -> None:
    error = refusal(status, "http://host", words.encode())
    assert isinstance(error, TooLongError)
    assert error.most_chars == most


def test_a_field_that_is_no_text_is_not_too_long() -> None:
    entry = {"loc": ["body", "speed"], "msg": "Input should be less than or equal to 10"}
    error = refusal(422, "http://host", json.dumps({"detail": [entry]}).encode())
    assert not isinstance(error, TooLongError)
    assert "--speed" in error.hint


@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "Insufficient balance"), (403, "Your credit balance is too low"), (400, "余额不足")],
)
def test_an_account_that_is_spent_is_no_matter_of_the_key(status: int, words: str) -> None:
    assert "nothing left to spend" in str(refusal(status, "http://host", words.encode()))


def test_a_websocket_where_speech_was_expected_is_told_how_to_write_it() -> None:
    assert "wss://" in refusal(426, "https://host/v1/audio/speech", b"Upgrade Required").hint
