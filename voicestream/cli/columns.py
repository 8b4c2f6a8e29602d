"""Text in columns, as wide as the terminal allows."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence

from voicestream.cli.report import print_text

_WIDEST = 100
_NARROWEST = 40


def show(lines: Iterator[str]) -> int:
    """Print lines; return the exit code."""
    return print_text("".join(f"{line}\n" for line in lines))


def width() -> int:
    """Columns that the help may take."""
    return min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST)


def listed(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield names with what is said of them, in two columns; a long name has a line of its own."""
    longest = width() // 3
    column = max((len(name) for name, _ in pairs if len(name) <= longest), default=longest)
    for name, told in pairs:
        if len(name) > column:
            yield f"  {name}"
            name = ""
        yield from hung(f"  {name:<{column}}  ", told)


def hung(head: str, told: str) -> Iterator[str]:
    """``head``, and ``told`` beside it, in as many lines as it needs."""
    lines = textwrap.wrap(
        told, max(width() - len(head), 20), break_long_words=False, break_on_hyphens=False
    ) or [""]
    yield f"{head}{lines[0]}".rstrip()
    yield from (f"{'':<{len(head)}}{line}" for line in lines[1:])
