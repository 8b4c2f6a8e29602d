"""The help: short, whole, of one command, or of whatever word is asked about.

Made of the tables alone, so that it is there before the command-line library could be loaded.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from voicestream.cli.columns import hung, listed, show, width
from voicestream.cli.commands import COMMANDS, command_of
from voicestream.cli.option_groups import EVERYDAY, Entry, entries_of, in_groups
from voicestream.cli.pages import topics
from voicestream.cli.verbs import VERBS

_USAGE = (
    "Usage: voicestream [OPTIONS] TEXT...    speak it (`say TEXT...` is the same)",
    "       ... | voicestream [OPTIONS]      speak what is still being written",
    "       voicestream COMMAND ...",
)
_KINDS = (
    ("say, ask, again", "speak a text; a model's answer; the last speech again"),
    ("play, devices", "play files and URLs; list the sound cards"),
    ("endpoints, voices", "list what --endpoint and --voice can name"),
    ("config, doctor", "show and change settings; tell why nothing is heard"),
    ("hook, mcp, serve", "let agents speak; serve other programs"),
    ("cache, engine, trace", "kept replies; speak at once; try policies"),
    ("help, completion", "tell more of any word; make a shell complete all this"),
    (", ".join(VERBS), "to whoever speaks, from any terminal"),
)
"""The commands of the short help, and what they are for."""


def flag_help(arguments: Sequence[str]) -> int:
    """Show the help that a command line with one of the flags asks for."""
    name, everything = command_of(arguments), "--help-all" in arguments
    return show(_of_command(name, everything) if name else _general(arguments, everything))


def _general(arguments: Sequence[str], everything: bool) -> Iterator[str]:
    """Yield the help of the whole, or of a word that several commands begin with."""
    inner = [name for name in COMMANDS if arguments and name.startswith(f"{arguments[0]} ")]
    if inner:
        yield f"Usage: voicestream {arguments[0]} COMMAND ..."
        yield ""
        yield from listed([(name, COMMANDS[name].summary) for name in inner])
        return
    yield from _USAGE
    yield ""
    yield from (f"  {example}" for example in COMMANDS["say"].examples)
    yield ""
    entries = entries_of(COMMANDS["say"])
    yield from _all_options(entries) if everything else _few_options(entries)
    yield ""
    yield "Commands:"
    yield from listed(_KINDS)
    yield ""
    yield from textwrap.wrap(
        f"`voicestream help WORD` tells more; topics: {', '.join(topics())}.",
        width(),
    )


def _of_command(name: str, everything: bool) -> Iterator[str]:
    command = COMMANDS[name]
    entries = entries_of(command)
    takes = [argument.metavar for argument in command.arguments]
    yield " ".join(["Usage: voicestream", name, *["[OPTIONS]"] * bool(entries), *takes])
    yield ""
    yield from textwrap.wrap(command.help, width())
    told = [(argument.metavar, argument.help) for argument in command.arguments if argument.help]
    if told:
        yield ""
        yield from listed(told)
    if command.examples:
        yield ""
        yield from (f"  {example}" for example in command.examples)
    if entries:
        yield ""
        yield from _all_options(entries) if everything else _few_options(entries)


def _few_options(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield those of every day, a line or two each, the group's name beside them."""
    many = in_groups(entries)
    if "Options" in many:
        yield from _all_options(entries)
        return
    few = {
        group: [entry for entry in inside if entry.name in EVERYDAY]
        for group, inside in many.items()
    }
    label = max(map(len, few)) + 1
    usage = max(len(entry.usage) for inside in few.values() for entry in inside) + 2
    for group, inside in few.items():
        for number, entry in enumerate(inside):
            head = f"{group if not number else '':<{label}}{entry.usage:<{usage}}"
            yield from hung(head, entry.brief)
    yield from hung(
        f"{'':<{label}}{'-h, --help':<{usage}}", "this; --help-all: every option; -V: the version"
    )


def _all_options(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield all of them, group by group."""
    for number, (group, inside) in enumerate(in_groups(entries).items()):
        if number:
            yield ""
        yield f"{group}:"
        yield from listed([(entry.usage, entry.full) for entry in inside])
