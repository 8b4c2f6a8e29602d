"""Takes keys out of every text that is told: errors, warnings, settings.

Servers repeat the key they were sent, in spellings of their own. Errors pass through here when
they are made, so no boundary has to think of it.
"""

from __future__ import annotations

import re
from functools import lru_cache

SHOWN = "(the key)"
_SHORTEST = 8
"""Characters. A shorter key would be found in words that are none."""
_known: set[str] = set()


def remember_key(key: str) -> None:
    """From now on this key is taken out of whatever is told in this process."""
    if len(key) >= _SHORTEST:
        _known.add(key)


def redacted(text: str) -> str:
    """The text without any key that is known."""
    for key in sorted(_known, key=len, reverse=True):
        text = without_key(text, key)
    return text


def without_key(text: str, key: str) -> str:
    """The text without the key, as it stands and as JSON, URLs, HTML and base64 spell it."""
    return _spellings(key).sub(SHOWN, text) if key else text


@lru_cache(maxsize=64)
def _spellings(key: str) -> re.Pattern[str]:
    from base64 import b64encode

    found = ["".join(map(_character, key))]
    data = key.encode("utf-8", "surrogateescape")
    if len(data) >= _SHORTEST:
        for start in range(3):
            # the first characters and the last ones depend on the neighbours
            whole = b64encode(bytes(start) + data).decode()
            inner = whole[(0, 2, 3)[start] : (start + len(data)) // 3 * 4]
            either = re.escape(inner).replace(r"\+", "[+-]").replace("/", "[/_]")
            found.append(rf"{either}[\w+/=-]{{0,4}}")
    return re.compile("|".join(found))


def _character(character: str) -> str:
    """Matches one character of a key in any spelling."""
    data = character.encode("utf-8", "surrogateescape")
    code = ord(character)
    percent = "".join(f"%{byte:02x}" for byte in data)
    return (
        rf"(?:\\?{re.escape(character)}|(?i:\\+u{code:04x}|\\+x{code:02x}|{percent})"
        rf"|(?i:&\#0*{code};|&\#x0*{code:x};))"
    )
