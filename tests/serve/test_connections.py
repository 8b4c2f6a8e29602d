"""Callers that are slow, leave, or ask for a lot, and the end of the server under them."""

from __future__ import annotations

import json
import signal
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.serve.conftest import serving
from tests.support.realtime_server import SILENT
from voicestream.serve.admission import Admission
from voicestream.serve.app import make_app
from voicestream.serve.connections import Connection, Server

LONG = {"input": "This is one of many sentences that are read. " * 400, "response_format": "pcm"}
HEAD = b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\n"


@contextmanager
def running(tell: Any = None) -> Iterator[int]:
    """A server in this process; its port."""
    ready = threading.Event()
    told: list[str] = []
    server = Server(make_app(Admission.at("127.0.0.1")), ready.set, tell or told.append)
    server.config.timeout_keep_alive = 1  # seconds that wait for no more than the end of a test
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert ready.wait(20)
            yield port
        finally:
            server.should_exit = True
            thread.join(20)
    assert told == []


def called(port: int, sent: bytes) -> socket.socket:
    caller = socket.create_connection(("127.0.0.1", port), 20)
    caller.sendall(sent)
    return caller


def posted(fields: dict[str, Any], size_bytes: int = 0) -> bytes:
    body = json.dumps(fields).encode()
    return HEAD + b"Content-Length: %d\r\n\r\n" % (size_bytes or len(body)) + body


def leave(caller: socket.socket) -> None:
    """Without a word: what comes after is answered with a reset."""
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    caller.close()


def leave_speaking(port: int, pieces: int) -> None:
    """Go away from the Realtime protocol after so many messages."""
    speaker = connect(f"ws://127.0.0.1:{port}/v1/realtime", logger=SILENT)
    content = [{"type": "input_text", "text": LONG["input"]}]
    asked = {"input": [{"type": "message", "role": "user", "content": content}]}
    speaker.send(json.dumps({"type": "response.create", "response": asked}))
    while "audio.delta" not in str(speaker.recv(20)):
        continue
    for _ in range(pieces):
        speaker.recv(20)
    leave(speaker.socket)


def hears(port: int, text: str = "Hi.") -> None:
    """Somebody else is answered."""
    caller = called(port, posted({"input": text, "response_format": "pcm"}))
    with caller:
        assert caller.recv(1000).startswith(b"HTTP/1.1 200")


WHOLE = posted({"input": "Hi.", "response_format": "pcm"})


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /v1/au", HEAD, posted(LONG, 10**6), WHOLE + HEAD, b"GET / HTTP/1.1\r\n\r\nGET "],
    ids=["nothing", "line", "head", "body", "second head", "second line"],
)
def test_half_a_request_is_dropped(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "whole_s", 0.3)
    with running() as port, called(port, sent) as caller:
        while caller.recv(1 << 16):
            pass  # what was whole is answered


def test_a_whole_request_is_not_dropped_while_it_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Connection, "whole_s", 0.05)
    heard = b""
    some = {**LONG, "input": LONG["input"][:900]}
    with running() as port, called(port, posted(some)) as caller:
        while not heard.endswith(b"\r\n0\r\n\r\n"):
            piece = caller.recv(1 << 16)
            assert piece
            heard = heard[-10:] + piece


def test_callers_that_leave_disturb_nobody(tmp_path: Path) -> None:
    with serving(tmp_path) as (url, process):
        port = int(url.rpartition(":")[2].partition("/")[0])
        called(port, posted(LONG, 10**6)).close()
        leave(called(port, posted({**LONG, "stream_format": "sse"})))
        caller = called(port, posted(LONG))
        caller.recv(10)
        leave(caller)
        for pieces in (3, 8, 13, 18):
            leave_speaking(port, pieces)
        hears(port)
        # and the end, with replies open
        with called(port, posted(LONG)) as first, called(port, posted(LONG)) as second:
            first.recv(10)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
            while second.recv(1 << 16):
                pass
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_one_text_does_not_keep_the_others_waiting() -> None:
    """4,000 of some characters took the voice for 13 s."""
    with running() as port:
        hears(port)
        nasty = posted({"input": "/" * 4000, "response_format": "pcm"})
        with called(port, nasty), called(port, nasty):
            hears(port, "Hello there.")


def test_a_text_of_any_length_is_heard_at_once() -> None:
    with running() as port:
        hears(port, "This is a sentence, and it has an end. " * 20_000)


def test_what_nobody_foresaw_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicestream.serve.app.embedded_voice", lambda _: 1 / 0)
    told: list[str] = []
    with running(told.append) as port, called(port, WHOLE) as caller:
        assert caller.recv(1000).startswith(b"HTTP/1.1 500")
    assert told == ["/v1/audio/speech failed: ZeroDivisionError('division by zero')"]
