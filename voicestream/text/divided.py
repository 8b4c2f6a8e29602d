"""Words that were divided at the end of a line, whole again."""

from __future__ import annotations

from voicestream.patterns import lazy_pattern

_SEEN = 80
"""Characters of the line before that are kept to judge by."""
_WRAPPED = 30
"""A line of so many characters was filled, so its last word may be divided."""

_HYPHEN = lazy_pattern(r"(?<=[^\W\d_])[-\u2010](?=[ \t]*(?:\n|\Z))")
_GAP = lazy_pattern(r"[-\u2010][ \t]*\n[ \t>]*")
_OPEN = lazy_pattern(r"[-\u2010][ \t]*(?:\n[ \t>]*[^\W\d_]{0,4})?\Z")
_PART = lazy_pattern(r"[\w-]+\Z")
# "Vor-\nund Nachteile": the hyphen stands for the rest of a word.
_SUSPENDED = lazy_pattern(r"(?:and|or|to|und|oder|bzw|bis|et|ou|y|o|e|en|of|och|og|eller)\b")
# Parts of words that keep their hyphen more often than not.
_COMPOUND = frozenset("self well ex non half high low long short full much ever all cross".split())


class DividedWords:
    """Joins ``hyphen-`` and ``ated`` of the next line; ``well-`` and ``known`` keep the hyphen.

    A word is divided by a hyphen between a letter and a line end if the next line
    goes on with a small letter. Used by one thread.
    """

    def __init__(self) -> None:
        self._held = ""  # from a hyphen on that may divide a word
        self._line = ""  # the end of what came before that

    def feed(self, text: str) -> str:
        """Take the next text; return what of it is certain."""
        if not self._held and "-" not in text and "\u2010" not in text:
            self._line = (self._line + text)[-_SEEN:]
            return text
        return self._join(text, final=False)

    def flush(self) -> str:
        """Return what was held back: the text has ended."""
        return self._join("", final=True)

    def settle(self) -> str:
        """Return what was held back: the writer pauses, and a hyphen at the end of a line is
        one."""
        return self.flush() if "\n" in self._held else ""

    def _join(self, text: str, final: bool) -> str:
        text = self._line + self._held + text
        begin = at = len(self._line)
        self._held = ""
        parts: list[str] = []
        while (found := _HYPHEN.search(text, at)) is not None:
            here = found.start()
            if not final and _OPEN.match(text, here):
                self._held = text[here:]
                text = text[:here]
                break
            gap = _GAP.match(text, here)
            if gap is None or not text[gap.end() : gap.end() + 1].islower():
                at = found.end()
                continue
            if _SUSPENDED.match(text, gap.end()):
                at = gap.end()
                continue
            parts += text[begin:here], self._hyphen(text, here)
            begin = at = gap.end()
        parts.append(text[begin:])
        self._line = text[-_SEEN:]
        return "".join(parts)

    @staticmethod
    def _hyphen(text: str, at: int) -> str:
        """Return what is left of the hyphen at this index."""
        part = _PART.search(text[max(0, at - _SEEN) : at])
        line = text[max(text.rfind("\n", 0, at) + 1, at - _SEEN) : at]
        whole = part is None or "-" in part[0] or part[0].lower() in _COMPOUND
        return "-" if whole or len(line) < _WRAPPED else ""
