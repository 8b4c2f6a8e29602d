"""Files that are read within bounds, and appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections import deque
from pathlib import Path

from voicestream.waiting import wait_ready

PIPE_WAIT_S = 5.0
"""How long a pipe may take to deliver a small file (a password manager answers through one)."""
READER_WAIT_S = 10.0
"""How long a pipe may be without a reader before that is an error."""
_CHUNK_BYTES = 1 << 16
_latest_part: deque[str] = deque(maxlen=1)


def read_bounded(file: Path, most_bytes: int, wait_s: float = PIPE_WAIT_S) -> bytes:
    """Read a file that may be anything: a pipe that nobody writes, a device without an end.

    Args:
        wait_s: how long a pipe or a terminal may take altogether.

    Raises:
        OSError: it cannot be read, holds more than ``most_bytes``, or took longer.
    """
    # O_NONBLOCK: to open a pipe would wait for its writer
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(file, flags)
    try:
        status = os.fstat(handle)
        regular = stat.S_ISREG(status.st_mode)
        pieces: list[bytes] = []
        size_bytes = 0
        ends_s = time.monotonic() + wait_s
        while status.st_size <= most_bytes >= size_bytes:
            if not regular:
                _wait_readable(handle, ends_s)
            # a regular file comes whole, and is copied no more
            piece = os.read(handle, max(_CHUNK_BYTES, status.st_size if regular else 0))
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            size_bytes += len(piece)
        raise OSError(errno.EFBIG, f"it holds more than {most_bytes >> 10} KiB")
    finally:
        os.close(handle)


def _wait_readable(handle: int, ends_s: float) -> None:
    if sys.platform != "win32":  # there only sockets can be waited for
        if not wait_ready([handle], wait_s=ends_s - time.monotonic()):
            raise OSError(errno.ETIMEDOUT, "nothing came from it in time")


def create_part(folder: Path, stem: str, suffix: str, mode: int = 0o666) -> tuple[int, str]:
    """Create the file that will take another's place; of ``mode`` remains what the umask allows.

    Returns:
        Its descriptor, open for reading and writing, and its path.

    Raises:
        OSError: it cannot be created.
    """
    # 30 characters of four bytes leave room: a name has 255 bytes
    part = folder / f".{stem[:30]}-{os.urandom(4).hex()}{suffix}"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    _latest_part.append(str(part))  # first: a signal may come before the next line is done
    return os.open(part, flags, mode), str(part)


def remove_latest_part() -> None:
    """Remove the file that ``create_part`` made last, unless it is in its place already.

    For a process that ends so early that nobody has taken charge of it.
    """
    for part in _latest_part:
        Path(part).unlink(missing_ok=True)


def check_place(file: Path) -> None:
    """Find out, without writing, whether there is a folder in which ``file`` can be put.

    Raises:
        OSError: ``write_whole`` would fail.
    """
    mode = mode_of(file)
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if mode is not None and not stat.S_ISREG(mode):
        return
    folder = os.path.dirname(os.path.realpath(file))
    os.stat(os.path.join(folder, ""))  # the separator refuses what is no folder
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def no_folder(file: str | Path) -> str:
    """Return what to do about a file whose folder does not exist; empty where it does."""
    folder = Path(os.path.realpath(file)).parent
    return "" if folder.exists() else f"There is no folder {folder}; make it first."


def write_whole(file: Path, content: str, new_mode: int = 0o666) -> None:
    """Put a text (UTF-8) in a file's place, atomically, with the line ends that it has.

    A new file has of ``new_mode`` what the umask allows, one that is replaced keeps its mode,
    a link stays a link. What is no regular file (``/dev/stdout``, a pipe) is written to as it is.

    Raises:
        OSError: it cannot be written; what was there before still is, and nothing else.
    """
    mode = mode_of(file)
    # before links are followed: that of a piped /dev/stdout leads nowhere
    if mode is not None and not stat.S_ISREG(mode):
        with open(open_special(file), "w", encoding="utf-8", newline="") as stream:
            stream.write(content)
        return
    target = Path(os.path.realpath(file))
    handle, part = create_part(target.parent, target.name, "", new_mode)
    try:
        with open(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(content)
        if mode is not None:
            os.chmod(part, stat.S_IMODE(mode))
        os.replace(part, target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def with_ends_of(before: str, content: str) -> str:
    """Return ``content`` with CRLF at the ends of lines, if ``before`` has that."""
    content = content.replace("\r\n", "\n")
    return content.replace("\n", "\r\n") if "\r\n" in before else content


def open_special(file: str | Path, more_flags: int = 0) -> int:
    """Open what may be a pipe or a device for writing; a pipe's reader may be yet to come.

    Args:
        more_flags: of ``os.open``, beside those for writing.

    Raises:
        OSError: it cannot be opened, or nobody reads it.
    """
    flags = os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | more_flags
    ends_s = time.monotonic() + READER_WAIT_S
    while True:
        try:
            handle = os.open(file, flags, 0o600)
            break
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > ends_s:
                raise OSError(errno.ENXIO, "nobody reads it") from error
            time.sleep(0.02)
    if hasattr(os, "set_blocking"):
        os.set_blocking(handle, True)
    return handle


def write_state(file: Path, content: str) -> None:
    """Like ``write_whole``, for the user's eyes only; its folder is made if there is none.

    Raises:
        OSError: it cannot be written, or is no regular file: a pipe would wait for a reader.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = mode_of(file)
    if mode is not None and not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    write_whole(file, content, 0o600)


def mode_of(file: str | Path) -> int | None:
    """Type and permissions of a file, links followed; None: there is none.

    Raises:
        OSError: its name is too long, its links go in a circle, or it cannot be looked at.
    """
    try:
        return os.stat(file).st_mode
    except FileNotFoundError:
        return None
