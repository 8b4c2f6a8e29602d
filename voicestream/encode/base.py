"""What an encoder is, and which there are; none of them is loaded before it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

from voicestream.records import dataclass

if TYPE_CHECKING:  # numpy would delay the first request
    from voicestream.pcm import Frames16, PcmFormat

FILES = {
    ".wav": "wav",
    ".mp3": "mp3",
    ".flac": "flac",
    ".opus": "opus",
    ".ogg": "opus",
    ".m4a": "m4a",
}
"""The ending of a file's name -> the format it is written in."""


@dataclass(frozen=True, slots=True)
class Tags:
    """What a file says of itself; players show the voice as its artist."""

    title: str = ""
    voice: str = ""


class Encoder(Protocol):
    """16-bit frames in, bytes of one format out, to where it was opened for. Used by one thread
    at a time, and not any more once a call has failed."""

    def write(self, frames: Frames16) -> None:
        """Add frames of shape ``(frames, channels)``.

        Raises:
            OSError: the target cannot be written.
        """

    def close(self) -> None:
        """Write what is left; the target stays open. Called once, last.

        Raises:
            OSError: the target cannot be written.
        """


class Sending:
    """A target that cannot go back to what it wrote, such as a pipe."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target

    def write(self, data: bytes) -> int:
        self._target.write(data)
        self._target.flush()
        return len(data)


def load_encoder(form: str) -> None:
    """Load what ``form`` needs, which may take 50 ms, before there is any sound."""
    if form not in ("pcm", "wav"):
        import voicestream.encode.codecs  # noqa: F401


def open_encoder(
    form: str, pcm: PcmFormat, target: BinaryIO | Sending, tags: Tags | None = None
) -> Encoder:
    """Return the encoder of one sound.

    Args:
        form: ``pcm``, ``wav``, ``mp3``, ``opus``, ``aac``, ``flac`` or ``m4a``.
        pcm: what comes.
        target: a file that is written from its beginning, or where bytes are sent as they come.

    Raises:
        OSError: the target cannot be written.
    """
    if form in ("pcm", "wav"):
        from voicestream.encode.wav import WavEncoder

        return WavEncoder(pcm, target, tags, header=form == "wav")
    from voicestream.encode.codecs import CodecEncoder

    return CodecEncoder(form, pcm, target, tags)
