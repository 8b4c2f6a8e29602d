"""The first stage: what is neither spoken nor shown is taken out as the text comes in."""

from __future__ import annotations

from voicestream.patterns import lazy_pattern
from voicestream.printable import DIRTY, strip_escapes, strip_invisible, strip_joiners

# At the end these wait: for a backspace and what is printed over them, or for a line end.
_STRUCK = ("_", "+", "\b", "\u00ad")
_WAITS = lazy_pattern(r"(?:[_+]|[_+]?\x08[_+\x08]{0,62}|\u00ad)\Z")
_OVERSTRIKE = lazy_pattern(r"(?<=([^\s\x08\u00ad]))\x08{1,2}(?:\1|_)|[_+]\x08{1,2}(?=[^\s\x08])")
_DIVIDING = lazy_pattern("\u00ad(?=\n)")  # a soft hyphen that shows
_JOINERS = ("\u200c", "\u200d")


class Cleaner:
    """Controls and escape sequences out, every line end a line feed.

    Tabs and line feeds stay. However the text is cut, the results joined are
    the same. Used by one thread.
    """

    def __init__(self) -> None:
        self._held = ""  # an unfinished escape sequence
        self._joint = ""  # joiners that wait for the character after them
        self._last = ""  # the last character given out, to judge a joiner by
        self._raw = "\n"  # the last character that came, outside of escape sequences
        self._after_return = False

    def feed(self, text: str) -> str:
        """Take the next text; return what of it is known to be clean."""
        if not self._held and not self._joint and not self._after_return:
            if DIRTY.search(text) is None and not text.endswith(_STRUCK):
                if text:
                    self._last = self._raw = text[-1]
                return text
        elif not text:
            return ""
        return self._clean(text, final=False)

    def flush(self) -> str:
        """Return what was held back: the text has ended."""
        return self._clean("", final=True)

    def _clean(self, text: str, final: bool) -> str:
        raw, self._held = strip_escapes(self._held + text, final)
        if not final and (waits := _WAITS.search(raw, max(0, len(raw) - 64))):
            self._held, raw = raw[waits.start() :] + self._held, raw[: waits.start()]
        text = self._line_ends(self._overstruck(raw))
        return self._joiners(strip_invisible(_DIVIDING.sub("-", text)), final)

    def _overstruck(self, raw: str) -> str:
        """``N BS N`` and ``_ BS N`` -> ``N``: how a printer was made to print bold."""
        before, self._raw = self._raw, raw[-1:] or self._raw
        if "\b" not in raw:
            return raw
        return _OVERSTRIKE.sub("", before + raw)[len(before) :]

    def _line_ends(self, text: str) -> str:
        """CR LF and CR -> LF, at once: a CR at the very end does not wait for its LF."""
        if not text:
            return text
        if self._after_return and text[0] == "\n":
            text = text[1:]
            self._after_return = False
            if not text:
                return text
        self._after_return = text[-1] == "\r"
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _joiners(self, text: str, final: bool) -> str:
        """Judge ZWJ and ZWNJ by both neighbours; a last one waits for the next character."""
        text = self._joint + text
        self._joint = ""
        if not final and text.endswith(_JOINERS):
            end = len(text.rstrip("\u200c\u200d"))
            self._joint = text[end:][-2:]  # two are as wrong as many
            text = text[:end]
        # The character before never is a joiner, so it survives and can be cut off again.
        kept = strip_joiners(self._last + text)[len(self._last) :]
        if kept:
            self._last = kept[-1]
        return kept
