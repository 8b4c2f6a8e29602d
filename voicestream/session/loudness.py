"""Speech at one loudness, whatever the voice.

How loud a voice of an endpoint is, is measured while it speaks and kept; from the next reply on
it speaks at the loudness that is wished, from the first word to the last by the same factor. So
nothing pumps, and a voice that is not known yet is left as it is, bit for bit.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from voicestream.dsp.loudness import LoudnessMeter, amplify
from voicestream.files import read_bounded, write_state
from voicestream.pcm import PcmFormat, Samples
from voicestream.settings.sources import user_state_file
from voicestream.settings.table import Settings

_FILE = "loudness.json"
_MOST_BYTES = 1 << 16
_MOST_VOICES = 128
_LEAST_SPEECH_S = 2.0
"""Less speech says too little of a voice."""
_MOST_DB = 12.0
_LEAST_DB = 1.0
"""Nobody hears less; such a voice is left bit for bit."""
_OLD_SHARE = 0.5


class Loudness:
    """The factor for one reply or recording, and what is measured of it. Used by the feeder.

    Args:
        endpoint: its name.
        kept: what is learnt may be kept and used; otherwise each voice is left as it is.
        file: instead of the user's.
    """

    def __init__(
        self, settings: Settings, endpoint: str, kept: bool = True, file: Path | None = None
    ) -> None:
        wished = settings.loudness != "off" and kept
        self._wanted_lufs = float(settings.loudness) if wished else None
        self._voice = f"{endpoint} {settings.model} {settings.voice}"
        self._file = file
        self._meter: LoudnessMeter | None = None
        self._gain = 1.0
        self.trouble = ""
        """Why the kept loudness could not be read or written, in words; else empty."""

    def load(self) -> None:
        """While the endpoint thinks: recall how loud the voice is."""
        if self._wanted_lufs is None:
            return
        known_lufs = self._read().get(self._voice)
        if known_lufs is not None:
            change_db = min(max(self._wanted_lufs - known_lufs, -_MOST_DB), _MOST_DB)
            self._gain = 10 ** (change_db / 20) if abs(change_db) >= _LEAST_DB else 1.0

    def begin(self, recording: str) -> None:
        """Begin a recording of that name: keep what is known of the one before, and
        recall this one. Names are kept as hashes: nobody can read what was played."""
        import hashlib  # for `play` with this setting alone

        if self._wanted_lufs is None:
            return
        self.keep()
        self._voice = f"recording {hashlib.sha256(recording.encode()).hexdigest()[:16]}"
        self._meter, self._gain = None, 1.0
        self.load()

    def feed(self, samples: Samples, pcm: PcmFormat) -> Samples:
        """Return the samples as they are to be heard; the very same where nothing changes."""
        if self._wanted_lufs is None or not len(samples):
            return samples
        if self._meter is None:
            self._meter = LoudnessMeter(pcm)
        self._meter.feed(samples)
        return samples if self._gain == 1.0 else amplify(samples, self._gain)

    def keep(self) -> None:
        """Keep what was measured, for the next reply. Never raises ``OSError``."""
        measured = self._meter.measured() if self._meter is not None else None
        if measured is None or measured[1] < _LEAST_SPEECH_S:
            return
        known = self._read()
        old_lufs = known.pop(self._voice, measured[0])
        known[self._voice] = round(_OLD_SHARE * old_lufs + (1 - _OLD_SHARE) * measured[0], 2)
        kept = dict(list(known.items())[-_MOST_VOICES:])
        try:
            write_state(self._path(), json.dumps(kept))
        except OSError as error:
            self.trouble = f"the loudness of the voice cannot be kept: {error.strerror}"

    def _path(self) -> Path:
        return self._file or user_state_file(_FILE)

    def _read(self) -> dict[str, float]:
        try:
            content = json.loads(read_bounded(self._path(), _MOST_BYTES, wait_s=0.0))
            known = {str(voice): float(lufs) for voice, lufs in content.items()}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            self.trouble = f"{_FILE} is damaged and ignored: {error}"
            return {}
        return {voice: lufs for voice, lufs in known.items() if math.isfinite(lufs)}
