"""Which value wins, where it came from, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.settings.layers import Loader
from voicestream.errors import SettingsError
from voicestream.settings.kinds import EMBEDDED_URL
from voicestream.settings.row import Row
from voicestream.settings.sources import user_config_file, user_state_file
from voicestream.settings.table import TABLE, Settings

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
        settings = loaded(*[{}] * highest, *layers[highest:])
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


@pytest.mark.parametrize("home", ["", ".", "here"])
def test_a_relative_home_is_none(home: str) -> None:
    assert user_config_file({"HOME": home}).is_absolute()
    assert user_state_file("x", {"HOME": home}).is_absolute()
