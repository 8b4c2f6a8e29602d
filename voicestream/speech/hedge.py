"""A request that takes unusually long is asked at a second endpoint too; the first sound wins.

After Dean and Barroso, The Tail at Scale (CACM 56/2, 2013): asked only when the
first has had more time than it usually needs, the second costs little and cuts
off the longest waits.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable

from voicestream.records import dataclass, field
from voicestream.speech.base import Call, SpeechStream

_KEPT = 15

Ask = Callable[[Call], SpeechStream]
"""Asks on behalf of a call, and returns when the first byte of the reply is here."""


@dataclass(frozen=True, slots=True)
class HedgePolicy:
    """Says when a second endpoint is asked.

    Attributes:
        factor: after so many times what is usual.
        least_s: never sooner.
        unknown_s: where nothing is known yet.
    """

    factor: float = 3.0
    least_s: float = 1.0
    unknown_s: float = 4.0

    def patience_s(self, usual_s: float) -> float:
        """Return how long to wait for the first byte alone.

        Args:
            usual_s: how long it usually takes; 0: not known.
        """
        return max(self.factor * usual_s, self.least_s) if usual_s > 0 else self.unknown_s


class FirstBytes:
    """Knows how long the replies of one endpoint take to begin. Any thread.

    Args:
        learnt_s: what earlier sessions know, 0 if nothing; asked once, when first needed.
    """

    def __init__(self, learnt_s: Callable[[], float]) -> None:
        self._learnt_s = learnt_s
        self._learnt: float | None = None
        self._seen: deque[float] = deque(maxlen=_KEPT)

    def see(self, took_s: float) -> None:
        self._seen.append(took_s)

    def usual_s(self) -> float:
        """Return the median of what was seen lately, with what was learnt before; 0: nothing is
        known."""
        if self._learnt is None:
            self._learnt = self._learnt_s()
        known = [took_s for took_s in (self._learnt, *tuple(self._seen)) if took_s > 0]
        return sorted(known)[len(known) // 2] if known else 0.0


@dataclass(slots=True, eq=False)
class Lane:
    """The request at one endpoint. Written by its thread until it is in the queue."""

    call: Call = field(default_factory=Call)
    stream: SpeechStream | None = None
    error: Exception | None = None


class Race:
    """Runs one request at several endpoints. Used by one thread, which starts one for each."""

    def __init__(self) -> None:
        self._came: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        self._lanes: list[Lane] = []
        self._lock = threading.Lock()
        self._decided = False

    def enter(self, ask: Ask) -> Lane:
        """Ask at one more endpoint; returns at once."""
        lane = Lane()
        self._lanes.append(lane)
        threading.Thread(target=self._run, args=(lane, ask), name="ask", daemon=True).start()
        return lane

    def _run(self, lane: Lane, ask: Ask) -> None:
        try:
            stream = ask(lane.call)
        except Exception as error:  # noqa: BLE001  a thread's entry: raised again by who waits
            lane.error = error
            self._came.put(lane)
            return
        finally:
            lane.call.over()
        with self._lock:
            late = self._decided
            if not late:
                lane.stream = stream
                self._came.put(lane)
        if late:
            stream.close()

    def wait(self, timeout_s: float | None = None) -> Lane | None:
        """Return the next one that begins to speak, or fails; None: none within the time."""
        try:
            return self._came.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def decide(self, winner: Lane | None) -> None:
        """Give all others up: close their connections, and read nothing more of them."""
        with self._lock:
            self._decided = True
        for lane in self._lanes:
            if lane is winner:
                continue
            if lane.stream is None:
                lane.call.cancel()
            else:
                lane.stream.close()


def first_to_speak(
    first: Ask,
    second: Ask,
    patience_s: Callable[[], float],
    queues: Callable[[], bool],
    on_hedge: Callable[[], None],
) -> tuple[bool, SpeechStream]:
    """Ask the first, and when it is slow the second as well; return whether the second spoke first,
    and the stream of the one that did.

    Args:
        patience_s: how long to wait for the first alone; called when it has been asked.
        queues: whether the first has others to answer before; then patience begins anew.
        on_hedge: called when the second is about to be asked.

    Raises:
        Exception: what the first one failed with, before the second was asked or after
            that one has failed too.
    """
    race = Race()
    lane = race.enter(first)
    ended = race.wait(patience_s())
    while ended is None and queues():
        ended = race.wait(patience_s())
    if ended is None:
        on_hedge()
        race.enter(second)
        ended = race.wait()
        if ended is not None and ended.stream is None:  # the other may still speak
            ended = race.wait()
    winner = ended if ended is not None and ended.stream is not None else None
    race.decide(winner)
    if winner is None or winner.stream is None:
        raise lane.error or RuntimeError("nobody failed, and nobody spoke")
    return winner is not lane, winner.stream
