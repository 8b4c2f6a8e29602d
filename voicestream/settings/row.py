"""One setting as all who show or read it know it: the kinds of rows the table is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from voicestream.records import dataclass, field, fields
from voicestream.settings.parse import Parser

PREFIX = "VOICESTREAM_"
"""Of the variables."""
_CLOSE = 0.6


def setting(default: Any, kind: Parser, help_text: str, *aliases: str, flag: str = "") -> Any:
    """Return one row of the table. ``aliases``: further environment variables, less strong."""
    return field(
        default=default,
        metadata={"kind": kind, "help": help_text, "aliases": aliases, "flag": flag},
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One setting as the command line, the example file and ``config`` show it."""

    name: str
    kind: Parser
    help: str
    default: Any
    flag: str
    variables: tuple[str, ...]

    @property
    def is_switch(self) -> bool:
        return isinstance(self.default, bool)

    @property
    def shown_default(self) -> str:
        return shown(self.default)


def rows_of(settings: type[Any]) -> tuple[Row, ...]:
    """Return the settings among the fields of a dataclass, in order."""
    return tuple(
        Row(
            name=f.name,
            kind=f.metadata["kind"],
            help=f.metadata["help"],
            default=f.default,
            flag=f.metadata["flag"] or "--" + f.name.replace("_", "-"),
            variables=(PREFIX + f.name.upper(), *f.metadata["aliases"]),
        )
        for f in fields(settings)
        if f.metadata
    )


def shown(value: Any) -> str:
    """Return a value as a person would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the name or variable that ``word`` was probably meant to be; empty: none is like
    it."""
    from difflib import get_close_matches

    bare = {name.removeprefix(PREFIX): name for name in known}
    found = get_close_matches(word.removeprefix(PREFIX), sorted(bare), 1, _CLOSE)
    return bare[found[0]] if found else ""
