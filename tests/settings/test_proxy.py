"""Proxies of the environment: who is reached without, and how far a key travels."""

from __future__ import annotations

import pytest

from tests.support.canary import KEY
from voicestream.errors import SettingsError
from voicestream.settings.proxy import proxy_url
from voicestream.settings.table import Settings

LOCAL = "http://127.0.0.1:8880/v1"
FAR = "http://proxy.example.com:3128"


@pytest.fixture(autouse=True)
def _none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("host", "exceptions", "excepted"),
    [
        ("127.0.0.1", "127.0.0.0/8", True),
        ("127.0.0.1", "10.0.0.0/8, 127.0.0.1", True),
        ("127.0.0.1", "10.0.0.0/8", False),
        ("127.0.0.1:8880", "127.0.0.1:8880", True),
        ("127.0.0.1:8880", "127.0.0.1:8881", False),
        ("[::1]:99", "::1", True),
        ("[::1]:99", "[::1]", True),
        ("[::1]:99", "[::1]:99", True),
        ("[::1]", "0:0:0:0:0:0:0:1", True),
        ("[fd12::5]", "fd00::/8", True),
        ("[fd12::5]", "[fd00::]/8", True),
        ("[2001:db8::1]", "fd00::/8", False),
        ("host.example.com", ".example.com", True),
        ("host.example.com", "fd00::/8,*", False),
        ("host.example.com", "*", True),
        ("host.example.com", "nonsense/8,[", False),
    ],
)
@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
def test_exceptions_are_names_addresses_and_networks(
    host: str, exceptions: str, excepted: bool, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", FAR)
    monkeypatch.setenv(variable, exceptions)
    assert (proxy_url(f"http://{host}/v1") == "") is excepted


@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("address", [LOCAL, "HTTP://127.0.0.1/v1", "ws://127.0.0.1/v1"])
def test_a_key_does_not_go_to_a_far_proxy_in_the_clear(
    variable: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, FAR)
    with pytest.raises(SettingsError, match=r"the proxy http://proxy\.example\.com:3128 un"):
        Settings(base_url=address, api_key=KEY)
    with pytest.raises(SettingsError, match="unencrypted"):
        Settings(base_url="https://host/v1", chat_base_url=LOCAL, api_key=KEY)


def test_it_goes_where_nothing_can_be_read_or_was_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", FAR)
    monkeypatch.setenv("https_proxy", FAR)
    assert Settings(base_url="https://host/v1", api_key=KEY).warnings == ()
    assert Settings(base_url=LOCAL).warnings == ()
    assert Settings(base_url=LOCAL, api_key=KEY, allow_http_key=True).warnings == ()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert Settings(base_url=LOCAL, api_key=KEY).warnings == ()


@pytest.mark.parametrize("proxy", ["http://user:word@127.0.0.1:3128", "10.1.2.3:3128"])
def test_a_near_proxy_is_told(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    (warning,) = Settings(base_url=LOCAL, api_key=KEY).warnings
    assert "the key goes to the proxy http://1" in warning
    assert "word" not in warning
