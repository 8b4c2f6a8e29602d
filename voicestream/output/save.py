"""The sound as a file that appears whole or, interrupted, playable."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from voicestream.encode.base import FILES, Encoder, Sending, Tags, load_encoder, open_encoder
from voicestream.errors import ReaderGoneError, SaveError, UsageError
from voicestream.files import create_part, mode_of, no_folder, open_special
from voicestream.records import replace

if TYPE_CHECKING:  # numpy would delay the first request
    from voicestream.pcm import Frames16, PcmFormat

_WRITE_S = 0.2
"""How long a signal's clean-up waits for a write that goes on."""


class Saver:
    """Writes frames to ``target``: a file, in the format that its ending names, or a stream.

    A file is written beside its place and put there by ``close``. A pipe or a device is
    written to as it is, a WAV file unless its ending says otherwise.

    Args:
        tags: what the file says of itself; without a title, the beginning of the text.
        whole: what is not whole gets another name, ``NAME.part.ENDING``.

    Raises:
        UsageError: the ending of a file's name is none that can be written.
        SaveError: it cannot be written, or nobody reads the pipe.
    """

    def __init__(
        self, target: str | BinaryIO, tags: Tags | None = None, *, whole: bool = False
    ) -> None:
        self._tags = tags or Tags()
        self._whole = whole
        self._path: Path | None = None
        self._part = ""
        self._form = "wav"
        self._encoder: Encoder | None = None
        self._name = "the output"
        self._special = False
        self._closed = False
        # a signal may close it beside the thread that writes
        self._writing = threading.RLock()
        self.torso: Path | None = None
        """Where what is not whole is kept, once it is closed."""
        if not isinstance(target, str):
            self._file = target
            return
        self._name = target
        try:
            mode = mode_of(target)
            self._special = mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
            if self._special:
                self._form = FILES.get(Path(target).suffix.lower(), "wav")
                self._file = os.fdopen(open_special(target), "wb")
                return
            self._path = Path(os.path.realpath(target))  # a link stays a link
            self._form = file_format(self._path, target)
            self._begin(self._path, mode)
        except OSError as error:
            raise self._failure(error) from error

    def _begin(self, path: Path, mode: int | None) -> None:
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(0, "it is a directory")
        handle, self._part = create_part(path.parent, path.stem, f".part{path.suffix}")
        self._file = os.fdopen(handle, "wb")
        if mode is not None:  # a file that is replaced keeps its permissions
            os.chmod(self._part, stat.S_IMODE(mode))

    def _failure(self, error: OSError, hint: str = "") -> SaveError:
        if self._path is not None:
            hint = hint or no_folder(self._path)
        return SaveError(f"{self._name} cannot be written", error.strerror or str(error), hint)

    def prepare(self) -> None:
        """Any thread, before ``open``: load the encoder."""
        load_encoder(self._form)

    def open(self, pcm: PcmFormat, text: str = "") -> None:
        """Begin, now that the format is known.

        Args:
            text: the beginning of what is said.

        Raises:
            SaveError: the disk is full.
            ReaderGoneError: nobody reads the stream any more.
        """
        tags = self._tags
        if not tags.title:
            tags = replace(tags, title=title_of(text))
        target = self._file if self._path else Sending(self._file)
        with self._writing:
            if not self._closed:
                self._try(lambda: self._open(pcm, target, tags))

    def _open(self, pcm: PcmFormat, target: BinaryIO | Sending, tags: Tags) -> None:
        self._encoder = open_encoder(self._form, pcm, target, tags)

    def write(self, frames: Frames16) -> None:
        """Add frames.

        Raises:
            SaveError: the disk is full; what was written is removed.
            ReaderGoneError: nobody reads the stream any more.
        """
        with self._writing:
            if self._encoder is not None:
                encoder = self._encoder
                self._try(lambda: encoder.write(frames))

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BrokenPipeError as error:
            raise ReaderGoneError("nobody reads the output any more") from error
        except OSError as error:
            self._discard()
            raise self._failure(error) from error

    def close(self, complete: bool = False) -> None:
        """Put the file in its place, with the right sizes; without any sound, leave none.

        Args:
            complete: all that was to be said is in it.

        Raises:
            SaveError: it cannot be finished.
        """
        if not self._writing.acquire(timeout=_WRITE_S):
            return  # a write waits for whoever reads a pipe
        try:
            if not self._closed:
                self._closed = True
                self._close(complete)
        finally:
            self._writing.release()

    def _close(self, complete: bool) -> None:
        encoder = self._encoder
        if encoder is None and self._path is not None:
            self._discard()
            return
        if encoder is not None:
            self._try(encoder.close)
        if self._path is not None or self._special:
            self._try(self._file.close)
        if self._path is not None:
            self._put(self._path, complete)

    def _put(self, path: Path, complete: bool) -> None:
        if self._whole and not complete:
            path = self.torso = path.with_name(f"{path.stem}.part{path.suffix}")
        try:
            os.replace(self._part, path)
        except OSError as error:
            raise self._failure(error, f"What came stands in {self._part}.") from error

    def _discard(self) -> None:
        """Leave nothing half-written."""
        self._encoder, self._closed = None, True
        if self._path is None:
            return
        try:
            self._file.close()
        except OSError:
            pass  # what it still held does not fit either
        Path(self._part).unlink(missing_ok=True)


def file_format(path: Path, name: str) -> str:
    """Return the format that the ending of a file's name stands for.

    Args:
        name: what the user calls it.

    Raises:
        UsageError: it stands for none.
    """
    ending = path.suffix
    if ending.lower() not in FILES:
        if path.is_dir():
            raise UsageError(f"{name} is a folder", hint=f"Name a file in it: {path / 'sound.mp3'}")
        named = f"{name} ends in {ending}" if ending else f"{name} has no ending"
        known = ", ".join(FILES)
        raise UsageError(
            f"{named}, which is no kind of sound", hint=f"These are: {known}. - is stdout."
        )
    return FILES[ending.lower()]


def title_of(text: str) -> str:
    """Return the beginning of a text, as a title."""
    from textwrap import shorten

    return shorten(text, 80, placeholder="…").rstrip(",;:–— ")
