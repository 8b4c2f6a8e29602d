"""Random verbs on a reply, and what became of every sample of it."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from tests.session.stage import Stage
from tests.support.matching import match
from tests.support.sound import QUIETEST, Int16
from voicestream.policy.plan import NOT_YET

_MOST_PULLED = 700
_FADE = 96


@dataclass(frozen=True)
class Outcome:
    """What was heard of one reply.

    Attributes:
        verbs: how many there were.
        lost: samples not heard, or changed.
        doubled: samples heard twice.
        jumps: places where the sound went on elsewhere than where it was left.
        sought: how often it was told to.
    """

    verbs: int
    lost: int
    doubled: int
    jumps: int
    sought: int

    @property
    def exact(self) -> bool:
        """Every sample once, in order; with ``next`` and ``back``: but where they went."""
        if self.sought:
            return self.jumps <= self.sought
        return self.lost == self.doubled == self.jumps == 0


def run(seed: int) -> Outcome:
    """Speak three sentences under random verbs; an odd seed goes to other sentences, too."""
    chosen = random.Random(seed)
    lengths = [2 * chosen.randint(1500, 5000) for _ in range(3)]
    held = {n: 2 * chosen.randint(0, lengths[n]) for n in range(3) if chosen.random() < 0.3}
    stage = Stage(lengths, held=held, lookahead=chosen.randint(0, 2))
    for number in held:
        stage.release(number)  # each has a break in it, of no length
    stage.session.start()
    assert stage.sink.started.wait(10)
    words = ["pause", "resume", "toggle", "rest", "yield"] + ["next", "back"] * (seed % 2)
    controls = stage.session.controls
    count = sought = 0
    while not stage.session.wait(0) and count < 40:
        word = chosen.choice(words)
        if word == "rest":  # as another's --now does
            controls.rest_at_frame = chosen.choice([NOT_YET, _read(stage) + chosen.randint(1, 900)])
        elif word == "yield":
            controls.yielded = not controls.yielded
        else:
            stage.verb(word)
        count += 1
        sought += word in ("next", "back")
        for _ in range(chosen.randint(0, 4)):
            if stage.has(_MOST_PULLED) or controls.yielded or controls.rest_at_frame != NOT_YET:
                stage.sink.pull(chosen.randint(1, _MOST_PULLED))
    stage.verb("resume")
    controls.yielded, controls.rest_at_frame = False, NOT_YET
    heard = stage.finish()
    reference = np.concatenate([stage.sound(n) for n in range(3)])
    places = _places(heard)
    doubled = len(places) - len(np.unique(places))
    # a window is known only where all of it was heard: a cut leaves out at most two pairs
    steps = np.diff(places)
    jumps = int(((steps < 0) | (steps > 2 * _FADE)).sum())
    lost = 0 if _in_order(reference, heard) else match(reference, heard).missing
    return Outcome(count, lost, doubled, jumps, sought)


def _read(stage: Stage) -> int:
    return stage.session.metrics.play.played_frames


def _in_order(reference: Int16, heard: Int16) -> bool:
    """Whether every sample was heard, in its order; ``match`` knows no run of less than four."""
    wanted, at = reference.tolist(), 0
    for value in heard.tolist():
        at += at < len(wanted) and value == wanted[at]
    return at == len(wanted)


def _places(heard: Int16) -> np.ndarray:
    """Which part of a ramp of less than two seconds each pair of samples is, where it is one
    and is followed by the next."""
    wide = heard.astype(np.int32)
    first, second, third, fourth = (wide[n : len(wide) - 3 + n] for n in range(4))
    known = (first >= QUIETEST) & (second == -QUIETEST)
    known &= (third == first + 1) & (fourth == second)
    return 2 * (first[known] - QUIETEST)
