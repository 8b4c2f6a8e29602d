"""Files that appear whole or not at all, for the user's eyes only."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(file: Path, content: str) -> None:
    """Put a text (UTF-8) in a file's place, atomically.

    A new file has mode 0600, one that is replaced keeps its mode, a link stays a link.
    What is no regular file (``/dev/stdout``, a pipe) is written to as it is.

    Raises:
        OSError: it cannot be written; what was there before still is, and nothing else.
    """
    import tempfile

    # before links are followed: that of a piped /dev/stdout leads nowhere
    if file.exists() and not file.is_file():
        file.write_text(content, encoding="utf-8")
        return
    target = Path(os.path.realpath(file))
    # mkstemp makes files of mode 0600
    handle, part = tempfile.mkstemp(prefix=f".{target.name[:100]}-", dir=target.parent)
    try:
        with open(handle, "w", encoding="utf-8") as stream:
            stream.write(content)
        if target.exists():
            os.chmod(part, target.stat().st_mode & 0o777)
        os.replace(part, target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
