"""The man page: the tables of commands and options as roff, for ``man voicestream``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from voicestream.cli.commands import COMMANDS
from voicestream.cli.option_groups import entries_of, every_entry, in_groups

_ENDS = (
    ("0", "everything was heard, or saved, to its last sample"),
    ("1", "a failure of another kind"),
    ("2", "the command line or a setting is wrong"),
    ("3", "the endpoint or the network failed"),
    ("4", "the key was refused"),
    ("5", "there is no audio device"),
    ("130, 143, 129, 141", "Ctrl-C, SIGTERM, SIGHUP, a closed pipe"),
)


def man_page() -> str:
    """Return the page for section 1."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield '.TH VOICESTREAM 1 "" voicestream'
    yield from (".SH NAME", r"voicestream \- speech from any OpenAI-compatible endpoint")
    yield ".SH SYNOPSIS"
    yield from (".B voicestream", r"[\fIOPTIONS\fR] \fITEXT\fR...", ".br")
    yield from (".B voicestream", r"\fICOMMAND\fR ...")
    yield ".SH DESCRIPTION"
    yield "Speaks a text, a file or what comes in on stdin while its sound is still arriving."
    yield "With no key and no endpoint, a small embedded voice speaks."
    yield ".SH EXAMPLES"
    for example in COMMANDS["say"].examples:
        yield from (".nf", _plain(example), ".fi")
    yield ".SH COMMANDS"
    for name, command in COMMANDS.items():
        takes = " ".join(argument.metavar for argument in command.arguments)
        yield from _tagged(f"{name} {takes}".rstrip(), command.help)
    yield ".SH OPTIONS"
    said = entries_of(COMMANDS["say"])
    further = [entry for entry in every_entry() if entry not in said]
    for group, entries in {**in_groups(said), "Of other commands": further}.items():
        yield f'.SS "{group}"'
        for entry in entries:
            yield from _tagged(entry.usage.strip(), entry.full)
    yield ".SH FILES"
    yield from _tagged("~/.config/voicestream/config.toml", "the user's settings, name = value")
    yield from _tagged(".env", "a folder's settings, as variables of the environment")
    yield ".SH EXIT STATUS"
    for code, meaning in _ENDS:
        yield from _tagged(code, meaning)
    yield ".SH SEE ALSO"
    yield r"\fBvoicestream help\fR \fITOPIC\fR tells more."


def _tagged(term: str, told: str) -> tuple[str, ...]:
    return ".TP", rf"\fB{_plain(term)}\fR", _plain(told)


def _plain(text: str) -> str:
    """Return text that means nothing to roff."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)
