"""Several endpoints, the keys they get, and how far a key may travel in the clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.canary import KEY
from voicestream.errors import SettingsError
from voicestream.session.wiring import make_endpoint
from voicestream.settings.endpoints import Place, places, reach
from voicestream.settings.kinds import EMBEDDED_URL, KINDS, EndpointKind
from voicestream.settings.table import Settings, load
from voicestream.speech.base import SpeechRequest
from voicestream.speech.failover import ResilientEndpoint


def loaded(folder: Path, environ: dict[str, str], dotenv: str = "") -> Settings:
    (folder / ".env").write_text(dotenv)
    return load({}, environ, folder, folder / "none.toml")


def test_a_list_is_taken_apart() -> None:
    written = " https://a/v1|A_KEY|m1|v1, http://127.0.0.1:8880/v1||kokoro  embedded: ,"
    assert places(written) == (
        Place("https://a/v1", "A_KEY", "m1", "v1"),
        Place("http://127.0.0.1:8880/v1", "", "kokoro"),
        Place(EMBEDDED_URL),
    )
    assert places("") == places(" , ") == ()


@pytest.mark.parametrize(
    "written", ["a", "|A", "https://a|b|c|d|e", f"https://a|{KEY}", f"{KEY}|https://a", "ftp://a"]
)
def test_a_malformed_list_is_refused_without_being_shown(written: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings(base_urls=written)
    assert KEY not in str(refused.value)


def test_the_first_of_a_list_is_asked_first_with_its_own_key_model_and_voice(
    tmp_path: Path,
) -> None:
    environ = {
        "VOICESTREAM_BASE_URLS": "https://a/v1|A_KEY|ma|va https://b/v1|B_KEY, embedded:",
        "VOICESTREAM_MODEL": "common",
        "OPENAI_API_KEY": "other",
        "A_KEY": KEY,
        "B_KEY": "key-b",
    }
    settings = loaded(tmp_path, environ)
    assert (settings.base_url, settings.api_key) == ("https://a/v1", KEY)
    assert (settings.model, settings.voice) == ("ma", "va")
    assert settings.source("api_key") == "A_KEY"
    assert settings.fallbacks == (
        Place("https://b/v1", "B_KEY", "common", "alloy"),
        Place(EMBEDDED_URL, "", "common", "alloy"),
    )
    assert KEY not in repr(settings)
    assert "key-b" not in repr(settings)


def test_a_base_url_goes_before_the_list(tmp_path: Path) -> None:
    environ = {"VOICESTREAM_BASE_URLS": "https://b/v1", "VOICESTREAM_BASE_URL": "https://a/v1"}
    settings = loaded(tmp_path, environ)
    assert settings.base_url == "https://a/v1"
    assert [place.url for place in settings.fallbacks] == ["https://b/v1"]


def test_each_endpoint_is_asked_for_its_own_model_and_voice() -> None:
    settings = Settings(
        base_urls="https://a||m|v https://b||m2|v2 https://c embedded:", cache="off"
    )
    endpoint = make_endpoint(settings)
    assert isinstance(endpoint, ResilientEndpoint)
    asked = SpeechRequest("Hi", "m", "v", "pcm")
    adapted = [route.adapt(asked) for route in endpoint._routes]
    assert [(r.model, r.voice) for r in adapted[:2]] == [("m", "v"), ("m2", "v2")]
    assert (adapted[2].model, adapted[2].voice) == ("gpt-4o-mini-tts", "alloy")
    assert adapted[3].voice == "heart"
    endpoint.close()


def test_a_variable_that_is_not_set_is_told_without_its_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"entry 2 .* not set") as refused:
        loaded(tmp_path, {"VOICESTREAM_BASE_URLS": "https://a, https://b|GSK_4D1"})
    assert "GSK_4D1" not in str(refused.value)


def test_a_list_in_a_folder_gets_only_keys_of_that_folder(tmp_path: Path) -> None:
    listed = "VOICESTREAM_BASE_URLS=https://stranger/v1|AWS_SECRET\n"
    with pytest.raises(SettingsError, match=r"in the \.env file that holds the list"):
        loaded(tmp_path, {"AWS_SECRET": KEY}, listed)
    assert loaded(tmp_path, {"AWS_SECRET": KEY}, listed + "AWS_SECRET=own\n").api_key == "own"
    plain = "VOICESTREAM_BASE_URLS=https://stranger/v1\n"
    with pytest.raises(SettingsError, match="to a server that this folder chose"):
        loaded(tmp_path, {"OPENAI_API_KEY": KEY}, plain)


REACHES = {
    "here": "localhost a.localhost 127.0.0.1 127.9.9.9 [::1] [::ffff:127.0.0.1]",
    "near": "10.1.2.3 172.16.0.1 172.31.9.9 192.168.1.5 169.254.1.1 [fd00::1] [fe80::1] kokoro "
    "tts-box nas.local box.lan tts.home.arpa KOKORO",
    "far": "8.8.8.8 172.32.0.1 100.64.0.1 example.com local.example.com 134744072 0x8080808 "
    "[2001:4860::8888] [::ffff:8.8.8.8] 127.0.0.1.example.com xlocal.com localhost.example.com",
}


@pytest.mark.parametrize(
    ("host", "expected"), [(h, r) for r, hosts in REACHES.items() for h in hosts.split()]
)
def test_how_far_a_key_would_travel(host: str, expected: str) -> None:
    url = f"http://{host}:8880/v1"
    assert reach(url) == expected
    if expected == "far":
        with pytest.raises(SettingsError, match=r"unencrypted.*--allow-http-key"):
            Settings(base_url=url, api_key=KEY)
        with pytest.raises(SettingsError, match="unencrypted"):
            Settings(base_url=url.replace("http:", "HTTP:"), api_key=KEY)
        with pytest.raises(SettingsError, match="unencrypted"):
            Settings(base_url="https://a", base_urls=f"{url}|B_KEY", keys={"B_KEY": KEY})
    else:
        told = Settings(base_url=url, api_key=KEY).warnings
        assert len(told) == (expected == "near")
        assert KEY not in "".join(told)
    assert Settings(base_url=url, api_key=KEY, allow_http_key=True).warnings == ()
    assert Settings(base_url=url).warnings == ()
    assert Settings(base_url=url.replace("http:", "https:"), api_key=KEY).warnings == ()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_named_by_its_schemes_and_has_a_model_and_a_voice(kind: EndpointKind) -> None:
    for scheme in KINDS[kind].schemes:
        address = f"{scheme}:" if KINDS[kind].local else f"{scheme}://127.0.0.1:9/v1"
        chosen = Settings(base_url=address, base_urls="")
        assert chosen.kind == kind
        assert (chosen.model, chosen.voice) == (KINDS[kind].model, KINDS[kind].voice)
        whole_place = Settings(base_urls=f"http://127.0.0.1:9/v1,{address}").fallbacks[0]
        assert whole_place.url == address


@pytest.mark.parametrize("written", ["SYSTEM", "system", "system:", "embedded", "Embedded:"])
def test_an_endpoint_of_this_machine_is_named_with_or_without_colon(written: str) -> None:
    assert Settings(base_url=written).base_url == written.lower().rstrip(":") + ":"
    with pytest.raises(SettingsError):
        Settings(base_url=f"{written.rstrip(':')}:other")
