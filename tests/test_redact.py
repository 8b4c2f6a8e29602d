"""Keys are taken out of what is told, however they are spelled."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.errors import EndpointError
from voicestream.redact import SHOWN, remember_key, without_key

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
    ],
)
def test_every_spelling_is_taken_out(spelled: str) -> None:
    assert without_key(f"bad key <{spelled}>!", KEY).strip('"') in (
        f"bad key <{SHOWN}>!",
        f'bad key <"{SHOWN}">!',
    )


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_base64_is_taken_out_wherever_the_key_stands(before: bytes, after: bytes) -> None:
    spelled = base64.b64encode(before + KEY.encode() + after).decode()
    assert SHOWN in without_key(spelled, KEY)


def test_an_error_is_made_without_the_key() -> None:
    remember_key(KEY)
    error = EndpointError(f"no {KEY}", KEY.replace("/", "\\/"), quote(KEY, safe=""))
    assert KEY not in str(error)
    assert error.args == (f"no {SHOWN}", SHOWN, SHOWN)
    assert without_key("nothing", "") == "nothing"
