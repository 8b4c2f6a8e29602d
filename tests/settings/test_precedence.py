"""Which value wins, where it came from, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.canary import KEY
from voicestream.errors import SettingsError
from voicestream.settings.kinds import EMBEDDED_URL, OPENAI_URL
from voicestream.settings.row import Row
from voicestream.settings.sources import user_config_file, user_state_file
from voicestream.settings.table import TABLE, Settings, load, shown_value

SAMPLES: dict[str, tuple[Any, ...]] = {
    "base_url": ("http://a/v1", "http://b/v1", "http://c/v1", "http://d/v1"),
    "endpoint": ("kokoro,embedded", "speaches", "localai", "voicestream"),
    "base_urls": ("http://a||m|v, embedded:", "http://b", "http://c", "http://d"),
    "speed": (0.5, 1.5, 2, 3.5),
    "tempo": (0.5, 1.5, 2, 3),
    "format": ("mp3", "wav", "flac", "aac"),
    "stream_format": ("sse", "audio", "sse", "audio"),
    "playout": ("fixed", "adaptive", "fixed", "adaptive"),
    "underrun": ("silence", "repeat", "stretch", "wait"),
    "prebuffer_ms": (10, 20, 30, 40.5),
    "chunk_size": (1, 2, 3, 4),
    "max_buffer_s": (3, 4, 5, 6.5),
    "streaming": (False, True, False, True),
    "engine": ("/a", "/b", "off", "/d"),
    "linger_s": (1, 2, 3, 4),
    "lookahead": (1, 3, 4, 5),
    "device_wait_s": (1, 2, 3, 4),
    "first_chars": (10, 20, 30, 40),
    "batch_above_s": (1, 2, 3, 5),
    "cache": ("on", "off", "short", "on"),
    "cache_chars": (1, 2, 3, 5),
    "cache_mb": (1, 2, 3, 5),
    "batch_chars": (100, 200, 300, 500),
    "max_chars": (100, 200, 300, 500),
    "low_s": (0.5, 2, 3, 4),
    "writer_pause_s": (0.1, 0.2, 0.3, 0.5),
    "plain": (True, False, True, False),
    "code": ("skip", "read", "announce", "skip"),
    "tags": (True, False, True, False),
    "trim": (False, True, False, True),
    "normalize": (False, True, False, True),
    "loudness": ("-16", "-20", "off", "-23.5"),
    "extra_body": ('{"a": 1}', '{"b": 1}', '{"c": 1}', '{"d": "e"}'),
    "extra_headers": ('{"a": "1"}', '{"b": "1"}', '{"c": "1"}', '{"d": "e"}'),
    "language": ("de", "fr", "es", "auto"),
    "language_voices": ("de=a", "de=b", "de=c,fr=d", "it=e"),
    "rate_hz": (8000, 16000, 22050, 48000),
    "replace": ('{"a": "1"}', '{"b": "1"}', '{"c": "1"}', '{"d": "e"}'),
    "strict": (True, False, True, False),
    "pause_clause_ms": (1, 2, 3, 4),
    "pause_sentence_ms": (1, 2, 3, 4),
    "pause_paragraph_ms": (1, 2, 3, 4),
    "timeout_s": (1, 2, 3, 4),
    "chat_base_url": ("http://a/v1", "http://b/v1", "http://c/v1", "http://d/v1"),
    "transcribe_base_url": ("http://a/v1", "http://b/v1", "http://c/v1", "http://d/v1"),
    "turn_end_ms": (700, 800, 900, 1000),
    "connect_timeout_s": (1, 2, 3, 4),
    "stall_timeout_s": (1, 2, 3, 4),
    "reply_timeout_s": (1, 2, 3, 4),
    "retries": (0, 1, 2, 4),
    "retry_budget_s": (1, 2, 3, 4),
    "hedge": (False, True, False, True),
    "barge_in": (True, False, True, False),
    "barge_in_sure": (0.1, 0.2, 0.3, 0.4),
    "barge_in_ms": (100, 200, 300, 400),
    "keep_last": (False, True, False, True),
    "allow_http_key": (True, False, True, False),
    "turn": ("now", "next", "mix", "skip"),
    "expires_s": (1, 2, 3, 4),
    "wake_ms": (1, 2, 3, 4),
    "backend": ("pyaudio", "miniaudio", "auto", "pyaudio"),
    "panel": ("on", "off", "auto", "on"),
}
"""What flag, environment, .env and config file say; the other settings are words."""
WORDS = ("from-flag", "from-environment", "from-dotenv", "from-config")
each_setting = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
Loader = Callable[..., Settings]


def toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | int | float) else f"'{value}'"


@pytest.fixture
def loaded(tmp_path: Path) -> Loader:
    """Settings from four layers, each given as a mapping."""

    def load_layers(
        flags: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        dotenv: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Settings:
        config_file = tmp_path / "config.toml"
        if dotenv is not None:
            (tmp_path / ".env").write_text("".join(f"{n}={v}\n" for n, v in dotenv.items()))
        if config is not None:
            lines = (f"{name} = {toml(value)}\n" for name, value in config.items())
            config_file.write_text("".join(lines))
        return load(flags or {}, environ or {}, tmp_path, config_file)

    return load_layers


@each_setting
def test_the_stronger_place_wins(loaded: Loader, row: Row) -> None:
    values = SAMPLES.get(row.name, WORDS)
    settings = loaded()
    assert getattr(settings, row.name) == getattr(Settings(cache="short"), row.name)
    assert settings.source(row.name) == "default"
    said = [{row.name: values[0]}, *({row.variables[0]: str(v)} for v in values[1:3])]
    layers: list[Mapping[str, Any]] = [*said, {row.name: values[3]}]
    variable = row.variables[0]
    sources = [f"flag {row.flag}", variable, f".env {variable}", f"config.toml ({row.name})"]
    for highest in (3, 2, 1, 0):
        settings = loaded(*[None] * highest, *layers[highest:])
        assert getattr(settings, row.name) == values[highest]
        assert settings.source(row.name).endswith(sources[highest])


@each_setting
def test_the_own_variable_is_stronger_than_the_common_one(loaded: Loader, row: Row) -> None:
    values = SAMPLES.get(row.name, WORDS)
    for count in range(1, len(row.variables) + 1):
        weakest = row.variables[-count:]
        settings = loaded(environ=dict(zip(weakest, map(str, values), strict=False)))
        assert getattr(settings, row.name) == values[0]
        assert settings.source(row.name) == weakest[0]


@each_setting
def test_an_empty_variable_says_nothing(loaded: Loader, row: Row) -> None:
    assert loaded(environ=dict.fromkeys(row.variables, "")).source(row.name) == "default"


def test_a_key_leads_to_openai_and_none_to_the_embedded_voice(loaded: Loader) -> None:
    assert (loaded().base_url, loaded().voice) == (EMBEDDED_URL, "heart")
    keyed = loaded(environ={"OPENAI_API_KEY": KEY})
    assert (keyed.base_url, keyed.voice) == (OPENAI_URL, "alloy")


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("speed", 0.25, 4),
        ("prebuffer_ms", 0, 60_000),
        ("chunk_size", 1, 1 << 20),
        ("max_buffer_s", 0.1, 600),
        ("lookahead", 0, 16),
        ("timeout_s", 0.1, 3600),
    ],
)
def test_numbers_have_bounds(loaded: Loader, name: str, least: float, most: float) -> None:
    room = {} if name == "max_buffer_s" else {"max_buffer_s": 600}
    narrow = {"prebuffer_ms": 100} if name == "max_buffer_s" else {}
    for value in (least, most):
        assert getattr(loaded({name: str(value), **room, **narrow}), name) == value
    step = 1 if isinstance(least, int) and isinstance(most, int) else 0.01
    outside: list[float | str] = [
        least - step,
        most + step,
        "nan",
        "inf",
        "-inf",
        "1e999",
        "",
        "many",
        "0x10",
    ]
    for wrong in outside:
        with pytest.raises(SettingsError, match="flag --"):
            loaded({name: str(wrong)})


def test_a_prebuffer_must_fit_into_the_buffer(loaded: Loader) -> None:
    loaded({"prebuffer_ms": 2000, "max_buffer_s": 2})
    with pytest.raises(SettingsError, match=r"2001 ms .* 2 s"):
        loaded({"prebuffer_ms": 2001, "max_buffer_s": 2})
    with pytest.raises(SettingsError, match="3000 ms"):
        Settings(prebuffer_ms=3000)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://host/v1/", "http://host/v1"),
        (" https://host:8443 ", "https://host:8443"),
        ("http://host/v1/audio/speech", "http://host/v1"),
        ("HTTP://[::1]:80/v1", "HTTP://[::1]:80/v1"),
        ("https://h/tts/?api-version=1&b=c", "https://h/tts?api-version=1&b=c"),
        ("https://h/v1/audio/speech?a=b", "https://h/v1?a=b"),
        ("https://h/v1/?", "https://h/v1"),
        ("https://h/v1#", "https://h/v1"),
        ("embedded", EMBEDDED_URL),
        ("embedded:", EMBEDDED_URL),
    ],
)
def test_a_base_url_is_tidied(written: str, meant: str) -> None:
    assert Settings(base_url=written).base_url == meant


@pytest.mark.parametrize("word", ["true", "YES", "on", "1"])
def test_a_switch_knows_many_words(loaded: Loader, word: str) -> None:
    assert loaded(environ={"VOICESTREAM_STREAMING": word}).streaming is True


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


@pytest.mark.parametrize("home", ["", ".", "here"])
def test_a_relative_home_is_none(home: str) -> None:
    assert user_config_file({"HOME": home}).is_absolute()
    assert user_state_file("x", {"HOME": home}).is_absolute()
