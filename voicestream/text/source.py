"""Where text comes from: an argument, a file, or a pipe that is still being written."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from voicestream.errors import UsageError
from voicestream.text.encoding import HEAD_BYTES, TextDecoder, check_text, encoding_of
from voicestream.waiting import Interrupt, read_chunks

READ_MAX_BYTES = 65536
"""An upper bound on one read, never a reason to wait."""


def read_pieces(
    stream: BinaryIO,
    *,
    interrupt: Interrupt | None = None,
    on_doubt: Callable[[str], None] | None = None,
    chunk_bytes: int = READ_MAX_BYTES,
) -> Iterator[str]:
    """Yield the text of a stream, as it comes and not later.

    Args:
        stream: with a file descriptor it is read past its buffer, so it must not
            have been read from before; without one, ``read1`` or ``read`` is used.
        interrupt: ends a read that waits; what came until then has been given out.
        on_doubt: called once, with a sentence for the user, if the encoding is not certain.
        chunk_bytes: an upper bound on one read.

    Raises:
        OSError: the stream cannot be read.
        UsageError: it is no text.
    """
    name = getattr(stream, "name", "")
    decoder = TextDecoder(on_doubt, name if isinstance(name, str) and name[:1] != "<" else "")
    for data in read_chunks(stream, interrupt, chunk_bytes):
        if text := decoder.feed(data):
            yield text
    if text := decoder.flush():
        yield text


def open_file(path: str | Path) -> BinaryIO:
    """Open a file to read text from.

    Raises:
        UsageError: there is no such file, it cannot be read, or it is no text.
    """
    hint = "Name a text file."
    try:
        if Path(path).is_dir():
            raise UsageError(f"{path} is a folder", hint=hint)
        stream = Path(path).open("rb", buffering=0)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise UsageError(f"cannot read {path}", error.strerror or str(error), hint) from error
    try:
        if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):  # a pipe's bytes come once
            head = stream.read(HEAD_BYTES)
            check_text(head, str(path), encoding_of(head, final=True) or "utf-8")
            stream.seek(0)
    except OSError as error:
        stream.close()
        raise UsageError(f"cannot read {path}", error.strerror or str(error), hint) from error
    except UsageError:
        stream.close()
        raise
    return stream


def argument(text: str, on_doubt: Callable[[str], None]) -> str:
    """Return the text of a command line's argument, whose bytes need not be UTF-8, nor text at all.

    Raises:
        UsageError: they are no text.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError:  # such bytes come as halves of characters
        data = os.fsencode(text)
    return text if text.isprintable() else TextDecoder(on_doubt).feed(data, final=True)
