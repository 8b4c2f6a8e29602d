"""Speech by an engine at the other end of a forwarded socket, and who else may sit there."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.test_ask import chat
from tests.support import command, sound
from tests.support.canary import KEY
from tests.support.engine import Engine, engine, until
from tests.support.forwarding import SSHD, proxy, ssh
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.cli.engine.elsewhere import ask_elsewhere, say_elsewhere
from voicestream.cli.options import quick_say
from voicestream.cli.parts import given_pieces
from voicestream.engine.forwarded import WINDOW_CHARS
from voicestream.engine.zygote import MOST_FORWARDED
from voicestream.errors import UsageError
from voicestream.settings.table import load

SHORT = Script(sound.ramp(6_000).tobytes())


MINUTE = Script(sound.speechlike(1.0).tobytes() * 60, rate_bytes_per_s=4 * 48_000)


HELD = "This one is held back."


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    def answer(request: Request) -> Script:
        return MINUTE if HELD in str(request.json) else SHORT

    with ScriptedServer(answer) as found:
        yield found


@pytest.fixture(scope="module")
def secure() -> Iterator[ScriptedServer]:
    """Over TLS."""
    with ScriptedServer(SHORT, tls=True) as found:
        yield found


@pytest.fixture(scope="module")
def laptop(
    server: ScriptedServer, secure: ScriptedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """An engine with settings and a key of its own."""
    folder = tmp_path_factory.mktemp("laptop")
    settings = {"DEVICE": "null", "CACHE": "off", "BASE_URL": server.url, "VOICE": "mine"}
    env = command.environment(folder, {f"VOICESTREAM_{k}": v for k, v in settings.items()})
    parts = urlsplit(secure.url)
    certificate = ssl.get_server_certificate((parts.hostname or "", parts.port or 0))
    (folder / "own.pem").write_text(certificate)
    env["SSL_CERT_FILE"] = str(folder / "own.pem")
    with (
        tempfile.TemporaryDirectory(prefix="vs-") as runtime,
        engine(env, folder, Path(runtime)) as found,
    ):
        yield found


def path_of(laptop: Engine) -> str:
    return str(laptop.runtime / "engine" / "forward" / "engine.sock")


def say(laptop: Engine, *words: str, path: str = "") -> int | None:
    """Speak there, from this process."""
    call = quick_say(["say", *words])
    assert call is not None
    return say_elsewhere(call, load({"engine": path or path_of(laptop)}), given_pieces)


def test_a_text_a_file_and_flags_are_spoken_with_the_settings_of_that_side(
    laptop: Engine, server: ScriptedServer, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("# From a file.\n\nIt has ünusual letters.\n")
    asked = len(server.requests)
    assert say(laptop, "Hello.") == 0
    assert say(laptop, "-f", str(file), "--voice", "other", "--expires", "9", "--now") == 0
    requests = server.requests[asked:]
    assert [request.json["voice"] for request in requests] == ["mine", "other", "other"]
    spoken = {request.json["input"] for request in requests}  # two at once, in any order
    assert spoken == {"Hello.", "From a file.", "It has ünusual letters."}
    laptop.until(0)
    assert ask_elsewhere(path_of(laptop), "status")["speaking"] == 0


@pytest.mark.parametrize(("status", "code"), [(200, 0), (401, 4)])
def test_an_answer_is_asked_for_here_and_spoken_there(
    laptop: Engine, server: ScriptedServer, tmp_path: Path, status: int, code: int
) -> None:
    asked = len(server.requests)
    reply = chat(["Indeed it ", "is so."]) if status == 200 else Script.error(status, {})
    env = command.environment(tmp_path, {"VOICESTREAM_API_KEY": KEY})
    with ScriptedServer(reply) as model:
        words = ("--chat-base-url", model.url, "--chat-model", "thinker")
        done = command.run(
            *("ask", "Why?", "--system", "Be brief.", *words, "--engine", path_of(laptop)),
            env=env, cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert model.requests[0].json["model"] == "thinker"
    assert [said["content"] for said in model.requests[0].json["messages"]] == ["Be brief.", "Why?"]
    assert model.requests[0].headers["authorization"] == f"Bearer {KEY}"
    said = [request.json["input"] for request in server.requests[asked:]]
    assert said == ["Indeed it is so."] * (code == 0)


def test_the_next_call_finds_a_connection_made(laptop: Engine, secure: ScriptedServer) -> None:
    def is_found() -> bool:
        began_s = time.monotonic()
        words = ["say", "Hello.", "--base-url", secure.url]
        done = command.run(*words, env=laptop.env, cwd=laptop.folder)
        assert done.returncode == 0, done.stderr
        return secure.requests[-1].connected_s < began_s

    assert not is_found()
    until(is_found)


def test_a_long_text_is_sent_as_it_is_wanted(laptop: Engine, server: ScriptedServer) -> None:
    """More than may be on its way, and what is heard is told in pieces."""
    letters = "x" * 40  # one character of them is eight bytes
    asked = len(server.requests)
    text = f"Short. {'🙂' * WINDOW_CHARS}{letters}. End."
    assert say(laptop, text) == 0
    assert server.requests[-1].json["input"].endswith("End.")
    assert len(server.requests) > asked


def begins(
    laptop: Engine, server: ScriptedServer, text: str, path: str = ""
) -> tuple[threading.Thread, list[int | None]]:
    """A speech there that has begun, and its exit code once it has ended. An engine that is too
    busy to answer in time speaks for nobody: then it is asked again."""
    asked = len(server.requests)
    codes: list[int | None] = []
    speech = threading.Thread(
        target=lambda: codes.append(say(laptop, text, path=path)), daemon=True
    )
    speech.start()
    until(lambda: codes or len(server.requests) > asked)
    if codes == [None]:
        return begins(laptop, server, text, path)
    server.wait_sent(asked + 1)
    return speech, codes


def test_it_is_stopped_from_another_terminal(laptop: Engine, server: ScriptedServer) -> None:
    laptop.until(0)  # no call of before
    speech, codes = begins(laptop, server, HELD)
    laptop.until(1)
    assert ask_elsewhere(path_of(laptop), "stop")["stopped"] == 1
    speech.join(30)
    assert codes == [130]
    laptop.until(0)
    assert ask_elsewhere(path_of(laptop), "stop")["stopped"] == 0


@pytest.mark.parametrize(
    "words", [["--save", "a.wav"], ["--json"], ["--base-url", "http://127.0.0.1:9/v1"], ["--echo"]]
)
def test_what_belongs_to_this_side_is_refused(laptop: Engine, words: list[str]) -> None:
    with pytest.raises(UsageError, match=f"{words[0]} is nothing for an engine elsewhere"):
        say(laptop, "Hello.", *words)


def test_where_no_engine_answers_it_is_spoken_here(
    laptop: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "s")
    assert say(laptop, "Hello.", path=path) is None
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen()
        answering = threading.Thread(target=_answer_once, args=(other,), daemon=True)
        answering.start()
        assert say(laptop, "Hello.", path=path) is None
        answering.join(10)
    told = capsys.readouterr().err.splitlines()
    assert [line.rpartition(";")[2] for line in told] == [" speaking here"] * 2
    assert "of version 9" in told[1]
    assert say(laptop, "Hello.", "-o", "a.wav") is None  # which nobody hears


def test_no_text_is_given_to_another_user(
    laptop: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    assert say(laptop, "Hello.") is None
    assert "the socket is another user's; speaking here" in capsys.readouterr().err


def _answer_once(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b'{"ok":false,"error":"this engine, of version 9, is another"}\n')


def test_what_was_not_heard_is_named_where_the_way_breaks(
    laptop: Engine, server: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with proxy(path_of(laptop)) as (path, cut):
        speech, codes = begins(laptop, server, f"{HELD} So is this.", path)
        cut(b"So is this.")
        speech.join(30)
    assert codes == [1]
    assert "went away: not heard:" in (told := capsys.readouterr().err)
    assert "So is this." in told
    laptop.until(0)  # and nobody speaks on


def exchange(laptop: Engine, sent: bytes) -> bytes:
    """What comes back until the engine hangs up."""
    found = b""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(path_of(laptop))
        with suppress(BrokenPipeError):
            line.sendall(sent)
        with suppress(ConnectionResetError):
            while data := line.recv(65536):
                found += data
    return found


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"\x00\xff garbage\n", b""),
        (b"x" * 100_000, b""),
        (b"[" * 60_000 + b"\n", b""),
        (b"", b""),  # says nothing: it is not waited for
        (b'{"verb":"say"}\n', b"another language"),
        (b'{"verb":"config","protocol":1}\n', b"say, stop and status"),
        (b'{"verb":["say"],"protocol":1}\n', b"say, stop and status"),
        (b'{"verb":"say","protocol":1,"flags":{"base_url":"http://e/v1"}}\n', b"cannot set"),
        (b'{"verb":"say","protocol":1,"flags":{"file":"/etc/passwd"}}\n', b"cannot set"),
        (b'{"verb":"say","protocol":1,"flags":{"voice":["a"]}}\n', b"no short text"),
        (b'{"verb":"say","protocol":1}\n{"text":"early"}\n', b""),
    ],
)
def test_a_stranger_gets_no_more_than_a_plain_answer(
    laptop: Engine, sent: bytes, told: bytes
) -> None:
    found = exchange(laptop, sent)
    assert told in found
    assert (b'"ok":false' in found) is bool(told)
    assert str(laptop.folder).encode() not in found


def begun(laptop: Engine, flags: dict[str, str] | None = None) -> socket.socket:
    """A stranger who may send text now."""
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(30)
    line.connect(path_of(laptop))
    line.sendall(json.dumps({"verb": "say", "protocol": 1, "flags": flags or {}}).encode() + b"\n")
    assert line.recv(100).startswith(b'{"ok":true}\n')  # it may have begun already
    return line


@pytest.mark.parametrize(
    "sent",
    [b'{"text":1}\n', b"x" * 100_000, (b'{"text":"%s"}\n' % (b"a " * 20_000)) * 9],
    ids=["no text", "an endless line", "more than is wanted"],
)
def test_a_stranger_who_sends_what_was_not_asked_for_is_hung_up_on(
    laptop: Engine, sent: bytes
) -> None:
    with begun(laptop) as line:
        with suppress(BrokenPipeError, ConnectionResetError):
            line.sendall(sent)
        with suppress(ConnectionResetError):
            while line.recv(65536):
                continue
    laptop.until(0)


def test_a_flag_cannot_become_another_one(laptop: Engine, server: ScriptedServer) -> None:
    asked = len(server.requests)
    with begun(laptop, {"voice": "--save=/tmp/x --voice=b"}) as line:
        line.sendall(b'{"text":"Hi.","end":true}\n')
        said = b""
        while b"exit" not in said:
            piece = line.recv(65536)
            assert piece, said
            said += piece
    assert server.requests[asked].json["voice"] == "--save=/tmp/x --voice=b"


def test_strangers_leave_room_for_who_is_here(laptop: Engine) -> None:
    strangers = [begun(laptop) for _ in range(MOST_FORWARDED)]
    with socket.socket(socket.AF_UNIX) as one_more:
        one_more.connect(path_of(laptop))
        one_more.sendall(b'{"verb":"status","protocol":1}\n')
        for _ in range(3):
            laptop.until_children(MOST_FORWARDED + 1)  # with the spare one
            with socket.socket(socket.AF_UNIX) as local:
                local.settimeout(30)
                local.connect(str(laptop.runtime / "engine" / "local.sock"))
                assert local.recv(4096).startswith(b"voicestream-engine ")
        with pytest.raises(BlockingIOError):  # it waits
            one_more.recv(4096, socket.MSG_DONTWAIT)
        for line in strangers:
            line.close()
        one_more.settimeout(30)
        assert b'"ok":true' in one_more.recv(4096)
    laptop.until(0)


@pytest.mark.skipif(not SSHD or not shutil.which("ssh"), reason="needs ssh and sshd")
def test_a_text_typed_on_a_server_is_spoken_here(
    laptop: Engine, server: ScriptedServer, tmp_path: Path
) -> None:
    """By ``ssh -R``, with a real server of it, and nothing but the socket's path there."""
    asked = len(server.requests)
    env = command.environment(tmp_path, {"VOICESTREAM_ENGINE": f"{tmp_path}/there.sock"})
    with ssh(tmp_path) as words:
        typed = ["env", *(f"{k}={v}" for k, v in env.items() if k != "PATH"), sys.executable]
        forwarded = f"{tmp_path}/there.sock:{path_of(laptop)}"
        done = subprocess.run(
            [*words, "-R", forwarded, "there", *typed, "-m", "voicestream", "-v", "far"],
            input=b"It is done. Really.",
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    found = [(one.json["voice"], one.json["input"]) for one in server.requests[asked:]]
    assert found == [("far", "It is done. Really.")] or found == [
        ("far", "It is done."),
        ("far", "Really."),
    ]
