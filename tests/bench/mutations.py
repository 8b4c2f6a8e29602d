"""10,000 mutated and truncated inputs for each decoder: crashes 0, hangs 0.

    python -m tests.bench.mutations [COUNT] [FORMAT ...]

A crash is anything but samples and a DecodeError; a hang is an input that takes
longer than two seconds. A crash of the interpreter itself shows as a missing row.
"""

from __future__ import annotations

import resource
import sys
import time
import traceback
from collections import Counter

import numpy as np

from tests.support.decoding import mutated, survives
from tests.support.encode import every_format, speech
from voicestream.decode.registry import open_decoder

HANG_S = 2.0


def sweep(name: str, data: bytes, count: int) -> Counter[str]:
    """Decode ``count`` broken versions of ``data``; count what came of it."""
    result: Counter[str] = Counter()
    for seed in range(count):
        broken = mutated(data, seed)
        started_s = time.monotonic()
        try:
            kind = "mp4" if name == "buffered" else name
            got, error = survives(open_decoder(f"audio/{kind}", name), broken, 700)
        except Exception:  # noqa: BLE001 - a crash is what is looked for
            result["crashes"] += 1
            sys.stdout.write(f"seed {seed}:\n{traceback.format_exc()}\n")
            continue
        result["hangs"] += time.monotonic() - started_s > HANG_S
        result["not finite"] += not bool(np.isfinite(got).all())
        result["errors"] += error is not None
        result["heard"] += len(got) > 0
    return result


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    examples = every_format(speech(0.4))
    columns = ("crashes", "hangs", "not finite", "errors", "heard")
    heads = "".join(f"{column:>12}" for column in columns)
    sys.stdout.write(f"{'format':10}{'inputs':>8}{heads}{'s':>8}{'peak MB':>9}\n")
    for name in sys.argv[2:] or examples:
        started_s = time.monotonic()
        result = sweep(name, examples[name], count)
        cells = "".join(f"{result[column]:12}" for column in columns)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        taken_s = time.monotonic() - started_s
        sys.stdout.write(f"{name:10}{count:8}{cells}{taken_s:8.0f}{peak_mb:9.0f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
