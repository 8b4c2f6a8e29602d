"""``say``: from the call to the exit code."""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from voicestream.cli.options import SayCall
from voicestream.cli.report import EXIT_BROKEN_PIPE, EXIT_INTERRUPTED, notice, report, warn
from voicestream.clock import process_start_s
from voicestream.errors import (
    EmptyTextError,
    ReaderGoneError,
    SaveError,
    UsageError,
    VoicestreamError,
)
from voicestream.settings import OPENAI_URL, Settings, load, read_key_file

if TYPE_CHECKING:
    from voicestream.output.base import Sink
    from voicestream.output.save import Saver
    from voicestream.session.conductor import Session
    from voicestream.session.result import Result
    from voicestream.session.script import Script
    from voicestream.speech.wire import EarlyRequest

_TICK_S = 0.1


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """The settings of a command line; a key file among the flags is read."""
    values = dict(flags)
    if values.get("api_key"):
        values["api_key"] = read_key_file(str(values["api_key"]))
    return load(values)


def say(call: SayCall) -> int:
    """Speak; return the exit code. Errors are reported here."""
    start_s = process_start_s()
    try:
        return _say(call, start_s)
    except VoicestreamError as error:
        code = report(error)
        if call.json:
            figures = {"completed": False, "ttfa_ms": None, "errors": [str(error)]}
            return _print_json(figures) or code
        return code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _say(call: SayCall, start_s: float) -> int:
    settings = load_settings(call.settings)
    script = _script(call)
    saver = _saver(call)
    try:
        session = _session(call, settings, script, saver, start_s)
    except BaseException:
        if saver is not None:
            saver.close()  # leaves nothing
        raise
    return _conduct(call, settings, session)


def _session(
    call: SayCall, settings: Settings, script: Script, saver: Saver | None, start_s: float
) -> Session:
    """Everything made ready, the first request on its way."""
    early = _early_request(settings, script)
    # What follows loads most of the program, while the server thinks.
    sink = _prepared_sink(settings)
    from voicestream.metrics import Metrics
    from voicestream.session.conductor import Session
    from voicestream.session.wiring import make_endpoint

    if settings.embedded and settings.source("base_url") == "default" and not call.quiet:
        notice(
            "Speaking with the embedded English voice. For another, set VOICESTREAM_API_KEY "
            f"(for {OPENAI_URL}) or --base-url URL; `--base-url embedded:` hides this line."
        )
    endpoint = make_endpoint(settings, early)
    return Session(settings, endpoint, script, sink, saver, Metrics(start_s))


def _script(call: SayCall) -> Script:
    """The text, wherever it comes from."""
    from voicestream.session.script import Script, read_file

    if call.file is not None:
        if call.text is not None:
            raise UsageError("both a text and --file were given", hint="Give one of them.")
        text, replaced = read_file(call.file)
    elif call.text is not None and call.text != "-":
        # Python hands on bytes of an argument that are not UTF-8 as halves of characters
        text = re.sub("[\ud800-\udfff]", "\ufffd", call.text)
        replaced = text != call.text
    else:
        text, replaced = _from_stdin(call)
    if replaced and not call.quiet:
        warn("the text is not UTF-8; what could not be read is spoken as a replacement")
    return Script(text)


def _from_stdin(call: SayCall) -> tuple[str, bool]:
    from voicestream.session.script import read_stdin

    if sys.stdin is None or (call.text is None and sys.stdin.isatty()):
        raise EmptyTextError(
            "there is nothing to say", hint='Try: voicestream say "Hello", or pipe text in.'
        )
    try:
        return read_stdin()
    except OSError as error:
        raise UsageError("stdin cannot be read", error.strerror or str(error)) from error


def _early_request(settings: Settings, script: Script) -> EarlyRequest | None:
    """Send the first request now, before an HTTP library is loaded."""
    if settings.embedded or _behind_proxy(settings):
        return None
    from voicestream.session.requests import speech_request
    from voicestream.speech.wire import EarlyRequest, request_body

    body = request_body(speech_request(settings, script.first))
    early = EarlyRequest(settings.base_url, settings.api_key, body, settings.timeout_s)
    early.start()
    return early


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
    if sys.stdout is None:
        raise SaveError("stdout is closed", hint="Save to a file instead.")
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
    gc.freeze()
    gc.enable()
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
        while not session.wait(_TICK_S):
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
    told = list(dict.fromkeys(map(str, result.errors)))
    if not call.quiet:
        for text in result.snapshot.warnings:
            if text not in told:
                warn(text)
        if result.snapshot.audio_s or not told:
            _summarise(result)
    code = EXIT_INTERRUPTED if session.interrupted else 0
    for error in result.errors:
        code = code or error.exit_code
        # segments that fail in the same way are told of once
        if str(error) in told and not isinstance(error, ReaderGoneError):
            told.remove(str(error))
            report(error)
    if call.json:
        return _print_json(result.to_dict()) or code
    return code


def _summarise(result: Result) -> None:
    from voicestream.ui.summary import summary_line

    notice(summary_line(result.snapshot))


def _print_json(figures: dict[str, Any]) -> int:
    """One object on stdout; the exit code if nobody reads it, else 0."""
    if sys.stdout is None:
        return 0
    line = json.dumps(figures, ensure_ascii=False)
    try:
        line.encode(sys.stdout.encoding)
    except UnicodeEncodeError:  # a terminal of another encoding, or a name that is not UTF-8
        line = json.dumps(figures)
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        return EXIT_BROKEN_PIPE
    except OSError as error:
        return report(SaveError("the figures cannot be written", error.strerror or str(error)))
    return 0
