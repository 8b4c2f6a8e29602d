"""What is kept of each agent's session in the runtime folder: its voice, its folder, what was said.

``hook/SESSION`` is the socket of its speaker, ``SESSION.json`` what is kept, ``SESSION.off`` says
that it is silent, ``off`` that all are. All of it goes when the user logs out.
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import Any

from voicestream.files import read_bounded, write_whole

_MOST_BYTES = 1 << 20
_OFF = "off"
_TELL_S = 1.0


class Sessions:
    """The folder of all sessions.

    Args:
        folder: the runtime folder.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder, "hook")

    def load(self, name: str) -> dict[str, Any]:
        """Return what is kept of a session; nothing where it is damaged, or not there."""
        try:
            found = json.loads(read_bounded(self._path(name), _MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def save(self, name: str, kept: dict[str, Any]) -> None:
        """Keep it.

        Raises:
            OSError: it cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._path(name), json.dumps(kept), 0o600)

    def voice_for(self, name: str, voices: list[str]) -> str:
        """Return the voice of a session: the one it had, else the one of the list that fewest
        others have.

        Args:
            voices: to choose from; none: whatever is set for all.
        """
        had = str(self.load(name).get("voice", ""))
        if had in voices or not voices:
            return had if had in voices else ""
        others = [self.load(other).get("voice") for other in self.names() if other != name]
        return min(voices, key=others.count)

    def names(self) -> list[str]:
        """Return all sessions, the one that was heard last first."""
        found = sorted(self._folder.glob("*.json"), key=_changed_s, reverse=True)
        return [file.stem for file in found]

    def here(self, folder: str) -> str | None:
        """Return the session of the agent that works in a folder or above it; the latest of
        several."""
        at = Path(folder)
        works_in = {name: self.load(name).get("cwd") for name in self.names()}
        named = (name for name, cwd in works_in.items() if cwd and at.is_relative_to(str(cwd)))
        return next(named, None)

    def silence(self, name: str | None, off: bool) -> None:
        """Silence one session, or all (None), from now on; or let it speak again.

        Raises:
            OSError: the folder cannot be written to.
        """
        file = self._folder / (_OFF if name is None else f"{name}.{_OFF}")
        if not off:
            file.unlink(missing_ok=True)
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(0o600)
        for one in self.names() if name is None else [name]:
            self._tell_off(one)

    def _tell_off(self, name: str) -> None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as speaker:
            speaker.settimeout(_TELL_S)
            speaker.connect(str(self._folder / name))
            speaker.sendall(b'{"do": "off"}')

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def _changed_s(file: Path) -> float:
    try:
        return os.stat(file).st_mtime
    except OSError:
        return 0.0
