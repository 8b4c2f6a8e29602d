"""Options and settings as the help and the completion show them, in groups."""

from __future__ import annotations

from collections.abc import Iterable

from voicestream.cli.command import Command
from voicestream.cli.commands import COMMANDS
from voicestream.cli.options import SHORT, Option, switch_flags
from voicestream.records import dataclass
from voicestream.settings.parse import Choice, url
from voicestream.settings.row import Row
from voicestream.settings.table import TABLE

EVERYDAY = (
    *("file", "system", "voice", "model", "tempo", "device", "now", "quiet"),
    *(
        "push_to_talk",
        "realtime",
        "rate",
        "output",
        "save",
        "echo",
        "json",
        "endpoint",
        "base_url",
        "api_key",
        "free",
    ),
)
"""What the short help shows of many options."""
GROUPS = {
    "Text": (
        *("file", "dry_run", "plain", "code", "language", "language_voices", "replace"),
        *("voices", "tags", "system", "push_to_talk", "realtime"),
    ),
    "Voice": ("voice", "model", "tempo", "speed", "instructions", "strict"),
    "Playing": (
        *("device", "now", "next", "no_wait", "mix", "turn", "expires_s", "panel", "quiet"),
        *("wake_ms", "keep_last", "backend", "device_wait_s"),
        *("engine", "linger_s"),
    ),
    "Saving": ("output", "save", "subtitles", "echo", "json", "log", "trace"),
    "Network": (
        *("endpoint", "base_url", "base_urls", "api_key", "format", "stream_format", "rate_hz"),
        *("extra_body", "extra_headers", "timeout_s", "connect_timeout_s", "stall_timeout_s"),
        *("cache", "cache_chars", "cache_mb"),
        *("reply_timeout_s", "retries", "retry_budget_s", "hedge", "allow_http_key"),
        *("chat_model", "chat_base_url", "transcribe_model", "transcribe_base_url", "free"),
    ),
    "Tuning": (),
}
"""The names in each group, the ones used most first; whatever no group names is in the last."""
_DULL = ("", "true", "false", "system's")
_FEW = 10
"""Options that need no groups."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An option as the help shows it.

    Attributes:
        name: of the option or setting.
        flags: all of them, the short one first.
        value: what the flag takes; empty: nothing.
        help: what it does.
        default: in words; empty: none worth telling.
        variables: environment variables that say the same.
    """

    name: str
    flags: tuple[str, ...]
    value: str
    help: str
    default: str = ""
    variables: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """``-v, --voice TEXT``."""
        short = "" if self.flags[0][1] != "-" else "    "
        return f"{short}{', '.join(self.flags)} {self.value}".rstrip()

    @property
    def brief(self) -> str:
        """What it does, in as few words as the whole allows."""
        told = self.help.partition(";")[0]
        return f"{told} [default: {self.default}]" if self.default not in _DULL else told

    @property
    def full(self) -> str:
        told = f"{self.help} [default: {self.default}]" if self.default else self.help
        return f"{told} [{', '.join(self.variables)}]" if self.variables else told


def entry_of(known: Option | Row) -> Entry:
    """Return an option or a setting, as the help shows it."""
    if isinstance(known, Option):
        return Entry(known.name, tuple(sorted(known.flags, key=len)), known.metavar, known.help)
    told, _, default = known.help.partition(" [default: ")
    flags = tuple(filter(None, (SHORT.get(known.name), *switch_flags(known.flag))))
    value = "" if known.is_switch else _value(known)
    if known.flag == "--api-key-file":
        told = "read the key from FILE"
    shown = default.rstrip("]") or known.shown_default
    return Entry(known.name, flags, value, told, shown, known.variables)


def _value(row: Row) -> str:
    if row.flag == "--api-key-file":
        return "FILE"
    if row.kind is url:
        return "URL"
    if isinstance(row.kind, Choice):
        return "WORD"
    return "NUMBER" if isinstance(row.default, int | float) else "TEXT"


def entries_of(command: Command) -> list[Entry]:
    """Return everything that a command can be told by a flag."""
    settings = [entry_of(row) for row in TABLE if row.name in command.settings]
    return [*map(entry_of, command.options), *settings]


def every_entry() -> list[Entry]:
    """Return the options of all commands, each once."""
    found = [entry for command in COMMANDS.values() for entry in entries_of(command)]
    return list({(entry.name, entry.flags): entry for entry in found}.values())


def in_groups(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return the entries by group, in the order they are shown."""
    rest = list(entries)
    if len(rest) <= _FEW:
        return {"Options": rest}
    found = {}
    for group, names in GROUPS.items():
        order = {name: at for at, name in enumerate(names)}
        inside = [entry for entry in rest if entry.name in order]
        found[group] = sorted(inside, key=lambda entry: order[entry.name])
        rest = [entry for entry in rest if entry.name not in order]
    found["Tuning"] = rest
    return {group: inside for group, inside in found.items() if inside}
