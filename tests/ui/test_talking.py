"""Who is heard, and what is being typed, on any terminal."""

from __future__ import annotations

import pytest

from voicestream.ui.lines import cells
from voicestream.ui.talking import TalkView, TypedLine, draw_talk

SENTENCE = "A sentence that is being heard, \x1b[31mwith 漢字 in it, and that goes on and on."


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [3, 12, 20, 40, 80, 200])
@pytest.mark.parametrize("floor", ["listening", "you", "thinking", "speaking", "deaf"])
def test_it_fits_and_is_harmless(floor: str, width: int, encoding: str) -> None:
    for typed in ("", SENTENCE):
        view = TalkView(floor, True, SENTENCE, typed)
        lines = draw_talk(view, width, 24, encoding, hint=SENTENCE[:20])
        assert len(lines) == 2
        shown = "".join(text for line in lines for text, _ in line)
        assert "\x1b" not in shown
        assert shown.encode(encoding)
        assert all(cells(line) <= width for line in lines)


def test_it_is_shown_that_somebody_is_recorded() -> None:
    shown = [draw_talk(TalkView("you", on), 80)[0] for on in (True, False)]
    assert ["".join(text for text, _ in line) for line in shown] == ["● you", "you"]


def test_a_line_is_typed_key_by_key() -> None:
    typed = TypedLine()
    assert [typed.key(key) for key in "Hi\x7fey"] == [""] * 5
    assert typed.key("left") == ""
    assert typed.text == "Hey"
    assert typed.key("\x04") == ""
    assert not typed.ended
    assert typed.key("\r") == "Hey"
    assert typed.key("\r") == ""
    typed.key("\x04")
    assert typed.ended
