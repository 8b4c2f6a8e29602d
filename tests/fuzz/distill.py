"""A large corpus -> the few small inputs that reach as much of the code."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.targets import CORPUS, TARGETS
from voicestream import __file__ as _package

MOST_FILES = 48
MOST_BYTES = 24_000
_ROOT = str(Path(_package).parent)


def steps_of(name: str, data: bytes) -> set[tuple[str, int, int]]:
    """File and two lines run one after the other: what of the package the input reaches."""
    found: set[tuple[str, int, int]] = set()

    def trace(frame: FrameType, _event: str, _argument: Any) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(_ROOT):
            return None
        last = frame.f_lineno

        def line(inner: FrameType, event: str, _argument: Any) -> Any:
            nonlocal last
            if event == "line":
                found.add((file, last, inner.f_lineno))
                last = inner.f_lineno
            return line

        return line

    sys.settrace(trace)
    try:
        TARGETS[name](data)
    finally:
        sys.settrace(None)
    return found


def distill(name: str, folder: Path) -> str:
    """Choose among the corpus and what stands in ``folder/name``; say how many are kept."""
    here = CORPUS / name
    candidates = {file.read_bytes() for file in here.iterdir()}
    named = {file.read_bytes(): file.name for file in here.glob("found-*")}
    if (folder / name).is_dir():
        candidates |= {file.read_bytes() for file in (folder / name).iterdir()}
    candidates = {data for data in candidates if len(data) <= MOST_BYTES // 4}
    reached = {data: steps_of(name, data) for data in sorted(candidates, key=len)}
    kept = list(named)
    seen = set().union(*(reached.get(data, set()) for data in kept)) if kept else set()
    size = sum(map(len, kept))
    while len(kept) < MOST_FILES:
        # most that is new for its size
        left = {data: len(steps - seen) for data, steps in reached.items() if data not in kept}
        best = max(left, key=lambda data: left[data] / (len(data) + 64), default=b"")
        if not left.get(best) or size + len(best) > MOST_BYTES:
            break
        kept.append(best)
        seen |= reached[best]
        size += len(best)
    for file in here.iterdir():
        file.unlink()
    for number, data in enumerate(kept):
        (here / named.get(data, f"{number:02}")).write_bytes(data)
    return f"{len(kept)} of {len(candidates)} inputs kept, {size} bytes"
