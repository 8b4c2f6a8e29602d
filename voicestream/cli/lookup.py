"""``help WORD``: whatever is called so, whether command, option, setting or topic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from voicestream.cli.columns import hung, listed, show
from voicestream.cli.commands import COMMANDS, command_of
from voicestream.cli.help import flag_help
from voicestream.cli.option_groups import Entry, entries_of, every_entry
from voicestream.cli.pages import page, topics
from voicestream.cli.report import print_text, report
from voicestream.errors import UsageError, VoicestreamError
from voicestream.settings.catalogue import catalogue

_CLOSE = 0.6


def run_help(words: Sequence[str]) -> int:
    """Carry out ``voicestream help ...``; return the exit code."""
    try:
        return show_help([word for word in words if word != "--"])
    except VoicestreamError as error:
        return report(error)


def show_help(words: Sequence[str]) -> int:
    """Tell of ``words``: a topic, a command, an option, or where they are mentioned.

    Raises:
        UsageError: nothing is called so.
    """
    asked = " ".join(words)
    if asked in ("", "all"):
        return flag_help(["--help-all"] if asked else [])
    if asked == "man":
        from voicestream.cli.man import man_page

        return print_text(man_page())
    if asked in topics():
        return show(page(asked))
    if command_of(words) or any(name.startswith(f"{asked} ") for name in COMMANDS):
        return flag_help(words)
    found = _named(asked) or _mentioning(asked.lower())
    if not found:
        if asked in catalogue().profiles.names:
            raise UsageError(
                f"{asked} is an endpoint", hint=f"`voicestream endpoints {asked}` tells of it."
            )
        raise UsageError(f"nothing is called {asked}", hint=_hint(asked))
    return show(_told(found))


def _hint(asked: str) -> str:
    known = [*topics(), *COMMANDS, *(entry.name for entry in every_entry())]
    near = get_close_matches(asked.lower().replace("-", "_"), known, 3, _CLOSE)
    meant = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{meant}The topics are {', '.join(topics())}."


def _named(asked: str) -> list[Entry]:
    """Return the options that are called so, as flag, setting or variable."""
    word = asked.lstrip("-")
    names = (word.replace("-", "_").lower(), word.lower().removeprefix("voicestream_"))
    return [
        entry
        for entry in every_entry()
        if entry.name in names
        or asked.upper() in entry.variables
        or asked in entry.flags
        or f"--{word}" in entry.flags
    ]


def _mentioning(word: str) -> list[Entry]:
    return [
        entry
        for entry in every_entry()
        if any(word in text.lower() for text in (entry.help, *entry.flags))
    ]


def _told(found: list[Entry]) -> Iterator[str]:
    if len(found) > 1:
        yield from listed([(entry.usage.strip(), entry.full) for entry in found])
        return
    (entry,) = found
    yield entry.usage.strip()
    yield ""
    yield from hung("", entry.help)
    yield ""
    of = [name for name, command in COMMANDS.items() if entry in entries_of(command)]
    facts = [("default", entry.default), ("commands", ", ".join(of))]
    if entry.variables:
        facts += [("environment", ", ".join(entry.variables)), ("config file", entry.name)]
    yield from listed([fact for fact in facts if fact[1]])
