"""Several endpoints: the next one speaks when one fails, in between segments or within one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.matrix import answer
from tests.faults.stage import ONE, TEN, judge, port_of, run, settings_for, upstream
from tests.support.canary import KEY, Watch
from tests.support.proxy import GOOD, Exchange, Fault, FaultProxy

DEAD = {
    "closed": Fault("close"),
    "reset": Fault("reset"),
    "500": answer(500),
    "401": answer(401),
    "429 for a minute": answer(429, "Retry-After: 60"),
    "empty body": Fault(answer=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("fault", DEAD.values(), ids=DEAD)
@pytest.mark.parametrize("dies_at", ["Alpha", "Echo"])
def test_the_next_endpoint_speaks_what_is_left(
    fault: Fault, dies_at: str, tmp_path: Path, evidence: Watch
) -> None:
    dead: list[str] = []

    def plan(exchange: Exchange) -> Fault:
        if exchange.path.startswith("/b"):
            return GOOD
        if exchange.text.startswith(dies_at):
            dead.append(dies_at)
        return fault if dead else GOOD

    with upstream() as server, FaultProxy(port_of(server), plan) as proxy:
        listed = f"{proxy.url('a')}, {proxy.url('b')}|B_KEY|model-b|voice-b"
        settings = settings_for("", "pcm", base_urls=listed, keys={"B_KEY": KEY + "b"})
        outcome = run(TEN, settings, tmp_path)
        evidence.look("failover", outcome.evidence)
        judge(outcome, TEN, "pcm")
        asked = [r.json for r in server.requests if r.path.startswith("/b")]
    assert outcome.failed == []
    assert outcome.exit_code == 0
    (told,) = outcome.result.snapshot.warnings
    assert "speaks from here on" in told
    assert outcome.result.snapshot.endpoint == proxy.url("b")
    assert {(a["model"], a["voice"]) for a in asked} == {("model-b", "voice-b")}
    keys = {r.headers["authorization"] for r in server.requests if r.path.startswith("/b")}
    assert keys == {f"Bearer {KEY}b"}


def test_an_endpoint_that_dies_within_a_reply_is_replaced(tmp_path: Path) -> None:
    def plan(exchange: Exchange) -> Fault:
        if exchange.path.startswith("/b"):
            return GOOD
        return Fault("close", 0.5) if exchange.attempt == 1 else Fault("close")

    with upstream() as server, FaultProxy(port_of(server), plan) as proxy:
        settings = settings_for("", "pcm", base_urls=f"{proxy.url('a')} {proxy.url('b')}")
        outcome = run(ONE, settings, tmp_path)
        judge(outcome, ONE, "pcm")
    assert outcome.failed == []


def test_a_silent_endpoint_is_helped_by_the_next_and_nothing_is_heard_twice(
    tmp_path: Path, evidence: Watch
) -> None:
    def plan(exchange: Exchange) -> Fault:
        silent = exchange.path.startswith("/a") and exchange.text.startswith("Juliet")
        return Fault("stall") if silent else GOOD

    with upstream() as server, FaultProxy(port_of(server), plan) as proxy:
        listed = f"{proxy.url('a')} {proxy.url('b')}"
        settings = settings_for("", "pcm", base_urls=listed, timeout_s=20)
        outcome = run(TEN, settings, tmp_path)
        evidence.add("hedge", outcome.evidence)
        judge(outcome, TEN, "pcm")
        helped = [e.text for e in proxy.exchanges if e.path.startswith("/b")]
    assert outcome.failed == []
    figures = outcome.result.to_dict()
    assert len(helped) == figures["hedges"] >= 1
    assert figures["warnings"] == [
        f"{proxy.url('a')} is slow to answer; {proxy.url('b')} is asked too"
    ]
    assert figures["endpoint"] == proxy.url("a")
    assert helped[-1].startswith("Juliet")


def test_without_any_endpoint_left_the_rest_is_named(tmp_path: Path, evidence: Watch) -> None:
    def plan(exchange: Exchange) -> Fault:
        return GOOD if exchange.text.startswith(("Alpha", "Bravo")) else Fault("close")

    with upstream() as server, FaultProxy(port_of(server), plan) as proxy:
        settings = settings_for(proxy.url("a"), "pcm", base_urls=proxy.url("b"))
        outcome = run(TEN, settings, tmp_path)
        evidence.look("no endpoint left", outcome.evidence)
        judge(outcome, TEN, "pcm")
    assert len(outcome.failed) == 8
    assert outcome.exit_code == 3
