"""What the shell offers for the word at the cursor. Loads nothing but the tables, asks nobody."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from voicestream.cli.command import Argument
from voicestream.cli.commands import COMMANDS, command_of
from voicestream.cli.option_groups import Entry, entries_of, every_entry
from voicestream.cli.report import print_text
from voicestream.cli.typed import FIRST_WORDS
from voicestream.errors import VoicestreamError
from voicestream.printable import printable
from voicestream.records import dataclass, field
from voicestream.settings.parse import Choice
from voicestream.settings.seen import Names, seen
from voicestream.settings.table import TABLE, load

FILES = ":files"
"""Instead of candidates: files, which the shell lists better."""
QUOTED = ":quoted"
"""Before candidates that may hold blanks."""
_OPENAI_VOICES = "alloy ash ballad coral echo fable marin nova onyx sage shimmer verse cedar"
_PICO_VOICES = "en-gb de fr es it"
_STALE_S = 60.0
_ROWS = {row.name: row for row in TABLE}


@dataclass(slots=True)
class _Line:
    """A command line as far as it is typed.

    Attributes:
        name: of the command, ``say`` where it is left out; empty: none yet.
        entries: its options by flag.
        given: settings that were given by a flag.
        position: of the word at the cursor among what is given without a flag.
        words: those before it.
        waiting: the option whose value is at the cursor.
        only_text: after ``--``.
    """

    name: str
    entries: dict[str, Entry]
    given: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    waiting: Entry | None = None
    only_text: bool = False


def run_complete(words: Sequence[str]) -> int:
    """Print what can stand at the cursor, one a line, a tab before what it is.

    Args:
        words: those after the program's name, up to the cursor; or ``--line`` and the whole line.
    """
    if words[:1] == ["--line"] and len(words) == 2:
        lines = offered_for_line(words[1])
    else:
        lines = offered(words[:-1], words[-1] if words else "")
    return print_text("".join(f"{line}\n" for line in lines))


def offered_for_line(line: str) -> list[str]:
    """As ``offered``, for a line as bash has it.

    Bash parts its words at ``=`` and ``:`` as well and replaces what stands after the last of
    these, so the candidates are without what stands before.
    """
    _program, *before, current = _split(line)
    cut = max(current.rfind("="), current.rfind(":")) + 1
    found = offered(before, current)
    return [it if it in (FILES, QUOTED) else it[cut:] for it in found]


def _split(line: str) -> list[str]:
    """Return the words of an unfinished line, the one at the cursor last."""
    import shlex

    mark = "\0"
    for end in ("", '"', "'"):  # a quote may be open
        try:
            *words, last = shlex.split(line.removesuffix("\\") + mark + end)
        except ValueError:
            continue
        return [*(words or [""]), last.replace(mark, "")]
    return ["", ""]


def offered(before: Sequence[str], current: str) -> list[str]:
    """Return the lines for the shell's script.

    Args:
        before: the words before the one at the cursor.
        current: what is typed of that.
    """
    line = _read(before if before or not current.startswith("-") else ["say"])
    prefix = ""
    flag, equals, value = current.partition("=")
    if equals and flag.startswith("--") and line.waiting is None and not line.only_text:
        line.waiting, prefix, current = line.entries.get(flag), f"{flag}=", value
        if line.waiting is None:
            return []
    current = current.lstrip("\"'").replace("\\", "")
    found = _values(line) if line.waiting is not None else _words(line, current)
    if found == [(FILES, "")]:
        return [FILES]
    if line.waiting is not None and line.waiting.name == "endpoint" and "," in current:
        given = current[: current.rindex(",") + 1]
        found = [(given + name, told) for name, told in found if name not in given.split(",")]
    fitting = [(name, told) for name, told in found if name.startswith(current)]
    lines = [
        f"{prefix}{printable(name)}\t{printable(told, 60)}".rstrip("\t") for name, told in fitting
    ]
    return [QUOTED, *lines] if any(" " in name for name, _ in fitting) else lines


def _read(before: Sequence[str]) -> _Line:
    name = command_of(before)
    taken = len(name.split())
    if before and not name and before[0] not in FIRST_WORDS:
        name = "say"
    line = _Line(name, {})
    if name:
        line.entries = {flag: it for it in entries_of(COMMANDS[name]) for flag in it.flags}
    for word in before[taken:]:
        if line.waiting is not None:
            line.given[line.waiting.name] = word
            line.waiting = None
        elif line.only_text or not word.startswith("-") or word == "-":
            line.words.append(word)
        elif word == "--":
            line.only_text = True
        else:
            flag, equals, value = word.partition("=")
            entry = line.entries.get(flag)
            if entry is not None and entry.value and equals:
                line.given[entry.name] = value
            elif entry is not None and entry.value:
                line.waiting = entry
    return line


def _words(line: _Line, current: str) -> Names:
    """Return what can stand where no option waits for its value."""
    if line.only_text:
        return []
    if current.startswith("-"):
        shown = dict.fromkeys(line.entries.values())
        flags = [(flag, entry.brief) for entry in shown for flag in entry.flags]
        helps = [("--help", "what is used every day"), ("--help-all", "every option")]
        return [*((flag, told) for flag, told in flags if flag.startswith("--")), *helps]
    if not line.name:
        inner = [name for name in COMMANDS if line.words and name.startswith(f"{line.words[0]} ")]
        if inner:
            return [(name.split()[1], COMMANDS[name].summary) for name in inner]
        return [] if line.words else [(word, _about(word)) for word in FIRST_WORDS]
    return _argument(line)


def _about(word: str) -> str:
    return COMMANDS[word].summary if word in COMMANDS else ""


def _argument(line: _Line) -> Names:
    """Return what can stand without a flag at this place."""
    arguments = COMMANDS[line.name].arguments
    if line.name == "config" and line.words[:1] in (["get"], ["set"], ["unset"]):
        if len(line.words) == 1:
            return [(row.name, row.help) for row in TABLE]
        row = _ROWS.get(line.words[1])
        return _setting_values(row.name, {}) if row and len(line.words) == 2 else []
    if line.name == "endpoints":
        return [(name, told) for name, told in _endpoints() if name not in line.words]
    if line.name == "help":
        from voicestream.cli.pages import topics

        known = [(topic, "a topic") for topic in topics()]
        known += [(name, command.summary) for name, command in COMMANDS.items()]
        known += [(entry.name.replace("_", "-"), entry.brief) for entry in every_entry()]
        return list({name: (name, told) for name, told in reversed(known)}.values())[::-1]
    at = min(len(line.words), len(arguments) - 1)
    if at < 0 or (len(line.words) > at and not arguments[at].is_many):
        return []
    more = len(line.words) <= at or "FILE" in arguments[at].metavar
    return _argument_values(arguments[at]) if more else []


def _argument_values(argument: Argument) -> Names:
    if "FILE" in argument.metavar:
        return [(FILES, "")]
    return [(choice, "") for choice in argument.choices]


def _values(line: _Line) -> Names:
    entry = line.waiting
    if entry is None:
        return []
    if entry.value.startswith("FILE"):
        return [(FILES, "")]
    return _setting_values(entry.name, line.given)


def _setting_values(name: str, given: dict[str, str]) -> Names:
    """Return what a setting can be, as far as that is known without asking anybody."""
    row = _ROWS.get(name)
    if row is None:
        return []
    if name in ("voice", "voices"):
        return _voices(given)
    if name == "device":
        return _devices()
    if name == "endpoint":
        return _endpoints()
    if row.is_switch:
        return [("true", ""), ("false", "")]
    return [(word, "") for word in row.kind.words] if isinstance(row.kind, Choice) else []


def _voices(given: dict[str, str]) -> Names:
    """Return the voices that were listed last, or are known to be there."""
    try:
        settings = load({name: given[name] for name in ("endpoint", "base_url") if name in given})
    except VoicestreamError:
        return []
    if settings.embedded:
        from importlib.util import find_spec

        there = _PICO_VOICES.split() if find_spec("py_nanotts") else []
        return [("heart", "the best, English"), *((f"pico-{tag}", "") for tag in there)]
    names, _age_s = seen(f"voices {settings.base_url}")
    known = "://api.openai.com/" in settings.base_url
    return names or [(name, "") for name in _OPENAI_VOICES.split() if known]


def _endpoints() -> Names:
    """Return the user's own and the presets."""
    from voicestream.settings.catalogue import catalogue

    try:
        profiles = catalogue().profiles
        found = [profiles.find(name) for name in profiles.names]
    except VoicestreamError:
        return []
    return [(each.name, each.base_url) for each in found]


def _devices() -> Names:
    """Return the devices that were listed last; where that is a while ago, a process lists them
    anew."""
    names, age_s = seen("devices")
    if age_s > _STALE_S:
        import subprocess  # costs as much as all the rest

        nowhere = subprocess.DEVNULL
        subprocess.Popen(
            [sys.executable, "-m", "voicestream", "devices", "--json"],
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
            start_new_session=True,
        )
    return [*names, ("null", "a simulated device with a real clock")]
