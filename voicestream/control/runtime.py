"""The user's private runtime folder: control sockets, and who holds the floor.

A verb reads the variables that name it itself: it must not load the settings, nor platformdirs
(10 ms, and a warning where ``XDG_RUNTIME_DIR`` is not set).
"""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import os
import stat

from voicestream.control.folder import chosen_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from voicestream.errors import VoicestreamError

_LONGEST_BYTES = 80
"""A socket's path has room for 104 bytes (macOS) to 108 (Linux), the file's name included."""


def runtime_folder() -> str:
    """Return the folder, made if it is not there: mode 0700, owned by this user, no link.

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
    chosen = chosen_folder(os.environ)
    if not os.path.isabs(chosen):
        raise _refused(f"the runtime folder {chosen} is a relative path")
    if len(os.fsencode(chosen)) > _LONGEST_BYTES:
        raise _refused(f"the path of the runtime folder {chosen} is too long")
    return chosen
