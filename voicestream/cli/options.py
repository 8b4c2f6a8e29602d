"""What ``say`` can be told, and a quick reader for it.

The quick reader takes only what it is sure of, so that the first request can
leave before the command-line library is loaded; everything else, ``--help`` and
mistakes above all, is left to that library. Both read the same table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voicestream.errors import UsageError
from voicestream.records import dataclass, field
from voicestream.settings.table import TABLE


@dataclass(frozen=True, slots=True)
class Option:
    """An option of ``say`` that is not a setting."""

    name: str
    flags: tuple[str, ...]
    help: str
    metavar: str = ""

    @property
    def is_switch(self) -> bool:
        return not self.metavar

    @property
    def is_many(self) -> bool:
        """It may be given several times."""
        return self.metavar.endswith("...")


SAY_OPTIONS = (
    Option(
        "file", ("--file", "-f"), "read the text from FILE; several are read in turn", "FILE..."
    ),
    Option(
        "output",
        ("--output", "-o"),
        "make a sound file, play nothing; .wav, .mp3, .flac, .opus, .ogg or .m4a, - for stdout; "
        "{name} stands for the name of each -f FILE",
        "FILE",
    ),
    Option("save", ("--save",), "play, and keep the sound; in such a file as -o makes", "FILE"),
    Option(
        "subtitles", ("--subtitles",), "write the sentences and their times: .srt or .vtt", "FILE"
    ),
    Option(
        "dry_run",
        ("--dry-run",),
        "print what would be asked for, a line for each request; --json: as one object",
    ),
    Option("trace", ("--trace",), "keep when the sound arrived, for `trace replay`", "FILE"),
    Option("echo", ("--echo",), "pass the text on to stdout as it is heard"),
    Option("json", ("--json",), "print the figures as one JSON object on stdout"),
    Option("now", ("--now",), "speak at once; who speaks goes on afterwards"),
    Option("next", ("--next",), "speak before those who wait"),
    Option("no_wait", ("--no-wait",), "say nothing where another voice speaks"),
    Option("mix", ("--mix",), "speak while another voice does"),
    Option("log", ("--log",), "add to FILE what happened when, without keys", "FILE"),
    Option("quiet", ("--quiet", "-q"), "nothing on stderr but errors"),
)


ASK_OPTIONS = (
    Option("system", ("--system",), "tell the model how to answer", "TEXT"),
    # what it would say is not known before it is asked
    *(option for option in SAY_OPTIONS if option.name not in ("file", "dry_run")),
)
_TALK = ("save", "quiet")
TALK_OPTIONS = (
    ASK_OPTIONS[0],
    Option(
        "realtime",
        ("--realtime",),
        "speech to speech: one model hears and speaks (OpenAI's Realtime API, or one like it)",
    ),
    Option(
        "push_to_talk",
        ("--push-to-talk",),
        "what the microphone hears counts from one press of the space bar to the next",
    ),
    Option("json", ("--json",), "print what each side said as a line of JSON on stdout"),
    *(option for option in SAY_OPTIONS if option.name in _TALK),
)
_AGAIN = ("output", "save", "echo", "json", "now", "next", "no_wait", "mix", "quiet")
AGAIN_OPTIONS = tuple(option for option in SAY_OPTIONS if option.name in _AGAIN)
AGAIN_SETTINGS = ("device", "backend", "wake_ms", "device_wait_s", "turn", "expires_s", "panel")
_PLAY = ("output", "save", "trace", "json", "now", "next", "no_wait", "mix", "log", "quiet")
PLAY_OPTIONS = (
    Option("rate", ("--rate",), "what comes is raw samples, so many a second", "NUMBER"),
    Option("channels", ("--channels",), "of raw samples [default: 1]", "NUMBER"),
    Option(
        "sample_format",
        ("--sample-format",),
        "of raw samples: u8, s16, s24, s32, f32 or f64, then le or be [default: s16le]",
        "WORD",
    ),
    *(option for option in SAY_OPTIONS if option.name in _PLAY),
)
PLAY_SETTINGS = (
    *AGAIN_SETTINGS,
    *("tempo", "loudness", "playout", "prebuffer_ms", "underrun", "max_buffer_s", "streaming"),
    *("timeout_s", "connect_timeout_s", "stall_timeout_s", "retries"),
)
OPTIONS = {
    "say": SAY_OPTIONS,
    "ask": ASK_OPTIONS,
    "again": AGAIN_OPTIONS,
    "play": PLAY_OPTIONS,
}
_TAKES = {"again": AGAIN_SETTINGS, "play": PLAY_SETTINGS}
"""The commands that take only some of the settings."""
SHORT = {"voice": "-v", "model": "-m", "endpoint": "-e", "tempo": "-t"}
"""Settings that have a short flag."""


@dataclass(slots=True)
class SayCall:
    """One call of ``say``."""

    text: str | None = None
    file: list[str] = field(default_factory=list)
    output: str | None = None
    save: str | None = None
    subtitles: str | None = None
    dry_run: bool = False
    trace: str | None = None
    log: str | None = None
    echo: bool = False
    json: bool = False
    quiet: bool = False
    now: bool = False
    next: bool = False
    no_wait: bool = False
    mix: bool = False
    system: str = ""
    """Of ``ask``: how to answer."""
    sources: list[str] = field(default_factory=list)
    """Of ``play``: what to play; the three after it say what raw samples are."""
    rate: str | None = None
    channels: str | None = None
    sample_format: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    """What flags said, by the setting's name; key files not yet read."""

    def flags(self) -> dict[str, Any]:
        """Return the settings, those that have short flags of their own among them."""
        turns = {"now": self.now, "next": self.next, "skip": self.no_wait, "mix": self.mix}
        chosen = [turn for turn, wished in turns.items() if wished]
        if len(chosen) > 1:
            raise UsageError("--now, --next, --no-wait and --mix exclude each other")
        meant = {**self.settings, **({"turn": chosen[0]} if chosen else {})}
        # a trace is of what arrives from an endpoint
        return meant if self.trace is None else {**meant, "cache": "off"}


def switch_flags(flag: str) -> tuple[str, str]:
    """``--stream/--no-stream`` -> its two sides."""
    on, _, off = flag.partition("/")
    return on, off


def _targets(options: Sequence[Option]) -> dict[str, tuple[str, bool, Any]]:
    """Flag -> (name, is a setting, the value of a switch or None)."""
    found: dict[str, tuple[str, bool, Any]] = {}
    for row in TABLE:
        if row.is_switch:
            on, off = switch_flags(row.flag)
            found[on], found[off] = (row.name, True, True), (row.name, True, False)
        else:
            found[row.flag] = (row.name, True, None)
            if row.name in SHORT:
                found[SHORT[row.name]] = (row.name, True, None)
    for option in options:
        for flag in option.flags:
            found[flag] = (option.name, False, True if option.is_switch else None)
    return found


def quick_say(arguments: Sequence[str]) -> SayCall | None:
    """``arguments`` as a call of one of ``OPTIONS``; None if there is any doubt."""
    if not arguments or arguments[0] not in OPTIONS:
        return None
    call = SayCall()
    targets = _targets(OPTIONS[arguments[0]])
    rest = list(arguments[:0:-1])  # a stack, the next one last
    only_text = False
    while rest:
        word = rest.pop()
        if only_text or word == "-" or not word.startswith("-"):
            if arguments[0] == "play":
                call.sources.append(word)
            else:
                call.text = word if call.text is None else f"{call.text} {word}"
            continue
        if word == "--":
            only_text = True
            continue
        flag, equals, value = word.partition("=")
        if flag not in targets or (equals and not flag.startswith("--")):
            return None
        name, is_setting, found = targets[flag]
        if found is None:
            if not equals:
                if not rest or (rest[-1].startswith("-") and rest[-1] != "-"):
                    return None
                value = rest.pop()
            found = value
        elif equals:
            return None
        if is_setting:
            call.settings[name] = found
        elif isinstance(many := getattr(call, name), list):
            many.append(found)
        else:
            setattr(call, name, found)
    taken = _TAKES.get(arguments[0])
    if taken is not None and (call.text or not set(call.settings) <= set(taken)):
        return None
    return call


def make_sound(command: str, call: SayCall) -> int:
    """Carry out a call of one of ``OPTIONS``; return the exit code."""
    if command == "ask":
        from voicestream.cli.ask import ask as carry_out
    elif command == "again":
        from voicestream.cli.again import again as carry_out
    elif command == "play":
        from voicestream.cli.play import play as carry_out
    else:
        from voicestream.cli.say import say as carry_out
    return carry_out(call)
