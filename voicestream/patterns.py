"""Regular expressions that cost nothing until they are used.

Compiling one takes 0.1 to 1 ms, and a short text needs few of them.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _Lazy:
    def __init__(self, source: str, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        method = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, method)  # found without detour from now on
        return method


def lazy_pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """Like ``re.compile``, but at the first use; wrong sources raise ``re.error`` then."""
    return cast("re.Pattern[str]", _Lazy(source, flags))
