"""Every example of the README, of the help and of its pages does what it says."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.command import ROOT, clean_environ
from tests.support import sound
from tests.support.canary import KEY
from tests.support.dialogue_server import DialogueServer
from tests.support.realtime_events import speak
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.cli.commands import COMMANDS
from voicestream.cli.entry import run as run_here

README = (ROOT / "README.md").read_text("utf-8")
PAGES = {page.name: page.read_text("utf-8") for page in (ROOT / "voicestream/pages").glob("*.md")}
SPEECH = sound.speechlike(0.2).tobytes()
RAMP = sound.ramp(2400)
MP3 = sound.mp3(RAMP)
CHAT = b'data: {"choices": [{"delta": {"content": "It is so."}}]}\n\ndata: [DONE]\n\n'
_ANOTHER_SERVER = ("http://127.0.0.1:8880/v1", "http://127.0.0.1:8790/v1")
_A_SITE = "https://example.org"
_CHAT_SERVER = "http://127.0.0.1:11434/v1"
_NOBODY_SPEAKS = ("pause", "resume", "toggle", "stop", "next", "back", "volume", "tempo", "status")
_AT_ONCE = 4


def shell_examples() -> list[str]:
    """The command lines of the README and the help, each once; comments after them cut off."""
    blocks = re.findall(r"(?<!-command -->\n)```sh\n(.*?)```", README, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    for page in PAGES.values():
        lines += re.findall(r"^    (voicestream .*)$", page, re.MULTILINE)
        # the first cell of a row that is a command, a bar in it written as Markdown wants it
        cells = re.findall(r"^\| `([^`]*\bvoicestream [^`]*)` \|", page, re.MULTILINE)
        lines += [cell.replace(r"\|", "|") for cell in cells]
    lines += [line for command in COMMANDS.values() for line in command.examples]
    bare = (re.sub(r"\s{2,}#.*", "", line).strip() for line in lines)
    return list(dict.fromkeys(line for line in bare if "voicestream" in line))


def is_quick(example: str) -> bool:
    """Whether it speaks nothing and asks nobody, so that it needs no process of its own."""
    return re.match(r"voicestream (config|help|endpoints)( [\w -]+)?$", example) is not None


EXAMPLES = [example for example in shell_examples() if not is_quick(example)]
QUICK = [example for example in shell_examples() if is_quick(example)]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


class Bench:
    """A folder for each example, with what the examples name, and a server for all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = ScriptedServer(_answer)
        self._dialogue = DialogueServer(lambda asked: speak(asked, SPEECH))
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._runtime = tempfile.TemporaryDirectory(prefix="vs-")  # short, for a socket's path
        programs = folder / "bin"
        programs.mkdir()
        for name, does in {
            "llm": "echo The sky is blue. It is so.",
            "voicestream": f'exec {shlex.quote(sys.executable)} -m voicestream "$@"',
            "sleep-editor": "exit 0",
            "edge-tts": "cat talk.mp3",
            "ssh": "exit 0",
            "docker": "exit 0",
            **dict.fromkeys(("claude", "codex", "gemini"), "exit 0"),
        }.items():
            (programs / name).write_text(f"#!/bin/sh\n{does}\n")
            (programs / name).chmod(0o755)
        self._path = f"{programs}:{os.environ['PATH']}"
        self._runs: dict[str, Future[Ended]] = {}

    def start(self, example: str) -> None:
        self._runs[example] = self._pool.submit(self._run, example)

    def outcome(self, example: str) -> Ended:
        return self._runs[example].result(60)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._server.close()
        self._dialogue.close()
        self._runtime.cleanup()

    def environ(self, home: Path) -> dict[str, str]:
        """As a user has it whose settings name the server."""
        config = home / ".config" / "voicestream" / "config.toml"
        config.parent.mkdir(parents=True)
        tables = (f'[endpoint.{name}]\nbase_url = "{self._server.url}"\n' for name in _NAMED)
        config.write_text("".join(tables))
        return {
            **clean_environ(home),
            "PATH": self._path,
            "EDITOR": "sleep-editor",
            "GROQ_API_KEY": KEY,
            "VOICESTREAM_DEVICE": "null",
            "VOICESTREAM_RUNTIME_DIR": f"{self._runtime.name}/{home.name[-20:]}",
            "VOICESTREAM_BASE_URL": self._server.url,
        }

    def _run(self, example: str) -> Ended:
        home = self._folder / str(EXAMPLES.index(example))
        home.mkdir()
        for name in ("notes.md", "a.md", "b.md", "all.md", "talk.md"):
            (home / name).write_text("A note. And another one.")
        (home / "out").mkdir()
        (home / "talk.mp3").write_bytes(MP3)
        (home / "intro.wav").write_bytes(sound.wav(RAMP))
        (home / "talk.raw").write_bytes(SPEECH)
        line = example.replace(_CHAT_SERVER, self._server.url).replace(_A_SITE, self._server.url)
        for url in _ANOTHER_SERVER:
            line = line.replace(url, self._server.url)
        if "replay" in line:
            file = shlex.split(line)[-1]
            line = f'voicestream trace record {file} "Hello." >&2; {line}'
        shell = ["zsh", "-f"] if "completion zsh" in line else ["bash"]
        if shell[0] == "zsh":
            line = f"autoload -U compinit; compinit -u -D; {line}"
        if " -e " in line:
            line = f"unset VOICESTREAM_BASE_URL; {line}"
        if line == "voicestream engine":
            line += " --linger-s 0.5"  # ends by itself
        if line == "voicestream engine start":
            line += "; voicestream engine stop"
        if "--realtime" in line:
            line += f" --base-url {self._dialogue.url}"
        if line.startswith("voicestream talk"):
            line = f"echo Hello. | {line}"  # whose end ends it
        if line == "voicestream serve":
            return self._serve(home)
        if "| source" in line:  # fish's own word
            line = line.replace("| source", "| cat")
        ended = subprocess.run(
            [*shell, "-c", line],
            cwd=home,
            env=self.environ(home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def _serve(self, home: Path) -> Ended:
        """Until it says where it speaks; another of the same machine may have its port."""
        process = subprocess.Popen(
            [sys.executable, "-m", "voicestream", "serve", "--port", "0"],
            cwd=home,
            env=self.environ(home),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        told = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        return Ended(0 if "speaking at" in told else 1, "", told)


_NAMED = ("kokoro", "groq", "voicestream")
"""Endpoints that examples name; here the server is each of them."""


def _answer(request: Request) -> Script:
    if request.path.endswith("/chat/completions"):
        return Script(CHAT, content_type="text/event-stream")
    if request.path.endswith("voices"):
        return Script(b'{"voices": ["nova"]}', content_type="application/json")
    if request.path.endswith(".mp3"):
        return Script(MP3, content_type="audio/mpeg")
    return Script(SPEECH)


@pytest.fixture(scope="module")
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """Starts the examples that are going to be looked at, a few at a time."""
    bench = Bench(tmp_path_factory.mktemp("examples"))
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.path == request.path:
            example = item.callspec.params.get("example") if hasattr(item, "callspec") else None
            if example is not None:
                bench.start(example)
    yield bench
    bench.close()


def allowed(example: str) -> set[int]:
    """The exit codes of an example where nobody speaks and there is no sound card."""
    words = example.split()
    if words[1:2] and words[1] in _NOBODY_SPEAKS:
        return {1}
    if words[1:] in (["engine", "status"], ["engine", "stop"], ["engine", "uninstall"]):
        return {1}
    if words[1:] == ["engine", "install"]:
        return {0, 1}  # the unit is written; a user's systemd may not be there
    if "doctor" in words or "again" in words:
        return {0, 1, 3, 5}
    return {0}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(bench: Bench, example: str) -> None:
    ended = bench.outcome(example)
    assert ended.code in allowed(example), ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("example", QUICK)
def test_a_quick_example_runs(
    example: str, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", StringIO("sk-of-an-example\n"))
    for name, value in bench.environ(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert run_here(shlex.split(example)[1:]) == 0


@pytest.mark.parametrize("text", [README, PAGES["library.md"]], ids=["README", "library"])
def test_the_library_example_runs(bench: Bench, text: str, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env=bench.environ(tmp_path),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_readme_shows_what_matters_on_the_first_screen() -> None:
    first = README.splitlines()[:20]
    shown = "\n".join(first)
    for words in ("panel.svg", "uv tool install .", "pip install .", "voicestream hello there"):
        assert words in shown
    assert sum(line.startswith(("voicestream", "llm")) for line in first) == 5
