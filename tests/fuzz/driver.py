"""One target under atheris, in a process of its own: ``python -m tests.fuzz.driver``.

libFuzzer ends the process as it likes, so findings are written down as they come.
"""

from __future__ import annotations

import hashlib
import sys
import time
import traceback
from pathlib import Path

import atheris

HANG_S = 2.0
"""No input of a few kilobytes takes longer."""


def _place(error: BaseException) -> str:
    """What tells one finding from another: the kind, and the lines it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    return " ".join([type(error).__name__, *lines[1:]])


def main() -> None:
    """``TARGET FINDINGS_FOLDER`` and what libFuzzer takes."""
    name, folder, *options = sys.argv[1:]
    findings = Path(folder)
    seen: set[str] = set()
    with atheris.instrument_imports(include=["voicestream"]):
        from tests.fuzz.targets import TARGETS

    check = TARGETS[name]

    def note(what: str, data: bytes, details: str) -> None:
        if what in seen:
            return
        seen.add(what)
        (findings / hashlib.sha1(data).hexdigest()[:12]).write_bytes(data)
        sys.stderr.write(f"\nFINDING: {what}\n{details}{data[:200]!r}\n")

    def one(data: bytes) -> None:
        began_s = time.process_time()
        try:
            check(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            note(_place(error), data, traceback.format_exc())
        if time.process_time() - began_s > HANG_S:
            note("hang", data, "")

    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
