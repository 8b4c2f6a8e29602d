"""voicestream, telling what each import took: ``traced.py FILE ARGUMENTS...``.

FILE gets one JSON list of ``[module, thread, own CPU ms, all CPU ms, ended at ms]``, in the order
in which the imports ended; times count from the start of the interpreter's first line here.
"""

import importlib._bootstrap as bootstrap
import json
import os
import sys
import threading
import time

_FILE = sys.argv.pop(1)
_START_S = time.monotonic()
_rows: list[tuple[str, int, float, float, float]] = []
_inner_ms: dict[int, list[float]] = {}
_load, _exit = bootstrap._find_and_load, os._exit


def _timed(name, load):  # type: ignore[no-untyped-def]
    if name in sys.modules:
        return _load(name, load)
    thread = threading.get_ident()
    stack = _inner_ms.setdefault(thread, [])
    stack.append(0.0)
    began_ns = time.thread_time_ns()
    try:
        return _load(name, load)
    finally:
        all_ms = (time.thread_time_ns() - began_ns) / 1e6
        own_ms = all_ms - stack.pop()
        if stack:
            stack[-1] += all_ms
        _rows.append((name, thread, own_ms, all_ms, 1000 * (time.monotonic() - _START_S)))


_names: dict[int, str] = {threading.get_ident(): "main"}
_run = threading.Thread.run


def _named(thread):  # type: ignore[no-untyped-def]
    _names[threading.get_ident()] = thread.name
    _run(thread)


def _leave(code):  # type: ignore[no-untyped-def]
    rows = [(name, _names.get(at, "?"), *times) for name, at, *times in _rows]
    with open(_FILE, "w") as file:
        json.dump(rows, file)
    _exit(code)


bootstrap._find_and_load, os._exit, threading.Thread.run = _timed, _leave, _named
from voicestream.__main__ import main

main()
