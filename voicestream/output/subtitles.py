"""What is said when, as a file of subtitles: one for each sentence, by the samples of the sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from voicestream.errors import SaveError, UsageError
from voicestream.files import check_place, no_folder, write_whole

if TYPE_CHECKING:
    from voicestream.counters import Cue, Snapshot

_Sentence = tuple[float, float, str]
"""Seconds from the first sample to where it begins and ends; what is said."""


def check_file(file: str) -> None:
    """Refuse, before anything is said, what no subtitles can be written to.

    Raises:
        UsageError: the name's ending is not known.
        SaveError: there is no such folder, or it may not be written to.
    """
    ending = Path(file).suffix
    if ending.lower() not in _KINDS:
        named = f"{file} ends in {ending}" if ending else f"{file} has no ending"
        known = " and ".join(_KINDS)
        raise UsageError(f"{named}, which is no kind of subtitles", hint=f"These are: {known}.")
    try:
        check_place(Path(file))
    except OSError as error:
        raise _failure(file, error) from error


def write_subtitles(file: str, snapshot: Snapshot) -> None:
    """Write what was said, in the kind that the file's ending names.

    Raises:
        SaveError: the file cannot be written.
    """
    told = sentences(snapshot.cues, snapshot.rate_hz, snapshot.written_frames)
    try:
        write_whole(Path(file), _KINDS[Path(file).suffix.lower()](told))
    except OSError as error:
        raise _failure(file, error) from error


def _failure(file: str, error: OSError) -> SaveError:
    return SaveError(f"{file} cannot be written", error.strerror or str(error), no_folder(file))


def sentences(cues: Sequence[Cue], rate_hz: int, written_frames: int) -> Iterator[_Sentence]:
    """Give the sentences of a sound, in order.

    Args:
        cues: of its segments; a sentence may have several.
        written_frames: its length.
    """
    start_frame, text = None, ""
    for at, cue in enumerate(cues):
        start_frame = cue.start_frame if start_frame is None else start_frame
        text += cue.text
        if cue.goes_on and at + 1 < len(cues):
            continue
        end_frame = cue.end_frame or written_frames
        yield start_frame / rate_hz, end_frame / rate_hz, " ".join(text.split())
        start_frame, text = None, ""


def _srt(told: Iterator[_Sentence]) -> str:
    return "\n".join(
        f"{number}\n{_time(start_s, ',')} --> {_time(end_s, ',')}\n{text}\n"
        for number, (start_s, end_s, text) in enumerate(told, 1)
    )


def _vtt(told: Iterator[_Sentence]) -> str:
    from html import escape

    cues = (
        f"\n{_time(start_s, '.')} --> {_time(end_s, '.')}\n{escape(text, quote=False)}\n"
        for start_s, end_s, text in told
    )
    return "WEBVTT\n" + "".join(cues)


_KINDS: dict[str, Callable[[Iterator[_Sentence]], str]] = {".srt": _srt, ".vtt": _vtt}


def _time(at_s: float, point: str) -> str:
    minutes, ms = divmod(round(1000 * at_s), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}{point}{ms % 1000:03}"
