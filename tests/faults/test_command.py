"""The real command over a spoiled network: exit code, what is told, and what was saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.faults.matrix import answer
from tests.faults.stage import ONE, TEN, expected, port_of, samples_of, upstream
from tests.support.canary import KEY, Watch
from tests.support.command import environment
from tests.support.command import run as run_command
from tests.support.proxy import GOOD, Exchange, Fault, FaultProxy
from tests.support.sound import Int16

_SENTENCES = TEN.replace(". ", ".|").split("|")[:6]
SIX = " ".join(_SENTENCES)
_PLAIN = ["--device", "null", "--no-trim", "--no-normalize", "--batch-above-s", "600"]


class Said:
    """One run of the command; all it wrote is evidence."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        folder.mkdir()
        with upstream() as server, FaultProxy(port_of(server), scenario.plan) as proxy:
            named = {name: value.format(proxy=proxy.url()) for name, value in scenario.env.items()}
            known = {"VOICESTREAM_BASE_URL": proxy.url(), "VOICESTREAM_API_KEY": KEY}
            self.ended = run_command(
                *("say", *_PLAIN, "--save", "out.wav", *scenario.options),
                env=environment(folder, {**known, **named}),
                cwd=folder,
                stdin=scenario.text.encode(),
            )
            self.exchanges = list(proxy.exchanges)
        self.code = self.ended.returncode
        self.err = self.ended.stderr.decode()
        self.out = self.ended.stdout.decode()
        file = folder / "out.wav"
        self.file = file.read_bytes() if file.exists() else b""
        self.saved = samples_of(self.file)


@dataclass(frozen=True)
class Scenario:
    """What the network does, and what the command is told."""

    plan: Callable[[Exchange], Fault]
    text: str = SIX
    options: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


def on(words: tuple[str, ...], fault: Fault, attempts: int = 99) -> Callable[[Exchange], Fault]:
    """The fault for the first requests for sentences that begin with these words."""
    return lambda e: fault if e.text.startswith(words) and e.attempt <= attempts else GOOD


_ONE_RETRY = ("--retries", "1")
SCENARIOS = {
    "torn": Scenario(
        on(("Alpha", "Charlie", "Foxtrot"), Fault("reset", 0.6), 1), options=("--json",)
    ),
    "closed": Scenario(on(("Delta",), Fault("close")), options=_ONE_RETRY),
    "500": Scenario(on(("Delta",), answer(500)), options=_ONE_RETRY),
    "cut": Scenario(on(("Delta",), Fault("close", 0.5)), options=_ONE_RETRY),
    "dies": Scenario(
        on(("Charlie", "Delta", "Echo", "Foxtrot"), Fault("close")), options=_ONE_RETRY
    ),
    "failover": Scenario(
        lambda e: answer(503) if e.path.startswith("/v1/dead") else GOOD,
        options=_ONE_RETRY,
        env={
            "VOICESTREAM_BASE_URL": "",
            "VOICESTREAM_BASE_URLS": "{proxy}/dead|A_KEY, {proxy}|B_KEY|model|voice",
            "A_KEY": KEY + "a",
            "B_KEY": KEY + "b",
        },
    ),
    "comes back": Scenario(lambda e: answer(503) if e.attempt < 3 else GOOD, ONE),
    "stranger": Scenario(lambda _: GOOD, ONE, ("--base-url", "http://example.com/v1")),
    "busy for an hour": Scenario(lambda _: answer(503, "Retry-After: 3600"), ONE),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, evidence: Watch) -> dict[str, Said]:
    """All of them, a few at a time."""
    folder = tmp_path_factory.mktemp("commands")
    with ThreadPoolExecutor(4) as pool:
        saids = pool.map(lambda name: Said(SCENARIOS[name], folder / name), SCENARIOS)
        found = dict(zip(SCENARIOS, saids, strict=True))
    for name, said in found.items():
        evidence.look(name, said.err + said.out + said.file.decode("latin-1"))
        assert "Traceback" not in said.err
    return found


def heard(sentences: list[str]) -> Int16:
    return np.concatenate([expected(sentence, "pcm") for sentence in sentences])


def test_a_pipe_whose_replies_break_off_is_heard_whole(runs: dict[str, Said]) -> None:
    said = runs["torn"]
    assert (said.code, said.err.count("warning")) == (0, 0), said.err
    assert json.loads(said.out)["completed"]
    assert np.array_equal(said.saved, heard(_SENTENCES))


@pytest.mark.parametrize("name", ["closed", "500", "cut"])
def test_what_is_not_heard_is_named(runs: dict[str, Said], name: str) -> None:
    said = runs[name]
    assert said.code == 3
    named = [line for line in said.err.splitlines() if "not spoken to its end" in line]
    assert len(named) == 1
    assert _SENTENCES[3] in named[0]
    before, after = heard(_SENTENCES[:3]), heard(_SENTENCES[4:])
    assert np.array_equal(said.saved[: len(before)], before)
    assert np.array_equal(said.saved[-len(after) :], after)


def test_a_server_that_dies_is_named_with_all_that_it_leaves_unsaid(runs: dict[str, Said]) -> None:
    said = runs["dies"]
    assert said.code == 3
    for sentence in _SENTENCES[2:]:
        assert said.err.count(f'not spoken to its end: "{sentence}"') == 1
    assert np.array_equal(said.saved, heard(_SENTENCES[:2]))


def test_another_endpoint_takes_over_and_that_is_told_once(runs: dict[str, Said]) -> None:
    said = runs["failover"]
    assert said.code == 0, said.err
    assert said.err.count("speaks from here on") == 1
    assert np.array_equal(said.saved, heard(_SENTENCES))


def test_a_server_that_comes_back_is_not_even_mentioned(runs: dict[str, Said]) -> None:
    said = runs["comes back"]
    assert said.code == 0
    assert len(said.exchanges) == 3
    assert len(said.err.splitlines()) == 1, said.err


def test_a_key_does_not_go_to_a_stranger_in_the_clear(runs: dict[str, Said]) -> None:
    said = runs["stranger"]
    assert (said.code, said.exchanges) == (2, [])
    assert "unencrypted" in said.err
    assert "--allow-http-key" in said.err


def test_who_asks_for_more_patience_than_there_is_is_not_asked_again(runs: dict[str, Said]) -> None:
    said = runs["busy for an hour"]
    assert said.code == 3
    assert "503" in said.err
    assert len(said.exchanges) == 1
