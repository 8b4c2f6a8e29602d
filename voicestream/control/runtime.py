"""The user's private runtime folder: control sockets, and who holds the floor.

It is ``VOICESTREAM_RUNTIME_DIR``, or ``voicestream`` in ``$XDG_RUNTIME_DIR`` or in
``/run/user/UID``, or ``voicestream-UID`` in the folder for temporary files (which macOS makes
for each user). A verb reads these variables itself: it must not load the settings, nor
platformdirs (10 ms, and a warning where the first is not set).
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from voicestream.errors import VoicestreamError

_LONGEST_BYTES = 80
"""A socket's path has room for 104 bytes (macOS) to 108 (Linux), the file's name included."""


def runtime_folder() -> str:
    """The folder, made if it is not there: mode 0700, owned by this user, no link.

    Raises:
        VoicestreamError: it cannot be made, or somebody else could write into it.
    """
    folder = _chosen_folder()
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        found = os.lstat(folder)
    except OSError as error:
        told = f"the runtime folder {folder} cannot be used"
        raise _refused(told, error.strerror or str(error)) from error
    if not stat.S_ISDIR(found.st_mode):
        raise _refused(f"the runtime folder {folder} is no folder")
    if found.st_uid != os.getuid():
        raise _refused(f"the runtime folder {folder} is somebody else's")
    if stat.S_IMODE(found.st_mode) & 0o077:
        told = f"others may enter the runtime folder {folder}"
        raise _refused(told, hint=f"Run: chmod 700 {folder}")
    return folder


def _refused(
    told: str,
    reason: str = "",
    hint: str = "Set VOICESTREAM_RUNTIME_DIR to a folder of your own.",
) -> VoicestreamError:
    from voicestream.errors import VoicestreamError  # not loaded where all is well

    return VoicestreamError(told, reason, hint)


def _chosen_folder() -> str:
    chosen = os.environ.get("VOICESTREAM_RUNTIME_DIR", "") or _platform_folder()
    if not os.path.isabs(chosen):
        raise _refused(f"the runtime folder {chosen} is a relative path")
    if len(os.fsencode(chosen)) > _LONGEST_BYTES:
        raise _refused(f"the path of the runtime folder {chosen} is too long")
    return chosen


def _platform_folder() -> str:
    user = os.getuid()
    for base in (os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{user}"):
        if os.path.isabs(base) and _is_owned(base, user):
            return os.path.join(base, "voicestream")
    temporary = os.environ.get("TMPDIR", "")
    return os.path.join(temporary if os.path.isabs(temporary) else "/tmp", f"voicestream-{user}")


def _is_owned(folder: str, user: int) -> bool:
    """Whether it is the user's own: ``sudo -E`` leaves root the variables of another user, in
    whose folder it must make nothing."""
    try:
        found = os.stat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == user
