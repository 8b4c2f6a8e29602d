"""What the Markdown filter gives out: blanks and line ends put right on the way."""

from __future__ import annotations

_GLUED = frozenset(".,;:!?)]}…。，、；：！？")
_WRAP_MIN = 50
"""A line of so many characters was probably wrapped, not ended."""


def is_wide(char: str) -> bool:
    """Return whether this is a character of a script without blanks between words (Chinese,
    Japanese), or Korean."""
    return char >= "\u3040" and (
        char <= "\u30ff"
        or "\u3400" <= char <= "\u9fff"
        or "\uac00" <= char <= "\ud7af"
        or "\uff00" <= char <= "\uffef"
        or "\U00020000" <= char <= "\U0003ffff"
    )


class Writer:
    """Collects plain text.

    Blanks at the ends of lines vanish, what was dropped leaves one blank, never
    more than two line feeds follow each other, none come first, and the line
    end inside of a wrapped paragraph becomes a blank.
    """

    def __init__(self) -> None:
        self.gap = ""  # blanks not yet given out
        self.glue = False  # something was dropped here: one blank is enough
        self.trailing = 0  # blanks since the last character that is none
        self.soft = False  # a line end that may turn out to be a blank
        self.marked = False  # this line began with a mark: it continues nothing
        self.quote = False  # this line is quoted
        self.line_chars = 0
        self.tail = "\n"  # the last character given out
        self._out: list[str] = []
        self._feeds = 2  # line feeds since the last text; none come first
        self._wrapped_chars = 0  # length of the line before
        self._was_quote = False

    def take(self) -> str:
        """Return what was collected since the last time."""
        text = "".join(self._out)
        self._out.clear()
        return text

    def passed(self, text: str, blank: str) -> None:
        """Note text that was given out without ``say``, what waited before it included; a blank may
        follow."""
        self.gap, self.trailing = blank, len(blank)
        self.tail = text[-1]
        self.line_chars += len(text)
        self._feeds = 0

    def say(self, text: str) -> None:
        """Give out text that stands in a line."""
        if not text:
            return
        if self.soft:
            self._resolve(text[0])
        if self.tail not in " \n":
            if self.gap and not (self.glue and text[0] in _GLUED):
                self._out.append(self.gap)
                self.line_chars += len(self.gap)
            elif self.glue and not self.gap and text[0].isalnum():
                self._out.append(" ")
                self.line_chars += 1
        self.glue = False
        self._out.append(text)
        self.passed(text, "")

    def blank(self, blanks: str) -> None:
        """Blanks in the source; given out only if text follows in the line."""
        self.trailing += len(blanks)
        self.gap = (self.gap + blanks)[: 1 if self.glue else 8]

    def dropped(self) -> None:
        """Something of the source is not said: the blanks around it become one."""
        self.glue = True
        self.trailing = 0
        self.gap = self.gap[:1]

    def end_line(self, hard: bool) -> None:
        """A line end in the source; ``hard``: the ear should notice."""
        if self.soft or hard or self.tail == ":":
            self.line_feeds(1)
        elif self._feeds == 0:
            self.soft = True
        self._wrapped_chars, self.line_chars = self.line_chars, 0
        self._was_quote, self.quote = self.quote, False
        self.gap, self.glue, self.marked, self.trailing = "", False, False, 0

    def line_feeds(self, count: int) -> None:
        """Give out line feeds until there are so many in a row."""
        self.soft = False
        if count > self._feeds:
            self._out.append("\n" * (count - self._feeds))
            self._feeds = count
            self.tail = "\n"

    def _resolve(self, first: str) -> None:
        """Decide a soft line end by what follows."""
        long = self._wrapped_chars >= _WRAP_MIN and first.isalpha()
        same = not self.marked and self.quote == self._was_quote
        if same and (first.islower() or long) and not is_wide(first):
            self.soft = False
            self._out.append(" ")
            self.tail = " "
        else:
            self.line_feeds(1)
