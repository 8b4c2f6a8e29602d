"""Markdown to speech: the expected words, whatever the chunking."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from voicestream.text.blocks import CodeMode
from voicestream.text.markdown import MarkdownFilter

TEXTS = Path(__file__).parents[1] / "data" / "texts"
CASES = [
    case
    for name in ("markdown.json", "more_markdown.json")
    for case in json.loads((TEXTS / name).read_text("utf-8"))
]
MARKS = st.sampled_from(
    ["**", "*", "_", "~~", "```", "\n```\n", "~~~", "`", "http://", "https://a.b/c?d=e", "www.x.y",
     "<think>", "</think>", "<!--", "-->", "<b>", "<br>", "<B", "[x](y)", "![a](b)", "[", "](",
     "&amp;", "&", "\n\n", "\n", "- ", "1. ", "> ", "# ", " #", "| a | b |\n", "|--|\n", "---\n",
     "  \n", "word", "Word ", " ", "[^1]", "[a]: http://x\n", "🎉", "❤️", "\\", "!", "你好"]
)  # fmt: skip
ALPHABET = "*_~`[]()<>!#-=|\\&;hwtp:/.@ \n\t1aB。你🎉\"'+>"
TEXT = st.lists(MARKS | st.text(ALPHABET, max_size=4), max_size=40)


def speak(chunks: list[str] | str, code: CodeMode = "announce") -> str:
    markdown = MarkdownFilter(code)
    return "".join(map(markdown.feed, chunks)) + markdown.flush()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["markdown"][:30])
def test_expected_speech(case: dict[str, str]) -> None:
    assert speak([case["markdown"]]) == case["spoken"]
    assert speak(case["markdown"]) == case["spoken"]  # every character alone


@settings(max_examples=500)
@given(TEXT)
def test_chunking_changes_nothing(chunks: list[str]) -> None:
    whole = speak(["".join(chunks)])
    assert speak(chunks) == whole
    assert speak("".join(chunks)) == whole
    assert "\n\n\n" not in whole
    assert not whole.startswith("\n")


@given(st.lists(MARKS | st.text(ALPHABET, max_size=4), max_size=10), st.integers(1900, 2100))
def test_chunking_changes_nothing_where_the_hold_ends(chunks: list[str], size: int) -> None:
    text = "".join(chunks) + "x" * size + "".join(reversed(chunks))
    assert speak([text[at : at + 97] for at in range(0, len(text), 97)]) == speak([text])


PROSE = st.lists(
    st.sampled_from(
        ["word", "two words", "**bold**", "*slanted*", "`code()`", "[link](https://a.b/c)",
         "**bold *both* end**", "snake_case", "3.14", "![alt](x.png)", "a \\* b", "&amp;", "~~x~~"]
    ),
    min_size=1,
    max_size=8,
).map(" ".join)  # fmt: skip
BLOCK = PROSE | PROSE.map("# {}".format) | PROSE.map("> {}".format) | PROSE.map("- {}".format)


@given(st.lists(BLOCK, min_size=1, max_size=6).map("\n\n".join))
def test_the_same_words_as_a_whole_parser(text: str) -> None:
    words: list[str] = []
    for block in MarkdownIt("commonmark").enable("strikethrough").parse(text):
        for token in block.children or []:
            if token.type in ("text", "code_inline", "text_special"):
                words.append(token.content)
            elif token.type == "image":
                words.append(str(token.content))
        words.append(" ")
    assert speak([text]).split() == "".join(words).split()


@pytest.mark.parametrize(
    ("code", "spoken"),
    [
        ("announce", "A\n\n(code block)\n\nB"),
        ("skip", "A\n\nB"),
        ("read", "A\n\nx = 1\nif *x*:\npass\n\nB"),
    ],
)
def test_fenced_code(code: CodeMode, spoken: str) -> None:
    source = "A\n\n```py\nx = 1\nif *x*:\n    pass\n```\n\nB"
    result = speak([source], code)
    assert re.sub(r"\n +", "\n", result) == spoken


def test_plain_words_pass_at_once() -> None:
    markdown = MarkdownFilter()
    assert markdown.feed("Why") == "Why"
    assert markdown.feed(" is the sky") == " is the sky"
    assert markdown.feed(" **blue") == ""  # nothing closes it yet
    assert markdown.feed("** now.") == " blue now."


def test_an_open_bracket_is_held_and_then_let_go() -> None:
    markdown = MarkdownFilter()
    assert markdown.feed("See [the docs") == "See"
    assert markdown.feed("](https://example.com/") == ""
    assert markdown.feed(") now") == " the docs now"
    assert markdown.feed(" [") == ""
    assert markdown.feed("x" * 499) == " [" + "x" * 499
    assert markdown.feed(" on") == " on"


def test_blanks_count_in_a_wrapped_line_however_it_is_cut() -> None:
    text = "a b c d e f g h i j k l m n o p q r s t u v w x yz`1`\nNext"  # 53 with its blanks
    assert speak([text]) == speak(text) == text.replace("`", "").replace("\n", " ")


def test_hidden_thoughts_take_no_room() -> None:
    markdown = MarkdownFilter()
    assert markdown.feed("<think>") == ""
    for _ in range(1000):
        assert markdown.feed("thinking about it ") == ""
    assert markdown.feed("</think>\n\nYes") == "Yes"


def test_a_pause_lets_go_of_a_line_end_and_an_exclamation_mark() -> None:
    markdown = MarkdownFilter()
    assert markdown.feed("Hello!") == "Hello"
    assert markdown.settle() == "!"
    assert markdown.feed("\n") == ""
    assert markdown.settle() == "\n"
    assert markdown.feed("Next") == "Next"


def test_entities_smuggle_no_controls() -> None:
    assert speak(["a&#27;[31mb&#x202e;c&#10;d"]) == "a[31mbc d"


@pytest.mark.parametrize("part", ["[", "![", "<a ", "`", "**", "[a](", "http://", "| ", "> ", "- "])
def test_hostile_repetition_ends_soon(part: str) -> None:
    text = part * (20_000 // len(part))
    assert len(speak([text[at : at + 64] for at in range(0, len(text), 64)])) <= len(text) + 1
