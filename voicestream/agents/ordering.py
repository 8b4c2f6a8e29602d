"""What of an agent's events is to be spoken: each word once, in the order it was written.

Hooks are processes of their own: their events may come late, twice, in another order or never,
and the same text comes with several of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

GAP_S = 1.0
"""How long lines that are missing are waited for."""
END = "\n\n"
"""Told after the last piece of a message."""
_KEPT_MESSAGES = 8
"""So many of a turn are compared with what an event at its end brings."""
_KEPT_NAMES = 256
_KEPT_CHARS = 100_000


class _Message:
    """The lines of one message, as far as they came.

    Attributes:
        name: as the agent calls it.
        told: what was passed on to be spoken, in order.
        held: what came too early, by its index.
        next: the index that comes next.
        last: the index of the last lines, once known.
        anchored: it was told from its very beginning.
        since_s: since when something is missing.
        over: nothing more of it is told.
    """

    def __init__(self, name: str, now_s: float) -> None:
        self.name = name
        self.told: list[str] = []
        self.held: dict[int, str] = {}
        self.next = 0
        self.last: int | None = None
        self.anchored = True
        self.since_s = now_s
        self.over = False

    @property
    def parts(self) -> list[str]:
        """All that came, in order."""
        return [*self.told, *(self.held[index] for index in sorted(self.held))]

    @property
    def has_words(self) -> bool:
        return any(map(str.strip, self.parts))


class Ordering:
    """Puts the events of one session in order. One thread.

    Each method that is told something returns what is to be spoken now.

    Args:
        remembered: what an earlier one left with ``remember``.
    """

    def __init__(self, remembered: dict[str, Any] | None = None) -> None:
        kept = remembered or {}
        self._turn: list[_Message] = []  # of the user's last prompt, in the order they began
        self._over: dict[str, None] = dict.fromkeys(map(str, kept.get("over", ())))
        self._noted = ""
        self._turn_told = str(kept.get("turn", ""))  # the turn that an event brought whole
        if told := str(kept.get("told", "")):
            message = _Message("", 0.0)
            message.told, message.over = [told], True
            self._turn.append(message)

    def remember(self) -> dict[str, Any]:
        """Return what the ``Ordering`` of the next speaker needs so as not to say it again."""
        told = "".join(self._turn[-1].told) if self._turn else ""
        names = [*self._over, *(message.name for message in self._turn if message.told)]
        return {
            "over": list(filter(None, names))[-_KEPT_NAMES:],
            "told": told[:_KEPT_CHARS],
            "turn": self._turn_told,
        }

    @property
    def unfinished(self) -> bool:
        """Whether more of a message that has begun will come."""
        return any(not message.over for message in self._turn)

    @property
    def due_s(self) -> float | None:
        """When ``due`` is to be called; None: not before another event."""
        message = self._first_open()
        waits = message is not None and (message.held or self._is_followed(message))
        return message.since_s + GAP_S if message is not None and waits else None

    def delta(
        self, name: str, index: int | None, text: str, final: bool, now_s: float
    ) -> list[str]:
        """Take the ``index``-th lines of a message.

        Args:
            name: of the message.
            index: None: the agent does not count.
            final: these are its last.
            now_s: on any clock that does not go back.
        """
        if name in self._over:
            return []
        message = self._find(name)
        if (message is None or not message.has_words) and self._was_told_whole(text, index):
            self._forget_name(name)
            if message is not None:
                message.over = True
            return []
        if message is None:
            message = self._begin(name, now_s)
        if index is None:
            index = message.next + len(message.held)
        if message.over or index < message.next or index in message.held:
            return []
        if not message.held or index == message.next:
            message.since_s = now_s
        message.held[index] = text
        if final:
            message.last = index
        return list(self._tell())

    def whole(self, text: str, turn: str, now_s: float) -> list[str]:
        """Take the last message of a turn, all of it, of which any part may have been told.

        Args:
            turn: its name; empty: the agent has none for it.
        """
        if not text.strip():
            return []
        if turn and self._turn_told not in ("", turn):
            self.prompt()  # which this agent does not tell
        self._turn_told = turn
        last = next((message for message in reversed(self._turn) if message.has_words), None)
        told = None if last is None else _told_until(last, text)
        if last is None or told is None:
            last, told = self._begin("", now_s), 0
        rest = text[told:]
        if last.over and any(map(str.isalnum, rest)):
            last = self._begin("", now_s)
        if not last.over:
            last.held, last.last = {last.next: rest}, last.next
            self._forget_name(last.name)  # its own lines, as far as they are still to come
        return list(self._tell())

    def prompt(self) -> None:
        """Drop all that was written before: the user has said something."""
        for message in self._turn:
            self._forget_name(message.name)
        self._turn.clear()
        self._noted = ""

    def note(self, text: str) -> list[str]:
        """Take something the user is to know; the same once more is not told."""
        if text == self._noted:
            return []
        self._noted = text
        return [text, END]

    def due(self, now_s: float) -> list[str]:
        """Go on where what is missing has been waited for long enough."""
        due_s = self.due_s
        message = self._first_open()
        if message is None or due_s is None or now_s < due_s:
            return []
        if message.held:
            message.next = min(message.held)
            message.anchored = message.anchored and bool(message.told)
            message.since_s = now_s
        else:
            self._close(message)
            return [END, *self._tell()]
        return list(self._tell())

    # what follows is about messages

    def _find(self, name: str) -> _Message | None:
        return next((m for m in self._turn if m.name == name), None) if name else self._unnamed()

    def _unnamed(self) -> _Message | None:
        """Return the message that lines without a name belong to: such an agent writes one after
        the other."""
        last = self._turn[-1] if self._turn else None
        return last if last is not None and not last.name and not last.over else None

    def _begin(self, name: str, now_s: float) -> _Message:
        message = _Message(name, now_s)
        if self._turn and not self._turn[-1].over:  # its last lines are missing, it seems
            self._turn[-1].since_s = now_s
        self._turn.append(message)
        for old in self._turn[:-_KEPT_MESSAGES]:
            if old.over:
                self._turn.remove(old)
        self._noted = ""
        return message

    def _first_open(self) -> _Message | None:
        return next((message for message in self._turn if not message.over), None)

    def _is_followed(self, message: _Message) -> bool:
        return message is not self._turn[-1]

    def _tell(self) -> Iterator[str]:
        """Yield what can be told in order now."""
        while (message := self._first_open()) is not None:
            while message.next in message.held:
                piece = message.held.pop(message.next)
                message.next += 1
                message.told.append(piece)
                yield piece
            if message.last is None or message.next <= message.last:
                return
            self._close(message)
            yield END

    def _close(self, message: _Message) -> None:
        message.over = True
        self._forget_name(message.name)

    def _forget_name(self, name: str) -> None:
        if name:
            self._over[name] = None
        while len(self._over) > _KEPT_NAMES:
            del self._over[next(iter(self._over))]

    def _was_told_whole(self, text: str, index: int | None) -> bool:
        """Return whether the lines are of a message that another event has brought whole, before
        them."""
        squeezed = _squeezed(text)
        whole = (_squeezed("".join(m.parts)) for m in self._turn if not m.name)
        if index:
            return bool(squeezed) and any(squeezed in told for told in whole)
        return bool(squeezed) and any(told.startswith(squeezed) for told in whole)


def _squeezed(text: str) -> str:
    """Return a text without blanks, which events cut off or add."""
    return "".join(text.split())


def _told_until(message: _Message, text: str) -> int | None:
    """Return how far ``text`` was told as ``message``; None: it is another message."""
    squeezed, at = _squeezed(text), 0
    for number, part in enumerate(message.parts):
        wanted = _squeezed(part)
        found = squeezed.find(wanted, at)
        if found < 0 or (number == 0 and message.anchored and message.told and found):
            return None
        if number < len(message.told):
            told = at = found + len(wanted)
        else:
            at = found + len(wanted)
    return _unsqueezed(text, told if message.told else 0)


def _unsqueezed(text: str, count: int) -> int:
    """Return where the first ``count`` characters of a text end, blanks not counted."""
    for place, character in enumerate(text):
        if not count:
            return place
        count -= not character.isspace()
    return len(text)
