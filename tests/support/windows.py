"""Runs ``voicestream`` without what Python lacks on Windows: ``python -m tests.support.windows``.

No Windows, but what a program meets there first: modules that are not there, names that
their modules do not have, and ``sys.platform``.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import sys

# these look at the platform, and must find the true one
for name in (
    "asyncio",
    "multiprocessing",
    "subprocess",
    "platformdirs.unix",
    "uuid",
    "typer",
    "rich.console",
):
    importlib.import_module(name)
for name in ("fcntl", "termios", "tty", "pwd", "grp", "resource"):
    sys.modules[name] = None  # type: ignore[assignment] - an import of it fails
for module, names in (
    (os, "getuid geteuid getpgrp tcgetpgrp set_blocking sysconf killpg fork mkfifo"),
    (select, "poll epoll"),
    (signal, "SIGHUP SIGTSTP SIGCONT SIGUSR1 SIGKILL pthread_sigmask"),
    (socket, "AF_UNIX SO_PEERCRED"),
):
    for name in names.split():
        delattr(module, name)
sys.platform = "win32"

from voicestream.cli.entry import run  # noqa: E402 - all that is above comes first

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
