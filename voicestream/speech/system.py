"""The voices of the operating system: espeak-ng, macOS `say`, Windows' own. None comes along."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal

from voicestream.errors import SettingsError, UnspokenError
from voicestream.languages import language_of
from voicestream.notices import Notices
from voicestream.records import dataclass
from voicestream.speech.base import SpeechRequest
from voicestream.speech.child import Child
from voicestream.speech.voice import Voice

_PLATFORM: str = sys.platform
RATE_HZ = 24_000
_LIST_S = 5.0
"""How long a program may take to name its voices."""
_USUAL_WORDS = 175
"""A minute, of espeak-ng and of `say`."""
_AMPLITUDE = 55
"""At which espeak-ng is as loud as the embedded voice."""
_NAMES_ELSEWHERE = {"zh": ("cmn", "zh"), "no": ("nb", "no"), "he": ("he", "iw")}
"""Language -> what voices call it."""
_POWERSHELL = ("powershell.exe", "-NoProfile", "-NonInteractive", "-Command")
_LOAD = "Add-Type -AssemblyName System.Speech; $s = New-Object Speech.Synthesis.SpeechSynthesizer; "
_LIST = (
    _LOAD + "[Console]::OutputEncoding = [Text.Encoding]::UTF8; $s.GetInstalledVoices() | "
    "Where-Object Enabled | ForEach-Object { $_.VoiceInfo.Culture.Name + '  ' + $_.VoiceInfo.Name }"
)
_SPEAK = (
    _LOAD + "$s.SelectVoice('{name}'); $s.Rate = {rate}; "
    "[Console]::InputEncoding = [Text.Encoding]::UTF8; $out = [Console]::OpenStandardOutput(); "
    "$format = New-Object Speech.AudioFormat.SpeechAudioFormatInfo(24000, 'Sixteen', 'Mono'); "
    "while ($null -ne ($line = [Console]::In.ReadLine())) {{ "
    "$made = New-Object IO.MemoryStream; $s.SetOutputToAudioStream($made, $format); "
    "$s.Speak($line); $s.SetOutputToNull(); $made.WriteTo($out); $out.Flush() }}"
)
"""A sentence a line comes in, its PCM goes out."""
_SAY = (
    'd=$(mktemp -d) && trap \'rm -rf "$d"\' EXIT && while IFS= read -r line || [ -n "$line" ]; do '
    'printf %s "$line" | say -v "$0" -r "$1" -o "$d/a.wav" --data-format=LEI16@24000 -f - && '
    'tail -c +4097 "$d/a.wav"; done'
)
"""`say` writes into files only; the sound in them begins after 4096 bytes."""
_SENTENCE = re.compile(r"(?<=[.!?…。！？।])\s+|\n+")

Program = Literal["espeak-ng", "say", "Windows"]


@dataclass(frozen=True, slots=True)
class SystemVoice:
    """One voice, and the program that speaks with it."""

    program: Program
    name: str
    language: str

    @property
    def id(self) -> str:
        """The name to give as ``--voice``."""
        return self.language if self.program == "espeak-ng" else self.name

    def listed(self) -> Voice:
        """Return it as voices are listed."""
        return Voice(
            self.id, self.name, self.language, "as the system's", f"{self.program} of this system"
        )

    def speak(self, text: str, speed: float, wanted_hz: int = RATE_HZ) -> Child:
        """Return the sound of a text."""
        words = str(int(min(max(_USUAL_WORDS * speed, 80), 450)))
        if self.program == "espeak-ng":
            options = ("-v", self.language, "-s", words, "-a", str(_AMPLITUDE), "-b", "1")
            return Child(("espeak-ng", *options, "--stdin", "--stdout"), text, 0, wanted_hz)
        lines = "\n".join(filter(None, _SENTENCE.split(text))) + "\n"
        if self.program == "say":
            return Child(("/bin/sh", "-c", _SAY, self.name, words), lines, 24_000, wanted_hz)
        rate = int(min(max(10 * (speed - 1), -10), 10))
        script = _SPEAK.format(name=self.name.replace("'", "''"), rate=rate)
        return Child((*_POWERSHELL, script), lines, 24_000, wanted_hz)


@cache
def system_voices() -> tuple[SystemVoice, ...]:
    """Return the voices that are installed here."""
    if _PLATFORM == "win32":
        return _listed("Windows", (*_POWERSHELL, _LIST), r"(?P<language>\S+)  (?P<name>.+)")
    if _PLATFORM == "darwin":
        return _listed("say", ("say", "-v", "?"), r"(?P<name>.+?) +(?P<language>\w+_\w+) +#")
    if shutil.which("espeak-ng") is None:
        return ()
    line = r" *\d+ +(?P<language>\S+) +\S+ +(?P<name>\S+)"
    return _listed("espeak-ng", ("espeak-ng", "--voices"), line)


def _listed(program: Program, command: Sequence[str], line: str) -> tuple[SystemVoice, ...]:
    try:
        told = subprocess.run(
            command, capture_output=True, timeout=_LIST_S, stdin=subprocess.DEVNULL
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.finditer(f"^{line}", told, re.M)
    return tuple(
        SystemVoice(program, each["name"].strip(), each["language"].replace("_", "-"))
        for each in found
    )


def system_voice(language: str) -> SystemVoice | None:
    """Return the system's voice for a language; None: it has none."""
    wanted = language.lower()
    main = wanted.partition("-")[0]
    names = (wanted, *_NAMES_ELSEWHERE.get(main, ()), main)
    tags = [(voice, voice.language.lower()) for voice in system_voices()]
    for name in dict.fromkeys(names):
        for voice, tag in tags:
            if tag == name:
                return voice
    for name in dict.fromkeys(names):
        for voice, tag in tags:
            if tag.partition("-")[0] == name:
                return voice
    return None


class SystemEndpoint:
    """Speaks with the system's voices, each request in the language of its text.

    Args:
        notices: told who speaks.
    """

    name = "system:"

    def __init__(self, notices: Notices | None = None) -> None:
        self.notices = notices or Notices()
        self._streams: set[SystemStream] = set()
        self.aborted = False

    def open(self, request: SpeechRequest) -> SystemStream:
        """Ask.

        Raises:
            SettingsError: there is no such voice.
            UnspokenError: there is none for the language of the text.
        """
        voice = self._voice(request)
        stream = SystemStream(self, voice.speak(request.text, request.speed))
        self._streams.add(stream)
        if self.aborted:
            stream.close()
        return stream

    def _voice(self, request: SpeechRequest) -> SystemVoice:
        if request.voice:
            named = [v for v in system_voices() if request.voice in (v.id, v.name)]
            if not named:
                raise SettingsError(
                    f"this system has no voice {request.voice!r}",
                    hint="`voicestream voices -e system` lists those it has.",
                )
            return named[0]
        language = request.language or language_of(request.text)
        found = system_voice(language)
        if found is None:
            raise UnspokenError(request.text.split())
        return found

    def done(self, stream: SystemStream) -> None:
        """Forget a stream that has ended."""
        self._streams.discard(stream)

    def abort(self) -> None:
        self.aborted = True
        for stream in tuple(self._streams):
            stream.close()

    def close(self) -> None:
        """Do nothing: a child process ends with its text."""


class SystemStream:
    """Sound of one request."""

    def __init__(self, endpoint: SystemEndpoint, child: Child) -> None:
        self._endpoint = endpoint
        self._child = child
        self.rate_hz: int | None = RATE_HZ
        self.channels: int | None = 1
        self.content_type = f"audio/pcm; rate={self.rate_hz}"
        self.sent_at_s = time.monotonic()

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._child
        finally:
            self._endpoint.done(self)

    def close(self) -> None:
        self._child.stop()
