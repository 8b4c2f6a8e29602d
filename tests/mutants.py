"""One-line mutants of the core, each with the tests that must fail for it.

    python -m tests.mutants [NAME ...]

Runs on a copy of the tree. Ends with 1 if a mutant lives, or does not fit the code any more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
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


def _fits(mutant: Mutant) -> bool:
    return (ROOT / "voicestream" / mutant.file).read_text(encoding="utf-8").count(mutant.code) == 1


def _lives(mutant: Mutant, tree: Path) -> bool:
    """Whether all the tests named pass with the mutant in place."""
    file = tree / "voicestream" / mutant.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(mutant.code, mutant.instead), encoding="utf-8")
    tests = [str(tree / "tests" / name) for name in mutant.tests.split()]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "--timeout", "60", *tests],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            capture_output=True,
            timeout=_TIME_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        file.write_text(whole, encoding="utf-8")
    if done.returncode not in (0, 1):
        sys.stdout.write(done.stdout.decode(errors="replace")[-2000:])
    return done.returncode != 1


def main(names: list[str]) -> int:
    """Print a line for each mutant; return the exit code."""
    wanted = [one for one in MUTANTS if not names or any(name in one.name for name in names)]
    failed = 0
    with tempfile.TemporaryDirectory() as place:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(WORKERS):
            trees.put(_copy(Path(place) / str(number)))

        def judged(mutant: Mutant) -> str:
            if not _fits(mutant):
                return "does not fit the code"
            tree = trees.get()
            try:
                return "LIVES" if _lives(mutant, tree) else ""
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(WORKERS) as pool:
            for mutant, trouble in zip(wanted, pool.map(judged, wanted), strict=True):
                failed += bool(trouble)
                sys.stdout.write(f"{trouble or 'killed':24}{mutant.name}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{len(wanted) - failed} of {len(wanted)} killed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
