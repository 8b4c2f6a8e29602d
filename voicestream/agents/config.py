"""The configuration files of agents: hooks are put in and taken out, all else stays as it is.

Each holds a JSON object in which ``hooks`` has a list for each event, of groups, of which each has
a list ``hooks`` of commands. Where the files are, and what a hook may be: the documents named in
:mod:`voicestream.agents.events`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from voicestream.errors import SaveError, UsageError
from voicestream.files import read_bounded, with_ends_of, write_whole
from voicestream.records import dataclass

_MOST_BYTES = 4 << 20
_OURS = re.compile(r"voicestream['\"]? hook\b")


@dataclass(frozen=True, slots=True)
class Agent:
    """Where an agent keeps its hooks.

    Attributes:
        title: what people call it.
        folder: of its files, in the home or the project's folder.
        variable: an environment variable that names another than the one at home; empty: none.
        file: in that folder.
        events: those we want.
        timeout: of a hook, in the agent's unit.
        hint: what the user has to do besides.
    """

    title: str
    folder: str
    variable: str
    file: str
    events: tuple[str, ...]
    timeout: int = 5
    hint: str = ""

    def path(self, project: bool) -> Path:
        """Its file: the user's, or that of the project in the working folder."""
        named = os.environ.get(self.variable, "") if self.variable else ""
        if named and not project:
            return Path(named, self.file)
        return (Path() if project else Path.home()) / self.folder / self.file


AGENTS = {
    "claude": Agent(
        *("Claude Code", ".claude", "CLAUDE_CONFIG_DIR", "settings.json"),
        tuple("MessageDisplay Stop SubagentStop UserPromptSubmit Notification SessionEnd".split()),
    ),
    "codex": Agent(
        *("Codex", ".codex", "CODEX_HOME", "hooks.json"),
        ("Stop", "SubagentStop", "UserPromptSubmit", "PermissionRequest"),
        hint="Codex runs new hooks once you trust them: type /hooks in it.",
    ),
    "gemini": Agent(
        *("Gemini CLI", ".gemini", "", "settings.json"),
        ("BeforeAgent", "AfterAgent", "Notification", "SessionEnd"),
        timeout=5000,
    ),
}
"""The agents whose configuration is known."""


def hook_command(project: bool, options: list[str]) -> str:
    """Return the shell command of a hook.

    Args:
        project: the file is shared with others, who have the command elsewhere.
        options: of ``voicestream hook``.
    """
    program = Path(sys.executable).with_name("voicestream")
    if project:
        words = ["voicestream"]
    elif program.exists():
        words = [str(program)]  # an agent's PATH may be another
    else:
        words = [sys.executable, "-P", "-m", "voicestream"]
    return shlex.join([*words, "hook", *options])


def read_config(file: Path) -> str:
    """Return the text of a configuration file; empty: there is none.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return read_bounded(file, _MOST_BYTES).decode()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UsageError(f"{file} cannot be read", error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} cannot be read", str(error)) from error


def write_config(file: Path, content: str) -> None:
    """Replace a configuration file, whole or not at all.

    Raises:
        SaveError: it cannot be written; it is as it was.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content)
    except OSError as error:
        raise SaveError(f"{file} cannot be written", error.strerror or str(error)) from error


def edited(content: str, agent: Agent, command: str | None) -> str:
    """Return the text of a configuration file with our hooks, or without them.

    Args:
        content: as it is.
        command: what the hooks run; None: take them out.

    Raises:
        UsageError: it is not what the agent's documents say.
    """
    config = _object(json.loads(content, object_pairs_hook=_unique)) if content.strip() else {}
    hooks = dict(_object(config.get("hooks", {})))
    for event, groups in tuple(hooks.items()):
        hooks[event] = [kept for group in _listed(groups) if (kept := _without_ours(group))]
        if groups and not hooks[event]:
            del hooks[event]
    if command is not None:
        handler = {"type": "command", "command": command, "timeout": agent.timeout}
        for event in agent.events:
            hooks.setdefault(event, []).append({"hooks": [handler]})
    if hooks or config.get("hooks") == {}:
        config["hooks"] = hooks
    else:
        config.pop("hooks", None)
    halves = r"\ud" in content.lower()  # of a character: as such they cannot be written
    told = json.dumps(config, indent=_indent(content), ensure_ascii=halves, allow_nan=False)
    return with_ends_of(content, told + "\n")


def _without_ours(group: Any) -> Any:
    """Return a group of hooks without ours; None: it had no others."""
    listed = _listed(_object(group).get("hooks", []))
    others = [hook for hook in listed if not _OURS.search(str(_object(hook).get("command", "")))]
    if len(others) == len(listed):
        return group
    return {**group, "hooks": others} if others else None


def _indent(content: str) -> str | int:
    found = re.search(r"^([ \t]+)\S", content, re.MULTILINE)
    return found[1] if found else 2


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a name that stands there twice would lose one of its values."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _object(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ValueError("there is something else where an object belongs")
    return found


def _listed(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise ValueError("there is something else where a list belongs")
    return found
