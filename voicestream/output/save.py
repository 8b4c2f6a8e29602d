"""What was played, as a WAV file that appears whole or, interrupted, playable."""

from __future__ import annotations

import errno
import os
import stat
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from voicestream.errors import ReaderGoneError, SaveError, UsageError
from voicestream.files import create_part, mode_of

if TYPE_CHECKING:  # numpy would delay the first request
    from voicestream.pcm import Frames16, PcmFormat

_READER_WAIT_S = 10.0
"""How long a pipe may be without a reader before that is an error."""
_UNKNOWN = 0xFFFFFFFF
"""A size that means "until the end" to every player."""


class Saver:
    """Writes frames to ``target``: a path ending in .wav, or a binary stream.

    A file is written beside its place and put there by ``close``; until then its
    header says that the size is unknown, so that even what a crash leaves plays.
    A pipe or a device is written to as it is.

    Raises:
        UsageError: the path of a file does not end in .wav.
        SaveError: it cannot be written, or nobody reads the pipe.
    """

    def __init__(self, target: str | BinaryIO) -> None:
        self._path: Path | None = None
        self._part = ""
        self._pcm: PcmFormat | None = None
        self._size_bytes = 0
        self._name = "the output"
        self._special = False
        if not isinstance(target, str):
            self._file = target
            return
        self._name = target
        try:
            mode = mode_of(target)
            if mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                self._file = _open_special(target)
                self._special = True
                return
            self._path = Path(os.path.realpath(target))  # a link stays a link
            self._begin(self._path, mode)
        except OSError as error:
            raise self._failure(error) from error

    def _begin(self, path: Path, mode: int | None) -> None:
        if path.suffix.lower() != ".wav":
            raise UsageError(
                f"--save writes WAV files, not {path.suffix or 'files without an ending'!r}",
                hint="Give the file the ending .wav, or use - for stdout.",
            )
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(0, "it is a directory")
        handle, self._part = create_part(path.parent, path.stem, ".part.wav")
        self._file = os.fdopen(handle, "wb")
        if mode is not None:  # a file that is replaced keeps its permissions
            os.chmod(self._part, stat.S_IMODE(mode))

    def _failure(self, error: OSError, hint: str = "") -> SaveError:
        return SaveError(f"{self._name} cannot be written", error.strerror or str(error), hint)

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
            raise self._failure(error) from error

    def close(self) -> None:
        """Put the file in its place, with the right sizes; without any sound, leave none.

        Raises:
            SaveError: it cannot be finished.
        """
        if self._path is None:
            if self._special:
                self._file.close()
            return
        if self._file.closed:
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
            raise self._failure(error) from error
        try:
            os.replace(self._part, self._path)
        except OSError as error:
            raise self._failure(error, f"What came stands in {self._part}.") from error

    def _discard(self) -> None:
        """Leave nothing half-written."""
        if self._path is None:
            return
        try:
            self._file.close()
        except OSError:
            pass  # what it still held does not fit either
        Path(self._part).unlink(missing_ok=True)


def _open_special(target: str) -> BinaryIO:
    """Open a pipe or a device for writing; a pipe's reader may be yet to come.

    Raises:
        OSError: it cannot be opened, or nobody reads it.
    """
    ends_s = time.monotonic() + _READER_WAIT_S
    while True:
        try:
            handle = os.open(target, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
            break
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > ends_s:
                raise OSError(errno.ENXIO, "nobody reads it") from error
            time.sleep(0.02)
    if hasattr(os, "set_blocking"):
        os.set_blocking(handle, True)
    return os.fdopen(handle, "wb")


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
