"""Where the user's runtime folder is. Imports nothing: it is on the shortest way to an engine."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def chosen_folder(environ: "Mapping[str, str]") -> str:
    """Return the path of the folder, which need not be there.

    It is ``VOICESTREAM_RUNTIME_DIR``, or ``voicestream`` in ``$XDG_RUNTIME_DIR`` or in
    ``/run/user/UID``, or ``voicestream-UID`` in the folder for temporary files (which macOS makes
    for each user).
    """
    return environ.get("VOICESTREAM_RUNTIME_DIR", "") or _platform_folder(environ)


def _platform_folder(environ: "Mapping[str, str]") -> str:
    user = os.getuid()  # type: ignore[attr-defined,unused-ignore]  # not on Windows
    for base in (environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{user}"):
        if os.path.isabs(base) and owner(base) == user:
            return os.path.join(base, "voicestream")
    temporary = environ.get("TMPDIR", "")
    return os.path.join(temporary if os.path.isabs(temporary) else "/tmp", f"voicestream-{user}")


def owner(folder: str) -> int:
    """Return the user whose folder it is; -1: it is none. ``sudo -E`` leaves root the variables of
    another user, in whose folder it must make nothing."""
    try:
        found = os.stat(folder)
    except OSError:
        return -1
    return found.st_uid if found.st_mode & 0o170000 == 0o040000 else -1
