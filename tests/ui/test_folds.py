"""Where the rows of a picture are after the terminal has changed its size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicestream.ui.folds import LastPicture

WIDTHS = [79, 79, 20, 79]


def test_a_narrower_terminal_folds_lines() -> None:
    last = LastPicture(folds=True)
    assert last.rows_more(80, 24) == 0, "nothing was drawn"
    last.drawn(WIDTHS, 80, 24)
    assert last.rows_more(80, 24) == 0
    assert last.rows_more(40, 24) == 3
    assert last.rows_more(20, 24) == 9
    assert last.rows_more(200, 24) == 0


def test_another_terminal_cuts_them() -> None:
    last = LastPicture(folds=False)
    last.drawn(WIDTHS, 80, 24)
    assert last.rows_more(20, 24) == 0


def test_what_went_off_at_the_top_is_erased_when_it_is_back() -> None:
    last = LastPicture(folds=True)
    last.drawn(WIDTHS, 80, 24)
    assert last.rows_more(40, 4) == 3  # three rows of seven are gone: one line and a half
    last.drawn([30, 30], 40, 4)
    assert last.rows_more(40, 4) == 0, "it has not grown"
    assert last.rows_more(80, 24) == 2
    last.drawn(WIDTHS, 80, 24)
    assert last.rows_more(200, 60) == 0, "all of it was erased"


def test_tmux_sends_off_as_many_rows_as_folding_makes() -> None:
    last = LastPicture(folds=True, pushes=True)
    last.drawn(WIDTHS, 80, 6)  # two rows may stand above
    assert last.rows_more(40, 24) == 3
    last.drawn([30], 40, 24)
    assert last.rows_more(80, 24) == 1, "one row of ours was gone, though there was room"


def test_what_others_wrote_is_left_alone() -> None:
    last = LastPicture(folds=True)
    last.drawn(WIDTHS, 80, 24)
    last.rows_more(80, 2)
    last.drawn([30], 80, 2)
    last.printed()
    assert last.rows_more(80, 24) == 0


@given(
    st.lists(st.tuples(st.integers(1, 200), st.integers(1, 60), st.lists(st.integers(0, 200)))),
    st.booleans(),
)
def test_no_more_is_erased_than_fits(sizes: list[tuple[int, int, list[int]]], folds: bool) -> None:
    last = LastPicture(folds)
    for columns, rows, widths in sizes:
        assert last.rows_more(columns, rows) >= 0
        last.drawn([min(width, columns) for width in widths][: max(rows - 1, 1)], columns, rows)
