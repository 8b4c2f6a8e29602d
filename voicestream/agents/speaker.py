"""The process that speaks for one session of an agent, started by its first event.

It reads what hooks tell it (:mod:`voicestream.agents.deliver`), puts it in order, and speaks each
reply as a text that is still being written. It ends some time after the last event.
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from voicestream.agents.deliver import MAX_EVENT_BYTES, SPEAKER_FD, note
from voicestream.agents.ordering import Ordering
from voicestream.agents.replies import Replies
from voicestream.agents.sessions import Sessions
from voicestream.agents.transcript import last_message
from voicestream.errors import VoicestreamError
from voicestream.settings.table import load

IDLE_S = 30.0
"""It ends when nothing came for so long, and all has been heard: it takes up to 210 MB, and what
the user says next starts another one long before there is a reply to be spoken."""
_READ_S = 1.0
_NOTE_CHARS = 200


def speak_for(path: str, options: Sequence[str], descriptor: int | None = None) -> None:
    """Be the speaker of a session until it is idle.

    Args:
        path: of the socket, which listens already.
        options: of ``voicestream hook``.
        descriptor: of the socket; None: that with which a hook starts it.
    """
    listener = socket.socket(fileno=SPEAKER_FD if descriptor is None else descriptor)

    def log(text: str) -> None:
        note(options, text)

    try:
        speaker = SessionSpeaker(path, list(options), log)
        speaker.run(listener)
    except (VoicestreamError, OSError) as error:
        log(f"error: {error}")
        _unlink(path)


class SessionSpeaker:
    """Speaks for one session.

    Args:
        path: ``hook/SESSION`` in the runtime folder.
        options: of ``voicestream hook``.
        log: told what happens.
    """

    def __init__(self, path: str, options: list[str], log: Callable[[str], None]) -> None:
        self._log = log
        self._path = path
        self._name = os.path.basename(path)
        self._sessions = Sessions(os.path.dirname(os.path.dirname(path)))
        kept = self._sessions.load(self._name)
        self._ordering = Ordering(kept.get("said") if isinstance(kept.get("said"), dict) else None)
        self._with_sub = "--subagents" in options
        voices = _value(options, "--voice-list").split(",")
        self._voice = self._sessions.voice_for(self._name, [v for v in voices if v])
        self._ending = False
        self._save()
        settings = load({"voice": self._voice} if self._voice else {})
        self._replies = Replies(settings, log)

    def run(self, listener: socket.socket) -> None:
        """Take events until nothing comes any more."""
        self._replies.prepare()
        listener.settimeout(0.001)
        self._serve(listener)
        _unlink(self._path)  # from here on a hook starts another speaker
        self._ending = True
        listener.settimeout(0.001)
        while (told := _next_event(listener)) is not None:  # from hooks that connected just now
            self._take(told)
        self._serve(listener)
        self._save()

    def _serve(self, listener: socket.socket) -> None:
        last_s = time.monotonic()
        while not self._is_idle(last_s):
            told = _next_event(listener)
            if told is not None:
                last_s = time.monotonic()
                self._take(told)
            self._replies.say(self._ordering.due(time.monotonic()))
            self._replies.go_on(self._ordering.unfinished)
            listener.settimeout(self._wait_s())

    def _is_idle(self, last_s: float) -> bool:
        patience_s = 0.0 if self._ending else IDLE_S
        return self._replies.silent and time.monotonic() > last_s + patience_s

    def _wait_s(self) -> float:
        due_s = self._ordering.due_s
        tick_s = self._replies.tick_s
        return tick_s if due_s is None else min(max(due_s - time.monotonic(), 0.001), tick_s)

    def _take(self, told: dict[str, Any]) -> None:
        do, text, now_s = told.get("do"), told.get("text"), time.monotonic()
        self._log(f"told {do}, {len(text) if isinstance(text, str) else 0} characters")
        if do == "prompt":
            self._ordering.prompt()
            self._replies.silence()
            self._save()
        elif do in ("end", "off"):
            self._ending = True
            if do == "off":
                self._ordering.prompt()
                self._replies.silence()
        elif told.get("sub"):
            if self._with_sub and do == "whole":
                self._replies.say(self._ordering.note(self._whole_text(told)))
        elif do == "note":
            self._replies.say(self._ordering.note(brief(str(text))))
        elif do == "delta":
            index, name = told.get("index"), str(told.get("message"))
            place = index if isinstance(index, int) else None
            final = told.get("final") is True
            self._replies.say(self._ordering.delta(name, place, str(text), final, now_s))
        elif do == "whole":
            turn = str(told.get("turn") or "")
            self._replies.say(self._ordering.whole(self._whole_text(told), turn, now_s))
            self._save()

    def _whole_text(self, told: dict[str, Any]) -> str:
        text, file = told.get("text"), told.get("transcript")
        if isinstance(text, str):
            return text
        try:
            return last_message(Path(str(file))) if file else ""
        except OSError as error:
            self._log(f"the transcript {file} cannot be read: {error.strerror or error}")
            return ""

    def _save(self) -> None:
        kept = {"voice": self._voice, "cwd": os.getcwd(), "said": self._ordering.remember()}
        try:
            self._sessions.save(self._name, kept)
        except OSError as error:
            self._log(f"what was said is not remembered: {error}")


def brief(text: str) -> str:
    """Return the beginning of something that is said in between."""
    first = text.strip().partition("\n")[0]
    if len(first) <= _NOTE_CHARS:
        return first
    return first[:_NOTE_CHARS].rsplit(" ", 1)[0]


def _unlink(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _value(options: list[str], flag: str) -> str:
    return options[options.index(flag) + 1] if flag in options[:-1] else ""


def _next_event(listener: socket.socket) -> dict[str, Any] | None:
    """Return what the next hook tells; None: none came in time, or it is nothing of ours."""
    try:
        connection, _ = listener.accept()
    except OSError:
        return None
    given = b""
    with connection:
        connection.settimeout(_READ_S)
        try:
            while len(given) <= MAX_EVENT_BYTES and (piece := connection.recv(1 << 16)):
                given += piece
            told = json.loads(given)
        except (OSError, ValueError, RecursionError):
            return None
    return told if isinstance(told, dict) else None
