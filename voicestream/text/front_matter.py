"""What stands on top of a text and is not read out: a block of YAML, TOML or JSON, a thought."""

from __future__ import annotations

from voicestream.patterns import lazy_pattern

_FENCES = {"---": ("---", "..."), "+++": ("+++",)}
_MAX = 20_000
"""Characters after which a block that nothing closes is text."""
_KEY = lazy_pattern(r"[\w.@\"'-]+(?: [\w.@\"'-]+)?\s*(?:[:=](?:\s|\Z))|#|\[[\w.\"-]+\]+\s*\Z")
_LINE = lazy_pattern(r"[ \t\]}]|-[ \t]|\Z")
_OBJECT = lazy_pattern(r"\{[ \t]*(?:\Z|\n\s*(?:\Z|[\"}]))")
_STOP = (".", "!", "?", "…")
# How `ollama run` shows what a model thinks.
_THINKING = "Thinking...\n"
_THOUGHT = "...done thinking.\n"
_THOUGHT_MAX = 1_000_000


class FrontMatter:
    """Takes the block off the beginning of a text. Used by one thread."""

    def __init__(self) -> None:
        self._held = ""
        self._at = 0  # lines before it are read; 0: not even the fence
        self._keyed = False  # a key was read
        self.done = False
        """Whether all that comes is text."""

    def feed(self, text: str) -> str:
        """Take the next text; return what of it is no front matter."""
        if self.done:
            return text
        self._held += text
        return self._judge(final=False)

    def flush(self) -> str:
        """Return what was held back: the text has ended, and a block that nothing closed is
        text."""
        return self._judge(final=True)

    def settle(self) -> str:
        """Return what reads like a sentence: the writer pauses."""
        if self._held.startswith(_THINKING):
            return ""
        return self._give() if self._held.rstrip("\n").endswith(_STOP) else ""

    def _give(self, start: int = 0) -> str:
        text, self._held, self.done = self._held[start:], "", True
        return text

    def _judge(self, final: bool) -> str:
        """Return what can be given out, from where the front matter ends."""
        held = self._held
        if self.done or not held:
            return ""
        if held[0] == "{":
            return self._judge_json(final)
        if held[0] == "T":
            return self._judge_thought(final)
        closers = _FENCES.get(held[:3])
        if closers is None:
            begun = any(fence.startswith(held) for fence in _FENCES)
            return "" if begun and not final else self._give()
        if not self._at:
            self._at = held.find("\n") + 1
            if (self._at == 0 and held.strip("-+ \t")) or held[3 : max(self._at, 3)].strip():
                return self._give()
        while self._at and (end := held.find("\n", self._at) + 1 or (len(held) if final else 0)):
            line = held[self._at : end].rstrip("\n")
            if line.rstrip() in closers and self._keyed:
                return self._give(end)
            if not _KEY.match(line) and not (self._keyed and _LINE.match(line)):
                return self._give()
            self._keyed, self._at = True, end
            if end == len(held):
                break
        return self._give() if final or len(held) > _MAX else ""

    def _judge_thought(self, final: bool) -> str:
        """Return what follows the thought; all of it if nothing ends that."""
        held = self._held
        if not held.startswith(_THINKING):
            return "" if _THINKING.startswith(held) and not final else self._give()
        self._at, found = len(held), held.find(_THOUGHT, max(0, self._at - len(_THOUGHT)))
        if found >= 0:
            return self._give(found + len(_THOUGHT))
        return self._give() if final or len(held) > _THOUGHT_MAX else ""

    def _judge_json(self, final: bool) -> str:
        """Return what was held back: an object is front matter only where words follow it."""
        held = self._held
        end = held.find("\n}\n", 0, _MAX) + 3
        after = held[end:].lstrip()[:1] if end > 2 else ""
        if not after:
            waits = _OBJECT.match(held) and (end > 2 or len(held) < _MAX) and not final
            return "" if waits else self._give()
        return self._give(end if after not in "{[,]}" and _is_object(held[:end]) else 0)


def _is_object(text: str) -> bool:
    import json  # rarely needed

    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
