"""What surrounds the command: disks, pipes, sound cards, encodings, and who gets the key."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.command import Call, Run, run
from tests.support.canary import KEY
from tests.support.loudspeaker import Loudspeaker
from tests.support.script import Script
from tests.support.server import ScriptedServer
from tests.support.sound import ramp, samples_in
from voicestream.cli import doctor, entry, inspect_commands
from voicestream.doctor.finding import Finding
from voicestream.session import outputs

SOUND = ramp(2400).tobytes()
QUIETLY = ["--panel", "off"]
NULL = ["--device", "null", *QUIETLY]


silent_machine = pytest.mark.skipif(
    Path("/dev/snd").exists() or sys.platform != "linux", reason="this machine has a sound card"
)


def say(folder: Path, url: str, *arguments: str, **more: object) -> Run:
    call = Call(["say", "Hello.", "--base-url", url, *arguments], **more)  # type: ignore[arg-type]
    ended = run(call, folder)
    assert "Traceback" not in ended.err
    assert KEY not in ended.err + ended.out.decode("utf-8", "replace")
    return ended


@pytest.mark.parametrize("seconds", [0.05, 1], ids=["at the end", "in the middle"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, seconds: float) -> None:
    sound = ramp(round(24_000 * seconds)).tobytes()
    with ScriptedServer(Script(sound)) as server:
        ended = say(tmp_path, server.url, *NULL, "--save", "out.wav", disk_blocks=4)
    assert ended.code == 1
    assert ended.errors == ["voicestream: out.wav cannot be written: File too large"]
    assert (ended.warnings, ended.left) == ([], {})


def test_sound_goes_into_a_pipe(tmp_path: Path) -> None:
    with ScriptedServer(Script(SOUND)) as server:
        ended = say(tmp_path, server.url, *NULL, "--save", "-")
    assert (ended.code, ended.errors) == (0, [])
    assert (ended.out[:4], ended.out[44:]) == (b"RIFF", SOUND)


@pytest.mark.parametrize("wanted", [["--save", "-"], ["--json"]])
def test_a_pipe_that_nobody_reads_ends_it_without_a_word(tmp_path: Path, wanted: list[str]) -> None:
    with ScriptedServer(Script(SOUND)) as server:
        ended = say(tmp_path, server.url, *NULL, *wanted, unread=True)
    assert (ended.code, ended.errors) == (141, [])


def test_figures_of_a_failure_into_a_pipe_that_nobody_reads(tmp_path: Path) -> None:
    ended = say(tmp_path, "nonsense", *NULL, "--json", unread=True)
    assert (ended.code, len(ended.errors)) == (141, 1)


@pytest.mark.parametrize("closed", [[1], [2], [0, 1, 2]])
def test_it_speaks_with_closed_descriptors(tmp_path: Path, closed: list[int]) -> None:
    with ScriptedServer(Script(SOUND)) as server:
        ended = say(tmp_path, server.url, *NULL, "--json", closed=closed)
    assert (ended.code, ended.errors) == (0, [])


@pytest.mark.parametrize("words", ["--version", "status --json", "devices", "voices"])
def test_commands_that_show_something_run_with_a_closed_stdout(
    words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VOICESTREAM_BASE_URL", "embedded:")
    monkeypatch.setattr(outputs, "list_cards", lambda _backend: [])
    monkeypatch.setattr(inspect_commands, "own_stderr", lambda: None)
    monkeypatch.setattr(sys, "stdout", None)
    assert entry.run(words.split()) == (1 if "status" in words else 0)


def test_the_doctor_shows_nothing_on_a_closed_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    doctor._Screen().show(Finding("sound", "good", "it plays"))


@silent_machine
def test_without_a_sound_card_it_says_what_to_do(tmp_path: Path) -> None:
    with ScriptedServer(Script(SOUND)) as server:
        ended = say(tmp_path, server.url, *QUIETLY, "--json")
    assert ended.code == 5
    assert json.loads(ended.out)["completed"] is False
    (error,) = ended.errors
    for words in ("no audio device", "voicestream devices", "-o FILE", "--device null"):
        assert words in error


@silent_machine
def test_a_device_that_was_named_must_be_there_even_when_saving(tmp_path: Path) -> None:
    named = ["--device", "nosuch", "--save", "out.wav"]
    with ScriptedServer(Script(SOUND)) as server:
        ended = say(tmp_path, server.url, *QUIETLY, *named, "--json")
    assert (ended.code, len(ended.errors), ended.left) == (5, 1, {})


@silent_machine
def test_without_a_sound_card_it_warns_and_saves(tmp_path: Path) -> None:
    with ScriptedServer(Script(SOUND)) as server:
        ended = say(tmp_path, server.url, *QUIETLY, "--save", "out.wav", "--json")
    assert (ended.code, ended.errors) == (0, [])
    (warning,) = ended.warnings
    assert "only saved" in warning
    assert samples_in(ended.left["out.wav"]) == SOUND
    assert json.loads(ended.out)["completed"] is True


def test_without_portaudio_it_says_so_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "pyaudio.py"
    broken.parent.mkdir()
    broken.write_text("raise ImportError('libportaudio.so.2: cannot open')")
    environ = {"PYTHONPATH": f"{broken.parent}:{Path(__file__).parents[2]}"}
    with ScriptedServer(Script(SOUND)) as server:
        ended = say(tmp_path, server.url, *QUIETLY, "--backend", "pyaudio", environ=environ)
    assert ended.code == 5
    (error,) = ended.errors
    assert "libportaudio" in error


def test_an_unknown_device_is_told_with_those_there_are(
    tmp_path: Path, loudspeaker: Loudspeaker
) -> None:
    leading = ("HOME", "XDG_RUNTIME_DIR", "PULSE_")
    environ = {name: v for name, v in loudspeaker.env.items() if name.startswith(leading)}
    with ScriptedServer(Script(SOUND)) as server:
        ended = say(tmp_path, server.url, *QUIETLY, "--device", "nosuch", environ=environ)
    assert ended.code == 5
    (error,) = ended.errors
    assert "'nosuch'" in error
    assert "there are: 0 " in error
    assert ended.err.count("\n") == 1, ended.err  # the error: nothing of ALSA's


def test_a_redirect_is_not_followed_with_the_key(tmp_path: Path) -> None:
    with ScriptedServer(Script(SOUND)) as stranger:
        away = Script(b"", 307, headers={"Location": stranger.url}, framing="length")
        with ScriptedServer(away) as server:
            ended = say(tmp_path, server.url, *NULL)
            assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
        assert (stranger.requests, stranger.connected_s) == ([], [])
    assert ended.code == 3


def test_a_reply_in_many_segments_fails_in_one_line(tmp_path: Path) -> None:
    text = "This sentence is said again. " * 600
    with ScriptedServer(Script.error(429, {"error": "slow down"})) as server:
        ended = run(
            Call(["say", *NULL, "--base-url", server.url, "--json"], stdin=text.encode()), tmp_path
        )
    assert len(json.loads(ended.out)["segments"]) > 1
    assert (ended.code, len(ended.errors)) == (3, 1)


def test_figures_are_whole_where_stdout_is_not_utf8(tmp_path: Path) -> None:
    environ = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with ScriptedServer(Script(SOUND)) as server:
        arguments = ["say", "Grüße.", *NULL, "--json", "--base-url", server.url]
        ended = run(Call(arguments, environ), tmp_path)
    assert (ended.code, ended.errors) == (0, [])
    assert json.loads(ended.out)["segments"][0]["text"] == "Grüße."


def test_config_shows_where_the_key_came_from_and_not_the_key(tmp_path: Path) -> None:
    ended = run(
        Call(["config", "--speed", "1.5"], files={".env": "VOICESTREAM_VOICE=nova"}), tmp_path
    )
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in ended.out.decode().splitlines()}
    assert rows["api_key"] == ["(set)", "VOICESTREAM_API_KEY"]
    assert rows["speed"] == ["1.5", "flag --speed"]
    assert rows["voice"] == ["nova", ".env VOICESTREAM_VOICE"]
    assert rows["model"] == ["gpt-4o-mini-tts", "default"]
    assert (ended.code, ended.err) == (0, "")
    assert KEY.encode() not in ended.out


def test_config_tells_of_a_mistake_in_one_line(tmp_path: Path) -> None:
    ended = run(Call(["config", "--speed", "fast"]), tmp_path)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, b"", 1)


@pytest.mark.parametrize("words", [["--help"], ["say", "-h"], ["config"], ["endpoints"]])
def test_a_full_disk_behind_stdout_is_told(tmp_path: Path, words: list[str]) -> None:
    ended = run(Call(words, into="/dev/full"), tmp_path)
    assert ended.code == 1
    assert ended.err == "voicestream: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("wanted", ["--json", "--save=-"])
def test_a_full_disk_behind_figures_or_sound_is_told(tmp_path: Path, wanted: str) -> None:
    with ScriptedServer(Script(SOUND)) as server:
        ended = say(tmp_path, server.url, *NULL, wanted, into="/dev/full")
    assert ended.code == 1
    (error,) = ended.errors
    assert "cannot be written: No space left on device" in error


def test_an_unknown_command_is_told_in_one_line(tmp_path: Path) -> None:
    ended = run(Call(["sya", "Hello."]), tmp_path)
    assert ended.code == 2
    assert len(ended.err.splitlines()) == len(ended.errors) == 1
    assert "Did you mean `voicestream say`?" in ended.err


@silent_machine
def test_devices_without_any(tmp_path: Path) -> None:
    ended = run(Call(["devices"]), tmp_path)
    assert ended.code == 0
    assert ended.err == "no sound card was found; `voicestream doctor` looks for the reason\n"
    assert ended.out.decode().split() == "null a simulated device with a real clock".split()


@silent_machine
@pytest.mark.parametrize("backend", ["miniaudio", "pyaudio"])
def test_where_there_is_no_card_the_doctor_says_what_to_start(backend: str, tmp_path: Path) -> None:
    environ = {"VOICESTREAM_BACKEND": backend, "VOICESTREAM_BASE_URL": "embedded:"}
    ended = run(Call(["doctor", "--json", "--free"], environ), tmp_path)
    found = json.loads(ended.out)["findings"]
    (card,) = [one for one in found if one["about"] == "sound card"]
    assert "no sound card" in card["what"]
    assert "pulseaudio --start" in card["todo"]
    assert "voicestream devices" not in card["todo"]
    assert ended.code == 5


@silent_machine
def test_of_bare_alsa_only_devices_are_listed(tmp_path: Path) -> None:
    card = 'pcm.card {\n type null\n hint {\n show on\n description "My card"\n}\n}\n'
    call = Call(["devices", "--json"], {"VOICESTREAM_BACKEND": "miniaudio"}, {".asoundrc": card})
    ended = run(call, tmp_path)
    assert (ended.code, ended.err) == (0, "")
    (device,) = json.loads(ended.out)["devices"]
    assert (device["index"], device["name"], device["host_api"]) == (0, "My card", "ALSA")
    named = ["Hi.", "--device", "0", "--panel", "off"]
    with ScriptedServer(Script(SOUND)) as server:
        environ = {**call.environ, "VOICESTREAM_BASE_URL": server.url}
        heard = run(Call(named, environ), tmp_path)
    assert (heard.code, heard.errors) == (0, [])
