"""A request that is slow to be answered is asked at the next endpoint, too: the first is heard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.errors import EndpointError, ResponseError
from voicestream.notices import Notices
from voicestream.policy.arrivals import Arrivals
from voicestream.policy.history import Knowledge
from voicestream.session.pacing import endpoint_key, kept_learnt
from voicestream.session.wiring import make_endpoint
from voicestream.settings.table import Settings
from voicestream.speech.base import SpeechRequest
from voicestream.speech.failover import ResilientEndpoint, Route
from voicestream.speech.hedge import FirstBytes, HedgePolicy
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.endpoint import HttpEndpoint
from voicestream.speech.retry import RetryPolicy

ASKED = SpeechRequest("Hello.", "model", "voice", "pcm")
A, B = b"a" * 4000, b"b" * 4000


SOON = HedgePolicy(least_s=0.05, unknown_s=0.05)


FAR = HedgePolicy(least_s=60, unknown_s=60)


ONE_TRY = RetryPolicy(retries=0)


def held(body: bytes, until: threading.Event) -> Script:
    return Script(body, hold_at_bytes=0, hold=until)


class Pair:
    """Two endpoints over HTTP, the second of which helps the first."""

    def __init__(self, stack: ExitStack, first: object, second: object, hedge: HedgePolicy) -> None:
        self.servers = [stack.enter_context(ScriptedServer(s)) for s in (first, second)]  # type: ignore[arg-type]
        self.notices = Notices()

        def maker(server: ScriptedServer) -> Callable[[], HttpEndpoint]:
            return lambda: HttpEndpoint(EndpointConfig(server.url, f"key of {server.url[-9:-3]}"))

        routes = [
            Route(name, maker(server)) for name, server in zip("ab", self.servers, strict=True)
        ]
        self.endpoint = ResilientEndpoint(routes, ONE_TRY, hedge=hedge, notices=self.notices)
        stack.callback(self.endpoint.close)

    def hedge(self, policy: HedgePolicy) -> None:
        """From now on."""
        self.endpoint._hedge = policy

    def heard(self) -> bytes:
        return b"".join(self.endpoint.open(ASKED))

    @property
    def asked(self) -> list[int]:
        return [len(server.requests) for server in self.servers]


PairOf = Callable[..., Pair]


@pytest.fixture
def pair() -> Iterator[PairOf]:
    with ExitStack() as stack:
        yield lambda first, second, hedge=SOON: Pair(stack, first, second, hedge)


def asking() -> list[str]:
    """Threads that still wait for an answer."""
    return [t.name for t in threading.enumerate() if t.name in ("ask", "connect")]


@contextmanager
def nothing_left() -> Iterator[None]:
    yield
    deadline_s = time.monotonic() + 20
    while asking() and time.monotonic() < deadline_s:
        time.sleep(0.005)
    assert asking() == []


def test_a_quick_answer_is_not_hedged(pair: PairOf) -> None:
    both = pair(Script(A), Script(B), FAR)
    assert (both.heard(), both.asked, both.notices.hedges) == (A, [1, 0], 0)


def test_the_second_is_heard_where_the_first_is_silent_whose_connection_is_closed(
    pair: PairOf,
) -> None:
    both = pair(held(A, threading.Event()), Script(B))
    with nothing_left():
        assert both.heard() == B
    assert both.notices.warnings == ["a is slow to answer; b is asked too"]
    assert both.servers[0].wait_end().client_closed_s is not None
    assert both.asked == [1, 1]


def test_the_first_is_heard_where_it_comes_late_but_sooner(pair: PairOf) -> None:
    answer = threading.Event()
    both = pair(held(A, answer), held(B, threading.Event()))
    with nothing_left(), ThreadPoolExecutor(1) as pool:
        heard = pool.submit(both.heard)
        both.servers[1].wait_request()
        answer.set()
        assert heard.result(20) == A
    assert both.servers[1].wait_end().client_closed_s is not None


def test_a_second_that_fails_does_no_harm(pair: PairOf) -> None:
    answer = threading.Event()
    both = pair(held(A, answer), Script.error(500, "no"))
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(both.heard)
        both.servers[1].wait_end()
        answer.set()
        assert heard.result(20) == A


def test_a_first_that_fails_late_does_no_harm(pair: PairOf) -> None:
    answer, answer_b = threading.Event(), threading.Event()

    def first(_: Request) -> Script:
        answer.wait(20)
        return Script.error(500, "no")

    both = pair(first, held(B, answer_b))
    with nothing_left(), ThreadPoolExecutor(1) as pool:
        heard = pool.submit(both.heard)
        both.servers[1].wait_request()
        answer.set()
        both.servers[0].wait_end()
        answer_b.set()
        assert heard.result(20) == B


def test_where_both_fail_each_is_asked_in_its_turn_and_the_last_error_told(pair: PairOf) -> None:
    answer = threading.Event()

    def slow_to_fail(_: Request) -> Script:
        answer.wait(20)
        both.hedge(FAR)
        return Script.error(503, "not now")

    both = pair(slow_to_fail, Script.error(500, "no"))
    with nothing_left(), ThreadPoolExecutor(1) as pool:
        heard = pool.submit(both.heard)
        both.servers[1].wait_end()
        answer.set()
        with pytest.raises(ResponseError, match="500"):
            heard.result(20)
    assert both.asked == [1, 2]
    assert "503" in both.notices.warnings[1]


def test_an_abort_ends_both(pair: PairOf) -> None:
    both = pair(held(A, threading.Event()), held(B, threading.Event()))
    with nothing_left(), ThreadPoolExecutor(1) as pool:
        heard = pool.submit(both.heard)
        for server in reversed(both.servers):
            server.wait_request()
        both.endpoint.abort()
        with pytest.raises(EndpointError):
            heard.result(20)


def test_a_kept_connection_that_was_given_up_is_not_used_again(pair: PairOf) -> None:
    silent = [Script(A), held(A, threading.Event()), Script(A), Script(A)]
    both = pair(silent, Script(B))
    with nothing_left():
        for policy, heard in ((FAR, A), (SOON, B), (FAR, A), (FAR, A)):
            both.hedge(policy)
            assert both.heard() == heard
    assert [r.connection for r in both.servers[0].requests] == [0, 0, 1, 1]


def test_who_is_outrun_twice_in_a_row_is_left(pair: PairOf) -> None:
    both = pair(held(A, threading.Event()), Script(B))
    assert [both.heard() for _ in range(2)] == [B] * 2
    both.hedge(FAR)
    assert [both.heard() for _ in range(2)] == [B] * 2
    assert both.asked == [2, 4]
    assert both.notices.warnings[1:] == ["a was too slow; b speaks from here on"]


def test_patience_is_three_times_what_is_usual_and_a_second_at_least() -> None:
    policy = HedgePolicy()
    seen = FirstBytes(lambda: 0.0)
    assert policy.patience_s(seen.usual_s()) == 4.0
    for took_s in (0.5, 9.0, 0.6):
        seen.see(took_s)
    assert policy.patience_s(seen.usual_s()) == pytest.approx(1.8)
    assert policy.patience_s(0.1) == 1.0
    assert FirstBytes(lambda: 0.7).usual_s() == 0.7


def settings_for(first: str, second: str, **more: object) -> Settings:
    keys = {"KEY_A": "sk-canary-a", "KEY_B": "sk-canary-b"}
    listed = f"{first}|KEY_A, {second}|KEY_B|model-b|voice-b"
    return Settings(base_urls=listed, keys=keys, retries=0, **more)  # type: ignore[arg-type]


def test_each_endpoint_gets_its_own_key_model_and_voice_after_the_time_it_was_learnt_to_need(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first, second = Script(A, header_delay_s=30), Script(B)
    with ScriptedServer(first) as a, ScriptedServer(second) as b:
        settings = settings_for(a.url, b.url, cache="off")
        key = endpoint_key(settings, a.url, settings.model)
        arrivals = Arrivals()
        for at_s in (0.0, 0.1):
            arrivals.add(at_s, 0.1)
        kept_learnt().save(key, Knowledge().with_reply(arrivals, first_byte_s=0.1))
        endpoint = make_endpoint(settings)
        with nothing_left():
            assert b"".join(endpoint.open(ASKED)) == B
        endpoint.close()
        assert isinstance(endpoint, ResilientEndpoint)
        assert endpoint._first_bytes[0].usual_s() == 0.1
        asked = [(s.requests[0].headers["authorization"], s.requests[0].json) for s in (a, b)]
    assert [key for key, _ in asked] == ["Bearer sk-canary-a", "Bearer sk-canary-b"]
    assert [body["model"] for _, body in asked] == ["model", "model-b"]
    assert [body["voice"] for _, body in asked] == ["voice", "voice-b"]


def test_no_hedge_asks_nobody_else() -> None:
    hosts = ("http://127.0.0.1:1/v1", "http://[::1]:1")
    endpoint = make_endpoint(settings_for(*hosts, hedge=False, cache="off"))
    assert isinstance(endpoint, ResilientEndpoint)
    assert endpoint._hedge is None
    endpoint.close()
