"""What the parts of one reply have to say to a person, and to its session.

An endpoint or a sink is given one :class:`Notices` (or its ``notify``) when it is made.
Nobody has to know it by its class then: whatever wraps it, what it says arrives.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TypeAlias

from voicestream.redact import redacted

Notify: TypeAlias = Callable[[str], None]
"""``notify(text)``: tell a person a sentence. Any thread may call it; it returns at once."""


def unheeded(_text: str) -> None:
    """A ``notify`` for parts that nobody listens to."""


class Notices:
    """Collects what is told, and passes it on. Any thread may call its methods."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # under the lock
        self._listener: Notify = unheeded
        self._on_unheard: Callable[[float], None] = lambda _seconds: None
        self.warnings: list[str] = []
        """All sentences, in the order they were told."""
        self.hedges = 0
        """Requests that were asked at a second endpoint, too, since the first was slow."""
        self.unspoken: list[str] = []
        """Words that were left out, each once."""
        self.stood_in = False
        """Another endpoint than the first has spoken."""

    def notify(self, text: str) -> None:
        """Tell a person ``text``; each one becomes a warning of the reply and an event."""
        self._tell(redacted(text), once=False)

    def note_once(self, text: str) -> None:
        """Keep ``text`` as a warning, and pass it on to nobody: it tells of who listens."""
        text = redacted(text)
        with self._lock:
            if text not in self.warnings:
                self.warnings.append(text)

    def notify_once(self, text: str) -> None:
        """As :meth:`notify`, unless the same was told before."""
        self._tell(redacted(text), once=True)

    def _tell(self, text: str, once: bool) -> None:
        with self._lock:
            if once and text in self.warnings:
                return
            self.warnings.append(text)
            listener = self._listener
        listener(text)

    def hedged(self, text: str) -> None:
        """Count a request that is asked at a second endpoint, too, and tell of the first."""
        with self._lock:
            self.hedges += 1
        self.notify_once(text)

    def left_out(self, words: Iterable[str]) -> None:
        """Note words that the voice has no sounds for; they are told of at the end."""
        with self._lock:
            self.unspoken.extend(word for word in words if word not in self.unspoken)

    def unheard(self, seconds: float) -> None:
        """From a sink between two devices: the last ``seconds`` given to the old were not heard."""
        self._on_unheard(seconds)

    def listen(self, listener: Notify, earlier: Iterable[str] = ()) -> None:
        """Pass on to ``listener`` what is told from now on, after what was told until now.

        Args:
            earlier: further sentences known by now, told after those.
        """
        with self._lock:
            self._listener = listener
            self.warnings.extend(earlier)
            told = tuple(self.warnings)
        for text in told:
            listener(text)

    def rewind_with(self, on_unheard: Callable[[float], None]) -> None:
        """Before playback starts: call ``on_unheard`` with the seconds that were not heard."""
        self._on_unheard = on_unheard
