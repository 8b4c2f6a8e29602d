"""How much of a known sequence of samples was heard, in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.support.sound import Int16

SHORTEST = 4
"""So many equal samples in a row are taken for the same place of the sequence."""


@dataclass(frozen=True)
class Match:
    """What became of a reference.

    Attributes:
        first_frame: of the recording, where the first recognised sample lies; None: nothing heard.
        end_frame: one after the last recognised sample.
        missing: samples of the reference not heard in their order.
        lost_head: of these, before the first that was heard.
        lost_tail: of these, after the last that was heard.
        inserted: frames between the first and the last recognised one that are none of it.
    """

    first_frame: int | None
    end_frame: int
    missing: int
    lost_head: int
    lost_tail: int
    inserted: int

    @property
    def whole(self) -> bool:
        """Every sample heard, in order, with nothing between."""
        return self.missing == 0 and self.inserted == 0


def match(reference: Int16, heard: Int16) -> Match:
    """Align what was heard with a reference such as ``ramp()``; both of shape ``(frames,)``.

    Runs of equal samples are followed to their ends; after each, the next heard
    window known from the rest of the reference is where it goes on.
    """
    if len(reference) < SHORTEST:
        raise ValueError(f"a reference of {len(reference)} samples cannot be recognised")
    places = _Places(reference)
    known = np.flatnonzero(np.isin(_windows(heard), places.keys))
    at_ref = at_heard = matched = 0
    first_ref = 0
    first_heard: int | None = None
    step = 0
    while (step := int(np.searchsorted(known, max(at_heard, 0)))) < len(known):
        at_heard = int(known[step])
        place = places.first_from(heard[at_heard : at_heard + SHORTEST], at_ref)
        if place is None:
            at_heard += 1
            continue
        if first_heard is None:
            first_heard, first_ref = at_heard, place
        run = _common(reference[place:], heard[at_heard:])
        at_ref, at_heard, matched = place + run, at_heard + run, matched + run
        end_heard = at_heard
    if first_heard is None:
        return Match(None, 0, len(reference), len(reference), 0, 0)
    rest = _place_of(reference[at_ref:], heard[end_heard:])
    if rest is not None:  # the end, behind a hole, is too short for the above
        end_heard += rest + len(reference) - at_ref
        matched, at_ref = matched + len(reference) - at_ref, len(reference)
    return Match(
        first_frame=first_heard,
        end_frame=end_heard,
        missing=len(reference) - matched,
        lost_head=first_ref,
        lost_tail=len(reference) - at_ref,
        inserted=end_heard - first_heard - matched,
    )


class _Places:
    """Where in the reference each window of samples stands."""

    def __init__(self, reference: Int16) -> None:
        windows = _windows(reference)
        self._order = np.argsort(windows, kind="stable")
        self.keys = windows[self._order]

    def first_from(self, window: Int16, start: int) -> int | None:
        """The first place at or after ``start`` that has this window."""
        key = _windows(window)[0]
        low, high = (
            np.searchsorted(self.keys, key, "left"),
            np.searchsorted(self.keys, key, "right"),
        )
        places = self._order[low:high]
        later = places[places >= start]
        return int(later[0]) if len(later) else None


def _windows(samples: Int16) -> npt.NDArray[np.uint64]:
    """Every run of four samples as one number."""
    count = max(len(samples) - SHORTEST + 1, 0)
    wide = samples.astype(np.uint16).astype(np.uint64)
    keys = np.zeros(count, np.uint64)
    for offset in range(SHORTEST):
        keys |= wide[offset : offset + count] << np.uint64(16 * offset)
    return keys


def _common(left: Int16, right: Int16) -> int:
    """How many samples are equal from the start on."""
    length = min(len(left), len(right))
    different = np.flatnonzero(left[:length] != right[:length])
    return int(different[0]) if len(different) else length


def _place_of(samples: Int16, heard: Int16) -> int | None:
    """Where a few samples, fewer than ``SHORTEST``, come next after silence; None: they do not."""
    loud = np.flatnonzero(heard)
    if not len(loud) or not 0 < len(samples) < SHORTEST:
        return None
    first = int(loud[0])
    same = np.array_equal(heard[first : first + len(samples)], samples)
    return first if same else None
