"""How fast text goes through cleaning, Markdown and segments, fed in tokens of 4 characters.

``python tests/bench/text.py`` prints MB/s of each stage and of all, and the ratio to
merely collecting the tokens in a list and joining them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from voicestream.text.clean import Cleaner
from voicestream.text.markdown import MarkdownFilter
from voicestream.text.pipeline import TextPipeline
from voicestream.text.segment import Segmenter

TEXTS = Path(__file__).parents[1] / "data" / "texts"
SIZE_CHARS = 1_000_000
RUNS = 3


def tokens(names: tuple[str, ...]) -> tuple[list[str], int]:
    """About a megabyte of these texts in tokens, and how many bytes that is."""
    text = "\n".join((TEXTS / name).read_text("utf-8") for name in names)
    text *= SIZE_CHARS // len(text) + 1
    return [text[at : at + 4] for at in range(0, len(text), 4)], len(text.encode())


def best_s(run: Callable[[list[str]], object], fed: list[str]) -> float:
    """The shortest of a few runs."""
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        run(fed)
        times.append(time.perf_counter() - begin)
    return min(times)


def through(feed: Callable[[str], object]) -> Callable[[list[str]], object]:
    def run(fed: list[str]) -> None:
        for token in fed:
            feed(token)

    return run


def collect(fed: list[str]) -> str:
    kept: list[str] = []
    for token in fed:
        kept.append(token)
    return "".join(kept)


def filter_and_segment() -> Callable[[str], object]:
    markdown, segmenter = MarkdownFilter(), Segmenter()
    return lambda token: segmenter.feed(markdown.feed(token))


def main() -> None:
    for title, names in (
        ("Markdown answers", ("answer-1.md", "answer-2.md")),
        ("plain Vietnamese", ("loi-thoai.md",)),
    ):
        fed, size_bytes = tokens(names)
        reference_s = best_s(collect, fed)
        sys.stdout.write(f"{title}: {size_bytes / 1e6:.1f} MB in {len(fed)} tokens\n")
        for stage, feed in (
            ("clean", Cleaner().feed),
            ("Markdown", MarkdownFilter().feed),
            ("segments", Segmenter().feed),
            ("Markdown + segments", filter_and_segment()),
            ("all (TextPipeline)", TextPipeline().feed),
        ):
            took_s = best_s(through(feed), fed)
            sys.stdout.write(
                f"  {stage:20} {size_bytes / took_s / 1e6:6.2f} MB/s"
                f"  {took_s / reference_s:6.1f} x the time of a join\n"
            )


if __name__ == "__main__":
    main()
