"""Keys are taken out of what is told, however they are spelled."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.errors import EndpointError
from voicestream.redact import SHOWN, forget_keys_in, remember_key, without_key

KEY = "sk-live/ab+cd-0123456789"


@pytest.mark.parametrize(
    "spelled",
    [
        KEY,
        KEY.replace("/", "\\/"),
        KEY.replace("-", "\\u002D"),
        json.dumps(KEY).replace("+", "\\u002b"),
        "".join(f"\\u{ord(c):04x}" for c in KEY),
        quote(KEY, safe=""),
        quote(KEY, safe="").lower(),
        KEY.replace("+", "&#43;"),
        KEY.replace("+", "&amp;plus;").replace("/", "&sol;"),
        KEY.replace("-", "\\\\u002d"),
        KEY.replace("-", "\\u{2d}"),
        quote(quote(KEY, safe=""), safe=""),
        "".join(f"={ord(c):02X}" for c in KEY),
        "".join(f"\\{ord(c):03o}" for c in KEY),
        KEY.upper(),
        KEY.encode().hex(),
        KEY.encode().hex(":"),
        "".join(f"&#{ord(c)}" for c in KEY),
        "".join(f"%u{ord(c):04x}" for c in KEY),
        "\u200b".join(KEY),
        f"{KEY[:6]}\x1b[31;1m{KEY[6:]}",
        f"{KEY[:6]}\n {KEY[6:]}",
        repr(f"{KEY[:6]}\x00\xad{KEY[6:]}")[1:-1],
        repr(f"{KEY[:6]}\u200b{KEY[6:]}".encode())[2:-1],
        json.dumps(f"{KEY[:6]}\n{KEY[6:]}")[1:-1],
    ],
)
def test_every_spelling_is_taken_out(spelled: str) -> None:
    assert without_key(f"bad key <{spelled}>!", KEY).strip('"') in (
        f"bad key <{SHOWN}>!",
        f'bad key <"{SHOWN}">!',
    )


def test_lists_of_its_bytes_are_taken_out() -> None:
    for spelled in (str(list(KEY.encode())), ", ".join(f"0x{byte:02X}" for byte in KEY.encode())):
        told = without_key(f"bad key {spelled}!", KEY)
        assert SHOWN in told
        assert len(told) < 24


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_base64_is_taken_out_wherever_the_key_stands(before: bytes, after: bytes) -> None:
    spelled = base64.b64encode(before + KEY.encode() + after).decode()
    assert SHOWN in without_key(spelled, KEY)


@given(st.text())
def test_what_holds_no_key_stays_as_it_is(text: str) -> None:
    assert without_key(text, KEY) == text


@given(st.text(), st.text())
def test_what_stands_around_it_stays(before: str, after: str) -> None:
    assert without_key(f"{before} <{KEY}> {after}", KEY) == f"{before} <{SHOWN}> {after}"


@pytest.mark.parametrize("part", [KEY[-10:], KEY[-14:-2], KEY[8:].replace("+", "%2B")])
def test_a_part_that_can_be_recognised_is_taken_out(part: str) -> None:
    assert without_key(f"no such key: ***{part}.", KEY) == f"no such key: ***{SHOWN}."


def test_words_that_a_key_is_made_of_stay() -> None:
    told = "voicestream sk-live needs no-key-required-here; sk-...6789"
    for key in ("voicestream-no-key-required-here", KEY):
        assert without_key(told, key) == told


def test_lines_of_base64_are_one() -> None:
    whole = base64.b64encode(f"Authorization: Bearer {KEY}".encode()).decode()
    assert SHOWN in without_key(f"{whole[:40]}\r\n{whole[40:]}", KEY)


@given(st.sampled_from([" \n", "\\n", "\x1b[0m", "é", "\u200b"]))
def test_what_is_not_seen_around_it_stays(gap: str) -> None:
    assert without_key(f"a{gap}{KEY}{gap}b", KEY) == f"a{gap}{SHOWN}{gap}b"


def test_a_key_with_signs_of_its_own_is_found() -> None:
    for key in ("a%2Fb=2dc\\ud", "key&amp;plus;0=="):
        assert without_key(f"no {key}!", key) == f"no {SHOWN}!"


def test_causes_tell_no_key_either() -> None:
    remember_key(KEY)
    error = EndpointError("failed")
    error.__cause__ = ValueError(f"bad line: {KEY}", 3)
    error.__cause__.__context__ = error  # in a circle
    forget_keys_in(error)
    assert error.__cause__.args == (f"bad line: {SHOWN}", 3)


def test_an_error_is_made_without_the_key() -> None:
    remember_key(KEY)
    error = EndpointError(f"no {KEY}", KEY.replace("/", "\\/"), quote(KEY, safe=""))
    assert KEY not in str(error)
    assert error.args == (f"no {SHOWN}", SHOWN, SHOWN)
    assert without_key("nothing", "") == "nothing"
