"""``talk``: a conversation, from the call to the exit code."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from voicestream.cli.options import SayCall
from voicestream.cli.parts import early_connection, load_settings, make_saver
from voicestream.cli.report import notice, own_stderr, print_json, report, warn
from voicestream.cli.signals import Signals
from voicestream.cli.system_limits import check_limits
from voicestream.errors import UsageError, VoicestreamError
from voicestream.text.source import read_pieces

if TYPE_CHECKING:
    from voicestream.session.both_sides import BothSides
    from voicestream.session.conversation import Conversation, Utterance
    from voicestream.settings.table import Settings
    from voicestream.ui.panel import Panel

_TICK_S = 0.1
_BY_HAND = "space: speak, space again: be answered"
_HANDS_FREE = "speak, or type and press return; Ctrl-D ends"


def talk(call: SayCall, by_hand: bool, realtime: bool) -> int:
    """Talk until somebody ends it; return the exit code. Errors are reported here."""
    signals = Signals()
    signals.install()
    own_stderr()
    try:
        check_limits()
        return _Held(call, by_hand, realtime, signals).hold()
    except VoicestreamError as error:
        return report(error, call.json)
    except KeyboardInterrupt:
        return signals.exit_code


class _Held:
    """One call: what is seen of it, and what is typed."""

    def __init__(self, call: SayCall, by_hand: bool, realtime: bool, signals: Signals) -> None:
        from voicestream.cli.lean import lighten

        lighten()
        from voicestream.listen.hearing import require_libraries

        require_libraries()  # before a file is made
        from voicestream.session.both_sides import BothSides
        from voicestream.ui.terminal import wants_panel

        self._call = call
        self._by_hand = by_hand
        self._signals = signals
        self._told: queue.SimpleQueue[Utterance | str | VoicestreamError] = queue.SimpleQueue()
        settings = load_settings(call.flags())
        typed_on = sys.stdin is not None and sys.stdin.isatty()
        wanted = not call.quiet and sys.stderr is not None
        self._with_panel = (
            wanted and typed_on and wants_panel(settings.panel, sys.stderr, os.environ)
        )
        if by_hand and not self._with_panel:
            raise UsageError("--push-to-talk wants a terminal, and its panel")
        saver = make_saver(call, settings)
        both = None
        if saver is not None:
            both = BothSides(saver, self._told.put)
            signals.clean_up = saver.close
        try:
            self._talk = self._converse(settings, both, realtime)
        except BaseException:
            if saver is not None:
                saver.close()  # leaves nothing
            raise

    def _converse(self, settings: Settings, both: BothSides | None, realtime: bool) -> Conversation:
        own = settings, self._told.put, self._call.system, self._by_hand, both
        if realtime:
            from voicestream.session.talk_realtime import RealtimeTalk

            return RealtimeTalk(*own)
        from voicestream.session.talk import Talk

        return Talk(*own, lambda: early_connection(settings))

    def hold(self) -> int:
        """Hold it; return the exit code."""
        self._signals.session = self._talk
        # the callback must not wait 5 ms for others to give up the interpreter
        sys.setswitchinterval(0.0005)
        self._talk.start()
        if self._with_panel:
            self._show()
        else:
            self._read_lines()
            if not self._call.quiet:
                notice(_HANDS_FREE)
            while not self._talk.wait(_TICK_S):
                self._pass_on()
        self._pass_on()
        if self._talk.failure is not None:
            return report(self._talk.failure)
        return self._signals.exit_code if self._signals.came else 0

    def _pass_on(self) -> None:
        """Tell what has been said and what went wrong since."""
        from voicestream.session.conversation import Utterance

        while not self._told.empty():
            told = self._told.get()
            if isinstance(told, VoicestreamError):
                report(told)
            elif isinstance(told, Utterance):
                self._tell(told)
            elif not self._call.quiet:
                warn(told)

    def _tell(self, said: Utterance) -> None:
        if self._call.json:
            line: dict[str, Any] = {"role": said.role, "text": said.text}
            if said.role == "assistant":
                line |= {"completed": said.completed, "after_ms": said.after_ms}
            print_json(line)
        if not self._call.quiet:
            who = "you" if said.role == "user" else "voice"
            notice(f"{who}: {said.text}{'' if said.completed else ' …'}")

    def _read_lines(self) -> None:
        """Take each line of stdin for what the person says, in a thread of its own."""
        if sys.stdin is not None:
            threading.Thread(target=self._read, args=(sys.stdin,), daemon=True).start()

    def _read(self, stream: Any) -> None:
        some = False
        for line in _lines(stream):
            some = True
            answered = self._talk.type(line)
            if not stream.isatty():
                answered.wait()
        if some or stream.isatty():  # and no empty one, as a service has
            self._talk.end()

    def _show(self) -> None:
        """Show who is heard until the end; stop with the process on Ctrl-Z, and go on with it."""
        from voicestream.ui.keys import Keys, in_foreground, terminal_modes
        from voicestream.ui.panel import Panel
        from voicestream.ui.talking import TalkView, TypedLine, draw_talk
        from voicestream.ui.terminal import AS_BEFORE

        typed, talk = TypedLine(), self._talk
        modes, shown = terminal_modes(sys.stdin), sys.stderr.fileno()

        def key(key: str) -> None:
            if self._by_hand and key == " " and not typed.text:
                talk.toggle()
            elif line := typed.key(key):
                talk.type(line)
            elif typed.ended:
                talk.end()

        def view() -> TalkView:
            return TalkView(talk.floor, talk.recording, talk.speaking, typed.text)

        def restore() -> None:
            modes()
            if in_foreground(sys.stderr):
                os.write(shown, AS_BEFORE)

        self._signals.restore = restore
        with self._signals.stop_noted():
            while not talk.wait(0):
                if not in_foreground(sys.stderr):
                    talk.wait(_TICK_S)
                    continue
                panel = Panel(view, sys.stderr, draw=draw_talk)
                panel.hint = _BY_HAND if self._by_hand else _HANDS_FREE
                with contextlib.suppress(OSError), Keys(sys.stdin, key), panel:
                    self._watch(panel)
                if self._signals.stop_wanted:
                    self._signals.stop()

    def _watch(self, panel: Panel) -> None:
        while not self._talk.wait(panel.interval_s) and not self._signals.stop_wanted:
            panel.tick()
            self._pass_on()


def _lines(stream: Any) -> Iterator[str]:
    rest = ""
    for piece in read_pieces(stream.buffer):
        *lines, rest = (rest + piece).split("\n")
        yield from lines
    if rest:
        yield rest
