"""Keys and headers: to whom they go, what a .env may change, and that none is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.settings.layers import Loader
from tests.support.canary import KEY
from voicestream.errors import SettingsError
from voicestream.settings.kinds import EMBEDDED_URL, OPENAI_URL
from voicestream.settings.sources import read_key_file
from voicestream.settings.table import Settings, shown_value


def test_a_key_leads_to_openai_and_none_to_the_embedded_voice(loaded: Loader) -> None:
    assert (loaded().base_url, loaded().voice) == (EMBEDDED_URL, "heart")
    keyed = loaded(environ={"OPENAI_API_KEY": KEY})
    assert (keyed.base_url, keyed.voice) == (OPENAI_URL, "alloy")


@pytest.mark.parametrize("quote", ["'", '"'])
def test_one_pair_of_quotes_is_no_part_of_a_key_or_address(loaded: Loader, quote: str) -> None:
    """`docker --env-file` hands them on."""
    written = {"OPENAI_API_KEY": f"{quote}{KEY}{quote}"}
    written["OPENAI_BASE_URL"] = f"{quote}http://127.0.0.1:1/v1{quote}"
    found = loaded(environ=written)
    assert (found.api_key, found.base_url) == (KEY, "http://127.0.0.1:1/v1")
    assert loaded(environ={"OPENAI_API_KEY": f"{quote}{KEY}"}).api_key == f"{quote}{KEY}"


@pytest.mark.parametrize("key", ["two words", "schlüssel", "a\x07b", "a\nb"])
def test_what_cannot_be_a_key_is_refused_without_being_shown(loaded: Loader, key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(environ={"VOICESTREAM_API_KEY": key})
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    "written",
    [
        "http://me:{}@host/v1",
        "ftp://me:{}@host",
        "http://me:{}/x@host",
        "http://h/v1?me:{}@x",
        "http://h/v1?a=b&api_key={}",
        "http://h/v1?Token={}",
        "me:{}@h",
    ],
)
def test_a_password_in_an_address_is_not_shown(written: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings(base_url=written.format(KEY))
    assert KEY not in str(refused.value)


def test_a_key_is_never_shown() -> None:
    settings = Settings(api_key=KEY)
    assert KEY not in repr(settings) + str(settings) + shown_value(settings, "api_key")
    assert "api_key='(set)'" in repr(settings)


@pytest.mark.parametrize("key_in", ["environment", "config file", "flag"])
def test_a_dotenv_cannot_send_a_key_from_elsewhere(loaded: Loader, key_in: str) -> None:
    layers: dict[str, Any] = {
        "environment": {"environ": {"OPENAI_API_KEY": KEY}},
        "config file": {"config": {"api_key": KEY}},
        "flag": {"flags": {"api_key": KEY}},
    }[key_in]
    with pytest.raises(SettingsError, match="to a server that this folder chose"):
        loaded(**layers, dotenv={"OPENAI_BASE_URL": "http://stranger/v1"})


@pytest.mark.parametrize(
    "chosen",
    [
        {"VOICESTREAM_BASE_URL": "https://stranger/v1"},
        {"VOICESTREAM_BASE_URLS": "https://stranger/v1"},
        {"VOICESTREAM_ENDPOINT": "voicestream"},
    ],
    ids=str,
)
def test_a_dotenv_cannot_send_headers_from_elsewhere(
    loaded: Loader, chosen: dict[str, str]
) -> None:
    headers = f'{{"x-key": "{KEY}"}}'
    for layer in (
        {"environ": {"VOICESTREAM_EXTRA_HEADERS": headers}},
        {"flags": {"extra_headers": headers}},
    ):
        with pytest.raises(SettingsError, match="send your headers to a server") as refused:
            loaded(**layer, dotenv=chosen)
        assert KEY not in str(refused.value)
    own = {**chosen, "VOICESTREAM_EXTRA_HEADERS": headers}
    assert loaded(dotenv=own).headers == {"x-key": KEY}
    assert loaded({"base_url": "https://mine/v1"}, dotenv=chosen).base_url == "https://mine/v1"


def test_a_dotenv_may_hold_both_key_and_endpoint(loaded: Loader) -> None:
    both = {"VOICESTREAM_API_KEY": KEY, "VOICESTREAM_BASE_URL": "http://own/v1"}
    assert loaded(dotenv=both).base_url == "http://own/v1"


def test_a_dotenv_may_choose_the_endpoint_when_a_flag_overrules_it(loaded: Loader) -> None:
    settings = loaded(
        {"base_url": "http://mine/v1"},
        {"VOICESTREAM_API_KEY": KEY},
        {"VOICESTREAM_BASE_URL": "http://stranger/v1"},
    )
    assert settings.base_url == "http://mine/v1"


def test_a_dotenv_cannot_send_a_listed_key_to_a_chat_host(loaded: Loader) -> None:
    mine = {"VOICESTREAM_BASE_URLS": "https://mine/v1|MY_KEY", "MY_KEY": KEY}
    with pytest.raises(SettingsError, match="to a server that this folder chose"):
        loaded(environ=mine, dotenv={"VOICESTREAM_CHAT_BASE_URL": "https://stranger/v1"})


def test_a_dotenv_cannot_allow_a_key_in_the_clear(loaded: Loader) -> None:
    mine = {"VOICESTREAM_API_KEY": KEY, "VOICESTREAM_BASE_URL": "HTTP://far.example/v1"}
    with pytest.raises(SettingsError, match="unencrypted"):
        loaded(environ=mine, dotenv={"VOICESTREAM_ALLOW_HTTP_KEY": "1"})
    assert loaded(dotenv={**mine, "VOICESTREAM_ALLOW_HTTP_KEY": "1"}).allow_http_key


def test_a_key_does_not_go_to_a_chat_host_in_the_clear(loaded: Loader) -> None:
    mine = {"VOICESTREAM_API_KEY": KEY, "VOICESTREAM_CHAT_BASE_URL": "http://far.example/v1"}
    with pytest.raises(SettingsError, match="unencrypted"):
        loaded(environ=mine)


def test_a_dotenv_adds_no_stand_ins_to_an_endpoint_from_elsewhere(loaded: Loader) -> None:
    mine = {"VOICESTREAM_BASE_URL": "https://mine/v1"}
    assert not loaded(
        environ=mine, dotenv={"VOICESTREAM_BASE_URLS": "https://stranger/v1"}
    ).fallbacks


def test_a_byte_order_mark_is_no_part_of_a_file(loaded: Loader, tmp_path: Path) -> None:
    """As some editors write it."""
    key = tmp_path / "key"
    key.write_bytes(b"\xef\xbb\xbf" + KEY.encode())
    found = loaded(dotenv="\ufeffVOICESTREAM_VOICE=a\n", config="\ufeffmodel='b'")
    assert (read_key_file(str(key)), found.voice, found.model) == (KEY, "a", "b")
