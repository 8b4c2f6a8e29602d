"""What can go wrong, each case with the exit code and the words a person gets."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.support.canary import KEY
from tests.support.script import Script
from tests.support.sound import ramp

SOUND = ramp(2400).tobytes()
"""A tenth of a second."""


@dataclass(frozen=True)
class Case:
    """One thing that goes wrong.

    Attributes:
        says: all of these stand in the one line of error (none: the run succeeds).
        warns: all of these stand in the one warning.
        script: what the server answers; None: the case names its own endpoint, if any.
        requests: how many requests the server gets.
        secure: the server speaks TLS, with a certificate that nobody trusts.
        heard: sound that is kept all the same, in out.wav.
        arguments, environ, files, stdin, closed: as in :class:`Call`.
    """

    name: str
    code: int
    says: Sequence[str] = ()
    arguments: Sequence[str | bytes] = ("Hello.",)
    warns: Sequence[str] = ()
    script: Script | None = None
    requests: int = 1
    secure: bool = False
    heard: bytes | None = None
    environ: Mapping[str, str | None] = field(default_factory=dict)
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    stdin: bytes | None = None
    closed: Sequence[int] = ()


def spoken(name: str, warning: str, arguments: Sequence[str | bytes], **more: object) -> Case:
    """A case that at most warns."""
    warns = [warning] if warning else []
    return Case(name, 0, arguments=arguments, warns=warns, script=Script(SOUND), **more)  # type: ignore[arg-type]


_CONFIG = ".config/voicestream/config.toml"
_NO_KEY = {"VOICESTREAM_API_KEY": None}
_LATIN = "Grüße.".encode("latin-1")
_NOT_UTF8 = "not UTF-8"
UNTRUE_WAV = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack("<I", 4000)

TEXT_CASES = [
    Case("empty text", 2, ["nothing to say", "Try:"], [""]),
    Case("blank text", 2, ["nothing to say", "Try:"], [" \n\t "]),
    Case("invisible text", 2, ["nothing to say"], ["\u200b\x07"]),
    Case("empty stdin", 2, ["nothing to say", "Try:"], []),
    Case("empty file", 2, ["nothing to say"], ["-f", "t.txt"], files={"t.txt": ""}),
    Case("closed stdin", 2, ["nothing to say"], [], closed=[0]),
    Case("closed stdin asked for", 2, ["nothing to say"], ["-"], closed=[0]),
    Case("missing file", 2, ["cannot read t.txt", "No such file"], ["-f", "t.txt"]),
    Case("a folder for a file", 2, ["is a folder"], ["-f", "."]),
    Case("text and file", 2, ["both a text and --file"], ["Hi", "-f", "t"], files={"t": "Hi"}),
    spoken("file not UTF-8", _NOT_UTF8, ["-f", "t.txt"], files={"t.txt": _LATIN}),
    spoken("stdin not UTF-8", _NOT_UTF8, [], stdin=_LATIN),
    spoken("argument not UTF-8", _NOT_UTF8, [_LATIN]),
]

OPTION_CASES = [
    Case("unknown option", 2, ["--devic", "say --help"], ["Hi", "--devic", "null"]),
    Case("option without value", 2, ["--voice", "--help"], ["Hi", "--voice"]),
    Case("short option without value", 2, ["-e", "argument"], ["Hi", "-e"]),
    Case("figures of a mistake", 2, ["--speed"], ["Hi", "--speed", "x", "--json"]),
    Case("figures of an unknown option", 2, ["--nonsense"], ["Hi", "--json", "--nonsense"]),
    Case("figures of a missing value", 2, ["--voice"], ["Hi", "--json", "--voice"]),
    Case("unknown format", 2, ["--format", "pcm", "ogg"], ["Hi", "--format", "ogg"]),
    Case("unknown panel", 2, ["--panel", "auto"], ["Hi", "--panel", "maybe"]),
    Case(
        "unknown embedded voice",
        2,
        ["heart", "nobody", "--base-url"],
        ["Hi", "--voice", "nobody", "--base-url", "embedded:"],
    ),
    Case("negative prebuffer", 2, ["--prebuffer-ms", "from 0"], ["Hi", "--prebuffer-ms=-1"]),
    Case("absurd prebuffer", 2, ["--prebuffer-ms", "60000"], ["Hi", "--prebuffer-ms", "1e9"]),
    Case("no number", 2, ["--prebuffer-ms", "'much'"], ["Hi", "--prebuffer-ms", "much"]),
    Case("not a number", 2, ["--max-buffer-s", "from 0.1"], ["Hi", "--max-buffer-s", "nan"]),
    Case("infinite buffer", 2, ["--max-buffer-s", "600"], ["Hi", "--max-buffer-s", "inf"]),
    Case("no buffer", 2, ["--max-buffer-s", "from 0.1"], ["Hi", "--max-buffer-s", "0"]),
    Case("no chunk", 2, ["--chunk-size", "from 1"], ["Hi", "--chunk-size", "0"]),
    Case("half a chunk", 2, ["--chunk-size", "whole"], ["Hi", "--chunk-size", "1.5"]),
    Case("huge number", 2, ["--lookahead", "16"], ["Hi", "--lookahead", "9" * 400]),
    Case("speed", 2, ["--speed", "from 0.25 to 4"], ["Hi", "--speed", "7"]),
    Case("timeout", 2, ["--timeout", "from 0.1"], ["Hi", "--timeout", "-3"]),
    Case(
        "buffers that contradict each other",
        2,
        ["3000 ms", "2 s", "--max-buffer-s"],
        ["Hi", "--prebuffer-ms", "3000"],
    ),
    Case("no URL", 2, ["--base-url", "https://host/v1"], ["Hi", "--base-url", "localhost:88"]),
    Case("unknown endpoint", 2, ["kokro", "mean kokoro"], ["Hi", "-e", "kokro"]),
    Case("an endpoint without its key", 2, ["GROQ_API_KEY", "docs"], ["Hi", "-e", "groq"]),
    Case("a URL for a name", 2, ["--base-url", "endpoints"], ["Hi", "-e", "http://h/v1"]),
    Case("a key for a name", 2, ["not the name"], ["Hi", "-e", KEY]),
    Case("no host", 2, ["--base-url", "https://host/v1"], ["Hi", "--base-url", "http:///v1"]),
    Case("wrong scheme", 2, ["--base-url", "http"], ["Hi", "--base-url", "ftp://host/v1"]),
    Case("wrong port", 2, ["--base-url", "ort"], ["Hi", "--base-url", "http://host:99999/v1"]),
    Case("half an address", 2, ["--base-url"], ["Hi", "--base-url", "http://[::1/v1"]),
    Case("a fragment", 2, ["--base-url", "fragment"], ["Hi", "--base-url", "http://host/v1#a"]),
    Case(
        "a password in the URL",
        2,
        ["--base-url", "separately"],
        ["Hi", "--base-url", f"http://me:{KEY}@host/v1"],
    ),
]

SETTING_CASES = [
    Case("bad variable", 2, ["VOICESTREAM_SPEED", "'fast'"], environ={"VOICESTREAM_SPEED": "fast"}),
    Case("bad .env", 2, [".env VOICESTREAM_SPEED"], files={".env": "VOICESTREAM_SPEED=fast"}),
    Case(
        "unclosed quote in .env",
        2,
        ["line 2", ".env", "quote"],
        files={".env": "# mine\nVOICESTREAM_VOICE='nova\n"},
    ),
    spoken(
        "lines in .env that are not for us", "", ["Hello."], files={".env": "some words\nA='b\n"}
    ),
    Case(".env not UTF-8", 2, [".env", "cannot be read"], files={".env": b"A=\xff\xfe"}),
    Case("bad TOML", 2, ["config.toml", "not valid TOML"], files={_CONFIG: "voice = \n"}),
    Case("TOML not UTF-8", 2, ["config.toml", "not valid"], files={_CONFIG: b"voice='\xff'"}),
    Case(
        "unknown setting",
        2,
        ["config.toml", "vioce", "voice?", "config"],
        files={_CONFIG: "vioce = 'a'\n"},
    ),
    Case(
        "a key in an endpoint's table",
        2,
        ["endpoint.a.key_variable", "name of an environment variable"],
        files={_CONFIG: f"[endpoint.a]\nbase_url = 'http://127.0.0.1:9'\nkey_variable = '{KEY}'\n"},
    ),
    Case("setting of a wrong kind", 2, ["(voice)", "text"], files={_CONFIG: "voice = [1]\n"}),
    Case("a folder for settings", 2, ["config.toml", "read"], files={_CONFIG + "/x": ""}),
    Case("missing key file", 2, ["key file", "No such"], ["Hi", "--api-key-file", "none"]),
    Case(
        "empty key file",
        2,
        ["key file", "empty"],
        ["Hi", "--api-key-file", "key"],
        files={"key": ""},
    ),
    Case(
        "key file with two lines",
        2,
        ["--api-key-file", "key"],
        ["Hi", "--api-key-file", "key"],
        files={"key": f"{KEY}\nmore"},
    ),
    Case(
        "key that is no key",
        2,
        ["VOICESTREAM_API_KEY", "key"],
        environ={"VOICESTREAM_API_KEY": KEY + "é"},
    ),
    Case(
        ".env sends the key to a stranger",
        2,
        [".env", "VOICESTREAM_API_KEY", "--base-url"],
        files={".env": "VOICESTREAM_BASE_URL={url}\n"},
        script=Script(SOUND),
        requests=0,
    ),
    Case(
        ".env sends a key from the config file to a stranger",
        2,
        [".env", "config.toml", "--base-url"],
        files={".env": "OPENAI_BASE_URL={url}\n", _CONFIG: f"api_key = '{KEY}'\n"},
        environ=_NO_KEY,
        script=Script(SOUND),
        requests=0,
    ),
]

SAVE_CASES = [
    Case("missing folder", 1, ["no/x.wav", "There is no folder"], ["Hi", "--save", "no/x.wav"]),
    Case("wrong ending", 2, [".txt", ".wav", ".mp3", "stdout"], ["Hi", "--save", "x.txt"]),
    Case("no ending", 2, ["has no ending", ".wav"], ["Hi", "-o", "x"]),
    Case("a folder", 2, ["x is a folder", "x/sound.mp3"], ["Hi", "-o", "x"], files={"x/y": ""}),
    Case(
        "a trace in a missing folder",
        1,
        ["the trace no/x.json cannot be written", "There is no folder"],
        ["Hi", "--trace", "no/x.json"],
        script=Script(SOUND),
        requests=0,
    ),
    Case(
        "subtitles in a missing folder",
        1,
        ["no/x.srt cannot be written", "There is no folder"],
        ["Hi", "--subtitles", "no/x.srt"],
        script=Script(SOUND),
        requests=0,
    ),
    Case("no kind of subtitles", 2, [".txt", ".srt", ".vtt"], ["Hi", "--subtitles", "x.txt"]),
    Case("played and not played", 2, ["-o", "--save"], ["Hi", "-o", "x.wav", "--save", "y.wav"]),
    Case("echo of what is not heard", 2, ["--echo", "-o"], ["Hi", "-o", "x.wav", "--echo"]),
    Case(
        "several files as one",
        2,
        ["one all.mp3", "'{{name}}.mp3'"],
        ["-f", "a.txt", "-f", "b.txt", "-o", "all.mp3"],
    ),
    Case(
        "two files of one name",
        2,
        ["x/a.txt", "y/a.txt", "out/a.mp3"],
        ["-f", "x/a.txt", "-f", "y/a.txt", "-o", "out/{{name}}.mp3"],
        files={"x/a.txt": "Hi.", "y/a.txt": "Hi."},
    ),
    Case(
        "a file that is missing, told before any is spoken",
        2,
        ["cannot read b.txt", "No such file"],
        ["-f", "a.txt", "-f", "b.txt", "-o", "{{name}}.mp3"],
        files={"a.txt": "Hi."},
    ),
    Case("the name of no file", 2, ["{{name}}", "-f"], ["Hi", "-o", "{{name}}.mp3"]),
    Case(
        "a folder of that name",
        1,
        ["x.wav", "cannot be written", "irectory"],
        ["Hi", "--save", "x.wav"],
        files={"x.wav/y": ""},
    ),
    Case("sound and figures on stdout", 2, ["--json", "stdout"], ["Hi", "--save", "-", "--json"]),
    Case("closed stdout", 1, ["stdout"], ["Hi", "--save", "-"], closed=[1]),
]
