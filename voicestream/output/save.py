"""What was played, as a WAV file that appears whole or, interrupted, playable."""

from __future__ import annotations

import os
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from voicestream.errors import ReaderGoneError, SaveError, UsageError

if TYPE_CHECKING:  # numpy would delay the first request
    from voicestream.pcm import Frames16, PcmFormat

_UNKNOWN = 0xFFFFFFFF
"""A size that means "until the end" to every player."""


class Saver:
    """Writes frames to ``target``: a path ending in .wav, or a binary stream.

    A file is written beside its place and put there by ``close``; until then its
    header says that the size is unknown, so that even what a crash leaves plays.

    Raises:
        UsageError: the path does not end in .wav.
        SaveError: the folder cannot be written.
    """

    def __init__(self, target: str | BinaryIO) -> None:
        self._path: Path | None = None
        self._part = ""
        self._pcm: PcmFormat | None = None
        self._size_bytes = 0
        self._name = "the output"
        if not isinstance(target, str):
            self._file = target
            return
        self._name = target
        self._path = Path(os.path.realpath(target))  # a link stays a link
        if self._path.suffix.lower() != ".wav":
            raise UsageError(
                f"--save writes WAV files, not {self._path.suffix or 'files without an ending'!r}",
                hint="Give the file the ending .wav, or use - for stdout.",
            )
        if self._path.is_dir():
            raise SaveError(f"{target} cannot be written", "it is a directory")
        try:
            handle, self._part = tempfile.mkstemp(
                prefix=f".{self._path.stem[:100]}-", suffix=".part.wav", dir=self._path.parent
            )
        except OSError as error:
            raise SaveError(f"{target} cannot be written", error.strerror or str(error)) from error
        self._file = os.fdopen(handle, "wb")
        self._keep_mode(self._path)

    def _keep_mode(self, path: Path) -> None:
        """A file that is replaced keeps its permissions; a new one is private."""
        try:
            os.chmod(self._part, path.stat().st_mode & 0o777)
        except OSError:
            return  # there was none, or the system knows no modes

    def open(self, pcm: PcmFormat) -> None:
        """The format is known: write the header."""
        self._pcm = pcm
        self._write(_header(pcm, _UNKNOWN))

    def write(self, frames: Frames16) -> None:
        """Add frames.

        Raises:
            SaveError: the disk is full; what was written is removed.
            ReaderGoneError: nobody reads the stream any more.
        """
        data = frames.tobytes()
        self._write(data)
        self._size_bytes += len(data)

    def _write(self, data: bytes) -> None:
        try:
            self._file.write(data)
            if self._path is None:
                self._file.flush()
        except BrokenPipeError as error:
            raise ReaderGoneError("nobody reads the output any more") from error
        except OSError as error:
            self._discard()
            raise SaveError(
                f"{self._name} cannot be written", error.strerror or str(error)
            ) from error

    def close(self) -> None:
        """Put the file in its place, with the right sizes; without any sound, leave none.

        Raises:
            SaveError: it cannot be finished.
        """
        if self._path is None or self._file.closed:
            return
        if self._pcm is None:
            self._discard()
            return
        try:
            self._file.seek(0)
            self._file.write(_header(self._pcm, self._size_bytes))
            self._file.close()
        except OSError as error:
            self._discard()
            raise SaveError(
                f"{self._name} cannot be written", error.strerror or str(error)
            ) from error
        try:
            os.replace(self._part, self._path)
        except OSError as error:
            raise SaveError(
                f"{self._name} cannot be written",
                error.strerror or str(error),
                f"What came stands in {self._part}.",
            ) from error

    def _discard(self) -> None:
        """Leave nothing half-written."""
        if self._path is None:
            return
        try:
            self._file.close()
        except OSError:
            pass  # what it still held does not fit either
        Path(self._part).unlink(missing_ok=True)


def _header(pcm: PcmFormat, size_bytes: int) -> bytes:
    """The 44 bytes of a PCM WAV file."""
    riff = size_bytes if size_bytes == _UNKNOWN else min(36 + size_bytes, _UNKNOWN)
    return (
        struct.pack("<4sI4s", b"RIFF", riff, b"WAVE")
        + struct.pack(
            "<4sIHHIIHH",
            b"fmt ",
            16,
            1,
            pcm.channels,
            pcm.rate_hz,
            pcm.bytes_per_s,
            pcm.frame_bytes,
            8 * pcm.frame_bytes // pcm.channels,
        )
        + struct.pack("<4sI", b"data", min(size_bytes, _UNKNOWN))
    )
