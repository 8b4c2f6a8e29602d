"""Which format the next request asks for, where that is left open (``--format auto``).

PCM first: it is heard soonest and loses nothing, but wants 384 kbit/s. Where
the measured throughput cannot carry a format in time, the next request asks
for one that it can carry. What a lighter format leaves unused cannot be
measured, so the way back up is a trial: after a while in which all went well,
and after each trial that failed, twice as long. A lighter format that comes
no faster shows that it is the server that is slow, not the network: then PCM
it is, to the end.
"""

from __future__ import annotations

from collections.abc import Iterable

from voicestream.records import dataclass

RUNGS = ("pcm", "mp3", "opus")
"""From the widest down. MP3 comes before Opus: its first sound needs 500 bytes, not a page."""
_TYPICAL_KBPS = {"pcm": 384.0, "mp3": 128.0, "opus": 48.0}
_TIGHT = 1.15
"""With less throughput than this times what a format needs, it is not carried in time."""
_ROOMY = 1.5
"""With so much more than it needs, a format is carried for certain."""
_SPARE_S = 2.0
"""Sound that must be left to play at the end of a trial even if the trial gains nothing."""
_GAIN = 1.3
"""A lighter format that gains less than this over the wider one gains nothing."""
_PLENTY_S = 30.0
"""With so much waiting nothing is late, and it may be full buffers that slow the reading down."""
_PATIENCE = 8
_MOST_PATIENCE = 64
_WINDOW_S = 5.0
_MEASURED_S = 0.4
_MEASURED_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Transfer:
    """One reply's way over the network, on the clock of ``time.monotonic()``."""

    first_byte_s: float
    ended_s: float | None
    """None while it arrives."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Step:
    """One change of format."""

    before: str
    after: str
    throughput_kbps: float

    @property
    def down(self) -> bool:
        return RUNGS.index(self.after) > RUNGS.index(self.before)

    def __str__(self) -> str:
        why = f", too slow for {self.before}" if self.down else ""
        return f"speech comes at {self.throughput_kbps:.0f} kbit/s{why}: asking for {self.after}"


def throughput_kbps(transfers: Iterable[Transfer], now_s: float) -> float | None:
    """Return what came in the last five seconds while anything was on its way; None: too little to
    tell.

    Transfers at the same time share the network: their bytes are added, their time is not.
    """
    from_s = now_s - _WINDOW_S
    spans: list[tuple[float, float]] = []
    size_bytes, whole = 0.0, False
    for it in sorted(transfers, key=lambda it: it.first_byte_s):
        end_s = now_s if it.ended_s is None else it.ended_s
        if end_s <= from_s:
            continue
        start_s = max(it.first_byte_s, from_s)
        share = (end_s - start_s) / max(end_s - it.first_byte_s, 1e-6)
        size_bytes += it.size_bytes * min(share, 1.0)
        whole = whole or (it.ended_s is not None and it.size_bytes >= _MEASURED_BYTES)
        if spans and start_s <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end_s))
        else:
            spans.append((start_s, end_s))
    busy_s = sum(end_s - start_s for start_s, end_s in spans)
    if not whole and busy_s < _MEASURED_S:
        return None
    return size_bytes * 8 / 1000 / max(busy_s, 1e-3)


class Ladder:
    """Decides before each request. Used by one thread at a time.

    Args:
        tempo: seconds of speech that are heard in a second.
    """

    def __init__(self, tempo: float = 1.0) -> None:
        self._at = 0
        self._need_kbps = {form: tempo * kbps for form, kbps in _TYPICAL_KBPS.items()}
        self._patience = _PATIENCE
        self._calm = 0  # requests since the last step for which all went well
        self._on_trial = False
        self._speed_before: float | None = None
        """Before the last step down: throughput over need. None once the step was judged."""
        self._slow_server = False

    @property
    def format(self) -> str:
        return RUNGS[self._at]

    def learn(self, form: str, need_kbps: float) -> None:
        """Learn from a complete reply what a format really takes for a second that is heard."""
        if form in self._need_kbps and need_kbps > 0:
            self._need_kbps[form] = need_kbps

    def need_kbps(self, form: str) -> float:
        """Return what a format takes for each second that is heard, as far as is known."""
        return self._need_kbps.get(form, self._need_kbps["mp3"])

    def step(
        self,
        measured_kbps: float | None,
        waiting_s: float,
        expected_s: float,
        *,
        settled: bool = True,
    ) -> Step | None:
        """Decide on the next request.

        Args:
            measured_kbps: of the network, lately; None if it is not known.
            waiting_s: how much sound is ready to be played.
            expected_s: how much sound the request will bring, about.
            settled: it was measured with the present format alone.
        """
        if measured_kbps is None or self._slow_server:
            return None
        need = self._need_kbps[self.format]
        if settled and self._speed_before is not None:
            gained = measured_kbps / need >= _GAIN * self._speed_before
            self._speed_before = None
            if not gained:
                self._slow_server = True
                return self._to(0, measured_kbps, on_trial=False)
        if measured_kbps < _TIGHT * need and waiting_s < _PLENTY_S:
            return self._down(measured_kbps)
        self._calm += 1
        if self._at == 0:
            self._settled()
            return None
        upper_kbps = self._need_kbps[RUNGS[self._at - 1]]
        if measured_kbps >= _ROOMY * upper_kbps:
            return self._to(self._at - 1, measured_kbps, on_trial=False)
        calm = self._calm >= self._patience and measured_kbps >= _ROOMY * need
        if calm and waiting_s >= _SPARE_S + expected_s * upper_kbps / measured_kbps:
            return self._to(self._at - 1, measured_kbps, on_trial=True)
        return None

    def _down(self, measured_kbps: float) -> Step | None:
        if self._at == len(RUNGS) - 1:
            self._calm = 0
            return None
        if self._on_trial:
            self._patience = min(2 * self._patience, _MOST_PATIENCE)
        self._speed_before = measured_kbps / self._need_kbps[self.format]
        lower = range(self._at + 1, len(RUNGS))
        carried = (at for at in lower if measured_kbps >= _TIGHT * self._need_kbps[RUNGS[at]])
        return self._to(next(carried, len(RUNGS) - 1), measured_kbps, on_trial=False)

    def _to(self, at: int, measured_kbps: float, on_trial: bool) -> Step:
        step = Step(self.format, RUNGS[at], measured_kbps)
        self._at, self._calm, self._on_trial = at, 0, on_trial
        return step

    def _settled(self) -> None:
        """End a trial of a format that has lasted."""
        if self._on_trial and self._calm >= _PATIENCE:
            self._on_trial, self._patience = False, _PATIENCE
