"""The settings in force, the versions, the folders, and whoever else speaks."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from voicestream.doctor.finding import Check, Finding, broken
from voicestream.errors import VoicestreamError
from voicestream.settings.sources import user_config_file, user_state_file
from voicestream.settings.table import TABLE, Settings, shown_value

LIMIT_S = 15.0
_PACKAGES = ("voicestream", "av", "miniaudio", "pyaudio", "numpy")
_EXTRAS = frozenset({"pyaudio"})
"""Of these, what need not be there."""
_NEEDED = {"av": "MP3, Opus, AAC and FLAC cannot be played", "numpy": "nothing can be played"}
"""What a reply needs -> what is lost without it."""


def settings_check(settings: Settings) -> Check:
    hung = Finding("settings", "look", "they could not be looked through in time")
    return Check(lambda: check_settings(settings), LIMIT_S, hung)


def machine_check() -> Check:
    """Whatever else there is on this machine."""
    hung = Finding("folders", "look", "a disk does not answer")
    return Check(check_machine, LIMIT_S, hung)


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Yield all that was chosen, and where; nothing secret."""
    chosen = [
        {"name": row.name, "value": shown_value(settings, row.name), "source": source}
        for row in TABLE
        if (source := settings.sources.get(row.name))
    ]
    told = "; ".join(f"{one['name']} = {one['value']} ({one['source']})" for one in chosen)
    yield Finding(
        "settings",
        "good",
        at_home(told) or "all are the defaults",
        figures={"settings": [{n: at_home(held) for n, held in one.items()} for one in chosen]},
    )
    for warning in settings.warnings:
        yield Finding("settings", "look", warning.rstrip("."))


def check_machine() -> Iterator[Finding]:
    yield from _versions()
    yield from _folders()
    if sys.platform != "win32":
        yield from _others()


def _versions() -> Iterator[Finding]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            if name not in _EXTRAS:
                found[name] = "missing"
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    told = ", ".join(f"{name} {version}" for name, version in found.items())
    yield Finding("versions", "good", f"{told}; {system}", figures={"versions": found})
    for name, lost in _NEEDED.items():
        try:
            import_module(name)
        except ImportError as error:
            todo = f"Install it again: pip install --force-reinstall {name}"
            yield Finding("versions", "look", f"{name} cannot be loaded ({error}): {lost}", todo)


def _folders() -> Iterator[Finding]:
    config = user_config_file()
    state = user_state_file("playout.json").parent
    told = [f"settings {config}{'' if config.exists() else ' (not there)'}", f"state {state}"]
    trouble: list[Finding] = []
    if not _can_be_written(state):
        trouble.append(
            Finding(
                "folders",
                "look",
                f"nothing can be kept in {at_home(str(state))}: what is learnt is forgotten",
                "Make it a folder that you may write to.",
            )
        )
    if sys.platform != "win32":
        from voicestream.control.runtime import runtime_folder

        try:
            told.append(f"runtime {runtime_folder()}")
        except VoicestreamError as error:
            trouble.append(broken("folders", error))
    yield Finding("folders", "good", at_home(", ".join(told)))
    yield from trouble


def _can_be_written(folder: Path) -> bool:
    """Return whether files can be made there, the folder itself included."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _others() -> Iterator[Finding]:
    """Whoever holds the floor keeps everybody else waiting."""
    answers: list[dict[str, Any]] = []
    if sys.platform != "win32":  # which has no floor
        from voicestream.control.client import tell

        try:
            answers = tell("status", everybody=True)
        except VoicestreamError:
            return  # the runtime folder, which has been told of
    for answer in answers:
        who = f"process {answer['who'].partition('-')[0]}"
        if answer.get("paused"):
            what, todo = f"{who} speaks and is paused", "Run: voicestream resume (or stop)"
        else:
            what, todo = f"{who} speaks; others wait for it", "Run: voicestream stop"
        yield Finding("other voices", "look", what, todo)


def at_home(text: str) -> str:
    """Paths as a person writes them, without the user's name."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text
