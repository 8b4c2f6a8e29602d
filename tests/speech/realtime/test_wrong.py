"""What a Realtime server does oddly or wrong, and what that costs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.speech.realtime.asking import endpoint_at, honest, request, sound_of
from tests.support.realtime_events import Asked, Step, speak
from tests.support.realtime_server import RealtimeServer
from voicestream.errors import (
    ConnectionFailedError,
    CutShortError,
    EndpointError,
    EndpointTimeoutError,
    IncompleteReplyError,
    ReplyError,
)
from voicestream.speech.http.limits import Limits
from voicestream.speech.realtime.incoming import MAX_MESSAGE_BYTES

DELTA = {"type": "response.output_audio.delta", "delta": base64.b64encode(b"\x07" * 100).decode()}


def steps(asked: Asked, **more: Any) -> list[Step]:
    return list(speak(asked, sound_of(asked.text), **more))


def without_names(asked: Asked) -> Iterator[Step]:
    """A server that does not repeat the metadata."""
    for wait_s, what in steps(asked):
        if isinstance(what, dict) and "response" in what:
            what["response"]["metadata"] = None
        yield wait_s, what


def delta_before_created(asked: Asked) -> Iterator[Step]:
    first, *rest = steps(asked)
    yield from rest[:8]
    yield first
    yield from rest[8:]


def strangers(asked: Asked) -> Iterator[Step]:
    for wait_s, what in steps(asked):
        yield 0.0, {"type": "made.up", "response_id": asked.response_id, "delta": 7}
        yield 0.0, {**DELTA, "response_id": "resp_of_nobody"}
        yield wait_s, what
    yield 0.0, {**DELTA, "response_id": asked.response_id}
    yield 0.0, {"type": "response.done", "response": {"id": asked.response_id}}


def twice_created(asked: Asked) -> Iterator[Step]:
    first, *rest = steps(asked)
    yield from [first, first, *rest]


def split_frames(asked: Asked) -> Iterator[Step]:
    """One message in three frames, with a ping between."""
    first, *rest = steps(asked)
    yield first
    delta = base64.b64encode(sound_of(asked.text)).decode()
    text = f'{{"type":"response.output_audio.delta","response_id":"{asked.response_id}"'
    text += f',"delta":"{delta}"}}'
    data = text.encode()
    third = len(data) // 3
    for number, start in enumerate((0, third, 2 * third)):
        piece = data[start : start + third] if number < 2 else data[start:]
        head = bytes([(0x01, 0x00, 0x80)[number], 127]) + len(piece).to_bytes(8, "big")
        yield 0.0, head + piece
        yield 0.0, b"\x89\x02hi"
    kept = [step for step in rest if "audio.delta" not in str(step)]
    yield from kept


@pytest.mark.parametrize(
    "answer",
    [without_names, delta_before_created, strangers, twice_created, split_frames],
    ids=lambda answer: answer.__name__,
)
def test_harmless_oddities_change_nothing(answer: Any) -> None:
    with RealtimeServer(answer) as server:
        endpoint = endpoint_at(server.url)
        for text in ("One.", "Two."):
            assert b"".join(endpoint.open(request(text))) == sound_of(text)
        endpoint.close()
        assert len(server.handshakes) == 1


def cut(how: str, after: int = 12) -> Any:
    def answer(asked: Asked) -> Iterator[Step]:
        if asked.attempt > 1:
            return honest(asked)
        return iter([*steps(asked)[:after], (0.1, how)])  # type: ignore[list-item]

    return answer


def raw(data: bytes) -> Any:
    return lambda asked: [*steps(asked)[:12], (0.0, data), (0.0, "stall")]


def ended(status: str, reason: str = "", **error: str) -> Any:
    def answer(asked: Asked) -> Iterator[Step]:
        return speak(asked, sound_of(asked.text), status=status, reason=reason, error=error or None)

    return answer


def bad_base64(asked: Asked) -> Iterator[Step]:
    yield from steps(asked)[:12]
    yield 0.0, {**DELTA, "response_id": asked.response_id, "delta": "%%% no base64 %%%"}
    yield 0.0, "stall"


def without_end(asked: Asked) -> Iterator[Step]:
    yield from steps(asked)[:8]
    delta = base64.b64encode(bytes(1 << 20)).decode()
    while True:
        yield 0.0, {**DELTA, "response_id": asked.response_id, "delta": delta}


STALLED = cut("stall")
TOO_BIG = b"\x81\x7f" + (MAX_MESSAGE_BYTES + 1).to_bytes(8, "big")


@pytest.mark.parametrize(
    ("answer", "kind", "repeatable"),
    [
        (cut("close"), IncompleteReplyError, True),
        (cut("reset"), IncompleteReplyError, True),
        (cut("expire"), IncompleteReplyError, True),
        (STALLED, IncompleteReplyError, True),
        (cut("close", 0), ConnectionFailedError, True),
        (cut("stall", 0), EndpointTimeoutError, True),
        (cut("stall", 1), EndpointTimeoutError, True),
        (bad_base64, IncompleteReplyError, True),
        (raw(b"\x81\x05[1,2]"), IncompleteReplyError, True),
        (raw(b"\x81\x03abc"), IncompleteReplyError, True),
        (raw(b"\xff\xff"), IncompleteReplyError, True),
        (raw(b"\x81\x02\xff\xff"), IncompleteReplyError, True),
        (raw(TOO_BIG), IncompleteReplyError, True),
        (raw(b"\x88\x02\x03\xe8"), IncompleteReplyError, True),
        (raw(b"\x88\x00"), IncompleteReplyError, True),
        (without_end, ReplyError, False),
        (ended("incomplete", "max_output_tokens"), CutShortError, True),
        (ended("incomplete", "content_filter"), IncompleteReplyError, False),
        (ended("cancelled", "turn_detected"), IncompleteReplyError, True),
        (ended("failed", code="server_error", message="Oh."), IncompleteReplyError, True),
        (ended("failed", code="invalid_value", message="No."), IncompleteReplyError, False),
        (lambda asked: speak(asked, b""), ReplyError, False),
    ],
)
def test_what_a_server_does_wrong_is_one_error_and_the_next_request_is_answered(
    answer: Any, kind: type[EndpointError], repeatable: bool
) -> None:
    def once(asked: Asked) -> Iterator[Step]:
        return iter(answer(asked)) if asked.text == "Bad." else honest(asked)

    with RealtimeServer(once) as server:
        stalls = answer is STALLED or kind is EndpointTimeoutError
        timeout_s, stall_s = (1.5, 1.0) if stalls else (30.0, 30.0)  # a busy server is no stall
        endpoint = endpoint_at(server.url, timeout_s=timeout_s, limits=Limits(stall_s, 60.0))
        with pytest.raises(EndpointError) as caught:
            list(endpoint.open(request("Bad.")))
        assert type(caught.value) is kind, caught.value
        assert caught.value.repeatable is repeatable
        assert b"".join(endpoint.open(request("Good."))) == sound_of("Good.")
        endpoint.close()


def test_one_broken_reply_does_not_take_its_neighbours_along() -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        if asked.text == "Bad.":
            return bad_base64(asked)
        return speak(asked, sound_of(asked.text), rate_bytes_per_s=2e5)

    with RealtimeServer(answer) as server, ThreadPoolExecutor() as pool:
        endpoint = endpoint_at(server.url)
        good = pool.submit(lambda: b"".join(endpoint.open(request("Good."))))
        with pytest.raises(IncompleteReplyError):
            list(endpoint.open(request("Bad.")))
        assert good.result(20) == sound_of("Good.")
        endpoint.close()
        assert len(server.handshakes) == 1
