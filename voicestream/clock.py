"""When this process began, on the clock of ``time.monotonic()``."""

from __future__ import annotations

import os
import sys
import time

_told_s: list[float] = []


def set_process_start(start_s: float) -> None:
    """Say when this process began: one that was made ahead begins with its first task."""
    _told_s[:] = [start_s]


def process_start_s() -> float:
    """Return the start of this process.

    The CPU time used so far bounds it from above. Linux also tells the start in
    ticks of 10 ms since boot (proc(5), ``starttime``), which bounds it from both
    sides when the process had to wait for a processor.
    """
    if _told_s:
        return _told_s[0]
    now_s = time.monotonic()
    latest_s = now_s - time.process_time()
    earliest_s, tick_s = latest_s, 0.0
    if sys.platform == "linux":
        try:
            with open("/proc/self/stat", "rb") as file:
                # the second field is a name in brackets that may hold anything
                ticks = int(file.read().rpartition(b")")[2].split()[19])
            tick_s = 1 / os.sysconf("SC_CLK_TCK")
            asleep_s = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
            earliest_s = ticks * tick_s - asleep_s
        except (OSError, ValueError, IndexError):  # no /proc, or one of another kind
            return latest_s
    if not 0 <= now_s - earliest_s < 3600:
        return latest_s
    return min(max(latest_s, earliest_s), earliest_s + tick_s)
