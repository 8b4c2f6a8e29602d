"""What was needed when, by what arrived."""

from __future__ import annotations

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from voicestream.policy.arrivals import HORIZONS_S, SAME_S, Arrivals, threshold


def test_the_need_is_what_had_to_be_waiting():
    seen = Arrivals()
    for at_s, sound_s in ((0.0, 0.1), (0.3, 0.1), (0.35, 1.0), (2.0, 0.1)):
        seen.add(at_s, sound_s)
    # after the first arrival: 0.3 s until the second piece, which 0.3 s of sound would bridge;
    # the last needs 2.0 s less the 1.1 s that came in between
    assert seen.first_needs()[0] == pytest.approx(0.3)
    assert seen.first_needs()[2] == pytest.approx(0.3)
    assert seen.first_needs()[3] == pytest.approx(0.9)
    assert seen.rate == pytest.approx(1.2 / 2.0)
    assert seen.gaps == pytest.approx([0.05, 0.3, 1.65])


def test_arrivals_of_a_moment_are_one():
    seen = Arrivals()
    for at_s in (0.0, 0.015, 0.021):
        seen.add(at_s, 0.1)
    assert seen.count == 2
    assert seen.gaps == pytest.approx([0.006])
    # from the second piece to the third, not from the first to the second
    assert seen.first_needs()[0] == pytest.approx(0.006)


def looked_up(steps: list[tuple[float, float]], horizon_s: float) -> list[float]:
    """The needs at a horizon by their definition: of each arrival, pieces near it being one."""
    groups: list[list[tuple[float, float]]] = []  # of each piece its time and the sound before it
    sound_s = 0.0
    for at_s, piece_s in steps:
        if not groups or at_s - groups[-1][0][0] >= SAME_S:
            groups.append([])
        groups[-1].append((at_s, sound_s))
        sound_s += piece_s
    ends = [group[0][1] for group in groups[1:]] + [sound_s]
    found = []
    for i, end_s in enumerate(ends):
        if end_s > sound_s - horizon_s:
            break
        later = [piece for group in groups[i + 1 :] for piece in group]
        near = [at_s - before for at_s, before in later if before - horizon_s < end_s]
        found.append(max(near) - (groups[i][-1][0] - end_s))
    return sorted(found)


@hypothesis_given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.0078125, 0.125, 0.5]),
            st.sampled_from([0.00390625, 0.0625, 0.25]),
        ),
        min_size=1,
        max_size=80,
    ),
    st.integers(1, 20),
)
def test_needs_are_the_same_however_often_they_are_asked_for(
    steps: list[tuple[float, float]], every: int
) -> None:
    made: list[tuple[float, float]] = []
    seen = Arrivals()
    for i, (gap_s, sound_s) in enumerate(steps):
        made.append(((made[-1][0] if made else 0.0) + gap_s, sound_s))
        seen.add(*made[-1])
        if i % every == 0 or i == len(steps) - 1:
            for row, horizon_s in enumerate(HORIZONS_S):
                assert list(seen.needs(row)) == looked_up(made, horizon_s)


def test_of_very_many_arrivals_the_latest_are_looked_at():
    seen = Arrivals()
    for i in range(2400):  # late at first, even then
        seen.add(0.5 * i if i < 100 else 50 + 0.1 * (i - 100), 0.1)
    looks = seen.needs(0)
    assert len(looks) == 2048
    assert looks[-1] == pytest.approx(0.1)


@hypothesis_given(
    st.lists(st.tuples(st.integers(-3, 8), st.integers(1, 4)), max_size=12), st.integers(0, 12)
)
def test_above_the_threshold_lies_no_more_than_was_asked(
    samples: list[tuple[int, int]], most: int
) -> None:
    levels = sorted({0, *(value for value, _ in samples if value > 0)})
    above = {level: sum(weight for value, weight in samples if value > level) for level in levels}
    expected = next(level for level in levels if above[level] <= most)
    assert threshold(samples, most) == expected


def test_jitter_after_rfc_3550():
    seen = Arrivals()
    seen.add(0.0, 0.1)
    seen.add(0.14, 0.1)  # 40 ms later than even
    seen.add(0.24, 0.1)
    assert seen.jitter_s == pytest.approx(0.04 / 16 * 15 / 16)
