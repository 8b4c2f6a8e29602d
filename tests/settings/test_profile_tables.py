"""Tables of endpoints as people write them: what is understood, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.settings.layers import Loader
from tests.support.canary import KEY
from voicestream.errors import SettingsError
from voicestream.settings import profiles, sources
from voicestream.settings.table import load

REFUSED = {
    'base_url = "ftp://x"': r"endpoint\.x\.base_url.*https://host/v1",
    'model = "m"': r"endpoint x has no base_url.*Give it one in .*config\.toml",
    'preset = "kokro"': "preset that does not exist.*Did you mean kokoro",
    'voise = "v"': "unknown field: voise.*Did you mean voice",
    'url = "http://x"': "unknown field: url.*Did you mean base_url",
    f'api_key = "{KEY}"': "unknown field: api_key.*key_variable names the environment variable",
    f'key_variable = "{KEY}"': "must be the name of an environment variable",
    f'"{KEY}" = "x"': "unknown field. There are",
    "voice = 3": r"endpoint\.x\.voice.*must be text",
    'format = "ogg"': r"endpoint\.x\.format.*must be one of",
    f'headers = {{Authorization = "Bearer {KEY}"}}': "may not set authorization",
    'body = {input = "x"}': "may not set input",
    'headers = "x"': "must be a JSON object",
}


@pytest.mark.parametrize(("line", "told"), REFUSED.items())
def test_a_malformed_table_is_refused(loaded: Loader, line: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as refused:
        loaded({"endpoint": "x"}, config=f"[endpoint.x]\n{line}\n")
    assert KEY not in str(refused.value)
    if "no base_url" not in told:  # told whichever is used
        with pytest.raises(SettingsError):
            loaded({"endpoint": "kokoro"}, config=f"[endpoint.x]\n{line}\n")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("kokro", "no endpoint kokro. Did you mean kokoro"),
        ("kokoro, opnai", "no endpoint opnai. Did you mean openai"),
        (KEY, "is not the name|no endpoint of that name"),
        ("sk-proj-4d1c8a", "no endpoint of that name"),
        ("a" * 40, "no endpoint of that name"),
        (f"https://x/v1|{KEY}", "entry 1 is not the name.*--base-url"),
        ("azure", "azure has no base_url.*RESOURCE.openai.azure.com"),
        ("ko/koro", "entry 1 is not the name"),
    ],
)
def test_what_is_no_name_is_refused_without_being_shown(
    loaded: Loader, written: str, told: str
) -> None:
    for flags, environ in ({"endpoint": written}, {}), ({}, {"VOICESTREAM_ENDPOINT": written}):
        with pytest.raises(SettingsError, match=told) as refused:
            loaded(flags, {"AZURE_OPENAI_API_KEY": "a", **environ})
        assert KEY not in str(refused.value)
        assert "4d1c8a" not in str(refused.value)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("endpoint = 3", "must be the name of an endpoint"),
        ('endpoint = "x"\n[endpoint.y]', "not valid TOML"),
        ("[endpoint]\nuse = [1]", "must be the name of an endpoint"),
        ('[endpoint]\nkokoro = "http://x/v1"', r"\(endpoint\.kokoro\) is no table"),
        (f'[endpoint."{KEY}"]\nvoice = "v"', "an endpoint whose name is none"),
        ("[[endpoint]]\nname = 'x'", "must be the name of an endpoint"),
    ],
)
def test_what_is_no_table_is_refused(loaded: Loader, config: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as refused:
        loaded(config=config)
    assert KEY not in str(refused.value)


def test_what_people_write_is_understood(loaded: Loader) -> None:
    table = '[endpoint.%s]\nbase_url = "https://x/v1"\nkey_variable = "%s"\n'
    for written in ("$X_KEY", "${X_KEY}", "X_KEY"):
        settings = loaded({"endpoint": "Desk"}, {"X_KEY": KEY}, config=table % ("Desk", written))
        assert (settings.endpoint, settings.api_key) == ("desk", KEY)
    with pytest.raises(SettingsError, match=r"unknown table: kokoro.*\[endpoint\.NAME\]"):
        loaded(config='[kokoro]\nvoice = "v"\n')
    with pytest.raises(SettingsError, match=r"base_url\) is no table.*\[endpoint\.NAME\]"):
        loaded(config='[endpoint]\nbase_url = "http://x/v1"\n')


WORDS = st.sampled_from(
    ["kokoro", "azure", "mine", "use", "a b", "", KEY, "http://127.0.0.1:1/v1", "MINE_KEY", "pcm"]
)


FIELDS = st.sampled_from([*profiles._FIELDS, "api_key", KEY])


VALUES = WORDS | st.integers() | st.floats() | st.dates() | st.lists(WORDS, max_size=2)


TABLES = st.dictionaries(WORDS, st.dictionaries(FIELDS, VALUES, max_size=4) | VALUES, max_size=3)


@given(written=TABLES | VALUES, names=st.lists(WORDS, max_size=3).map(",".join))
def test_whatever_is_written_is_understood_or_told_without_a_key(written: Any, names: str) -> None:
    environ = {"VOICESTREAM_ENDPOINT": names, "MINE_KEY": KEY}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "_read_toml", lambda _file: {"endpoint": written})
        try:
            settings = load({}, environ, Path("/nowhere"), Path("/nowhere/config.toml"))
            told, places = repr(settings), settings.fallbacks
        except SettingsError as error:
            told, places = str(error), ()
    assert KEY not in told
    assert all(place.url and place.model and place.voice for place in places)
