"""What verbs and keys do to a reply that is being spoken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from voicestream.counters import Cue
from voicestream.dsp.stretch import FASTEST, SLOWEST
from voicestream.settings.asking import LEAST_TEMPO, MOST_TEMPO
from voicestream.words import spoken_text

if TYPE_CHECKING:
    from voicestream.session.conductor import Session

MAX_VOLUME = 4.0
_AGAIN_S = 1.0
"""``back`` goes to the sentence before where less than this of one has been heard."""
_SHOWN_CHARS = 4000


class Verbs:
    """Answers the verbs of one session. Any thread.

    Args:
        tempo: at which its sound is written.
    """

    def __init__(self, session: Session, tempo: float) -> None:
        self._session = session
        self._tempo = self._written_tempo = tempo
        self._loud = 1.0  # the volume before it was muted
        self._acts: dict[str, Callable[[object], dict[str, Any]]] = {
            "stop": self._stop,
            "pause": lambda _value: self.pause(True),
            "resume": lambda _value: self.pause(False),
            "toggle": lambda _value: self.pause(not session.controls.paused),
            "next": lambda _value: self._go(1),
            "back": lambda _value: self._go(-1),
            "tempo": self._change_tempo,
            "volume": self._volume,
            "mute": lambda _value: self._mute(),
            "status": lambda _value: self.status(),
        }

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """Do what ``message`` asks for.

        Args:
            message: ``verb``, and a ``value`` where it takes one.

        Returns:
            ``ok``, and what there is to tell; ``error`` where it cannot be done.
        """
        act = self._acts.get(str(message["verb"]))
        if act is None:
            return {"ok": False, "error": f"there is no verb {str(message['verb'])[:40]!r}"}
        try:
            return {"ok": True, **act(message.get("value"))}
        except ValueError as error:
            return {"ok": False, "error": str(error)}

    def _stop(self, _value: object) -> dict[str, Any]:
        self._session.interrupt()
        return {}

    def pause(self, paused: bool) -> dict[str, Any]:
        """Fall silent, or go on at the very sample."""
        self._session.controls.paused = paused
        return {"paused": paused}

    def _change_tempo(self, value: object) -> dict[str, Any]:
        """Play faster or slower at once: what is written already is stretched as it is played."""
        self._tempo = _changed(self._tempo, value, LEAST_TEMPO, MOST_TEMPO)
        # as far as one stretching goes
        change = min(max(self._tempo / self._written_tempo, SLOWEST), FASTEST)
        self._tempo = round(change * self._written_tempo, 3)
        self._session.controls.tempo = change
        return {"tempo": self._tempo}

    def _volume(self, value: object) -> dict[str, Any]:
        controls = self._session.controls
        controls.volume = _changed(controls.volume, value, 0.0, MAX_VOLUME)
        return {"volume": controls.volume}

    def _mute(self) -> dict[str, Any]:
        """Turn the sound off, or back to the volume from before."""
        controls = self._session.controls
        if controls.volume:
            self._loud, controls.volume = controls.volume, 0.0
        else:
            controls.volume = self._loud
        return {"volume": controls.volume}

    def _go(self, steps: int) -> dict[str, Any]:
        """Go to the next sentence, or back to the begin of this one or the one before."""
        seen = self._session.snapshot()
        starts = [cue.start_frame for cue in seen.cues]
        # a sentence of which nothing was heard yet is still the next one
        played_frames = seen.played_frames - (steps > 0)
        at = max((n for n, start in enumerate(starts) if start <= played_frames), default=0)
        if steps > 0:
            if at + 1 < len(starts):
                self._session.controls.seek_frame = starts[at + 1]
            else:
                self._session.skip(len(starts))
            return {}
        heard_s = (seen.played_frames - starts[at]) / max(seen.rate_hz, 1) if starts else 0.0
        if heard_s < _AGAIN_S and at:
            at -= 1
        self._session.controls.seek_frame = starts[at] if starts else 0
        return {}

    def status(self) -> dict[str, Any]:
        """Return who speaks, what, and how far it is."""
        session = self._session
        seen = session.snapshot()
        known_chars, complete = session.text_length()
        return {
            "state": "waiting" if session.waits_for else seen.state.value,
            "paused": session.controls.paused,
            "volume": session.controls.volume,
            "tempo": self._tempo,
            "waits_for": session.waits_for,
            "speaking": _shown(seen.speaking),
            "heard_chars": len(spoken_text(seen)),
            "text_chars": known_chars,
            "text_complete": complete,
            "text": _shown(_text(seen.cues)),
            "played_s": round(seen.played_s, 3),
            "endpoint": seen.endpoint,
        }


def _changed(now: float, value: object, least: float, most: float) -> float:
    """Return ``now`` changed by ``+0.1`` or ``-0.1``, or replaced by a number.

    Raises:
        ValueError: it is no number, or none that can be set.
    """
    text = str(value)
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no number") from None
    if not -1e6 < number < 1e6:
        raise ValueError(f"{text[:40]!r} is no number")
    relative = text.startswith(("+", "-"))
    if not relative and not least <= number <= most:  # a percentage, perhaps: very loud
        raise ValueError(f"{text[:40]} is not from {least:g} to {most:g}; 1 is as it comes")
    return min(max(round(now + number if relative else number, 3), least), most)


def _text(cues: tuple[Cue, ...]) -> str:
    return "".join(cue.text for cue in cues)


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else "..." + text[-_SHOWN_CHARS:]
