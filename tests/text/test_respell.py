"""Words that are said otherwise than they are written: whole words, once, the longest first."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import voicestream
from voicestream.errors import SettingsError
from voicestream.session.script import Script
from voicestream.session.speech_request import speech_request
from voicestream.settings.table import Settings
from voicestream.testing import FakeEndpoint
from voicestream.text.respell import respeller

TABLE: dict[str, Any] = {
    "nginx": "engine x",
    "IT": "I T",
    "SQL": "sequel",
    "SQL Server": "the Microsoft database",
    "engine": "motor",
    "C++": "see plus plus",
    "東京": "とうきょう",
    "café": "kaffay",
    "hush": "",
    "de": {"SQL": "Es Ku El", "Server": "Sörwer"},
    "de-AT": {"Server": "Sörwa"},
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Nginx and NGINX, not nginxes.", "engine x and engine x, not nginxes."),
        ("IT: it is IT's turn", "I T: it is I T's turn"),
        ("SQL, SQL\nServer, mySQL", "sequel, the Microsoft database, mySQL"),
        ("an engine for nginx", "an motor for engine x"),  # not again inside a replaced word
        ("C++ or C", "see plus plus or C"),
        ("彼は東京に住む", "彼はとうきょうに住む"),
        ("cafe\u0301 and café", "kaffay and kaffay"),
        ("Say hush now", "Say  now"),
        ("hush", "hush"),  # a request for nothing would be refused
        ("ngin", "ngin"),
    ],
)
def test_whole_words_are_replaced(text: str, said: str) -> None:
    assert respeller(json.dumps(TABLE), "en")(text) == said


@pytest.mark.parametrize(
    ("language", "said"),
    [("de", "Es Ku El, Sörwer"), ("de-AT", "Es Ku El, Sörwa"), ("fr", "sequel, Server")],
)
def test_a_language_has_words_of_its_own(language: str, said: str) -> None:
    assert respeller(json.dumps(TABLE), language)("SQL, Server") == said


@given(st.lists(st.sampled_from([*map(str, TABLE), "and", "Server", ".", "\n"]), max_size=9))
def test_what_no_entry_names_stays(words: list[str]) -> None:
    text = " ".join(words)
    assert respeller('{"zebra": "horse"}', "en")(text) in (text, text.strip())
    assert respeller("{}", "en")(text) == text


def test_the_request_is_respelled_and_the_text_is_not() -> None:
    settings = Settings(replace=json.dumps(TABLE), cache="off")
    segment = Script(settings, "Nginx is fast.").first
    assert segment is not None
    assert segment.text == "Nginx is fast."
    assert speech_request(settings, segment).text == "engine x is fast."


def test_what_was_asked_for_is_known_where_the_sound_is() -> None:
    settings = Settings(replace=json.dumps(TABLE), device="null", turn="mix")
    for text, said in (("Nginx runs.", "engine x runs."), ("It runs.", "")):
        endpoint = FakeEndpoint(lambda _: [bytes(4800)])
        seen = voicestream.say(text, settings, endpoint=endpoint).snapshot
        assert [(cue.text, cue.said) for cue in seen.cues] == [(text, said)]


@pytest.mark.parametrize(
    "wrong", ["[1]", '{"a": 1}', '{"": "b"}', '{"de": {"a": {}}}', f'{{"a": "{"b" * 201}"}}']
)
def test_a_table_that_is_none_is_told(wrong: str) -> None:
    with pytest.raises(SettingsError):
        Settings(replace=wrong)
