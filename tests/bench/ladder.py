"""Stalls on a network of 200 kbit/s that cannot carry PCM (384 kbit/s): ``--format auto``
beside PCM to the end, over the same link.

    python -m tests.bench.ladder [--runs 5] [--segments 6]

Each segment is a second of sound. ``ok``: runs with at most one underrun, which is the goal
of ``auto``. The stall is silence inside the speech that nobody planned.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from tests.servers.test_ladder import formats, over_link

LINK_BYTES_PER_S = 25_000


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="of each (default 5)")
    parser.add_argument("--segments", type=int, default=6, help="in a reply (default 6)")
    options = parser.parse_args()
    print(f"{'':10}{'ok':>7}{'underruns':>11}{'stall ms':>10}{'sound ms':>10}  formats")
    medians = {}
    for name in ("auto", "pcm"):
        runs = []
        for _ in range(options.runs):
            with tempfile.TemporaryDirectory() as folder:
                found, _ = over_link(
                    LINK_BYTES_PER_S, options.segments, Path(folder), "--format", name
                )
                runs.append(found)
        held = sum(figures["underruns"] <= 1 for figures in runs)
        underruns, stall_ms, first_ms = (
            statistics.median(values)
            for values in (
                [figures["underruns"] for figures in runs],
                [figures["stall_ms"] for figures in runs],
                [figures["timeline_ms"]["first_sound"] for figures in runs],
            )
        )
        medians[name] = stall_ms
        line = f"{name:10}{f'{held}/{len(runs)}':>7}{underruns:11.0f}{stall_ms:10.0f}"
        print(f"{line}{first_ms:10.0f}  {' '.join(formats(runs[-1]))}", flush=True)
    print(f"stall against PCM: {medians['auto'] / max(medians['pcm'], 1):.2f}x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
