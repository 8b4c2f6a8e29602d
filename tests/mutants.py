"""One-line mutants of the core, each with the tests that must fail for it.

    python -m tests.mutants [NAME ...]

Runs on a copy of the tree. Ends with 1 if a mutant lives, or does not fit the code any more.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutant_table import MUTANTS, Mutant

ROOT = Path(__file__).parents[1]
WORKERS = 2
_TIME_S = 300


def _copy(place: Path) -> Path:
    """The tree as it is, without what no test needs."""
    names = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, place, ignore=names)
    return place


def _red(tree: Path, tests: Iterable[str]) -> str:
    """Run tests until one fails; return which that is, empty if none did."""
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "--timeout", "60"),
                *("-p", "no:cacheprovider", *(str(tree / "tests" / name) for name in tests)),
            ],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIME_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "(hangs)"
    if done.returncode not in (0, 1):
        sys.stdout.write(done.stdout[-2000:])
        return ""
    if done.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return found[1] if found else "(dies)"


def _judged(mutant: Mutant, tree: Path) -> tuple[bool, str]:
    """Put the mutant in place; return whether it was killed, and how that went."""
    file = tree / "voicestream" / mutant.file
    whole = file.read_text(encoding="utf-8")
    if whole.count(mutant.code) != 1:
        return False, "does not fit the code"
    file.write_text(whole.replace(mutant.code, mutant.instead), encoding="utf-8")
    began_s = time.monotonic()
    try:
        red = _red(tree, mutant.tests.split())
    finally:
        file.write_text(whole, encoding="utf-8")
    return bool(red), f"{time.monotonic() - began_s:5.1f} s  {red or 'LIVES'}"


def main(names: list[str]) -> int:
    """Print a line for each mutant; return the exit code."""
    wanted = [one for one in MUTANTS if not names or any(name in one.name for name in names)]
    began_s = time.monotonic()
    killed = 0
    with tempfile.TemporaryDirectory() as place:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(WORKERS):
            trees.put(_copy(Path(place) / str(number)))

        def judged(mutant: Mutant) -> tuple[bool, str]:
            tree = trees.get()
            try:
                return _judged(mutant, tree)
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(WORKERS) as pool:
            for mutant, (dead, told) in zip(wanted, pool.map(judged, wanted), strict=True):
                killed += dead
                sys.stdout.write(f"{told:12}  {mutant.name}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{killed} of {len(wanted)} killed in {time.monotonic() - began_s:.0f} s\n")
    return 0 if killed == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
