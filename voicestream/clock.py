"""When this process began, on the clock of ``time.monotonic()``."""

from __future__ import annotations

import os
import time


def process_start_s() -> float:
    """The start of this process.

    The CPU time used so far bounds it from above. Linux also tells the start in
    ticks of 10 ms since boot (proc(5), ``starttime``), which bounds it from both
    sides when the process had to wait for a processor.
    """
    now = time.monotonic()
    latest = now - time.process_time()
    try:
        with open("/proc/self/stat", "rb") as file:
            # the second field is a name in brackets that may hold anything
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        per_s = os.sysconf("SC_CLK_TCK")
        asleep_s = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
    except (OSError, ValueError, IndexError, AttributeError):
        return latest
    earliest = ticks / per_s - asleep_s
    if not 0 <= now - earliest < 3600:
        return latest
    return min(max(latest, earliest), earliest + 1 / per_s)
