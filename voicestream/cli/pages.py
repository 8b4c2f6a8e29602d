"""The pages of the help: Markdown files of the package, laid for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from voicestream.cli.columns import listed, width

_PAGES = Path(__file__).parents[1] / "pages"
_AS_IT_STANDS = ("#", "`" * 3, "    ", "1. ")


def topics() -> list[str]:
    """Return the pages there are."""
    return sorted(page.stem for page in _PAGES.glob("*.md"))


def page(topic: str) -> Iterator[str]:
    """Yield the lines of a page: tables in columns, all else as wide as the terminal allows."""
    content = (_PAGES / f"{topic}.md").read_text("utf-8")
    code = False
    for block in content.strip().split("\n\n"):
        lines = block.splitlines()
        if code or block.startswith(_AS_IT_STANDS):
            yield from lines
        elif block.startswith("|"):
            yield from listed([_cells(row) for row in lines[2:]])
        elif block.startswith("- "):
            for item in block[2:].split("\n- "):
                yield from _wrapped(item, "- ", "  ")
        else:
            yield from _wrapped(block)
        code ^= block.count("`" * 3) % 2 == 1
        yield ""


def _wrapped(text: str, first: str = "", others: str = "") -> list[str]:
    words = " ".join(text.split())
    return textwrap.wrap(
        words, width(), initial_indent=first, subsequent_indent=others, break_on_hyphens=False
    )


def _cells(row: str) -> tuple[str, str]:
    """Return the first cell of a row, and the others in one."""
    first, *others = (cell.strip() for cell in row.strip("| ").split(" | "))
    return first.replace("`", "").replace("\\|", "|"), "; ".join(filter(None, others))
