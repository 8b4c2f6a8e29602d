"""Endpoints by name: whose key and headers go where, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.layers import MINE, Loader
from tests.support.canary import KEY
from voicestream.errors import SettingsError, VoicestreamError
from voicestream.settings.table import Settings, shown_value


def test_headers_go_where_they_were_meant_for(loaded: Loader) -> None:
    ours, theirs = '{"X-Key": "one-of-ours"}', {"x-key": "one-of-ours"}
    environ = {"VOICESTREAM_EXTRA_HEADERS": ours}
    assert loaded({"base_url": "https://u/v1"}, environ).headers == theirs
    assert loaded({"endpoint": "kokoro"}, environ).headers == {}
    assert loaded({"endpoint": "kokoro", "extra_headers": ours}).headers == theirs
    assert loaded({}, {**environ, "VOICESTREAM_ENDPOINT": "kokoro"}).headers == theirs
    assert loaded({}, {"VOICESTREAM_ENDPOINT": "kokoro"}, f"VOICESTREAM_EXTRA_HEADERS={ours}") == (
        loaded({}, {"VOICESTREAM_ENDPOINT": "kokoro"})
    )
    assert Settings(endpoint="kokoro", extra_headers=ours).headers == theirs


def test_the_common_key_goes_to_openai_and_nobody_else(loaded: Loader) -> None:
    common = {"VOICESTREAM_API_KEY": KEY}
    assert loaded({"endpoint": "openai"}, common).api_key == KEY
    assert loaded({"endpoint": "kokoro,openai"}, common).keys == {"OPENAI_API_KEY": KEY}
    assert loaded({"endpoint": "openai-realtime"}, common).api_key == KEY
    assert loaded({"endpoint": "openai"}, {**common, "OPENAI_API_KEY": "own-key"}).api_key == (
        "own-key"
    )
    assert loaded({"endpoint": "kokoro"}, {**common, "OPENAI_API_KEY": KEY}).api_key == ""
    with pytest.raises(SettingsError, match="GROQ_API_KEY is not set"):
        loaded({"endpoint": "groq"}, common)
    with pytest.raises(SettingsError, match="GROQ_API_KEY is not set"):
        loaded({"endpoint": "groq"}, {"GROQ_API_KEY": " \n"})
    # with a URL of its own beside it, it is that one's
    with pytest.raises(SettingsError, match="OPENAI_API_KEY is not set"):
        loaded({"endpoint": "openai"}, {**common, "VOICESTREAM_BASE_URL": "https://u/v1"})


def test_a_key_that_is_given_for_this_call_is_the_first_endpoints(loaded: Loader) -> None:
    settings = loaded({"endpoint": "groq,openai", "api_key": KEY}, {"OPENAI_API_KEY": "other"})
    assert (settings.api_key, settings.keys) == (KEY, {"OPENAI_API_KEY": "other"})


@pytest.mark.parametrize("name", ["openai", "kokoro,openai", "mine"])
def test_a_dotenv_gets_only_keys_of_its_own(loaded: Loader, name: str) -> None:
    names = f"VOICESTREAM_ENDPOINT={name}\n"
    mine = {"OPENAI_API_KEY": KEY, "MINE_KEY": KEY, "VOICESTREAM_API_KEY": KEY}
    own = "OPENAI_API_KEY=own-key\nMINE_KEY=own-key\n"
    bare = MINE.replace("headers", "# headers")
    with pytest.raises(SettingsError, match=r"in the \.env file that names the endpoint"):
        loaded({}, mine, names, bare)
    settings = loaded({}, mine, names + own, bare)
    assert {settings.api_key, *settings.keys.values()} - {""} == {"own-key"}
    with pytest.raises(SettingsError, match="to a server that this folder chose"):
        loaded({"api_key": KEY}, {}, names + own, bare)


def test_a_dotenv_does_not_spend_the_headers_of_a_table(loaded: Loader) -> None:
    with pytest.raises(SettingsError, match="headers of yours") as refused:
        loaded({}, {}, "VOICESTREAM_ENDPOINT=mine\nMINE_KEY=own\n", MINE)
    assert "tenant-of-mine" not in str(refused.value)


def test_a_folder_has_no_tables(loaded: Loader, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"holds an \[endpoint\] table"):
        loaded(dotenv='[endpoint.openai]\nbase_url = "https://stranger/v1"\n')
    (tmp_path / "folder" / "config.toml").write_text(MINE)
    with pytest.raises(SettingsError, match="there is no endpoint mine"):
        loaded({"endpoint": "mine"})


def test_a_dotenv_cannot_allow_a_named_key_in_the_clear(loaded: Loader) -> None:
    far = '[endpoint.far]\nbase_url = "http://far.example/v1"\nkey_variable = "FAR_KEY"\n'
    for names in ("far", "kokoro,far"):
        with pytest.raises(SettingsError, match="unencrypted"):
            loaded({"endpoint": names}, {"FAR_KEY": KEY}, "VOICESTREAM_ALLOW_HTTP_KEY=1", far)


def test_an_empty_key_variable_is_told_by_name_where_it_can_be_no_key(loaded: Loader) -> None:
    with pytest.raises(SettingsError, match="openai needs a key, and OPENAI_API_KEY is not set"):
        loaded({"endpoint": "openai"}, {"OPENAI_API_KEY": ""})
    table = '[endpoint.x]\nbase_url = "https://x/v1"\nkey_variable = "%s"\n'
    with pytest.raises(SettingsError, match="X_KEY is not set"):
        loaded({"endpoint": "x"}, config=table % "X_KEY")
    with pytest.raises(SettingsError, match=r"key_variable of \[endpoint.x\] is not set") as told:
        loaded({"endpoint": "x"}, config=table % "AKIAIOSFODNN7EXAMPLE")
    assert "AKIA" not in str(told.value)


def test_keys_and_headers_are_never_shown(loaded: Loader) -> None:
    settings = loaded({"endpoint": "kokoro,mine"}, {"MINE_KEY": KEY}, config=MINE)
    first = loaded({"endpoint": "mine"}, {"MINE_KEY": KEY}, config=MINE)
    shown = repr(settings) + repr(settings.fallbacks) + repr(first)
    shown += shown_value(first, "extra_headers")
    assert KEY not in shown
    assert "tenant-of-mine" not in shown
    echoed = VoicestreamError("the server said: tenant-of-mine")
    assert "tenant-of-mine" not in str(echoed)
