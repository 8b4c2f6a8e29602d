"""Processes that write kept replies, killed by SIGKILL at any moment: what is found afterwards.

python -m tests.bench.cache [--processes 1000]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.unit.test_cache import ABOUT, SOUND, killed_writers, used_bytes
from voicestream.cache import Cache, digest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=1000)
    count = parser.parse_args().processes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        killed_writers(folder, count)
        found = [Cache(1 << 20, folder).find(digest(number)) for number in range(40)]
        whole = sum(each == (ABOUT, SOUND) for each in found)
        wrong = sum(each not in (None, (ABOUT, SOUND)) for each in found)
        left = sum(file.suffix == ".part" for file in folder.iterdir())
        print(
            f"{count} processes killed: {whole} of 40 replies whole, {40 - whole - wrong} not "
            f"there, {wrong} wrong (0 wanted); {left} parts left, {used_bytes(folder) / 1e6:.2f} "
            "of 1.05 MB used"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
