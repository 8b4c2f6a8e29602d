"""Code of others, where it must not keep anybody waiting for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable


def run_bounded(step: Callable[[], object], wait_s: float) -> BaseException | None:
    """Run a step in a thread of its own, and wait for it, but not longer than ``wait_s``.

    Returns:
        What it raised; a TimeoutError if it takes longer, and goes on.
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            step()
        except BaseException as error:  # noqa: BLE001  a thread's entry: handed to who waits
            failures.append(error)

    thread = threading.Thread(target=run, name="bounded", daemon=True)
    thread.start()
    thread.join(wait_s)
    if failures:
        return failures[0]
    return TimeoutError(f"it takes longer than {wait_s:g} s") if thread.is_alive() else None
