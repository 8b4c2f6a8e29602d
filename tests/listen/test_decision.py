"""When somebody is said to speak: a function of probabilities and sounds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from tests.support.people import hum
from voicestream.listen.decision import CHUNK_FRAMES, Decision
from voicestream.pcm import Frames16

OPEN = (3000 * np.random.default_rng(0).normal(size=CHUNK_FRAMES)).astype(np.int16)
"""A sound with as much above 1 kHz as below."""
HUM = (3000 * hum(130)[800 : 800 + CHUNK_FRAMES]).astype(np.int16)


def decided(chunks: Iterable[tuple[float, Frames16]], sure: float = 0.5) -> int | None:
    """After how many chunks a person speaks; 160 ms are five of them."""
    decision = Decision(sure, 160)
    return next((n for n, chunk in enumerate(chunks, 1) if decision.hear(*chunk)), None)


@pytest.mark.parametrize(
    ("probabilities", "after"),
    [
        ([0.9] * 9, 5),
        ([0.9] * 4 + [0.1] * 20, None),  # too short
        ([0.9] * 3 + [0.1] + [0.9] * 9, 7),  # a stop within a word takes one away
        (([0.9] * 3 + [0.1] * 3) * 9, None),  # coughs
        ([0.49] * 50, None),
    ],
)
def test_a_person_speaks_once_there_is_enough_of_it(
    probabilities: list[float], after: int | None
) -> None:
    assert decided((probability, OPEN) for probability in probabilities) == after


def test_how_sure_is_what_was_asked_for() -> None:
    assert decided(((0.6, OPEN) for _ in range(50)), sure=0.7) is None
    assert decided(((0.7, OPEN) for _ in range(50)), sure=0.7) == 5


def test_a_person_speaks_until_there_is_silence() -> None:
    decision = Decision(0.5, 160)
    said = [decision.hear(p, OPEN) for p in [0.9] * 30 + [0.1] * 3 + [0.9] * 2 + [0.1] * 20]
    assert said == [False] * 4 + [True] * (26 + 5 + 15) + [False] * 5


def test_an_echo_behind_a_hum_opens_no_mouth() -> None:
    echo = OPEN / 4.0
    chunk = (HUM + echo / 3).astype(np.int16)
    for known, after in ((None, 5), (echo, 17)):
        decision = Decision(0.5, 160)
        heard = (decision.hear(0.9, chunk, known) for _ in range(50))
        assert next(n for n, speaks in enumerate(heard, 1) if speaks) == after


def test_a_hum_interrupts_only_when_it_lasts() -> None:
    faint = (OPEN // 30).astype(np.int16)  # the breath after it
    mhm = [(0.9, HUM)] * 4 + [(0.9, faint)] * 3 + [(0.9, HUM)] * 4
    assert decided([*mhm, *[(0.1, OPEN)] * 20]) is None
    assert decided([(0.9, HUM)] * 50) == 17
    assert decided([*[(0.9, HUM)] * 5, *[(0.9, OPEN)] * 5]) == 6  # "m-many"
