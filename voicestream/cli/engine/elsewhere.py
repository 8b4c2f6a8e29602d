"""A text for an engine at the other end of a forwarded socket, such as one of ``ssh -R``."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import os
import queue
import threading
from collections.abc import Callable, Iterator

from voicestream.cli.options import SayCall
from voicestream.cli.report import report, say_line, warn
from voicestream.control.lines import Message, Peer
from voicestream.engine.forwarded import PIECE_CHARS, PROTOCOL, SETTINGS, WINDOW_CHARS
from voicestream.errors import UsageError, VoicestreamError
from voicestream.settings.table import Settings

_ANSWER_S = 3.0
"""It may be a long way."""
_FOREVER_S = 1e6
_MEANINGS = {
    1: "it failed",
    2: "it found nothing to speak, or no such voice",
    3: "its endpoint failed, or the way there",
    4: "its key was refused",
    5: "it has no sound card",
}
"""Exit codes: the words of that side could tell more of it than is for this one."""
_OF_THIS_SIDE = ("save", "subtitles", "trace", "echo", "json", "log")
_USED_HERE = ("engine", "panel", "chat_model", "chat_base_url")
"""Settings that are none of the engine's business."""


def say_elsewhere(
    call: SayCall, settings: Settings, pieces_of: Callable[[SayCall, Settings], Iterator[str]]
) -> int | None:
    """Have a text spoken there.

    Args:
        pieces_of: the text as it comes; not looked at before it is wanted.

    Returns:
        The exit code; None: nothing has happened, and it is to be spoken, or made, here.

    Raises:
        UsageError: what was asked for cannot be done there.
    """
    if call.output is not None or call.dry_run:
        return None  # which nobody hears
    request = {"verb": "say", "protocol": PROTOCOL, "flags": _flags(call, settings)}
    peer = _asked(settings.engine, request)
    if peer is None:
        return None
    try:
        return _Speech(peer, settings.engine).follow(pieces_of(call, settings))
    finally:
        peer.close()


def ask_elsewhere(path: str, verb: str) -> Message:
    """Ask an engine there to ``stop``, or for its ``status``; return what it answers.

    Raises:
        VoicestreamError: none answers, or it refuses.
    """
    try:
        # a second time, should the first have been taken up by a process just out of date
        answer = _answer(path, verb) or _answer(path, verb)
    except (OSError, ValueError) as error:
        raise VoicestreamError(f"no engine answers at {path}", _cause(error)) from error
    if not answer or not answer.get("ok"):
        why = str((answer or {}).get("error", "it hung up"))
        raise VoicestreamError(f"the engine at {path} does not {verb}", why)
    return answer


def _answer(path: str, verb: str) -> Message | None:
    peer = Peer(path, _ANSWER_S)
    try:
        return peer.ask({"verb": verb, "protocol": PROTOCOL})
    finally:
        peer.close()


def _flags(call: SayCall, settings: Settings) -> dict[str, str]:
    """The settings of the command line, which this side has checked."""
    given = call.flags()
    here = [f"--{name}" for name in _OF_THIS_SIDE if getattr(call, name)]
    allowed = (*SETTINGS, *_USED_HERE)
    here += [f"--{name.replace('_', '-')}" for name in given if name not in allowed]
    if here:
        raise UsageError(
            f"{here[0]} is nothing for an engine elsewhere ({settings.engine}), which speaks as "
            "it is set there",
            hint="--engine off speaks here.",
        )
    return {name: str(value) for name, value in given.items() if name in SETTINGS}


def _asked(path: str, request: Message) -> Peer | None:
    """A connection to the engine, which has said yes; None: it cannot, as is told."""
    try:
        if os.getuid() not in (0, os.stat(path).st_uid):
            raise OSError("the socket is another user's")
        peer = Peer(path, _ANSWER_S)
    except OSError as error:
        warn(f"no engine answers at {path}: {_cause(error)}; speaking here")
        return None
    why = "it hung up"
    try:
        answer = peer.ask(request)
        if answer is not None and answer.get("ok"):
            return peer
        why = str((answer or {}).get("error", why))
    except (OSError, ValueError) as error:
        why = _cause(error)
    peer.close()
    warn(f"the engine at {path} does not speak: {why}; speaking here")
    return None


def _cause(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


class _Speech:
    """What is being spoken there.

    Args:
        peer: the engine, which waits for the text.
        path: of its socket.
    """

    def __init__(self, peer: Peer, path: str) -> None:
        self._peer = peer
        self._path = path
        self._taken: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._failure: VoicestreamError | None = None
        self._said: list[str] = []
        self._heard_chars = 0

    def follow(self, pieces: Iterator[str]) -> int:
        """Until all has been heard; return the exit code."""
        threading.Thread(target=self._send, args=(pieces,), name="text", daemon=True).start()
        try:
            while (message := self._peer.receive(_FOREVER_S)) is not None:
                self._said.append(str(message.get("text", "")))
                self._heard_chars = int(message.get("heard", self._heard_chars))
                self._taken.put(int(message.get("taken", 0)))
                if "exit" in message:
                    return self._ended(int(message["exit"]))
        except (OSError, ValueError, TypeError):
            pass  # as good as gone
        rest = " ".join("".join(self._said)[self._heard_chars :].split())
        why = f'not heard: "{rest}"' if rest else "nobody knows how much was heard"
        return report(VoicestreamError(f"the engine at {self._path} went away", why))

    def _ended(self, code: int) -> int:
        if self._failure is not None:
            return report(self._failure)
        if code in _MEANINGS:
            say_line(f"voicestream: the engine at {self._path}: {_MEANINGS[code]}")
        return code

    def _send(self, pieces: Iterator[str]) -> None:
        """Send the text as far as it is wanted; a thread of its own."""
        room = WINDOW_CHARS
        try:
            for piece in pieces:
                for start in range(0, len(piece), PIECE_CHARS):
                    part = piece[start : start + PIECE_CHARS]
                    while room < len(part):
                        room += self._taken.get()
                    room -= len(part)
                    self._peer.send({"text": part})
        except VoicestreamError as error:  # what was read until then is spoken
            self._failure = error
        except OSError:
            return  # it is gone, which is seen where it is listened to
        try:
            self._peer.send({"end": True})
        except OSError:
            return  # see above
