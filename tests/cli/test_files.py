"""Sound files made by the real command: whole and tagged, or under another name."""

from __future__ import annotations

import io
import json
import re
import signal
import time
from pathlib import Path

import av
import numpy as np
import pexpect
import pytest

from tests.cli.command import Call, Run, clean_environ, run
from tests.support import command, tones
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from tests.support.sound import Int16, samples_in
from voicestream.cli.options import SayCall
from voicestream.cli.targets import calls_of
from voicestream.errors import UsageError

TEXT = "Number 1 is here. And 2. Then comes number 3, at last."
AS_IT_IS = ["--no-trim", "--no-normalize"]


def answer(request: Request) -> Script:
    return Script(tones.speech(request.json["input"], 0.25).tobytes())


def say(folder: Path, server: ScriptedServer, *arguments: str, **more: object) -> Run:
    environ = {"VOICESTREAM_TURN": "wait", "XDG_RUNTIME_DIR": str(folder / "runtime")}
    (folder / "runtime").mkdir(mode=0o700, exist_ok=True)
    wanted = ["say", "--base-url", server.url, *arguments]
    return run(Call(wanted, environ, **more), folder)  # type: ignore[arg-type]


def made(ended: Run) -> set[str]:
    return {name for name in ended.left if not name.endswith("playout.json")}


def frames_of(ended: Run, name: str) -> Int16:
    return np.frombuffer(samples_in(ended.left[name]), np.int16)


def test_a_file_is_made_and_nothing_played(tmp_path: Path) -> None:
    with ScriptedServer(answer) as server:
        ended = say(tmp_path, server, TEXT, "-v", "nova", "-o", "a.wav", *AS_IT_IS)
    assert (ended.code, ended.out) == (0, b"")
    # no floor was taken, no panel drawn, one line said
    assert made(ended) == {"a.wav"}
    assert re.fullmatch(r"a\.wav · 0\.8 s of sound in .*\n", ended.err)
    assert np.array_equal(frames_of(ended, "a.wav"), tones.speech(TEXT, 0.25))
    with av.open(io.BytesIO(ended.left["a.wav"])) as file:
        assert file.metadata["title"].startswith("Number 1 is here")
        assert file.metadata["artist"] == "nova"


def test_a_file_takes_less_time_than_it_sounds(tmp_path: Path) -> None:
    sound = tones.tone(1, 20.0).tobytes()
    with ScriptedServer(lambda _: Script(sound, piece_bytes=65_536)) as server:
        text = "A sentence that is so long that it has a request of its own to itself. " * 4
        ended = say(tmp_path, server, text, "-o", "a.mp3", "--batch-chars", "1", "--json")
    figures = json.loads(ended.out)
    assert figures["completed"]
    assert figures["audio_s"] > 80
    assert figures["timeline_ms"]["end"] < 60_000
    with av.open(io.BytesIO(ended.left["a.mp3"])) as file:
        assert file.duration / 1e6 == pytest.approx(figures["audio_s"], abs=0.01)


def test_each_file_becomes_one_with_subtitles(tmp_path: Path) -> None:
    files = {"one.md": "# Number 1\n\nThis is 2.", "two.md": "Number 3 is first. Then 4."}
    wanted = ["-o", "out/{name}.flac", "--subtitles", "out/{name}.vtt", *AS_IT_IS]
    (tmp_path / "out").mkdir()
    with ScriptedServer(answer) as server:
        ended = say(tmp_path, server, "-f", "one.md", "-f", "two.md", *wanted, files=files)
    assert ended.code == 0
    assert made(ended) == {f"out/{name}.{kind}" for name in ("one", "two") for kind in _KINDS}
    for name, first, second in (("one", "Number 1", "This is 2."), ("two", *_SECOND)):
        assert ended.left[f"out/{name}.vtt"].decode() == (
            f"WEBVTT\n\n00:00:00.000 --> 00:00:00.250\n{first}\n"
            f"\n00:00:00.250 --> 00:00:00.500\n{second}\n"
        )
        with av.open(io.BytesIO(ended.left[f"out/{name}.flac"])) as file:
            assert file.metadata["title"] == name


_KINDS = ("flac", "vtt")
_SECOND = ("Number 3 is first.", "Then 4.")


def test_a_file_without_words_is_left_out(tmp_path: Path) -> None:
    files = {"one.md": "Number 1.", "none.md": " \n", "two.md": "Number 2."}
    named = [word for file in files for word in ("-f", file)]
    with ScriptedServer(answer) as server:
        ended = say(tmp_path, server, *named, "-o", "{name}.wav", files=files)
    assert ended.code == 2
    assert made(ended) == {"one.wav", "two.wav"}
    assert len(ended.errors) == 1
    assert ended.warnings == ["voicestream: warning: none.md is left out"]


def test_what_is_saved_is_what_a_file_is_made_of(tmp_path: Path) -> None:
    with ScriptedServer(answer) as server:
        for wanted in (["-o", "a.wav"], ["--save", "b.wav", "--device", "null", "-q"]):
            assert say(tmp_path, server, TEXT, "--tempo", "1.3", *wanted).code == 0
    sounds = [samples_in((tmp_path / name).read_bytes()) for name in ("a.wav", "b.wav")]
    assert sounds[0] == sounds[1]
    assert len(sounds[0]) > 10_000


def test_several_files_are_played_as_one_text(tmp_path: Path) -> None:
    files = {"a.txt": "Number 1 ends without a stop", "b.txt": "Number 2 comes."}
    wanted = ["-f", "a.txt", "-f", "b.txt", "--device", "null", "--json", "-q"]
    with ScriptedServer(answer) as server:
        ended = say(tmp_path, server, *wanted, files=files)
    spoken = [segment["text"].strip() for segment in json.loads(ended.out)["segments"]]
    assert spoken == ["Number 1 ends without a stop", "Number 2 comes."]


def test_subtitles_stand_where_the_sentences_sound(tmp_path: Path) -> None:
    def with_silence(request: Request) -> Script:
        return Script(tones.speech(request.json["input"], 0.3, silence_s=0.12).tobytes())

    with ScriptedServer(with_silence) as server:
        ended = say(tmp_path, server, TEXT, "-o", "a.wav", "--subtitles", "a.srt")
    sound = frames_of(ended, "a.wav")
    cues = re.findall(r"(\d+)\n(\S+) --> (\S+)\n(.*)\n", ended.left["a.srt"].decode())
    assert [cue[3] for cue in cues] == re.findall(r"\S[^.]*\.", TEXT)
    for number, start, end, _text in cues:
        cut = sound[_frame(start) : _frame(end)]
        assert tones.heard_numbers(cut) == [int(number)]
        loud = np.flatnonzero(abs(cut) > 1000)
        assert loud[0] < 0.04 * tones.RATE_HZ  # the quiet before a sound belongs to it
        assert len(loud) > 0.25 * tones.RATE_HZ


def _frame(time: str) -> int:
    hours, minutes, seconds = time.replace(",", ".").split(":")
    return round((3600 * int(hours) + 60 * int(minutes) + float(seconds)) * tones.RATE_HZ)


def test_what_is_not_whole_does_not_get_the_name(tmp_path: Path) -> None:
    def third_fails(request: Request) -> Script:
        return Script.error(400, {}) if "3" in request.json["input"] else answer(request)

    (tmp_path / "a.wav").write_bytes(b"before")
    with ScriptedServer(third_fails) as server:
        ended = say(tmp_path, server, TEXT, "-o", "a.wav", "--subtitles", "a.srt", *AS_IT_IS)
    assert ended.code == 3
    assert made(ended) == {"a.part.wav"}
    assert (tmp_path / "a.wav").read_bytes() == b"before"
    assert any("a.part.wav" in warning for warning in ended.warnings)
    assert tones.heard_numbers(frames_of(ended, "a.part.wav")) == [1, 2]


def test_an_interrupt_leaves_no_torso_under_the_name(tmp_path: Path) -> None:
    sound = tones.tone(1, 30.0).tobytes()
    with ScriptedServer(Script(sound, rate_bytes_per_s=48_000)) as server:
        env = command.environment(tmp_path, {"VOICESTREAM_BASE_URL": server.url})
        process = command.start("Hello.", "-o", "a.mp3", env=env, cwd=tmp_path)
        while not any(part.stat().st_size for part in tmp_path.glob(".a-*.part.mp3")):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"a.part.mp3" in err
    assert not list(tmp_path.glob(".a*"))
    assert {file.name for file in tmp_path.glob("*.mp3")} == {"a.part.mp3"}


def test_sound_goes_to_stdout_with_o(tmp_path: Path) -> None:
    with ScriptedServer(answer) as server:
        ended = say(tmp_path, server, "Number 5.", "-o", "-", *AS_IT_IS)
    assert (ended.code, made(ended)) == (0, set())
    assert (ended.out[:4], ended.out[44:]) == (b"RIFF", tones.speech("5", 0.25).tobytes())


def test_a_bar_shows_on_a_terminal_how_far_it_is(tmp_path: Path) -> None:
    def slowly(request: Request) -> Script:
        return Script(tones.speech(request.json["input"], 0.5).tobytes(), rate_bytes_per_s=30_000)

    with ScriptedServer(slowly) as server:
        words = ["say", TEXT, "--base-url", server.url, "-o", "a.opus", "--batch-chars", "1"]
        environ = clean_environ(tmp_path) | {"TERM": "xterm-256color"}
        arguments = ["-m", "voicestream", *words]
        with pexpect.spawn(
            command.command()[0], arguments, env=environ, cwd=str(tmp_path), timeout=30
        ) as terminal:
            terminal.expect(r"[1-9]\d? %")
            terminal.expect(r"s of sound")
            terminal.expect(r"a\.opus .* of sound in")
            terminal.expect(pexpect.EOF)


def test_what_is_played_becomes_one_file() -> None:
    with pytest.raises(UsageError, match="`play` makes one sound"):
        calls_of(SayCall(sources=["a.wav", "b.wav"], output="{name}.mp3"))
