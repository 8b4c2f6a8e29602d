"""What is said of one command: its help, and what it takes."""

from __future__ import annotations

from voicestream.cli.options import Option
from voicestream.records import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """What is given without a flag.

    Attributes:
        metavar: as the help shows it: ``[...]`` may be left out, ``...`` may be many.
        choices: what completion offers first.
    """

    name: str
    metavar: str
    help: str = ""
    choices: tuple[str, ...] = ()

    @property
    def is_required(self) -> bool:
        return not self.metavar.startswith("[")

    @property
    def is_many(self) -> bool:
        return self.metavar.endswith("...")


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        help: what it does: a sentence, and more after it where needed.
        arguments: what it takes without a flag, in order.
        options: its own; the settings come on top.
        settings: names of the settings it has flags for.
        examples: command lines.
    """

    help: str
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    settings: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The first sentence."""
        return self.help.partition(". ")[0].rstrip(".")
