"""Every fault a network or server can have, and what it may do to speech."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.stage import ONE, TEN, TYPES
from tests.support.proxy import GOOD, Exchange, Fault

Plan = Callable[[int], Fault]
"""Attempt (from 1) -> what happens to it."""


def answer(status: int, *headers: str) -> Fault:
    lines = [f"HTTP/1.1 {status} So", *headers, "Content-Type: text/plain", "Content-Length: 4"]
    return Fault(answer="\r\n".join([*lines, "", "Oh."]).encode() + b"\n")


def once(fault: Fault) -> Plan:
    return lambda attempt: fault if attempt == 1 else GOOD


def twice(first: Fault, second: Fault) -> Plan:
    return lambda attempt: {1: first, 2: second}.get(attempt, GOOD)


def always(fault: Fault) -> Plan:
    return lambda _: fault


MENDED: dict[str, Plan] = {
    "nothing": once(GOOD),
    "closed without a word": once(Fault("close")),
    "reset without a word": once(Fault("reset")),
    "silent": once(Fault("stall")),
    "slow to begin": once(Fault(delay_s=0.3)),
    "408": once(answer(408)),
    "429, wait no second": once(answer(429, "Retry-After: 0")),
    "503": once(answer(503, "retry-after-ms: 20")),
    "504 twice": twice(answer(504), answer(504)),
    "not HTTP": once(Fault(answer=b"\x00\xff\x00\xff\r\n\r\n")),
    "head cut, closed": once(Fault("close", "head")),
    "head cut, reset": once(Fault("reset", "head")),
    "head cut, silent": once(Fault("stall", "head")),
    "dripping": once(Fault("drip")),
    "jitter": once(Fault("jitter", seed=1)),
    "truncated": once(Fault("close", 0.5, framing="length")),
    "all but a byte": once(Fault("close", 0.9999, framing="length")),
    "closed while idle": always(Fault(then="close")),
    "kept, then reset": once(Fault(then="reset_at_next")),
    "cut twice": twice(Fault("close", 0.3), Fault("reset", 0.7)),
    "cut twice, earlier": twice(Fault("close", 0.6), Fault("stall", 0.2)),
    "refused, then cut": twice(answer(503), Fault("close", 0.5)),
    **{
        f"{how} at {place:.0%}": once(Fault(how, place))
        for how in ("close", "reset", "stall")
        for place in ((0.0, 0.001, 0.5, 1.0) if how == "close" else (0.001, 0.5, 1.0))
    },
}
"""All is heard, to the sample."""

NAMED: dict[str, Plan] = {
    "always closed": always(Fault("close")),
    "always 400": always(answer(400)),
    "always 500": always(answer(500)),
    "always cut": always(Fault("close", 0.5)),
    "always reset": always(Fault("reset", 0.3)),
    "always silent": always(Fault("stall", 0.7)),
}
"""One sentence cannot be had; it is named, and what came of it is heard."""


@dataclass(frozen=True)
class Cell:
    """One fault, format and text."""

    fault: str
    form: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.fault}-{self.form}-{'one' if self.text == ONE else 'ten'}"

    @property
    def is_named(self) -> bool:
        return self.fault in NAMED

    @property
    def is_doubted(self) -> bool:
        """Ends at the same place each time, at a server that never ended a reply as it should:
        what came may be all there is."""
        return self.fault == "always cut" and self.text == ONE

    def hits(self, text: str) -> bool:
        """Of one sentence, it; of ten, some that come when others are playing."""
        words = ("Delta",) if self.is_named else ("Alpha", "Charlie", "Foxtrot", "Juliet")
        return self.text == ONE or text.startswith(words)

    def plan(self, exchange: Exchange) -> Fault:
        if not self.hits(exchange.text):
            return GOOD
        return (MENDED | NAMED)[self.fault](exchange.attempt)


_FAULTS = list(MENDED | NAMED)
CELLS = [Cell(fault, form, text) for fault in _FAULTS for form in TYPES for text in (ONE, TEN)]


def is_sampled(cell: Cell) -> bool:
    """Whether a run of the whole suite looks at it: each fault, in one format or another, among
    ten sentences, and every third of them for one alone."""
    number = _FAULTS.index(cell.fault)
    if cell.text == ONE:
        return cell.form == "pcm" and (number % 3 == 0 or cell.is_doubted)
    return cell.form == list(TYPES)[number % len(TYPES)]
