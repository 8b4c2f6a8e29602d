"""Endpoints by name: which value wins, in which order they stand in, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.settings.layers import MINE, Loader
from tests.support.canary import KEY
from voicestream.cli.config_commands import config as config_command
from voicestream.errors import SettingsError
from voicestream.session.wiring import make_endpoint
from voicestream.settings import profiles
from voicestream.settings.endpoints import reach
from voicestream.settings.kinds import EMBEDDED_URL, OPENAI_URL
from voicestream.settings.table import TABLE, Settings, load
from voicestream.speech.base import SpeechRequest
from voicestream.speech.failover import ResilientEndpoint

PRESETS: dict[str, dict[str, str]] = json.loads(profiles._PRESETS.read_text("utf-8"))


GPU = '[endpoint.gpu]\npreset = "kokoro"\nbase_url = "http://gpu.lan:8880/v1"\n'


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_can_be_named_and_says_where_it_was_looked_up(name: str) -> None:
    preset = PRESETS[name]
    url = {} if "base_url" in preset else {"base_url": "https://resource/v1"}
    config = f"[endpoint.{name}]\n" + "".join(f'{n} = "{v}"\n' for n, v in url.items())
    kinds = {row.name: row.kind for row in TABLE}
    found = profiles.Profiles({name: url} if url else {}, config, kinds).reachable(name)
    assert found.docs
    assert found.key_variable == preset.get("key_variable", "")
    assert set(preset) <= {"docs", "note", "example", "key_variable", *profiles._SETTINGS}
    assert found.key_variable or reach(found.base_url) == "here" or name in ("embedded", "system")


LAYERS = ("flag", "environment", ".env", "table", "preset", "config file")


@pytest.mark.parametrize(
    ("setting", "preset"),
    [("model", "canopylabs/orpheus-v1-english"), ("voice", "autumn"), ("format", "wav")],
)
@pytest.mark.parametrize("highest", range(len(LAYERS)), ids=LAYERS)
def test_the_stronger_place_wins(loaded: Loader, setting: str, preset: str, highest: int) -> None:
    values = {"format": ["mp3", "pcm", "flac", "aac", "", "opus"]}.get(setting, [*"abcdef"])
    said = [index >= highest for index in range(len(LAYERS))]
    table = f'[endpoint.groq]\n{setting} = "{values[3]}"\n' if said[3] else ""
    settings = loaded(
        {"endpoint": "groq"} | ({setting: values[0]} if said[0] else {}),
        {"GROQ_API_KEY": KEY} | ({f"VOICESTREAM_{setting.upper()}": values[1]} if said[1] else {}),
        f"VOICESTREAM_{setting.upper()}={values[2]}\n" if said[2] else "",
        (f'{setting} = "{values[5]}"\n' if said[5] else "") + table,
    )
    expected = [*values[:4], preset][min(highest, 4)]
    assert getattr(settings, setting) == expected
    place = ["flag --", "VOICESTREAM_", ".env ", "config.toml (endpoint.groq.", "preset groq"]
    assert place[min(highest, 4)] in settings.source(setting)


def test_a_config_file_that_names_the_endpoint_means_its_other_lines_for_it(
    loaded: Loader,
) -> None:
    """And is weaker than a preset that is named for one call, or by the environment."""
    config = 'voice = "af_sky"\nendpoint = "kokoro,openai"\n'
    key = {"OPENAI_API_KEY": KEY}
    settings = loaded({}, key, config=config)
    assert (settings.voice, settings.model) == ("af_sky", "kokoro")
    assert settings.fallbacks[0].voice == "alloy"
    assert loaded({"endpoint": "openai"}, key, config=config).voice == "alloy"
    assert loaded({}, {**key, "VOICESTREAM_ENDPOINT": "openai"}, config=config).voice == "alloy"
    table = config.replace("endpoint", "[endpoint]\nuse", 1) + '[endpoint.kokoro]\nvoice = "v"\n'
    assert loaded({}, key, config=table).voice == "v"


def test_what_neither_table_nor_preset_says_is_as_it_is_without_a_name(loaded: Loader) -> None:
    config = 'voice = "general"\n[endpoint.bare]\nbase_url = "https://bare/v1"\n'
    settings = loaded({"endpoint": "bare"}, config=config)
    assert (settings.voice, settings.model) == ("general", "gpt-4o-mini-tts")
    assert settings.auto_model


def test_a_table_gives_all_that_an_endpoint_wants(loaded: Loader) -> None:
    settings = loaded({"endpoint": "mine"}, {"MINE_KEY": KEY}, config=MINE)
    assert settings.base_url == "https://mine/v1"
    assert (settings.api_key, settings.source("api_key")) == (KEY, "MINE_KEY")
    assert (settings.model, settings.voice, settings.format) == ("model-mine", "voice-mine", "wav")
    assert settings.headers == {"x-tenant": "tenant-of-mine"}
    assert (settings.body, settings.rate_hz) == ({"lang": "e"}, 16_000)
    assert settings.source("extra_headers").endswith("config.toml (endpoint.mine.headers)")


def test_a_table_may_build_on_a_preset_of_another_name(loaded: Loader) -> None:
    settings = loaded({"endpoint": "gpu"}, config=GPU)
    assert (settings.base_url, settings.model) == ("http://gpu.lan:8880/v1", "kokoro")
    assert settings.source("voice") == "preset kokoro"
    assert settings.stream_format == "captions"
    assert loaded({"endpoint": "gpu", "stream_format": "sse"}, config=GPU).stream_format == "sse"


@given(names=st.lists(st.sampled_from([*PRESETS, "mine"]), min_size=1), gap=st.sampled_from(", "))
def test_the_order_of_names_is_the_order_of_failover(
    names: list[str], gap: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    config = folder / "profiles.toml"
    config.write_text(MINE + '[endpoint.azure]\nbase_url = "https://resource/v1"\n')
    variables = {"MINE_KEY"} | {p["key_variable"] for p in PRESETS.values() if "key_variable" in p}
    environ = {variable: f"key-of-{variable}" for variable in variables}
    settings = load({"endpoint": gap.join(names)}, environ, folder, config)
    order = list(dict.fromkeys(names))
    assert settings.endpoint.split(",") == order
    assert [place.name for place in settings.fallbacks] == order[1:]
    for place in settings.fallbacks:
        own = PRESETS.get(place.name, {})
        assert place.url == own.get("base_url", place.url)
        assert settings.keys.get(place.key_variable, "") == environ.get(place.key_variable, "")
        assert place.name == "system" or (place.voice and place.model)


def test_each_endpoint_is_asked_for_what_is_its_own(loaded: Loader) -> None:
    settings = loaded(
        {"endpoint": "kokoro,mine,embedded", "voice": "af_sky", "cache": "off"},
        {"MINE_KEY": KEY},
        config=MINE,
    )
    endpoint = make_endpoint(settings)
    assert isinstance(endpoint, ResilientEndpoint)
    asked = SpeechRequest("Hi", settings.model, settings.voice, settings.format)
    kokoro, mine, embedded = (route.adapt(asked) for route in endpoint._routes)
    assert (kokoro.model, kokoro.voice, kokoro.format) == ("kokoro", "af_sky", "pcm")
    assert (mine.model, mine.voice, mine.format) == ("model-mine", "voice-mine", "wav")
    assert mine.stream_format == "audio"
    assert embedded.voice == "heart"
    behind = loaded({"endpoint": "gpu,kokoro,speaches", "stream_format": "sse"}, config=GPU)
    assert [place.way(behind.stream_format) for place in behind.fallbacks] == ["captions", "sse"]
    assert behind.fallbacks[1].way("captions") == "audio"
    assert [route.shown for route in endpoint._routes] == ["kokoro", "mine", "embedded"]
    config = endpoint._routes[1].make().config  # type: ignore[attr-defined]
    assert (config.api_key, config.key_source) == (KEY, "MINE_KEY")
    assert (config.headers, config.body) == ({"x-tenant": "tenant-of-mine"}, {"lang": "e"})
    assert config.rate_hz == 16_000
    endpoint.close()


def test_the_strongest_place_says_where_to_ask(loaded: Loader) -> None:
    url, name = {"base_url": "https://u/v1"}, {"endpoint": "kokoro"}
    urls = {"VOICESTREAM_BASE_URL": "https://u/v1"}
    names = {"VOICESTREAM_ENDPOINT": "kokoro"}
    kokoro = PRESETS["kokoro"]["base_url"]
    assert loaded(name, urls).base_url == kokoro
    assert loaded(url, names).base_url == "https://u/v1"
    assert loaded(url, names).endpoint == ""
    assert loaded({}, names, "VOICESTREAM_BASE_URL=https://u/v1").base_url == kokoro
    assert loaded({}, urls, config='endpoint = "kokoro"').base_url == "https://u/v1"
    assert loaded({}, {"VOICESTREAM_BASE_URLS": "https://u/v1"}, config='endpoint = "kokoro"')
    assert not loaded(name, {"VOICESTREAM_BASE_URLS": "https://u/v1"}).fallbacks
    # other programs read it too
    assert loaded({}, {**names, "OPENAI_BASE_URL": "https://u/v1"}).base_url == kokoro
    assert loaded({"endpoint": ""}, names).base_url == EMBEDDED_URL
    for both in ({**url, **name}, {"base_urls": "https://u/v1", **name}):
        with pytest.raises(SettingsError, match="both flag --endpoint and flag --base-url"):
            loaded(both)
    with pytest.raises(SettingsError, match="both VOICESTREAM_ENDPOINT and VOICESTREAM_BASE_URL"):
        loaded({}, {**urls, **names})


def test_the_config_file_says_which_are_used(loaded: Loader) -> None:
    for use in ('"mine, embedded"', '["mine", "embedded"]'):
        settings = loaded({}, {"MINE_KEY": KEY}, config=f"[endpoint]\nuse = {use}\n{MINE}")
        assert settings.endpoint == "mine,embedded"
        assert settings.source("endpoint").endswith("config.toml (endpoint.use)")
    assert loaded(config='endpoint = "kokoro"').endpoint == "kokoro"
    assert loaded({"endpoint": "kokoro"}, config=MINE).fallbacks == ()


def test_a_program_names_presets() -> None:
    settings = Settings(endpoint="groq,kokoro,embedded", api_key=KEY, voice="troy")
    assert settings.base_url == PRESETS["groq"]["base_url"]
    assert (settings.model, settings.voice, settings.format) == (
        PRESETS["groq"]["model"],
        "troy",
        "wav",
    )
    assert [place.name for place in settings.fallbacks] == ["kokoro", "embedded"]
    changed = replace(settings, voice="diana")
    assert (changed.voice, changed.fallbacks) == ("diana", settings.fallbacks)
    assert Settings(endpoint="openai", keys={"OPENAI_API_KEY": KEY}).api_key == KEY
    assert Settings(endpoint="openai", api_key=KEY).base_url == OPENAI_URL
    with pytest.raises(SettingsError, match="openai needs a key"):
        Settings(endpoint="openai")
    with pytest.raises(SettingsError, match="Did you mean kokoro"):
        Settings(endpoint="kokro")


def test_config_shows_each_endpoint_and_where_its_values_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "voicestream").mkdir()
    (tmp_path / "voicestream" / "config.toml").write_text(MINE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MINE_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    assert config_command([], {"endpoint": "kokoro,mine,embedded", "speed": "2"}, False) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    shown = {line[0]: line for line in lines if line[0] != "then"}
    assert shown["endpoint"][1:] == ["kokoro,mine,embedded", "flag", "--endpoint"]
    assert shown["voice"][1:] == ["af_heart", "preset", "kokoro"]
    assert shown["speed"][1:] == ["2", "flag", "--speed"]
    stand_ins = [" ".join(line[1:]) for line in lines if line[0] == "then"]
    assert stand_ins == [
        "mine https://mine/v1, model-mine, voice-mine, wav key: MINE_KEY",
        "embedded embedded: no key",
    ]


def test_a_session_is_not_sent_what_was_meant_for_the_speech_route() -> None:
    body = '{"lang": "e"}'
    gone = frozenset({(OPENAI_URL, "gpt-4o-mini-tts")})
    assert Settings(api_key=KEY, extra_body=body).body == {"lang": "e"}
    assert Settings(api_key=KEY, extra_body=body, gone_models=gone).body == {}
    assert Settings(base_url="wss://h/v1", extra_body=body).body == {"lang": "e"}
