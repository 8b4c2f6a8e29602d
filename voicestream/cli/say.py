"""``say``: from the call to the exit code."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from voicestream.cli.options import SayCall
from voicestream.cli.parts import (
    ask_early,
    early_connection,
    first_is_kept,
    given_pieces,
    load_settings,
    make_saver,
    make_script,
    tell_daily,
    text_is_kept,
)
from voicestream.cli.report import (
    EXIT_BROKEN_PIPE,
    LISTENING,
    Echo,
    notice,
    own_stderr,
    report,
    warn,
)
from voicestream.cli.signals import STOPPED_JSON, Signals
from voicestream.cli.system_limits import check_limits
from voicestream.cli.targets import calls_of
from voicestream.cli.watch import ECHO_TICK_S, pass_on, watch
from voicestream.clock import process_start_s
from voicestream.errors import (
    EmptyTextError,
    KeyRefusedError,
    UsageError,
    VoicestreamError,
)
from voicestream.settings.table import Settings

if TYPE_CHECKING:
    from voicestream.cli.log import Log
    from voicestream.output.save import Saver
    from voicestream.session.conductor import Session
    from voicestream.session.fetchers import Spoken
    from voicestream.session.result import Event
    from voicestream.session.wiring import Early

_TICK_S = 0.5


class Follower(Protocol):
    """Whoever has this process speak, instead of a person: an engine."""

    def settled(self, settings: Settings) -> None:
        """The settings are known, and nothing has been done yet."""

    def begins(self, session: Session, script: Spoken) -> None:
        """A session is about to begin."""


followers: list[Follower] = []

ScriptOf = Callable[[SayCall, Settings], "Spoken"]
"""Where the text of a call comes from."""
PiecesOf = Callable[[SayCall, Settings], Iterator[str]]
"""The same text as it comes, for an engine elsewhere."""


def say(
    call: SayCall, script_of: ScriptOf = make_script, pieces_of: PiecesOf | None = given_pieces
) -> int:
    """Speak what ``script_of`` makes of the call; return the exit code.

    Errors are reported here.

    Args:
        pieces_of: None: an engine elsewhere cannot speak it.
    """
    start_s = process_start_s()
    # what loads and draws must not keep the request, and the audio callback, waiting for 5 ms
    sys.setswitchinterval(0.0005)
    signals = Signals()
    signals.install()
    own_stderr()
    log: Log | None = None
    try:
        check_limits()
        log = _open_log(call, start_s)
        return _say_each(call, start_s, script_of, pieces_of, signals, log)
    except VoicestreamError as error:
        return report(error, call.json)
    except KeyboardInterrupt:
        return signals.exit_code
    except Exception:
        signals.clean_up()
        raise
    finally:
        signals.last_words = b""  # where an engine's process declined, the caller speaks
        if log is not None:
            log.close()


def _open_log(call: SayCall, start_s: float) -> Log | None:
    if call.log is None:
        return None
    from voicestream.cli.log import Log

    return Log(call.log, start_s)


def _say_each(
    call: SayCall,
    start_s: float,
    script_of: ScriptOf,
    pieces_of: PiecesOf | None,
    signals: Signals,
    log: Log | None,
) -> int:
    """Carry out one call after the other; the exit code is that of the first that failed.

    What fails in the text or the endpoint's replies is left out, what all have in common ends it.
    """
    code = 0
    calls = calls_of(call)
    for one in calls:
        hopeless, signals.last_words = False, STOPPED_JSON if call.json else b""
        try:
            ended = _say(one, start_s, script_of, pieces_of, signals, log)
        except VoicestreamError as error:
            if log is not None:
                log.note(f"error: {error}")
            ended, signals.last_words = report(error, call.json), b""
            hopeless = not isinstance(error, EmptyTextError)
        if len(calls) > 1 and ended == EmptyTextError.exit_code and not hopeless:
            warn(f"{one.file[0]} is left out")
        code = code or ended
        if signals.came or hopeless or ended == KeyRefusedError.exit_code:
            break
        signals.session, start_s = None, time.monotonic()
    return code


def _say(
    call: SayCall,
    start_s: float,
    script_of: ScriptOf,
    pieces_of: PiecesOf | None,
    signals: Signals,
    log: Log | None,
) -> int:
    if call.json and call.echo:
        raise UsageError("--echo and --json both want stdout", hint="Give one of them.")
    if call.output is not None and call.echo:
        raise UsageError("--echo passes on what is heard, and -o plays nothing")
    settings = load_settings(call.flags())
    for follower in followers:
        follower.settled(settings)
    if settings.engine.startswith("/") and pieces_of is not None and sys.platform != "win32":
        from voicestream.cli.engine.elsewhere import say_elsewhere

        code = say_elsewhere(call, settings, pieces_of)
        if code is not None:
            return code
    if call.dry_run:
        from voicestream.cli.dry_run import dry_run

        return dry_run(call, settings, script_of(call, settings))
    saver = make_saver(call, settings)
    if saver is not None:
        signals.clean_up = saver.close  # which leaves nothing
    kept = script_of is make_script and text_is_kept(call, settings)
    early = None if kept else early_connection(settings)
    if settings.embedded and script_of is make_script and not kept:
        from voicestream.cli.lean import begin_voice

        begin_voice()
    try:
        script = script_of(call, settings)
        kept = kept or first_is_kept(settings, script)
        if early is not None and kept:
            early.abandon()
            early = None
        if early is not None:
            ask_early(early, settings, script)
        if log is not None:
            log.begin(settings)
        session = _session(call, settings, script, saver, early, start_s, log, kept)
    except BaseException:
        if saver is not None:
            saver.close()  # leaves nothing
        if early is not None:
            early.abandon()
        raise
    signals.session = session
    for follower in followers:
        follower.begins(session, script)
    code = _conduct(call, settings, session, signals, saver)
    if log is not None:
        log.end(session.result(), code)
    return code


def _session(
    call: SayCall,
    settings: Settings,
    script: Spoken,
    saver: Saver | None,
    early: Early | None,
    start_s: float,
    log: Log | None,
    kept: bool,
) -> Session:
    """Load most of the program, while the server thinks; ``kept``: it is not asked first."""
    from voicestream.cli.lean import lighten

    lighten()
    from voicestream.metrics import Metrics
    from voicestream.session.outputs import make_sink, make_turn, prepare_in_background
    from voicestream.session.wiring import make_endpoint

    metrics = Metrics(start_s)
    said = script.endpoint
    # the embedded voice loads for a while, in the background: it goes first
    embedded = said is None and settings.embedded
    endpoint = make_endpoint(settings, metrics.notices, later=kept) if embedded else said
    heard = call.output is None
    sink = make_sink(settings, metrics) if heard else None
    if sink is not None:
        prepare_in_background(sink)
    from voicestream.session.conductor import Session
    from voicestream.session.pacing import kept_learnt

    learnt = kept_learnt() if said is None else None
    if said is None and not call.quiet:
        tell_daily(settings)
    endpoint = endpoint or make_endpoint(settings, metrics.notices, early, later=kept)
    turn = make_turn(settings, start_s, metrics.notices) if heard else None

    def on_event(event: Event) -> None:
        _collect_again(event)
        if log is not None:
            log.event(event)

    parts = (settings, endpoint, script, sink, saver, metrics, on_event, learnt, turn)
    return Session(*parts, words=log is not None)


def _collect_again(event: Event) -> None:
    """From the first sound on, garbage is collected; what was loaded until then is kept out."""
    # nothing plays where it is only saved; once, as what is frozen later is never freed
    if event.kind in ("playing", "segment_done") and not gc.isenabled():
        gc.freeze()
        gc.enable()


def _conduct(
    call: SayCall, settings: Settings, session: Session, signals: Signals, saver: Saver | None
) -> int:
    """Run the session under the panel; tell how it went."""
    from voicestream.ui.terminal import wants_panel

    with_panel = (
        not call.quiet
        and sys.stderr is not None
        and not _typed(call)
        and wants_panel(settings.panel, sys.stderr, os.environ)
    )
    echo = Echo(sys.stdout) if call.echo and sys.stdout is not None else None
    if call.trace is not None:
        session.keep_trace(call.trace)
    if session.barge_in is not None and not (with_panel or call.quiet):
        notice(LISTENING)
    session.start()
    if with_panel and not (echo and echo.on_terminal):
        watch(session, echo, signals, full=settings.panel == "full", bar=call.output is not None)
    else:
        # a wait without an end may miss a signal that comes just before it
        while not (session.wait(ECHO_TICK_S if echo else _TICK_S) or signals.overdue):
            pass_on(session, echo)
    pass_on(session, echo)
    signals.last_words = b""
    from voicestream.cli.outcome import tell

    result = session.result()
    # the writer of a pipe gets the same signal: its end may come first
    ended_early = session.interrupted or (signals.came and not result.completed)
    code = signals.exit_code if ended_early and not session.dropped else 0
    code = tell(call, result, code, saver)
    return EXIT_BROKEN_PIPE if echo and echo.reader_gone else code


def _typed(call: SayCall) -> bool:
    """Return whether a person types the text into the terminal that the panel would draw on."""
    return call.text == "-" and sys.stdin is not None and sys.stdin.isatty()
