"""What a person has said that is not answered yet, or not known as text."""

from __future__ import annotations

import threading

from voicestream.records import dataclass, field

_WRITTEN_S = 3.0
"""How long an answer waits, once it was heard, for the words of what it answers."""


@dataclass(slots=True, eq=False)
class Typed:
    """What somebody has typed."""

    text: str
    sent: bool = False
    """The model has it."""
    over: threading.Event = field(default_factory=threading.Event)
    """It is answered."""


class OpenTurns:
    """Keeps them. Any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # under it
        self._typed: list[Typed] = []
        self._words: dict[str, str | None] = {}  # in the order of the turns
        self._writes = True

    def type(self, text: str) -> Typed:
        """Note what was typed."""
        typed = Typed(text)
        with self._changed:
            self._typed.append(typed)
        return typed

    @property
    def typed(self) -> tuple[Typed, ...]:
        """What was typed and is not answered."""
        return tuple(self._typed)

    def answer(self, typed: tuple[Typed, ...]) -> None:
        """Let whoever waits for the answer to these go on."""
        with self._changed:
            self._typed = [other for other in self._typed if other not in typed]
        for each in typed:
            each.over.set()

    def expect(self, item_id: str) -> None:
        """The words of this turn will come."""
        with self._changed:
            self._words[item_id] = None

    def written(self, item_id: str, words: str) -> None:
        """They have come; empty: they never will."""
        with self._changed:
            self._words[item_id] = words.strip()
            self._changed.notify_all()

    @property
    def spoken(self) -> frozenset[str]:
        """The turns of which the words were not taken yet."""
        with self._changed:
            return frozenset(self._words)

    def await_written(self, items: frozenset[str]) -> None:
        """Wait a while for the words of these, as long as any come at all."""

        def come() -> bool:
            return all(self._words.get(item_id, "") is not None for item_id in items)

        with self._changed:
            if self._writes:
                self._writes = self._changed.wait_for(come, _WRITTEN_S)

    def take_written(self, items: frozenset[str]) -> list[str]:
        """Return the words of these turns, as far as they are known, once."""
        with self._changed:
            known = [it for it, words in self._words.items() if it in items and words is not None]
            return [words for item_id in known if (words := self._words.pop(item_id))]
