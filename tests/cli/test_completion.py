"""Completion: what is offered, and that bash, zsh and fish take it."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.cli.command import ROOT, Call, run
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.cli.complete import FILES, QUOTED, offered, offered_for_line
from voicestream.cli.typed import FIRST_WORDS
from voicestream.speech.embedded import embedded_voices

URL = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home where devices and the voices of ``URL`` were listed a moment ago."""
    lists = {
        "devices": [["HDA Intel: Analog", "ALSA"], ["USB", ""]],
        f"voices {URL}": [["nova", ""], ["nomad", "Nomad, deep"]],
    }
    kept = {what: {"at": time.time(), "names": names} for what, names in lists.items()}
    file = tmp_path / "state" / "voicestream" / "seen.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(kept))
    monkeypatch.chdir(tmp_path)
    for name, value in {"XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "config"}.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    for name in ("VOICESTREAM_BASE_URL", "OPENAI_BASE_URL", "VOICESTREAM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def names(typed: str) -> list[str]:
    *before, current = typed.split(" ")
    return [line.partition("\t")[0] for line in offered(before, current)]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("", list(FIRST_WORDS)),
        ("sta", ["status"]),
        ("hello th", []),
        ("hello --tem", ["--tempo"]),
        ("--tem", ["--tempo"]),
        ("-- --tem", []),
        ("hello --playout ", ["adaptive", "fixed"]),
        ("--playout=f", ["--playout=fixed"]),
        ("ask --sys", ["--system"]),
        ("ask --fil", []),
        ("-f ", [FILES]),
        ("-o ", [FILES]),
        ("--save=no", [FILES]),
        ("trace ", ["record", "replay"]),
        ("trace replay ", [FILES]),
        ("trace replay a ", []),
        ("trace record a.json hi --co", ["--connect-timeout", "--code"]),
        ("config ", ["path", "edit", "get", "set", "unset"]),
        ("config set prebuf", ["prebuffer_ms"]),
        ("config set plain ", ["true", "false"]),
        ("config set voice nova ", []),
        ("completion z", ["zsh"]),
        ("help prebuf", ["prebuffer-ms"]),
        ("help playo", ["playout"]),
        ("play ", [FILES]),
        ("play a.mp3 ", [FILES]),
        ("play - --sample", ["--sample-format"]),
        (f"--base-url {URL} -v no", ["nova", "nomad"]),
        (f"--base-url={URL} hi --voice=nom", ["--voice=nomad"]),
        ("--base-url https://api.openai.com/v1 -v no", ["nova"]),
        ("-e openai-r", ["openai-realtime"]),
        ("endpoints kokoro gro", ["groq"]),
        (
            "-e kokoro,openai,open",
            [
                "kokoro,openai," + name
                for name in ("openai-realtime", "openrouter", "openedai-speech")
            ],
        ),
        ("-v ", [voice.id for voice in embedded_voices()]),
        ("--base-url nonsense -v ", []),
        ("--device HD", [QUOTED, "HDA Intel: Analog"]),
        ("--device n", ["null"]),
        ("--nonsense=x", []),
        ("nonsense --nonsense ", []),
    ],
)
def test_what_is_offered(typed: str, wanted: list[str]) -> None:
    assert names(typed) == wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (f"vs --base-url {URL} -v nom", ["nomad"]),
        ("vs --playout=fi", ["fixed"]),  # bash takes what follows the sign for the word
        ("vs --playout=", ["adaptive", "fixed"]),
        ("vs --device HDA\\ Intel:", [QUOTED, " Analog"]),
        ("vs 'it is' --playout ", ["adaptive", "fixed"]),
        ("vs --device 'HDA I", [QUOTED, "HDA Intel: Analog"]),
        ("vs sta\\", ["status"]),
    ],
)
def test_a_line_of_bash_is_taken_apart(line: str, wanted: list[str]) -> None:
    assert [found.partition("\t")[0] for found in offered_for_line(line)] == wanted


def test_voices_that_were_listed_are_offered(home: Path) -> None:
    voices = Script(b'{"voices": ["warm", "cold"]}', content_type="application/json")
    with ScriptedServer(voices) as server:
        environ = {"XDG_STATE_HOME": str(home / "state")}
        assert run(Call(["voices", "--base-url", server.url], environ), home).code == 0
        assert names(f"--base-url {server.url} -v w") == ["warm"]
    assert names(f"--base-url {URL} -v no") == ["nova", "nomad"]


@pytest.mark.parametrize("content", ["", "[]", '{"devices": 1}', '{"devices": {"at": "x"}}'])
def test_a_damaged_list_is_none(content: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_how: started.append(command))
    (home / "state" / "voicestream" / "seen.json").write_text(content)
    assert names("--device ") == [QUOTED, "null"][1:]
    assert len(started) == 1, "they are listed anew"


def test_completion_loads_no_library() -> None:
    code = (
        "import sys; from voicestream.cli.entry import run; run(['_complete', '-v', '']);"
        "print(*sys.modules)"
    )
    child = pexpect.spawn(sys.executable, ["-c", code], env={"PYTHONPATH": str(ROOT)}, timeout=20)
    loaded = {name.partition(".")[0] for name in child.read().decode().split()}
    assert "voicestream" in loaded
    assert not {"typer", "rich", "numpy", "httpx", "subprocess", "asyncio"} & loaded


class Shell:
    """A real shell with the completion loaded; ``voicestream`` there shows what it was given."""

    def __init__(self, name: str, home: Path) -> None:
        (home / "notes one.md").touch()
        program = home / "bin" / "voicestream"
        program.parent.mkdir()
        program.write_text(
            "#!/bin/sh\n"
            "case $1 in\n"
            f'_complete|completion) exec {shlex.quote(sys.executable)} -m voicestream "$@" ;;\n'
            "*) printf 'given'; printf '<%s>' \"$@\"; echo . ;;\n"
            "esac\n"
        )
        program.chmod(0o755)
        start, load = {
            "bash": ("bash --noprofile --norc -i", 'eval "$(voicestream completion bash)"'),
            "zsh": (
                "zsh -f -i",
                'autoload -U compinit; compinit -u -D; eval "$(voicestream completion zsh)"',
            ),
            "fish": ("fish --no-config -i", "voicestream completion fish | source"),
        }[name]
        env = {
            "PATH": f"{program.parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "TERM": "dumb" if name == "bash" else "xterm",
            "LANG": "C.UTF-8",
        }
        command, *arguments = start.split()
        self._child = pexpect.spawn(
            command,
            arguments,
            env=env,
            cwd=str(home),
            timeout=30,
            encoding="utf-8",
            dimensions=(30, 200),
        )
        self._child.sendline(f"{load}; echo rea''dy")
        self._child.expect("ready")

    def runs(self, typed: str) -> list[str]:
        """What the program is given after ``typed`` (a tab completes) and the return key."""
        self._child.send(f"voicestream {typed}")
        self._child.send("\r")
        self._child.expect(r"given((<[^>]*>)*)\.")
        match = self._child.match
        return str(match.group(1)).strip("<>").split("><")

    def close(self) -> None:
        self._child.close(force=True)


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, home: Path) -> Iterator[Shell]:
    shell = Shell(request.param, home)
    yield shell
    shell.close()


def test_shells_complete(shell: Shell) -> None:
    assert shell.runs("stat\t") == ["status"]
    assert shell.runs("hi --playout fi\t") == ["hi", "--playout", "fixed"]
    assert shell.runs("hi --playout=fi\t") == ["hi", "--playout=fixed"]
    assert shell.runs("-f no\t") == ["-f", "notes one.md"]
    assert shell.runs("--device HD\t hi") == ["--device", "HDA Intel: Analog", "hi"]
    assert shell.runs(f"--base-url {URL} -v nom\t") == ["--base-url", URL, "-v", "nomad"]
    assert shell.runs("--device 'HDA In\t") == ["--device", "HDA Intel: Analog"]
    assert shell.runs("config set prebuf\t") == ["config", "set", "prebuffer_ms"]
