"""``say``: from the call to the exit code."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from voicestream.cli.options import SayCall
from voicestream.cli.report import EXIT_INTERRUPTED, notice, own_stderr, report, warn
from voicestream.clock import process_start_s
from voicestream.errors import EmptyTextError, UsageError, VoicestreamError
from voicestream.settings import Settings, load, read_key_file

if TYPE_CHECKING:
    from voicestream.output.base import Sink
    from voicestream.output.save import Saver
    from voicestream.session.conductor import Session
    from voicestream.session.result import Event, Result
    from voicestream.session.script import Script
    from voicestream.speech.wire import EarlyRequest


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """The settings of a command line; a key file among the flags is read."""
    values = dict(flags)
    if values.get("api_key"):
        values["api_key"] = read_key_file(str(values["api_key"]))
    return load(values)


def say(call: SayCall) -> int:
    """Speak; return the exit code. Errors are reported here."""
    start_s = process_start_s()
    own_stderr()
    try:
        return _say(call, start_s)
    except VoicestreamError as error:
        if call.json:
            _print_json({"completed": False, "ttfa_ms": None, "errors": [str(error)]})
        return report(error)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _say(call: SayCall, start_s: float) -> int:
    settings = load_settings(call.settings)
    saver = _saver(call)
    early = _early_connection(settings)
    try:
        script = _script(call, settings)
        if early is not None:
            early.send(_first_body(settings, script))
        session = _session(call, settings, script, saver, early, start_s)
        return _conduct(call, settings, session)
    finally:
        if early is not None:
            early.close()


def _session(
    call: SayCall,
    settings: Settings,
    script: Script,
    saver: Saver | None,
    early: EarlyRequest | None,
    start_s: float,
) -> Session:
    """Load most of the program, while the server thinks."""
    from voicestream.session.wiring import make_endpoint

    # the embedded voice loads for a while, in the background: it goes first
    endpoint = make_endpoint(settings) if settings.embedded else None
    sink = _prepared_sink(settings)
    from voicestream.metrics import Metrics
    from voicestream.session.conductor import Session

    if settings.embedded and settings.source("base_url") == "default" and not call.quiet:
        notice(
            "Speaking with the embedded English voice; set VOICESTREAM_API_KEY or --base-url "
            "for another."
        )
    endpoint = endpoint or make_endpoint(settings, early)
    return Session(settings, endpoint, script, sink, saver, Metrics(start_s), _collect_again)


def _collect_again(event: Event) -> None:
    """From the first sound on, garbage is collected; what was loaded until then is kept out."""
    if event.kind == "playing":
        gc.freeze()
        gc.enable()


def _script(call: SayCall, settings: Settings) -> Script:
    """The text, wherever it comes from."""
    from voicestream.session.script import Script
    from voicestream.text.source import open_file

    def on_replaced() -> None:
        if not call.quiet:
            warn("the text is not UTF-8; what could not be read is replaced")

    if call.file is not None:
        if call.text is not None:
            raise UsageError("both a text and --file were given", hint="Give one of them.")
        return Script.piped(settings, open_file(call.file), on_replaced)
    if call.text is not None and call.text != "-":
        return Script(settings, call.text)
    if sys.stdin is None or (call.text is None and sys.stdin.isatty()):
        raise EmptyTextError(
            "there is nothing to say", hint='Try: voicestream say "Hello", or pipe text in.'
        )
    return Script.piped(settings, sys.stdin.buffer, on_replaced)


def _early_connection(settings: Settings) -> EarlyRequest | None:
    """Connect now, while the text is read and before an HTTP library is loaded."""
    if settings.embedded or _behind_proxy(settings):
        return None
    from voicestream.speech.wire import EarlyRequest

    early = EarlyRequest(settings.base_url, settings.api_key, settings.timeout_s)
    early.start()
    return early


def _first_body(settings: Settings, script: Script) -> bytes | None:
    """The first request's body, if its text is known already."""
    if script.first is None:
        return None
    from voicestream.session.requests import speech_request
    from voicestream.speech.wire import request_body

    return request_body(speech_request(settings, script.first))


def _behind_proxy(settings: Settings) -> bool:
    """The early request knows no proxies; the HTTP library does."""
    names = {"http_proxy", "https_proxy", "all_proxy"}
    if any(name.lower() in names for name in os.environ):
        return True
    if os.name == "posix" and sys.platform != "darwin":
        return False
    from voicestream.speech.http import proxy_needed

    return proxy_needed(settings.base_url)


def _saver(call: SayCall) -> Saver | None:
    if call.save is None:
        return None
    from voicestream.output.save import Saver

    if call.save != "-":
        return Saver(call.save)
    if call.json:
        raise UsageError("--save - and --json both want stdout", hint="Save to a file instead.")
    return Saver(sys.stdout.buffer)


def _prepared_sink(settings: Settings) -> Sink:
    """The sink, with the sound system being initialised in the background."""
    from voicestream.session.wiring import make_sink, prepare_in_background

    sink = make_sink(settings)
    prepare_in_background(sink)
    return sink


def _conduct(call: SayCall, settings: Settings, session: Session) -> int:
    """Run the session under signals and the panel; tell how it went."""
    from voicestream.ui.terminal import wants_panel

    with_panel = not call.quiet and wants_panel(settings.panel, sys.stderr, os.environ)
    _on_signals(session)
    # the callback must not wait 5 ms for the panel to give up the interpreter
    sys.setswitchinterval(0.0005)
    session.start()
    if with_panel:
        _watch(session)
    else:
        while not session.wait(None):
            pass
    return _tell(call, session, session.result())


def _watch(session: Session) -> None:
    from voicestream.ui.panel import Panel

    with Panel(session.snapshot, sys.stderr) as panel:
        while not session.wait(panel.interval_s):
            panel.tick()


def _on_signals(session: Session) -> None:
    """The first signal fades out and ends the reply; a second one ends the process."""

    def interrupt(_number: int, _frame: object) -> None:
        if session.interrupted:
            raise KeyboardInterrupt
        session.interrupt()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


def _tell(call: SayCall, session: Session, result: Result) -> int:
    if not call.quiet:
        from voicestream.ui.summary import summary_line
        from voicestream.ui.terminal import encoding_of

        for text in result.snapshot.warnings:
            warn(text)
        notice(summary_line(result.snapshot, encoding_of(sys.stderr)))
    code = EXIT_INTERRUPTED if session.interrupted else 0
    for error in result.errors:
        shown = report(error)
        code = code or shown
    if call.json:
        _print_json(result.to_dict())
    return code


def _print_json(figures: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(figures, ensure_ascii=False) + "\n")
    sys.stdout.flush()
