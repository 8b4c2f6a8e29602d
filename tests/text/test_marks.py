"""Marks that are none, and marks of machines: no word is lost, none is added."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from voicestream.text import hidden
from voicestream.text.emoji import EMOJI_RUN
from voicestream.text.markdown import MarkdownFilter

NAMED = [
    ("Open <script> before </style>. Go on.", "Open script before /style. Go on."),
    ("Use the <b> tag, or a <div>.", "Use the b tag, or a div."),
    ("Write <!-- to begin a comment. It must end.", "Write <!-- to begin a comment. It must end."),
    ("A note <!-- not shown --> here", "A note here"),
    ("<script>\nalert(1)\n</script>\nShown", "Shown"),
    ("<STYLE>p {}</STYLE>Shown", "Shown"),
    ("<!-- a\n\nb -->\nShown", "Shown"),
    ("<file> is needed.\n<Enter> starts it.", "<file> is needed.\n<Enter> starts it."),
    ("<T> is a type", "<T> is a type"),
    ("<details open>\n<summary>More</summary>\nText", "More\n\nText"),
    ('<Card title="x y">Text</Card>', "Text"),
    ("if a <b and c> d then", "if a <b and c> d then"),
    ("<reasoning>never closed\n\nHello", "never closed\n\nHello"),
    ("<!-- never closed", "never closed"),
    ("<think/>Yes. <think></think>No.", "Yes. No."),
]  # fmt: skip
HTML = [
    ("<ul><li>One<li>Two</ul>Three", "One\nTwo\nThree"),
    ("<p>One.<p>Two.", "One.\nTwo."),
    ("Some<div>more</div>end", "Some\nmore\nend"),
    ("<details><summary>More</summary>text</details>End", "More\ntext\nEnd"),
    ("<label>A</label><select><option>B</option></select>C", "A\nB\nC"),
    ("<tr><td>A</td><th>B</th></tr>", "A, B"),
    ("<tr>\n<td>A</td>\n<td>B</td>\n</tr>", "A\nB"),
    ("5<sup>2</sup>, 10<sup>-3</sup>, 4<sup>th</sup>, m<sup>2</sup>", "5^2, 10^-3, 4th, m2"),
    (
        "It was begun before.</think>Yes. But </think> is a tag",
        "It was begun before.\nYes. But /think is a tag",
    ),
]
UNCLOSED = [
    ("Pass *args and **kwargs on.", "Pass *args and **kwargs on."),
    ("The *product 2*3 is six* today.", "The product 2*3 is six today."),
    ("All *.md and *.txt files", "All *.md and *.txt files"),
    ("The field _name and its _id", "The field _name and its _id"),
    ("2*3*4 and 2**3**4 and x*y", "2*3*4 and 2**3**4 and x*y"),
    ("**It is so. Trust me.** Good", "It is so. Trust me. Good"),
    ("It *is. So* what", "It *is. So* what"),
    ("Four stars: 4* of 5*", "Four stars: 4* of 5*"),
    ("A ==marked== word, a == b", "A marked word, a == b"),
    ("Press ` or [ or < to go", "Press ` or [ or < to go"),
    ("`a. B` and `c`", "`a. B` and c"),
    ("[The ending. Or not](http://a.b)", "[The ending. Or not](a.b)"),
    ("[Dr. No](http://a.b) in [0, 1) or (0, 1]", "Dr. No in [0, 1) or (0, 1]"),
]
SIGNS = [
    ("A♭ and F♯, ♥ and ☎, 5 → 6", "A♭ and F♯, ♥ and ☎, 5 → 6"),
    ("So 👍🏽 it ⚠️ is ✅.", "So it is."),
    ("| a | ✔️ |\n|---|---|\n| b | ✗ |", "a, yes\nb, no"),
    ("It rains[1][2] often [3]. Then[4] stops", "It rains often. Then stops"),
    ("See x[1] and [2] and v[0].", "See x[1] and [2] and v[0]."),
    ("It rains[2](http://a.b/c).【3†b.pdf】 Yes \ue200cite\ue202x\ue201.", "It rains. Yes."),
    (
        "It rains :contentReference[oaicite:0]{index=0}. Yes: no :content",
        "It rains. Yes: no :content",
    ),
    ("a %%b. C%% c, 100%% of %%x\n\nyes", "a c, 100%% of %%x\n\nyes"),
    ("50 %% of %% it, %%d and %%s", "50 %% of %% it, %%d and %%s"),
    ("%% b %%\nIt", "It"),
    ("Go to http://[::1]:8000/v1 now", "Go to [::1] now"),
    ("%%\nb\n%%\nIt ^up ends. ^b-1a\n\n2 ^2 ^no", "It ^up ends.\n\n2 ^2 ^no"),
    ("[[Page#Part]] and [[Page|words]] ![[p.png]] end", "Page, Part and words end"),
    ("> [!WARNING]\n> Hot.\n\n> [!tip]- Try\n> It", "Warning:\nHot.\n\nTry\nIt"),
    ("![x](data:image/png;base64," + "A" * 5000 + ") end", "x end"),
]
DRAWN = [
    ("Name | Age\n--- | ---\nAnn | 3\n\nNo | row", "Name, Age\nAnn, 3\n\nNo | row"),
    ("A|B\n:-|-:\n`c`|*d*\n", "A, B\nc, d"),
    ("It is a | b. Or not.\nNext", "It is a | b. Or not.\nNext"),
    ("┌───┬───┐\n│ a │ b │\n├───┼───┤\n│ c │ d │\n└───┴───┘\nEnd", "a, b\nc, d\nEnd"),
    ("+---+---+\n| a | b |\n+===+===+\nEnd", "a, b\nEnd"),
    ("src\n├── a.py\n│   └── b.py\n└── c.py", "src\na.py\nb.py\nc.py"),
    ("Title\n~~~~~~~~~\nBody", "Title\nBody"),
    ("##########\nHead\n##########\nBody", "Head\nBody"),
    ("━━━━\nText\n·····\n———\nEnd", "Text\nEnd"),
    ("~~~\ncode\n~~~\nEnd", "(code block)\nEnd"),
    ("— he said\n+1 more\n... and on", "— he said\n+1 more\n... and on"),
]
MACHINE = [
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.",
    "<|channel|>commentary to=functions.x <|constrain|>json<|message|>{}<|call|>Yes.",
    "[THINK]Hm.\nHm.[/THINK]Yes.",
    "<thinking>Hm.</thinking>\nYes.",
    '<function=look>{"a": 1}</function>Yes.',
    "◁think▷Hm.\n\nHm.◁/think▷Yes.",
    "<output>Yes.</output>",
    "<|im_start|>assistant\nYes.<|im_end|>",
    "<|start_header_id|>assistant<|end_header_id|>\n\nYes.<|eot_id|>",
    "<｜tool▁calls▁begin｜>look<｜tool▁calls▁end｜>Yes.<｜end▁of▁sentence｜>",
    "<|begin_of_thought|>Hm.<|end_of_thought|>Yes.",
    '<tool_call>{"a": 1}</tool_call><tool_call>{}</tool_call>\nYes.</s>',
    "<think>\n\n</think>\n\nYes.<end_of_turn>",
]
MARKS = st.sampled_from(
    ["<think>", "</think>", "\n<think>", "<|end|>", "<|channel|>", "final", "analysis",
     "<|message|>", "<|start|>", "assistant", "[THINK]", "[/THINK]", "<!--", "-->", "<b>", " <b> ",
     '<a href="x">', "<x>", "[1]", "[2]", " [3]", "[[", "]]", "|", "[!note]", "> ", "==", "*", "**",
     "_", "`", "%%", " ^ab1", ":content", "Reference[a]", "◁", "think▷", ". B", ".", " ", "\n",
     "\n\n", "word", "✓", "\ufe0f", "👍", "【1†", "│", "└──",
     "+--", "\n--|--\n", "~~~~~~", "—", "\n", "$", "\\(", "·", "】", "(u)", "!"]
)  # fmt: skip


def speak(chunks: list[str] | str) -> str:
    markdown = MarkdownFilter()
    return "".join(map(markdown.feed, chunks)) + markdown.flush()


@pytest.mark.parametrize(("text", "spoken"), NAMED + HTML + UNCLOSED + SIGNS + DRAWN)
def test_expected_speech(text: str, spoken: str) -> None:
    assert speak([text]).strip() == spoken
    assert speak(text).strip() == spoken


@pytest.mark.parametrize("text", MACHINE)
def test_what_models_write_for_machines_is_not_spoken(text: str) -> None:
    assert speak([text]).strip() == "Yes."
    assert speak(text).strip() == "Yes."


@settings(max_examples=400)
@given(st.lists(MARKS, max_size=30))
@example(["Item ", "|", " Avg", ". Time", "\n--|--\n", "Tea | 5\n"])
def test_chunking_changes_nothing(chunks: list[str]) -> None:
    whole = speak(["".join(chunks)])
    assert speak(chunks) == whole
    assert speak("".join(chunks)) == whole


@given(st.lists(MARKS, max_size=12), st.integers(1, 40))
def test_a_hidden_block_that_is_too_long_is_text(chunks: list[str], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hidden, "HIDDEN_MAX", most)
        text = "<think>" + "".join(chunks)
        assert speak(text) == speak([text])


@pytest.mark.parametrize("mark", ["`", "[", "<b ", "*", "_", "**", "[a](", "~~", "=="])
def test_a_mark_that_nothing_closes_waits_no_longer_than_its_sentence(mark: str) -> None:
    markdown = MarkdownFilter()
    text = f"It begins {mark}here at once. Then"
    assert markdown.feed("So. " + text).endswith("once. Then")


@pytest.mark.parametrize("mark", ["`", "[", "<b ", "*", "**", "=="])
def test_a_pause_lets_a_sentence_go_whatever_mark_is_open(mark: str) -> None:
    markdown = MarkdownFilter()
    spoken = markdown.feed(f"It begins {mark}here.")
    assert (spoken + markdown.settle()).endswith("here.")
    assert markdown.feed(" Next one") == " Next one"


def test_a_pause_keeps_a_link_and_a_thought_together() -> None:
    markdown = MarkdownFilter()
    assert markdown.feed("See [the docs.](https://exam") == "See"
    assert markdown.settle() == ""
    assert markdown.feed("ple.com) now") == " the docs. now"
    markdown = MarkdownFilter()
    assert markdown.feed("<think>Well. Now.\n") + markdown.settle() == ""
    assert markdown.feed("</think>Yes") == "Yes"


def test_emoji_are_what_unicode_shows_as_pictures() -> None:
    for code in (*range(0x2600, 0x27C0), *range(0x1F300, 0x1F650), *range(0x1F900, 0x1FA00)):
        char = chr(code)
        wide = unicodedata.east_asian_width(char) == "W"
        assert bool(EMOJI_RUN.match(char)) == wide, hex(code)
