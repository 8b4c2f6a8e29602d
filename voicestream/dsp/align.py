"""Where a place of one rendering of a text lies in another: dynamic time warping.

Sakoe and Chiba, "Dynamic programming algorithm optimization for spoken word
recognition" (1978), slope constraint P = 1, with an open end.
"""

from __future__ import annotations

import numpy as np

from voicestream.pcm import NDArray, PcmFormat, Samples

HOP_S = 0.02
_BANDS = 20
_LOWEST_HZ = 80.0
_HIGHEST_HZ = 7000.0
_SILENCE = 0.2
"""Weight of the component that stands for silence, as loud as a faint word."""
_LEAST_HOPS = 5
_SLOWEST = 1.35
"""A rendering that is slower than this is not followed any further."""
_SLOW = 1.15
_FASTEST = 0.9
_AFTER_S = 0.4
"""How much sound after the best place must have been compared as well."""
_COST_MOST = 0.12
_SAME_COST = 0.01
"""Up to this cost the speech is the same for certain."""
_RIVAL_COST = 2.5
"""A place whose path costs less than this more than the best is as likely: about one hop
that is as different as it can be."""
_RIVAL_S = 0.3
_EQUAL_COST = 0.3
"""Places whose paths cost no more than this more than the best are told apart by tempo."""
_CHANGED = 0.7
"""Rows less alike than this belong to two sounds."""
_PAUSE_HOPS = 5
"""Of a pause at the end of what was heard, the part that is compared."""
_SILENT = 0.7

Rows = NDArray[np.float32]


class Outline:
    """Makes spectra of sound as it comes, one for every ``HOP_S``.

    Each is a unit vector: compressed band energies, and one component that silence fills.
    """

    def __init__(self, pcm: PcmFormat) -> None:
        self._hop = pcm.s_to_frames(HOP_S)
        self._window = np.hanning(2 * self._hop).astype(np.float32)
        self._rest = np.zeros(0, np.float32)
        self._rows: list[Rows] = []
        self.hops = 0
        """Rows so far."""
        frequencies = np.fft.rfftfreq(2 * self._hop, 1 / pcm.rate_hz)
        highest = min(_HIGHEST_HZ, 0.45 * pcm.rate_hz)
        edges = np.geomspace(_LOWEST_HZ + 300, highest + 300, _BANDS + 1) - 300
        band = np.searchsorted(edges, frequencies, side="right") - 1
        self._bands = (band[:, None] == np.arange(_BANDS)).astype(np.float32)

    def feed(self, samples: Samples) -> Rows:
        """Add samples; return their rows, shape ``(hops, bands + 1)``."""
        if not len(samples):
            return np.zeros((0, _BANDS + 1), np.float32)
        mono = samples.mean(axis=1, dtype=np.float32)
        mono = np.concatenate((self._rest, mono))
        hops = max(len(mono) // self._hop - 1, 0)
        self._rest = mono[hops * self._hop :]
        if not hops:
            return np.zeros((0, _BANDS + 1), np.float32)
        blocks = mono[: (hops + 1) * self._hop].reshape(-1, self._hop)
        framed = np.concatenate((blocks[:-1], blocks[1:]), axis=1) * self._window
        power = np.abs(np.fft.rfft(framed)).astype(np.float32) ** 2 / self._hop**2
        bands = np.sqrt(np.sqrt(power @ self._bands))
        rows = np.concatenate((bands, np.full((hops, 1), _SILENCE, np.float32)), axis=1)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        self._rows.append(rows)
        self.hops += hops
        return rows

    @property
    def rows(self) -> Rows:
        """All rows so far."""
        if not self._rows:
            return np.zeros((0, _BANDS + 1), np.float32)
        self._rows = [np.concatenate(self._rows)]
        return self._rows[0]


def onset(rows: Rows) -> int | None:
    """Index of the first row that is not silence; None if all are."""
    loud = np.flatnonzero(rows[:, -1] < _SILENT)
    return int(loud[0]) if len(loud) else None


def _last_change(rows: Rows) -> int:
    """Index of the last row that is unlike the second before it; 0 if there is none."""
    alike = (rows[2:] * rows[:-2]).sum(axis=1)
    changes = np.flatnonzero(alike < _CHANGED)
    return int(changes[-1]) + 2 if len(changes) else 0


class Alignment:
    """Finds the end of ``heard`` in another rendering, fed as it comes.

    Args:
        heard: rows of what was handed on, from the segment's beginning.
        pcm: format of the other rendering.
    """

    def __init__(self, heard: Rows, pcm: PcmFormat) -> None:
        self._pcm = pcm
        self._outline = Outline(pcm)
        loud = np.flatnonzero(heard[:, -1] < _SILENT)
        first, end = (loud[0], loud[-1] + 1 + _PAUSE_HOPS) if len(loud) else (0, 0)
        self._heard = heard[first:end]
        self._pause_hops = len(heard[end:]) if len(loud) else 0
        self._mark = _last_change(self._heard)
        self._mark_costs: list[float] = []  # of the path that ends at the mark
        self._begun: int | None = None
        self._before = [np.full(len(self._heard), np.inf) for _ in range(2)]
        self._costs: list[float] = []  # of the path that ends here, for each row after the onset

    def feed(self, samples: Samples) -> None:
        """Compare the next samples of the other rendering."""
        before = self._outline.hops
        rows = self._outline.feed(samples)
        if self._begun is None:
            first = onset(rows)
            if first is None:
                return
            self._begun = before + first
            rows = rows[first:]
        if not len(self._heard):
            return
        distances = 1.0 - rows @ self._heard.T
        for distance in distances.astype(np.float64):
            self._step(distance)

    def _step(self, distance: NDArray[np.float64]) -> None:
        last, second_last = self._before
        row = np.full(len(distance), np.inf)
        if not self._costs:
            row[0] = 2 * distance[0]
        row[1:] = np.minimum(last[:-1] + 2 * distance[1:], second_last[:-1] + 3 * distance[1:])
        row[2:] = np.minimum(row[2:], last[:-2] + 3 * distance[2:])
        self._before = [row, last]
        hops = len(self._costs) + 1
        self._costs.append(float(row[-1]) / (hops + len(row)))
        self._mark_costs.append(float(row[self._mark]) / (hops + self._mark + 1))

    @property
    def short(self) -> bool:
        """Whether too little was heard for a comparison."""
        return len(self._heard) < _LEAST_HOPS

    @property
    def done(self) -> bool:
        """Whether no more of the rendering is needed."""
        if self._begun is None or self.short:
            return self._begun is not None
        followed, heard, after = len(self._costs), len(self._heard), _AFTER_S / HOP_S
        if followed > _SLOWEST * heard + after:
            return True
        best = int(np.argmin(self._costs))
        # what is only alike, a word before the right one, may come first
        fewest = _FASTEST if self._costs[best] <= _SAME_COST else _SLOW
        return followed >= fewest * heard + after and followed - best > after

    @property
    def begun(self) -> int:
        """Frame at which the rendering's first word begins, as far as it has come."""
        hops = self._outline.hops if self._begun is None else self._begun
        return self._pcm.s_to_frames(hops * HOP_S)

    def end(self) -> tuple[int, bool] | None:
        """Return the frame at which what was heard ends, and whether that is sure.

        None: the rendering does not come so far.
        """
        if self.short:
            return self.begun, True
        costs = np.asarray(self._costs)
        if not np.isfinite(costs).any():
            return None
        best = int(np.argmin(costs))
        length = best + 1 + len(self._heard)
        rivals = np.flatnonzero((costs - costs[best]) * length <= _RIVAL_COST)
        apart_s = float(np.abs(rivals - best).max()) * HOP_S
        sure = bool(costs[best] <= _COST_MOST and apart_s <= _RIVAL_S)
        equals = np.flatnonzero((costs - costs[best]) * length <= _EQUAL_COST)
        best = self._on_from_mark(equals[np.abs(equals - best) * HOP_S <= _RIVAL_S])
        # a row stands for the middle of its window
        hops = best + 1 + self._waited(best + 1)
        return self.begun + self._pcm.s_to_frames(hops * HOP_S), sure

    def _on_from_mark(self, rivals: NDArray[np.intp]) -> int:
        """Return the rival that lies where the mark does, and on from it at the same tempo.

        A long even sound looks alike wherever it is compared; its beginning does not.
        """
        at = int(np.argmin(self._mark_costs))
        on = (len(self._heard) - 1 - self._mark) * (at + 1) / (self._mark + 1)
        return int(rivals[np.argmin(np.abs(rivals - (at + on)))])

    def _waited(self, hop: int) -> int:
        """Return how much of the pause at ``hop`` was heard already."""
        assert self._begun is not None
        following = onset(self._outline.rows[self._begun + hop :][: self._pause_hops])
        return self._pause_hops if following is None else following
