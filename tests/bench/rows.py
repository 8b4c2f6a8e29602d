"""The programs that are compared: what is started, and what must be there for it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

TEXT = "The quick brown fox jumps over the lazy dog."
PACAT = "curl | pacat pcm"
BARE = "httpx only (no sound)"
_PLAYERS = Path(__file__).parent / "players"

Command = list[str]
Pipeline = list[Command]


@dataclass(frozen=True)
class Row:
    """One program of the table.

    Attributes:
        name: as shown and as chosen with ``--only``.
        format: of the reply; selects the server's script.
        start: the base URL -> the commands, each reading the one before.
        lacking: what must be installed first; empty when all is there.
        exact: every sample sent must be heard.
        mute: plays nothing.
        asks: the method of its request.
        kept: its reply is asked for once, and kept on the disk.
    """

    name: str
    format: str
    start: Callable[[str], Pipeline]
    lacking: str = ""
    exact: bool = False
    mute: bool = False
    asks: str = "POST"
    kept: bool = False


def rows() -> list[Row]:
    """All programs, in the order of the table."""
    return [
        *(voicestream(kind) for kind in ("pcm", "realtime", "wav", "mp3", "embedded")),
        kept(voicestream("pcm", "--cache", "on")),
        piped(PACAT, "pcm", _PACAT_COMMAND, exact=True),
        piped("curl | voicestream play pcm", "pcm", [*PLAY, "-", "--rate", "24000"], exact=True),
        piped("curl | voicestream play mp3", "mp3", [*PLAY, "-"]),
        Row("voicestream play URL mp3", "mp3", lambda url: [[*PLAY, f"{url}/a.mp3"]], asks="GET"),
        piped("curl | mpv pcm", "pcm", [*MPV, *MPV_RAW, "-"], exact=True),
        piped("curl | mpv mp3", "mp3", [*MPV, "-"]),
        piped("curl | ffplay mp3", "mp3", [*FFPLAY, "-f", "mp3", "-"]),
        _script(BARE, "httpx_only.py", ["httpx"], mute=True),
        _script("httpx + pyaudio pcm", "httpx_pyaudio.py", ["httpx", "pyaudio"]),
        _script("OpenAI SDK player pcm", "openai_player.py", ["openai", "sounddevice"]),
    ]


_PACAT_COMMAND = [
    *("pacat", "--raw", "--format=s16le", "--rate=24000", "--channels=1"),
    "--latency-msec=20",
]
_PROGRAM = Path(sys.executable).with_name("voicestream")
_START = [str(_PROGRAM)] if _PROGRAM.exists() else [sys.executable, "-m", "voicestream"]
PLAY = [*_START, "play", "--panel", "off"]
MPV = ["mpv", "--no-config", "--no-terminal", "--no-video", "--ao=pulse"]
MPV_RAW = [
    *("--demuxer=rawaudio", "--demuxer-rawaudio-format=s16le"),
    *("--demuxer-rawaudio-rate=24000", "--demuxer-rawaudio-channels=1"),
]
FFPLAY = ["ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet"]


def _curl(url: str) -> Command:
    return [
        *("curl", "-sN", "-H", "Content-Type: application/json", "-d", '{"input": "x"}'),
        f"{url}/audio/speech",
    ]


def piped(name: str, kind: str, player: Command, exact: bool = False) -> Row:
    lacking = ", ".join(word for word in ("curl", player[0]) if shutil.which(word) is None)
    return Row(name, kind, lambda url: [_curl(url), player], lacking, exact)


def _script(name: str, file: str, modules: list[str], mute: bool = False) -> Row:
    lacking = ", ".join(word for word in modules if importlib.util.find_spec(word) is None)
    command = [sys.executable, str(_PLAYERS / file)]
    return Row(name, "pcm", lambda url: [[*command, url, "pcm"]], lacking, not mute, mute)


def voicestream(kind: str, *settings: str) -> Row:
    lacking = "" if importlib.util.find_spec("voicestream.__main__") else "voicestream"

    def command(url: str) -> Pipeline:
        if kind == "embedded":
            return [[*_START, "say", TEXT, "--panel", "off", "--base-url", "embedded:"]]
        form = "pcm" if kind == "realtime" else kind
        return [
            [*_START, "say", TEXT, "--panel", "off", "--base-url", url, "--format", form, *settings]
        ]

    name = " ".join(("voicestream", kind, *settings))
    return Row(name, kind, command, lacking, exact=kind in ("pcm", "realtime", "wav"))


def kept(row: Row) -> Row:
    """Its reply is here from the round that is not counted."""
    return replace(row, name="voicestream, kept", kept=True)


def through_engine(row: Row) -> Row:
    """What a row of ours is where an engine runs; CPU and memory are the front's alone."""

    def command(url: str) -> Pipeline:
        return [["env", "-u", "VOICESTREAM_ENGINE", *words] for words in row.start(url)]

    return replace(row, name=f"{row.name}, engine", start=command)
