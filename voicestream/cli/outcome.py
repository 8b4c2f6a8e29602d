"""How a call ended, told to whoever asked for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from voicestream.cli.options import SayCall
from voicestream.cli.report import notice, print_json, report, warn
from voicestream.errors import DeviceError, ReaderGoneError, VoicestreamError
from voicestream.output.subtitles import write_subtitles
from voicestream.state import Status
from voicestream.ui.summary import made_line, summary_line
from voicestream.ui.terminal import encoding_of

if TYPE_CHECKING:
    from voicestream.output.save import Saver
    from voicestream.session.result import Result


def tell(call: SayCall, result: Result, code: int, saver: Saver | None) -> int:
    """Say how it ended; ``code`` is the exit code unless it is 0 and an error has another."""
    told = list(dict.fromkeys(map(str, result.errors)))
    if not call.quiet:
        for text in result.snapshot.warnings:
            if text not in told:
                warn(text)
        if result.snapshot.audio_s or not told:
            _summarise(call, result)
    for error in result.errors:
        code = code or error.exit_code
        # segments that fail in the same way are told of once
        if str(error) in told and not isinstance(error, ReaderGoneError):
            told.remove(str(error))
            report(error)
    code = _write_subtitles(call, result) or code
    if not call.quiet:
        if saver is not None and saver.torso is not None:
            warn(f"{call.output} is not made; what there is of it stands in {saver.torso}")
        if not call.sources:  # an error names each of these
            _name_unspoken(result)
            _name_unheard(result)
    if call.json:
        return print_json(result.to_dict()) or code
    return code


def _name_unspoken(result: Result) -> None:
    """Where something was heard, name what was not."""
    if result.snapshot.audio_s:
        for figures in result.snapshot.segments:
            if figures.status is Status.FAILED:
                warn(f'not spoken to its end: "{figures.text.strip()}"')


def _name_unheard(result: Result) -> None:
    """Where the sound card went away: what was not heard."""
    if any(isinstance(error, DeviceError) for error in result.errors):
        text = "".join(figures.text for figures in result.snapshot.segments)
        rest = text[len(result.spoken) :].strip()
        if rest and result.snapshot.audio_s:
            warn(f'not heard: "{rest}"')


def _write_subtitles(call: SayCall, result: Result) -> int:
    """Beside the sound, where that got its name; the exit code if that fails, else 0."""
    if call.subtitles is None or not result.snapshot.cues:
        return 0
    if call.output is not None and not result.completed:
        return 0
    try:
        write_subtitles(call.subtitles, result.snapshot)
    except VoicestreamError as error:
        return report(error)
    return 0


def _summarise(call: SayCall, result: Result) -> None:
    encoding = encoding_of(sys.stderr)
    if call.output is None:
        notice(summary_line(result.snapshot, encoding))
    elif result.completed:
        name = "" if call.output == "-" else call.output
        notice(made_line(result.snapshot, name, encoding))
