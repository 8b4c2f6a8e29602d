"""A snapshot in words: where the time to the first sound went, and the line at the end."""

from __future__ import annotations

from voicestream.counters import Snapshot, buffer_health
from voicestream.state import State, Status
from voicestream.ui.terminal import can_show

_PARTS = (
    ("text", "first_text"),
    ("start-up", "request_sent"),
    ("loading", "reader_ready"),
    ("server", "first_byte"),
    ("buffering", "playback_start"),
    ("sound card", "first_sound"),
)
"""What ends each part of the way to the first sound."""
_AT_ONCE_MS, _AT_ONCE_SHARE = 5.0, 0.1
"""A reply that comes so soon after we began to wait, or within such a share of the time until
then, had been waiting for us."""


def waits_for_text(snapshot: Snapshot) -> bool:
    """Return whether it is the writer, not the endpoint, who keeps everybody waiting."""
    if snapshot.state in (State.IDLE, State.CONNECTING):
        return not snapshot.segments
    unfinished = any(not segment.status.ended for segment in snapshot.segments)
    return snapshot.state is State.REBUFFERING and not unfinished


def ttfa_parts(snapshot: Snapshot) -> list[tuple[str, float]]:
    """Return the parts of the time to the first sound known so far: name and milliseconds.

    They add up to ``ttfa_ms`` once there is a first sound. A part whose end was not
    noted is counted with the one after it.
    """
    parts = []
    since_ms = 0.0
    marks = snapshot.timeline_ms
    waited = _waited(marks)
    embedded = snapshot.endpoint.startswith("embedded")
    for name, ends_with in _PARTS:
        at_ms = marks.get(ends_with)
        if ends_with == "reader_ready" and waited:
            continue  # it was loaded while the server thought
        if embedded and name == "server":
            name = "voice"
        if at_ms is not None:
            parts.append((name, max(0.0, at_ms - since_ms)))
            since_ms = max(since_ms, at_ms)
    return parts


def _waited(marks: dict[str, float | None]) -> bool:
    """Return whether the program was loaded before the reply began."""
    sent_ms, ready_ms, byte_ms = map(marks.get, ("request_sent", "reader_ready", "first_byte"))
    if sent_ms is None or ready_ms is None or byte_ms is None:
        return True
    return byte_ms - ready_ms >= max(_AT_ONCE_MS, _AT_ONCE_SHARE * (ready_ms - sent_ms))


def heard_s(snapshot: Snapshot) -> float:
    """Return seconds of speech heard; what the device got may hold silence on top."""
    return min(snapshot.played_s, snapshot.audio_s)


def seconds(value_s: float) -> str:
    """``4.2 s``, from a minute on ``1:04``, from an hour on ``1:01:04``."""
    if value_s < 59.95:
        return f"{value_s:.1f} s"
    minutes, rest = divmod(round(value_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clock(value_s: float) -> str:
    """``0:42``, from an hour on ``1:00:42``."""
    minutes, rest = divmod(int(value_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bit_rate(kbps: float) -> str:
    """``384 kbit/s``, from 10,000 on in Mbit/s."""
    return f"{kbps:.0f} kbit/s" if kbps < 9_999.5 else f"{kbps / 1000.0:.0f} Mbit/s"


def duration(value_ms: float) -> str:
    """``342 ms``, from ten seconds on as ``seconds``."""
    return f"{value_ms:.0f} ms" if value_ms < 9999.5 else seconds(value_ms / 1000.0)


def count(number: int, noun: str) -> str:
    """``1 underrun``, ``2 underruns``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def summary_line(snapshot: Snapshot, encoding: str = "utf-8") -> str:
    """Return what happened, in one plain line that claims nothing that was not heard.

    Args:
        encoding: of the stream the line is for; where it lacks the dot, commas stand.
    """
    dot = " · " if can_show("·", encoding) else ", "
    facts = [_outcome(snapshot)]
    if snapshot.ttfa_ms is not None:
        parts = ", ".join(f"{name} {part_ms:.0f}" for name, part_ms in ttfa_parts(snapshot))
        facts.append(f"first sound after {duration(snapshot.ttfa_ms)} ({parts})")
        facts.append(_holes(snapshot))
        if snapshot.underruns:
            facts.append(f"buffer {buffer_health(snapshot)}")
    if snapshot.cached:
        facts.append(f"{snapshot.cached} of {count(len(snapshot.segments), 'segment')} kept here")
    failed = sum(segment.status is Status.FAILED for segment in snapshot.segments)
    if failed and len(snapshot.segments) > 1:
        facts.append(f"{failed} of {len(snapshot.segments)} segments failed")
    return dot.join(facts)


def made_line(snapshot: Snapshot, name: str, encoding: str = "utf-8") -> str:
    """Return what was made, and how fast.

    Args:
        name: of the file; empty: none.
        encoding: see :func:`summary_line`.
    """
    dot = " · " if can_show("·", encoding) else ", "
    took_s = snapshot.at_ms / 1000
    speed = snapshot.audio_s / max(took_s, 0.001)
    fast = f" ({speed:.0f} times realtime)" if speed >= 1.5 else ""
    sound = f"{seconds(snapshot.audio_s)} of sound in {seconds(took_s)}{fast}"
    return dot.join([name, sound] if name else [sound])


def _outcome(snapshot: Snapshot) -> str:
    ended = {State.DONE: "", State.FAILED: "failed", State.CANCELLED: "stopped"}
    verb = ended.get(snapshot.state, "unfinished")
    total = seconds(snapshot.audio_s)
    if snapshot.ttfa_ms is None:
        silent = f"{total} of sound, none of it played" if snapshot.audio_s else "no sound"
        return f"{verb}: {silent}" if verb else silent
    if not verb:
        return f"heard {total}"
    return f"{verb}: heard {seconds(heard_s(snapshot))} of {total}"


def _holes(snapshot: Snapshot) -> str:
    """Return the holes that a listener heard, for want of sound or of a card that asks for it."""
    found = []
    if snapshot.underruns:
        silent = duration(snapshot.stall_ms)
        found.append(f"{count(snapshot.underruns, 'hole')}, {silent} of silence")
    if snapshot.device_underflows:
        holes = count(snapshot.device_underflows, "hole")
        found.append(f"{holes} of the sound card ({duration(snapshot.device_hole_ms)})")
    return " and ".join(found) or "no holes"
