"""What an engine's spare process does with a call: the very command, and word of what is heard."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import threading
from typing import TYPE_CHECKING

from voicestream.engine.caller import DeclinedError
from voicestream.engine.forwarded import PIECE_CHARS

if TYPE_CHECKING:
    from voicestream.engine.caller import Caller
    from voicestream.session.conductor import Session
    from voicestream.session.fetchers import Spoken
    from voicestream.settings.table import Settings

_TICK_S = 0.05


def carry_out(caller: Caller) -> int:
    """Carry out the command line of a call; return its exit code."""
    from voicestream.cli import say
    from voicestream.cli.entry import run
    from voicestream.ui import keys

    keys.foreground_told[:] = [lambda: caller.foreground]
    say.followers[:] = [_Report(caller)]
    try:
        code = _speak_for_agent(caller) if caller.more else run(caller.arguments)
    except DeclinedError as reason:
        caller.decline(str(reason))
    except BaseException:  # noqa: BLE001  a process's entry: told as the interpreter tells it
        sys.excepthook(*sys.exc_info())
        code = 1
    return flushed(code)


def _speak_for_agent(caller: Caller) -> int:
    """Be the speaker of an agent's session, which listens on the descriptor that came along."""
    from voicestream.cli.hook import run_speaker
    from voicestream.settings.table import load

    if load({}).engine:
        raise DeclinedError("a file of settings wants another engine, or none")
    return run_speaker(caller.arguments[1], caller.arguments[2:], caller.more[0])


def flushed(code: int) -> int:
    """Write out what waits to be written; return the exit code, 141 where nobody reads."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # closed before we began
                stream.flush()
        except (OSError, ValueError):
            if stream is sys.stdout:  # what stderr was to tell, the exit code tells
                code = code or 141
    return code


class _Report:
    """Tells the caller, as it goes on, what is to be said and how much of it was heard."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def settled(self, settings: Settings) -> None:
        if settings.engine and not self._caller.elsewhere:
            raise DeclinedError("a file of settings wants another engine, or none")
        if settings.embedded:
            self._caller.note({"voice": True})

    def begins(self, session: Session, script: Spoken) -> None:
        self._caller.tell({"begins": True})
        threading.Thread(
            target=self._follow, args=(session, script), name="report", daemon=True
        ).start()

    def _follow(self, session: Session, script: Spoken) -> None:
        from voicestream.session.script import Script
        from voicestream.speech.http.ahead import connected
        from voicestream.words import spoken_text

        told = heard = places = 0
        ended = False
        while not ended:
            ended = session.wait(_TICK_S)
            for place in connected[places:]:  # the next call is likely to ask there, too
                self._caller.note({"place": place})
                places += 1
            snapshot = session.snapshot()
            text = "".join(figures.text for figures in snapshot.segments)
            text += script.waiting_text() if isinstance(script, Script) else ""
            if len(text) != session.text_length()[0]:
                continue  # a segment is just being taken
            now = len(spoken_text(snapshot))
            while len(text) > told or now != heard:
                piece = text[told : told + PIECE_CHARS]
                self._caller.tell({"text": piece, "heard": now})
                told, heard = told + len(piece), now
