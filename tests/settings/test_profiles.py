"""Endpoints by name: which value wins, in which order they stand in, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.canary import KEY
from voicestream.cli.config_commands import config as config_command
from voicestream.errors import SettingsError, VoicestreamError
from voicestream.session.wiring import make_endpoint
from voicestream.settings import profiles, sources
from voicestream.settings.endpoints import reach
from voicestream.settings.kinds import EMBEDDED_URL, OPENAI_URL
from voicestream.settings.table import TABLE, Settings, load, shown_value
from voicestream.speech.base import SpeechRequest
from voicestream.speech.failover import ResilientEndpoint

PRESETS: dict[str, dict[str, str]] = json.loads(profiles._PRESETS.read_text("utf-8"))
MINE = """
[endpoint.mine]
base_url = "https://mine/v1"
key_variable = "MINE_KEY"
model = "model-mine"
voice = "voice-mine"
format = "wav"
rate_hz = 16000
headers = {X-Tenant = "tenant-of-mine"}
body = {lang = "e"}
"""
GPU = '[endpoint.gpu]\npreset = "kokoro"\nbase_url = "http://gpu.lan:8880/v1"\n'
Loader = Callable[..., Settings]


@pytest.fixture
def loaded(tmp_path: Path) -> Loader:
    """Settings of flags, environment, ``.env`` and a config file as written."""

    def load_layers(
        flags: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        dotenv: str = "",
        config: str = "",
    ) -> Settings:
        folder = tmp_path / "folder"
        folder.mkdir(exist_ok=True)
        (folder / ".env").write_text(dotenv)
        (tmp_path / "config.toml").write_text(config)
        return load(flags or {}, environ or {}, folder, tmp_path / "config.toml")

    return load_layers


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
