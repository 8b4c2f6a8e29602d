"""Fuzz targets for a while: executions and findings of each.

    python -m tests.fuzz [TARGET ...] [--seconds N] [--keep FOLDER] [--distill]

Needs the extra ``fuzz`` (atheris). Starts from the corpus beside this file and, with
``--keep``, from what an earlier run left in FOLDER/TARGET. A finding is an input that
raises anything but the documented errors, breaks an invariant, takes longer than two
seconds, or ends the process; its input is left in FOLDER/findings/TARGET. ``--distill``
replaces the corpus by the smallest inputs that reach as much of the code, and the findings.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.distill import distill
from tests.fuzz.targets import CORPUS, TARGETS

MOST_BYTES = 8192


def fuzz(name: str, seconds: int, folder: Path) -> tuple[int, int]:
    """Executions and findings of one target."""
    grown, findings = folder / name, folder / "findings" / name
    for each in (grown, findings):
        each.mkdir(parents=True, exist_ok=True)
    known = set(findings.iterdir())
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzz.driver", name, str(findings)),
            *(f"-max_total_time={seconds}", f"-max_len={MOST_BYTES}", "-timeout=30"),
            *("-print_final_stats=1", "-rss_limit_mb=4096", f"-artifact_prefix={findings}/"),
            *(str(grown), str(CORPUS / name)),
        ],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    for part in re.findall(r"^FINDING: .*?(?=^#\d|\Z)", done.stderr, re.S | re.M):
        sys.stdout.write(part + "\n")
    counted = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    if counted is None:
        sys.stdout.write(done.stderr[-3000:])
    return int(counted[1]) if counted else 0, len(set(findings.iterdir()) - known)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--distill", action="store_true")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as nowhere:
        folder = chosen.keep or Path(nowhere)
        worst = 0
        for name in chosen.targets or TARGETS:
            executions, findings = (0, 0)
            if chosen.seconds:
                executions, findings = fuzz(name, chosen.seconds, folder)
            line = f"{name:12}{executions:12,} executions in {chosen.seconds} s, "
            sys.stdout.write(f"{line}{findings} findings\n")
            sys.stdout.flush()
            worst = worst or (1 if findings or (chosen.seconds and not executions) else 0)
            if chosen.distill:
                sys.stdout.write(f"{name:12}{distill(name, folder)}\n")
    return worst


if __name__ == "__main__":
    sys.exit(main())
