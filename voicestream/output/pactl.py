"""What PulseAudio, or PipeWire in its place, tells of its sinks through ``pactl``."""

from __future__ import annotations

_ASK_S = 2.0
"""How long the sound server may take to tell of its sinks."""


def pactl(*arguments: str) -> str:
    """Return its answer; empty where it is not installed or there is none in time."""
    import shutil  # and subprocess load as much as ten files of ours, for cards that sleep
    import subprocess

    if shutil.which("pactl") is None:
        return ""
    try:
        done = subprocess.run(
            ["env", "LC_ALL=C", "pactl", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def is_awake(name: str) -> bool:
    """Return whether the sink is known not to be suspended, because something plays or just did.

    Args:
        name: the server's own name of it, or a part of that.
    """
    # number, name, module, format, state: divided by tabs
    sinks = [line.split("\t") for line in pactl("list", "short", "sinks").splitlines()]
    states = {row[-1] for row in sinks if len(row) > 2 and name in row[1]}
    return bool(states) and states <= {"RUNNING", "IDLE"}
