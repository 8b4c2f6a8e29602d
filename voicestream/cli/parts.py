"""What a call is made of: settings, text, the early connection, the file to save to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO

from voicestream.cli.options import SayCall
from voicestream.cli.report import notice, warn
from voicestream.errors import EmptyTextError, SaveError, UsageError
from voicestream.records import dataclass
from voicestream.settings.sources import read_key_file
from voicestream.settings.table import Settings, load

if TYPE_CHECKING:
    from voicestream.output.save import Saver
    from voicestream.session.fetchers import Spoken
    from voicestream.session.script import Script
    from voicestream.speech.http.request import EarlyRequest
    from voicestream.speech.realtime.handshake import Handshake


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """Return the settings of a command line; a key file among the flags is read."""
    values = dict(flags)
    if values.get("api_key"):
        values["api_key"] = read_key_file(str(values["api_key"]))
    return load(values)


def tell_daily(settings: Settings) -> None:
    """Say once a day that the embedded voice was chosen, and which variables mean nothing."""
    from voicestream.settings.told import first_today

    by_default = settings.embedded and settings.source("base_url") == "default"
    if by_default and first_today("the embedded voice"):
        notice(
            "Speaking with the embedded voices; set VOICESTREAM_API_KEY for OpenAI's, or "
            "name another with --endpoint (`voicestream endpoints` lists them)."
        )
    warn_of_unknown(settings, first_today)


def warn_of_unknown(settings: Settings, wanted: Callable[[str], bool]) -> None:
    """Name the variables that look like settings and are none, as far as they are wanted."""
    from voicestream.settings.unknown import unknown_variables

    for name, nearest in unknown_variables(settings).items():
        if wanted(name):
            warn(f"{name} is no setting" + (f"; did you mean {nearest}?" if nearest else ""))


def make_script(call: SayCall, settings: Settings) -> Script:
    """Return the text to speak: from the arguments, from files or from stdin."""
    from voicestream.session.script import Script

    on_doubt = doubts(call)
    given = given_text(call, on_doubt)
    by_sentence = bool(call.subtitles)
    if isinstance(given, str):
        return Script(settings, given, by_sentence=by_sentence)
    return Script.piped(settings, given, on_doubt, by_sentence)


def given_pieces(call: SayCall, _settings: Settings) -> Iterator[str]:
    """Yield the same text as it comes."""
    from voicestream.text.source import read_pieces

    on_doubt = doubts(call)
    given = given_text(call, on_doubt)
    if isinstance(given, str):
        yield given
        return
    for number, stream in enumerate(given):
        if number:
            yield "\n\n"
        yield from read_pieces(stream, on_doubt=on_doubt)
        if call.file:
            stream.close()


def given_text(call: SayCall, on_doubt: Callable[[str], None]) -> str | list[BinaryIO]:
    """The text, or the streams it is read from, one after the other.

    Args:
        on_doubt: told where its encoding is not certain.

    Raises:
        UsageError: there is none, there are two, or it cannot be read.
    """
    from voicestream.text.source import argument, open_file

    if call.file:
        if call.text is not None:
            raise UsageError("both a text and --file were given", hint="Give one of them.")
        return [open_file(file) for file in call.file]
    if call.text is not None and call.text != "-":
        return argument(call.text, on_doubt)
    if sys.stdin is None or (call.text is None and sys.stdin.isatty()):
        raise EmptyTextError(
            "there is nothing to say", hint='Try: voicestream say "Hello", or pipe text in.'
        )
    return [sys.stdin.buffer]


def doubts(call: SayCall) -> Callable[[str], None]:
    """Who is told where an encoding is not certain."""

    def on_doubt(sentence: str) -> None:
        if not call.quiet:
            warn(sentence)

    return on_doubt


@dataclass(frozen=True, slots=True)
class _Whole:
    """A text that is one segment, as most short ones are."""

    text: str
    voice: None = None
    language: str = ""


def text_is_kept(call: SayCall, settings: Settings) -> bool:
    """Return whether TEXT as it stands is one segment whose sound is kept: then no connection is
    made.

    What is cut or changed first is looked for by ``first_is_kept``, once that is loaded.
    """
    text = call.text or "-"
    if settings.cache == "off" or call.file or text == "-":
        return False
    if settings.cache == "short" and len(text) > settings.cache_chars:
        return False
    from voicestream.session.caching import is_kept

    return is_kept(settings, _Whole(text))


def first_is_kept(settings: Settings, script: Spoken) -> bool:
    """Return whether the sound of the first segment is kept, where its text is known already."""
    if settings.cache == "off" or script.first is None:
        return False
    from voicestream.session.caching import is_kept

    return is_kept(settings, script.first)


def early_connection(settings: Settings) -> EarlyRequest | Handshake | None:
    """Connect now, while the text is read and before most of the program is loaded; return None
    where nothing is asked for over HTTP or a WebSocket, or behind a proxy."""
    wait_s = min(settings.connect_timeout_s, settings.timeout_s)
    early: EarlyRequest | Handshake
    if settings.kind == "realtime":
        from voicestream.speech.realtime.handshake import open_early

        early = open_early(
            settings.base_url, settings.api_key, settings.model, wait_s, settings.headers
        )
    elif settings.kind != "speech":
        return None
    else:
        from voicestream.settings.proxy import proxy_url
        from voicestream.speech.http.request import OTHER_ROUTES, ROUTE, EarlyRequest

        if proxy_url(settings.base_url):  # the early request knows no proxies
            return None
        route = OTHER_ROUTES.get(settings.stream_format, ROUTE)
        early = EarlyRequest(settings.base_url, settings.api_key, wait_s, settings.headers, route)
    early.start()
    return early


def ask_early(
    early: EarlyRequest | Handshake,
    settings: Settings,
    script: Spoken,
) -> None:
    """Ask for the first segment, if its text is known already."""
    from voicestream.session.speech_request import speech_request
    from voicestream.speech.http.request import EarlyRequest, request_body

    request = None if script.first is None else speech_request(settings, script.first)
    if isinstance(early, EarlyRequest):
        early.send(None if request is None else request_body(request, settings.body))
        return
    from voicestream.speech.realtime.protocol import first_messages

    early.send(None if request is None else first_messages(request, settings.body))


def make_saver(call: SayCall, settings: Settings) -> Saver | None:
    """Return where the sound is kept, if anywhere. What cannot be written is told here.

    Raises:
        UsageError: an ending stands for nothing that can be made, or stdout is taken.
        SaveError: a file cannot be written.
    """
    if call.subtitles is not None:
        from voicestream.output.subtitles import check_file

        check_file(call.subtitles)
    if call.trace is not None:
        from voicestream.trace import check_trace_file

        check_trace_file(call.trace)
    target = call.save if call.output is None else call.output
    if target is None:
        return None
    from voicestream.encode.base import Tags
    from voicestream.output.save import Saver

    if target == "-":
        return Saver(_stdout("--save" if call.output is None else "-o", call))
    title = PurePath(call.file[0]).stem if len(call.file) == 1 else ""
    voice = "" if call.sources else settings.voice
    return Saver(target, Tags(title, voice), whole=call.output is not None)


def _stdout(flag: str, call: SayCall) -> BinaryIO:
    if call.json or call.echo:
        other = "--json" if call.json else "--echo"
        raise UsageError(f"{flag} - and {other} both want stdout", hint="Name a file instead.")
    if sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(f"{flag} - would write sound to the terminal", hint="Name a file.")
    if sys.stdout is None:
        raise SaveError("stdout is closed", hint="Name a file instead.")
    return sys.stdout.buffer
