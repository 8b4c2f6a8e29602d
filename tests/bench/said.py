"""Is what was said told from what should have been? Right and wrong readings, and the time.

python -m tests.bench.said
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.text.said_cases import reworded, right_readings
from tests.text.test_said import READINGS
from voicestream.text.said import compare

Pairs = list[tuple[str, str]]


def main() -> int:
    rows = [line.split("\t") for line in READINGS.read_text("utf-8").splitlines()[1:]]
    of_file: dict[str, Pairs] = {"=": [], "!": []}
    for mark, text, said in rows:
        of_file[mark].append((text, said))
    sets: dict[str, tuple[Pairs, Pairs]] = {
        "sentences": (list(right_readings()), list(reworded())),
        "dates, money, units, numerals, spellings": (of_file["="], of_file["!"]),
    }
    for name, (right, wrong) in sets.items():
        began_s = time.perf_counter()
        alarms = sum(bool(compare(*pair).differences) for pair in right)
        named = sum(bool(compare(*pair).differences) for pair in wrong)
        each_ms = 1000 * (time.perf_counter() - began_s) / (len(right) + len(wrong))
        print(
            f"{name}: {named} of {len(wrong)} reworded named, {alarms} false alarms on "
            f"{len(right)} read rightly, {each_ms:.2f} ms each"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
