"""``--dry-run``: what would be asked for, and nothing asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from voicestream.cli.options import SayCall
from voicestream.cli.report import EXIT_BROKEN_PIPE, print_json
from voicestream.printable import printable
from voicestream.settings.table import Settings

if TYPE_CHECKING:
    from voicestream.session.fetchers import Spoken


def dry_run(call: SayCall, settings: Settings, script: Spoken) -> int:
    """Print the segments of a text, one line each or as one JSON object; return the exit code.

    Which sentences share a request depends on how fast the endpoint is: here, as fast as can be.

    Raises:
        VoicestreamError: the text cannot be read, or holds nothing to speak.
    """
    from voicestream.session.speech_request import speech_request
    from voicestream.text.pieces import SPEECH_CHARS_PER_S

    segments: list[dict[str, Any]] = []
    chars = 0

    def waiting_s() -> float:
        return chars / SPEECH_CHARS_PER_S / settings.tempo

    script.start()
    try:
        while segment := script.take(waiting_s):
            chars += len(segment.text)
            request = speech_request(settings, segment)
            told = {"text": request.text, "voice": request.voice}
            pause_ms = segment.pause_ms
            segments.append(told if pause_ms is None else {**told, "pause_ms": pause_ms})
            if call.json:
                continue
            if pause_ms is not None and not _print(f"[pause {pause_ms}ms]", None):
                return EXIT_BROKEN_PIPE
            if not _print(request.text, segment.voice):
                return EXIT_BROKEN_PIPE
    finally:
        script.cancel()
    if not call.json:
        return 0
    named = ("base_url", "model", "format", "speed", "instructions")
    shown = {name: getattr(settings, name) for name in named}
    return print_json({"endpoint": shown.pop("base_url"), **shown, "segments": segments})


def _print(text: str, voice: str | None) -> bool:
    """Print a line on stdout; return False if nobody reads it."""
    if sys.stdout is None:
        return True
    shown = printable(text).encode(sys.stdout.encoding, "replace").decode(sys.stdout.encoding)
    try:
        sys.stdout.write(f"[{voice}] {shown}\n" if voice else f"{shown}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        return False
    return True
