"""A kept trace, played back under each policy."""

from __future__ import annotations

from pathlib import Path

from voicestream.policy.replay import replay, replay_table
from voicestream.session.pacing import kept_learnt
from voicestream.trace import PacketTrace, load_trace


def replayed(file: str, width: int) -> str:
    """Return a table and a plot, ``width`` columns wide, of what each policy would have done with a
    trace.

    Raises:
        UsageError: the file cannot be read, or is no trace.
    """
    trace = load_trace(Path(file))
    if isinstance(trace, PacketTrace):
        from voicestream.packets.replay import packet_table

        return packet_table(trace)
    return replay_table(trace, replay(trace, kept_learnt().load(trace.name)), width)
