"""``hook``: agents that speak, see :mod:`voicestream.agents`. Events go another, shorter way."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from voicestream.cli.report import notice, print_text
from voicestream.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_WINDOWS = "Windows has no sockets that hooks could use"
_HINT = "`voicestream help agents` shows how agents speak."


def run_speaker(path: str, options: Sequence[str], listener: int | None = None) -> int:
    """Be the speaker of an agent's session, see :mod:`voicestream.agents.speaker`.

    Args:
        path: of its socket.
        options: of ``voicestream hook``.
        listener: the socket's descriptor; None: that with which a hook starts it.
    """
    if sys.platform != "win32":
        from voicestream.agents.speaker import speak_for
        from voicestream.cli.lean import lighten

        lighten()
        speak_for(path, options, listener)
    return 0


def mcp() -> int:
    """Serve tools to an agent until it closes stdin; return the exit code."""
    from voicestream.agents.mcp import serve_mcp

    serve_mcp()
    return 0


def hook(
    words: Sequence[str], options: Sequence[str], *, project: bool, yes: bool, everybody: bool
) -> int:
    """Carry out ``voicestream hook ACTION``; return the exit code.

    Args:
        words: the action and what it takes.
        options: what each hook is to be called with.
        project: the file is the one of the project.
        yes: write without asking.
        everybody: all sessions.

    Raises:
        VoicestreamError: it cannot be done.
    """
    action, *more = words or [""]
    if action in ("install", "uninstall") and len(more) == 1:
        return _edit(more[0], action == "install", list(options), project, yes)
    if action in ("on", "off") and not more:
        return _switch(action == "off", everybody)
    told = "takes the name of an agent" if action.endswith("install") else "takes an event on stdin"
    raise UsageError(f"hook {action}".rstrip() + f" {told}", hint=_HINT)


def _edit(name: str, install: bool, options: list[str], project: bool, yes: bool) -> int:
    from voicestream.agents.config import AGENTS, edited, hook_command, read_config, write_config

    if sys.platform == "win32" and install:
        raise UsageError(_WINDOWS)
    agent = AGENTS.get(name)
    if agent is None:
        raise UsageError(
            f"the configuration of {name} is not known",
            hint=f"There are {', '.join(AGENTS)}. {_HINT}",
        )
    file = agent.path(project)
    before = read_config(file)
    try:
        after = edited(before, agent, hook_command(project, options) if install else None)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{file} is left as it is", str(error), "Only JSON without comments is changed."
        ) from error
    if after.split() == (before.split() or ["{}"]):
        notice(f"{file} needs no change")
        return 0
    if unread := print_text(_difference(file, before, after)):
        return unread
    if not yes and not _agreed(file):
        notice("nothing was changed")
        return 1
    write_config(file, after)
    notice(f"{agent.title} speaks from its next session on. {agent.hint}" if install else "removed")
    return 0


def _difference(file: Path, before: str, after: str) -> str:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    shown = difflib.unified_diff(old, new, str(file), f"{file} (new)")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in shown)


def _agreed(file: Path) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"{file} was not changed: nobody can be asked", hint="Say --yes.")
    notice(f"Write this to {file}? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _switch(off: bool, everybody: bool) -> int:
    if sys.platform != "win32":
        from voicestream.agents.sessions import Sessions
        from voicestream.control.runtime import runtime_folder

        sessions = Sessions(runtime_folder())
        name = None if everybody else sessions.here(os.getcwd())
        if name is None and not everybody:
            raise UsageError("no agent has spoken in this folder", hint="Say --all for all agents.")
        try:
            sessions.silence(name, off)
        except OSError as error:
            raise UsageError("this cannot be kept", error.strerror or str(error)) from error
        return 0
    raise UsageError(_WINDOWS)
