"""Replies that are kept on this disk, so that nothing is asked for twice.

One file a reply in a folder that is the user's alone: a line of JSON (what was said, by which
voice), then the bytes as the endpoint sent them. The name is a digest of all that shapes the
sound; a key is neither in it nor in the file. A file appears whole or not at all, so any number
of processes may read and write at once, and be killed at any time; no lock is held. What was
used least recently goes when there is no room. The folder may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voicestream.files import create_part, read_bounded
from voicestream.notices import Notify, unheeded
from voicestream.records import dataclass, fields
from voicestream.settings.sources import user_cache_folder

try:  # hashlib would load OpenSSL, which takes 6 ms on the way to the first sound
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

_VERSION = 1
_MOST_HEAD_BYTES = 64 << 10
_ENDING, _PART_ENDING = ".reply", ".part"
_SEEN = "seen"
_MARK_BYTES, _MARKS = 8, 1024
_KINDS: dict[str, Any] = {"rate_hz": int | None, "channels": int | None}
"""Of the fields of a head that are no text."""
_FORGOTTEN_S = 600.0
"""A file that was begun so long ago and is not whole was left by a process that was killed."""


def digest(*shaping: object) -> str:
    """Return the name of a reply: hexadecimal, of all that shapes its sound."""
    written = json.dumps([_VERSION, *shaping], sort_keys=True)
    return blake2b(written.encode(), digest_size=20).hexdigest()


@dataclass(frozen=True, slots=True)
class About:
    """What a kept reply is. ``rate_hz`` and ``channels`` are those that the reply named."""

    text: str
    endpoint: str
    model: str
    voice: str
    format: str
    content_type: str
    rate_hz: int | None
    channels: int | None


_NAMES = tuple(known.name for known in fields(About))


@dataclass(frozen=True, slots=True)
class Kept:
    """A reply as ``voicestream cache list`` shows it."""

    about: About
    size_bytes: int
    used_s: float
    """When it was said last: seconds since 1970."""


class Cache:
    """The kept replies. Its methods may be called by any thread, and by many processes.

    None but the last two raises for what a disk does: what cannot be read is not there, what
    cannot be written is not kept.

    Args:
        most_bytes: of all files together.
        folder: instead of the user's.
        tell: told why a reply could not be kept, each time.
    """

    def __init__(
        self, most_bytes: int, folder: Path | None = None, tell: Notify = unheeded
    ) -> None:
        self._most_bytes = most_bytes
        self.most_reply_bytes = most_bytes // 4
        """A longer reply is not kept."""
        self.folder = folder or user_cache_folder("speech")
        self._tell = tell
        self._first_trouble = iter((True,))  # taken by one thread: what fails fails each time

    def holds(self, key: str) -> bool:
        """Return whether there is a reply of this name, perhaps a damaged one."""
        return os.path.exists(self._file(key))

    def find(self, key: str) -> tuple[About, bytes] | None:
        """Return a reply and its bytes; None where there is none, or it is damaged.

        It counts as used.
        """
        file = self._file(key)
        try:
            content = read_bounded(Path(file), self._most_bytes, wait_s=0.0)
            found = _taken_apart(content)
            if found is None:
                os.unlink(file)  # so that it is fetched anew, and kept
            else:
                os.utime(file)
        except OSError:
            return None
        return found

    def begin(self, key: str, about: About, sound: bytes) -> Path | None:
        """Write a reply beside its place; None where there is no room for it.

        ``keep`` puts it there, or the caller removes it.
        """
        head = {**{name: getattr(about, name) for name in _NAMES}, "size": len(sound)}
        line = json.dumps({**head, "crc": zlib.crc32(sound)}).encode() + b"\n"
        size = len(line) + len(sound)
        if size > self.most_reply_bytes:
            return None
        try:
            self._open_folder()
            self._make_room(size)
            handle, part = create_part(self.folder, key, _PART_ENDING, 0o600)
            try:
                with open(handle, "wb") as file:
                    file.write(line)
                    file.write(sound)
            except BaseException:
                Path(part).unlink(missing_ok=True)
                raise
        except OSError as error:
            self._tell_of(error)
            return None
        return Path(part)

    def keep(self, key: str, part: Path) -> None:
        """Put a reply that was begun in its place; quick."""
        try:
            os.replace(part, self._file(key))
        except OSError as error:
            self._tell_of(error)

    def drop(self, key: str) -> None:
        """Forget one reply."""
        _remove(self._file(key))

    def was_seen(self, key: str) -> bool:
        """Return whether this was called with ``key`` before, as far as is remembered.

        Of what was said once nothing is on the disk but eight bytes of its digest, which the
        next one with the same place overwrites.
        """
        mark = bytes.fromhex(key)[:_MARK_BYTES]
        place = int(key[-6:], 16) % _MARKS * _MARK_BYTES
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        try:
            self._open_folder()
            handle = os.open(self.folder / _SEEN, flags, 0o600)
            try:
                os.lseek(handle, place, os.SEEK_SET)
                if os.read(handle, _MARK_BYTES) == mark:
                    return True
                os.lseek(handle, place, os.SEEK_SET)
                os.write(handle, mark)
            finally:
                os.close(handle)
        except OSError as error:
            self._tell_of(error)
        return False

    def entries(self) -> list[Kept]:
        """Return all replies, what was used last first.

        Raises:
            OSError: the folder cannot be read; so does ``clear``.
        """
        found: list[Kept] = []
        for path, size_bytes, used_s in self._files():
            if path.endswith(_ENDING) and (about := _about_in(path)) is not None:
                found.append(Kept(about, size_bytes, used_s))
        return sorted(found, key=lambda kept: -kept.used_s)

    def clear(self) -> int:
        """Forget everything; return how many replies that were."""
        count = 0
        for path, _, _ in self._files():
            count += _remove(path) and path.endswith(_ENDING)
        _remove(str(self.folder / _SEEN))
        return count

    def _tell_of(self, error: OSError) -> None:
        if next(self._first_trouble, False):
            self._tell(f"replies cannot be kept in {self.folder}: {error.strerror or error}")

    def _file(self, key: str) -> str:
        return f"{self.folder}{os.sep}{key}{_ENDING}"

    def _open_folder(self) -> None:
        """Make the folder.

        Raises:
            OSError: it cannot be made, or somebody else could write into it.
        """
        os.makedirs(self.folder.parent, exist_ok=True)
        try:
            os.mkdir(self.folder, 0o700)
        except FileExistsError:
            found = os.lstat(self.folder)
            if sys.platform != "win32" and (found.st_uid != os.getuid() or found.st_mode & 0o022):
                raise PermissionError(f"others may write into {self.folder}") from None

    def _files(self) -> Iterator[tuple[str, int, float]]:
        """Path, bytes and time of the last use of each file."""
        if not self.folder.is_dir():
            return
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith((_ENDING, _PART_ENDING)):
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except OSError:  # it has just gone
                        continue
                    yield entry.path, found.st_size, found.st_mtime

    def _make_room(self, size_bytes: int) -> None:
        """Remove what was used least recently until ``size_bytes`` more fit."""
        files = sorted(self._files(), key=lambda file: file[2])
        used_bytes = sum(size for _, size, _ in files)
        stale_s = time.time() - _FORGOTTEN_S
        for path, size, used_s in files:
            left_over = path.endswith(_PART_ENDING) and used_s < stale_s
            if left_over or used_bytes + size_bytes > self._most_bytes:
                _remove(path)
                used_bytes -= size


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:  # another process was first, or the folder is read-only
        return False
    return True


def _taken_apart(content: bytes) -> tuple[About, bytes] | None:
    """Return what a file holds; None if it is damaged."""
    line, _, sound = content.partition(b"\n")
    head = _head(line)
    if head is None or head.get("size") != len(sound) or head.get("crc") != zlib.crc32(sound):
        return None
    return _about(head), sound


def _about_in(path: str) -> About | None:
    try:
        with open(path, "rb") as file:
            head = _head(file.readline(_MOST_HEAD_BYTES))
    except OSError:
        return None
    return None if head is None else _about(head)


def _head(line: bytes) -> dict[str, Any] | None:
    """Return the first line of a file; None if it is none of ours."""
    try:
        head = json.loads(line)
        right = all(isinstance(head[name], _KINDS.get(name, str)) for name in _NAMES)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return head if right else None


def _about(head: dict[str, Any]) -> About:
    return About(**{name: head[name] for name in _NAMES})
