"""An agent's last message from its transcript, where the event does not bring it.

A transcript has an entry a line, each a JSON object: of the type ``assistant``, with a ``message``
whose ``content`` is a list of parts, those of the type ``text`` with a ``text`` (Claude Code).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

_TAIL_BYTES = 1 << 20


def last_message(file: Path) -> str:
    """Return the text of the last message that has any; empty: there is none.

    Raises:
        OSError: the file cannot be read.
    """
    size = os.stat(file).st_size
    with open(file, "rb") as stream:  # a regular file: its size is known
        stream.seek(max(size - _TAIL_BYTES, 0))
        lines = stream.read(_TAIL_BYTES).splitlines()
    return next(filter(None, map(_text_of, reversed(lines))), "")


def _text_of(line: bytes) -> str:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):  # the first line is cut
        return ""
    if not isinstance(entry, dict) or entry.get("type") != "assistant":
        return ""
    message = entry.get("message")
    parts: Any = message.get("content") if isinstance(message, dict) else None
    if isinstance(parts, str):
        return parts
    texts = [part.get("text") for part in parts or () if _is_text(part)]
    return "\n\n".join(text for text in texts if isinstance(text, str))


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "text"
