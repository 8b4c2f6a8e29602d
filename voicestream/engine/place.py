"""Where the engine listens, and how both sides know each other.

Imports next to nothing: every ``say`` comes by here.
"""

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import os

from voicestream.control.folder import chosen_folder, owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PROTOCOL = 1
VERSION = "0.1.0"
"""Of the package: its metadata would take 20 ms to read. A test holds it to them."""
MOST_BYTES = 4 << 20
"""A longer call is not handed over: arguments and environment have room for as much (execve(2))."""


def engine_folder(environ: "Mapping[str, str]") -> str:
    """Return the folder of the engine's sockets, which need not be there."""
    return f"{chosen_folder(environ)}/engine"


def forwarded_path(folder: str) -> str:
    """Return the path of the socket that may be forwarded: in a folder of its own, which can be
    mounted into a container."""
    return f"{folder}/forward/engine.sock"


def is_private(folder: str) -> bool:
    """Return whether a folder is this user's, and nobody else can put anything into it."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return owner(folder) == os.getuid() and found.st_mode & 0o170077 == 0o040000


def greeting() -> bytes:
    """Return what an engine says first, before its process number: who says otherwise is another
    one."""
    home = os.fsencode(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    encoding = sys.getfilesystemencoding()
    return f"voicestream-engine {PROTOCOL} {VERSION} {sys.hexversion:x} {encoding} ".encode() + home
