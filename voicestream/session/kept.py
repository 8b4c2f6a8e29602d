"""The last speech, kept for ``again``: its samples and text, in the user's runtime folder.

That folder is the user's alone, and on most systems in memory: what was said is on no disk, and
is gone when the user logs out. One file, replaced with each speech; no more than ``MOST_BYTES``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from voicestream.counters import Cue
from voicestream.errors import VoicestreamError
from voicestream.files import create_part, read_bounded
from voicestream.pcm import Frames16, PcmFormat
from voicestream.records import dataclass
from voicestream.speech.base import SpeechRequest
from voicestream.text.pieces import Boundary, Segment

MOST_BYTES = 16 << 20
"""5.8 minutes of 24 kHz."""
_MOST_TEXT_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16
_NAME = "said"


class Keeper:
    """Gathers what is said, from its begin, as much as is kept. Used by the feeder."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._pieces: list[Frames16] = []
        self._left_bytes = MOST_BYTES

    def write(self, frames: Frames16) -> None:
        """The next frames that are played."""
        if len(frames) and self._left_bytes >= frames.nbytes:
            self._left_bytes -= frames.nbytes
            self._pieces.append(frames)
        else:
            self._left_bytes = 0  # nothing that lies behind a hole

    def save(self, pcm: PcmFormat, cues: Sequence[Cue]) -> None:
        """Keep it, in place of the speech before.

        Raises:
            OSError: there is no room.
        """
        if not self._pieces:
            return
        frames = np.concatenate(self._pieces)
        told = {
            "rate_hz": pcm.rate_hz,
            "channels": pcm.channels,
            "cues": [[cue.start_frame, cue.text] for cue in cues if cue.start_frame < len(frames)],
        }
        handle, part = create_part(self._folder, _NAME, "", 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(told).encode() + b"\n")
                file.write(frames.tobytes())
            os.replace(part, self._folder / _NAME)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise


@dataclass(frozen=True, slots=True)
class Said:
    """A speech that was kept: each sentence's text and 16-bit samples."""

    pcm: PcmFormat
    sentences: tuple[tuple[str, bytes], ...]


def last_said(folder: str) -> Said:
    """Return the last speech.

    Raises:
        VoicestreamError: nothing is kept, or it is damaged.
    """
    try:
        kept = read_bounded(Path(folder) / _NAME, MOST_BYTES + _MOST_TEXT_BYTES)
    except FileNotFoundError:
        raise VoicestreamError(
            "nothing that was said is kept",
            hint="Say something first; --no-keep-last (VOICESTREAM_KEEP_LAST=false) keeps nothing.",
        ) from None
    except OSError as error:
        raise VoicestreamError("what was said cannot be read", str(error)) from error
    told, _, sound = kept.partition(b"\n")
    try:
        found = json.loads(told)
        pcm = PcmFormat(int(found["rate_hz"]), int(found["channels"]))
        starts = [0, *(int(start) for start, _ in found["cues"][1:])]
        texts = [str(text) for _, text in found["cues"]]
        if not texts:
            raise ValueError("no text")
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise VoicestreamError("what was said cannot be read", "it is damaged") from error
    edges = [start * 2 * pcm.channels for start in starts] + [len(sound)]
    spans = zip(texts, edges, edges[1:], strict=False)
    return Said(pcm, tuple((text, sound[start:end]) for text, start, end in spans))


class SaidSegments:
    """A kept speech as the text of a session."""

    late = False
    first: Segment | None = None
    """None is asked for early."""

    def __init__(self, said: Said) -> None:
        self.endpoint = SaidEndpoint(said)
        """Speaks it, instead of the one in the settings."""
        self._texts = [text for text, _ in said.sentences]
        self._taken = 0

    def start(self) -> None:
        return

    def take(self, waiting_s: Callable[[], float]) -> Segment | None:  # noqa: ARG002
        if self._taken >= len(self._texts):
            return None
        self._taken += 1
        return Segment(self._taken - 1, self._texts[self._taken - 1], Boundary.SENTENCE)

    def stop(self) -> None:
        self._taken = len(self._texts)

    cancel = stop

    def length(self) -> tuple[int, bool]:
        return sum(map(len, self._texts)), True


class _SaidStream:
    content_type = "audio/pcm"
    sent_at_s = 0.0

    def __init__(self, pcm: PcmFormat, sound: bytes) -> None:
        self.rate_hz: int | None = pcm.rate_hz
        self.channels: int | None = pcm.channels
        self._sound = sound

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._sound), _PIECE_BYTES):
            yield self._sound[start : start + _PIECE_BYTES]

    def close(self) -> None:
        return


class SaidEndpoint:
    """A kept speech as an endpoint: the sentences in their order, each asked for once."""

    name = "again"

    def __init__(self, said: Said) -> None:
        self._pcm = said.pcm
        self._sounds = iter([sound for _, sound in said.sentences])

    def open(self, request: SpeechRequest) -> _SaidStream:  # noqa: ARG002
        return _SaidStream(self._pcm, next(self._sounds, b""))

    def abort(self) -> None:
        return

    def close(self) -> None:
        return
