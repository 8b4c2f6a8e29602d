"""``ask``: a scripted model writes, a scripted voice speaks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support import command, tones
from tests.support.canary import KEY
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

ANSWER = "The sky is blue because of 1 thing. Its name is Rayleigh, and that makes 2."


def chunk(text: str) -> bytes:
    """One event of a chat completion."""
    event = {
        "id": "c",
        "model": "m",
        "object": "chat.completion.chunk",
        "created": 1,
        "choices": [{"index": 0, "delta": {"content": text}}],
    }
    return f"data: {json.dumps(event)}\n\n".encode()


def chat(tokens: Sequence[str], **more: Any) -> Script:
    """Tokens as a model's server sends them, one every 10 ms."""
    pieces = [*map(chunk, tokens), b"data: [DONE]\n\n"]
    arrivals = [(0.05 + 0.01 * number, len(piece)) for number, piece in enumerate(pieces)]
    body = b"".join(pieces)
    return Script(body, content_type="text/event-stream", arrivals=arrivals, **more)


def answering(reply: Script) -> ScriptedServer:
    def answer(request: Request) -> Script:
        if request.path.endswith("/chat/completions"):
            return reply
        return Script(tones.speech(request.json["input"], 0.15).tobytes())

    return ScriptedServer(answer)


def ask(server: ScriptedServer, tmp_path: Path, *arguments: str, stdin: bytes = b"") -> Any:
    env = command.environment(tmp_path, {"VOICESTREAM_API_KEY": KEY})
    return command.run(
        *("ask", *arguments, "--base-url", server.url, "--device", "null", "--panel", "off"),
        env=env,
        cwd=tmp_path,
        stdin=stdin,
    )


def test_the_answer_is_spoken_and_passed_on(tmp_path: Path) -> None:
    with answering(chat(list(tones.tokens(ANSWER)))) as server:
        done = ask(
            *(server, tmp_path, "Why is the sky blue?", "--system", "Be brief."),
            *("--chat-model", "thinker", "--echo", "--save", "kept.wav"),
        )
    assert done.returncode == 0, done.stderr
    asked = [request for request in server.requests if "chat" in request.path]
    said = [request.json["input"] for request in server.requests if "speech" in request.path]
    assert len(asked) == 1
    assert asked[0].json["model"] == "thinker"
    assert asked[0].json["stream"] is True
    assert asked[0].json["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why is the sky blue?"},
    ]
    assert asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert sorted(" ".join(said).split()) == sorted(ANSWER.split())
    assert done.stdout.decode() == ANSWER + "\n"
    assert (tmp_path / "kept.wav").stat().st_size > 10_000


def test_the_question_may_come_by_a_pipe_and_the_model_from_elsewhere(tmp_path: Path) -> None:
    with answering(chat(["Indeed it ", "is so."])) as server, answering(chat(["No."])) as other:
        done = ask(other, tmp_path, "--json", "--chat-base-url", server.url, stdin="Süß?".encode())
    assert done.returncode == 0, done.stderr
    assert command.figures(done)["spoken"] == "Indeed it is so."
    assert server.requests[0].json["messages"] == [{"role": "user", "content": "Süß?"}]
    assert [request.path for request in other.requests] == ["/v1/audio/speech"]


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        (Script.error(401, {"error": {"message": "bad key"}}), 4, b"bad key"),
        (Script.error(404, {"error": "no model m"}), 3, b"--chat-model"),
        (Script.error(404, {"error": {"code": "model_not_found"}}), 3, b"Set --chat-model"),
        (chat([]), 2, b"nothing to say"),
    ],
)
def test_without_an_answer_the_exit_code_says_why(
    reply: Script, code: int, words: bytes, tmp_path: Path
) -> None:
    with answering(reply) as server:
        done = ask(server, tmp_path, "Why?")
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert b"Traceback" not in done.stderr


def test_an_answer_that_breaks_off_is_spoken_up_to_there(tmp_path: Path) -> None:
    body = chunk("This much of it was written. And then")
    broken = Script(body, content_type="text/event-stream", cut_after_bytes=len(body))
    with answering(broken) as server:
        done = ask(server, tmp_path, "Why?", "--json")
    assert done.returncode == 3, done.stderr
    assert b"broke off" in done.stderr
    assert "This much of it was written." in command.figures(done)["spoken"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["Why?"], b"no language model"), ([" "], b"nothing to ask"), ([], b"nothing to ask")],
)
def test_without_question_or_model_nothing_is_asked(
    arguments: list[str], words: bytes, tmp_path: Path
) -> None:
    done = command.run(
        *("ask", *arguments, "--device", "null"),
        env=command.environment(tmp_path, {"OPENAI_API_KEY": ""}),
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert words in done.stderr


def event(fields: Any) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()


def choice(**more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, **more}]}


DONE = b"data: [DONE]\n\n"
SAID = b"".join(map(chunk, ["It is ", "so."]))
WHOLE = json.dumps(choice(message={"role": "assistant", "content": "It is so."})).encode()


@pytest.mark.parametrize(
    "reply",
    [
        Script(event(choice(content_filter={})) + SAID + DONE, content_type="text/event-stream"),
        Script(event(choice(delta=None)) + SAID, content_type="text/event-stream"),
        Script(b": waiting\n\n" + event({"choices": []}) + SAID + DONE, content_type="text/plain"),
        Script(
            event(choice(delta={"content": [{"type": "text", "text": "It is so."}]})) + DONE,
            content_type="text/event-stream",
        ),
        Script(
            event(choice(delta={"reasoning_content": "hm"}))
            + event({"choices": [{"index": 1, "delta": {"content": "Or not."}}]})
            + SAID
            + DONE,
            content_type="text/event-stream; charset=utf-8",
        ),
        Script(event(choice(delta={"refusal": "It is so."})), content_type="text/event-stream"),
        # all was said; that the connection is cut then is nothing to us
        Script(
            SAID + event(choice(delta={}, finish_reason="stop")) + b"more",
            content_type="text/event-stream",
            cut_after_bytes=len(SAID) + 10_000,
        ),
        Script(WHOLE, content_type="application/json"),
        Script(WHOLE, content_type="text/html", status=201),
    ],
)
def test_an_answer_is_understood_in_any_shape(reply: Script, tmp_path: Path) -> None:
    with answering(reply) as server:
        done = ask(server, tmp_path, "Is it so?", "--json")
    assert done.returncode == 0, done.stderr
    assert command.figures(done)["spoken"] == "It is so."


PINGS = [(0.1 * number, 9) for number in range(200)]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            Script(b": ping\n\n\n" * 200, content_type="text/event-stream", arrivals=PINGS),
            b"--timeout",
        ),
        (Script(b"data: " + b"x" * (33 << 20), content_type="text/event-stream"), b"too large"),
        (Script(b"[" + b"1," * (3 << 20), content_type="application/json"), b"more than 4 MB"),
        (Script(b"<html><h1>Welcome</h1>", content_type="text/html"), b"Welcome"),
        (Script(b'{"models": []}', content_type="application/json"), b"--chat-base-url"),
        (
            Script(event({"error": {"message": f"no {KEY}"}}), content_type="text/event-stream"),
            b"no (",
        ),
    ],
)
def test_what_is_no_answer_is_told_in_time(reply: Script, words: bytes, tmp_path: Path) -> None:
    with answering(reply) as server:
        # longer than a loaded machine takes for 33 MB
        done = ask(server, tmp_path, "Is it so?", "--timeout", "2", "--retries", "0")
    assert done.returncode == 3, done.stderr
    assert words in done.stderr
    assert KEY.encode() not in done.stderr
    assert b"Traceback" not in done.stderr


def test_only_what_the_server_needs_is_sent(tmp_path: Path) -> None:
    """The ``openai`` package would name the organisation and the machine."""
    strange = {"OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "project-1"}
    env = command.environment(tmp_path, {"VOICESTREAM_API_KEY": KEY, **strange})
    answers = [
        Script.error(503, "busy"),
        chat(["Yes."]),
        Script(tones.speech("Yes.", 0.1).tobytes()),
    ]
    with ScriptedServer(answers) as server:
        done = command.run(
            *("ask", "Is it?", "--base-url", server.url, "--device", "null", "--panel", "off"),
            env=env,
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stderr
    asked = server.requests[0]  # and once more, since that may help
    assert [request.path for request in server.requests].count(asked.path) == 2
    assert set(asked.headers) == {
        *("host", "accept", "accept-encoding", "content-type", "user-agent"),
        *("authorization", "content-length"),
    }
