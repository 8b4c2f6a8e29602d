"""The panel while a session speaks: drawn again and again, with the keys that are typed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from voicestream.cli.signals import Signals

if TYPE_CHECKING:
    from voicestream.cli.report import Echo
    from voicestream.session.conductor import Session

ECHO_TICK_S = 0.05


def watch(session: Session, echo: Echo | None, signals: Signals, *, full: bool, bar: bool) -> None:
    """Show the session until it ends; stop with the process on Ctrl-Z, and go on with it.

    Args:
        full: all figures.
        bar: how far the making of a file is, instead of the panel.
    """
    from voicestream.ui.keys import in_foreground, terminal_modes
    from voicestream.ui.terminal import AS_BEFORE

    modes = terminal_modes(sys.stdin)
    shown = sys.stderr.fileno()

    def restore() -> None:
        modes()
        if in_foreground(sys.stderr):
            os.write(shown, AS_BEFORE)

    signals.restore = restore
    with signals.stop_noted():
        while not session.wait(0):
            if not in_foreground(sys.stderr):
                session.wait(ECHO_TICK_S)
                pass_on(session, echo)
                continue
            try:
                if bar:
                    _draw_bar(session, signals)
                else:
                    full = _draw(session, echo, signals, full)
            except OSError:  # the terminal is gone, with the panel
                while not session.wait(ECHO_TICK_S):
                    pass_on(session, echo)
                return
            if signals.stop_wanted:
                signals.stop()


def _draw(session: Session, echo: Echo | None, signals: Signals, full: bool) -> bool:
    """Show the panel, and do what is typed, until the session has ended or Ctrl-Z was pressed.

    Returns:
        Whether all figures were shown at the end; ``full`` says it of the begin.
    """
    from voicestream.cli.report import LISTENING
    from voicestream.ui.keys import FIGURES, HINT, KEYS, Keys
    from voicestream.ui.panel import Panel

    hint = f"{LISTENING} · ? keys" if session.barge_in else "? keys"

    def typed(key: str) -> None:
        nonlocal hint
        if key == "?":
            hint = HINT if hint != HINT else ""
        elif key == FIGURES:
            panel.full = not panel.full
        elif key in KEYS:
            verb, value = KEYS[key]
            session.verbs.answer({"verb": verb, "value": value})

    panel = Panel(session.snapshot, sys.stderr, full=full)
    with Keys(sys.stdin, typed) as keys, panel:
        while not session.wait(panel.interval_s) and not signals.stop_wanted:
            panel.hint = hint if keys.read else LISTENING if session.barge_in else ""
            panel.tick()
            pass_on(session, echo)
    return panel.full


def _draw_bar(session: Session, signals: Signals) -> None:
    from voicestream.ui.making import draw_bar
    from voicestream.ui.panel import Panel

    with Panel(session.snapshot, sys.stderr, draw=draw_bar) as bar:
        while not session.wait(bar.interval_s) and not signals.stop_wanted:
            bar.tick()


def pass_on(session: Session, echo: Echo | None) -> None:
    """Pass on what is heard by now; whoever stops reading stops the speech."""
    if echo is not None and not echo.follow(session.snapshot()):
        session.interrupt()
