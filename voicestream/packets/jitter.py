"""The jitter buffer: packets as they come, sound in order and in time."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from voicestream.packets.record import PacketRecorder
from voicestream.packets.rtp import RtpPacket, unwrap
from voicestream.policy.delay import DelayTarget, LengthRule
from voicestream.records import dataclass

_STEP_S = 0.01
"""Length of a piece that is made where there is no packet."""
_DRY_S = 0.1
_STRAY_S = 1.5
"""A packet this far off in time is of another stream, or the source was stopped meanwhile."""
_DROPOUT, _MISORDER = 3000, 100
"""Packets whose numbers are this far ahead or behind are of another stream (RFC 3550, appendix
A.1)."""
_PROOFS = 3
"""This many packets in a row, with none of the present stream between, begin another one."""
_MOST_WAITING = 400
_AT_ONCE_S = 1e-3
_BEGIN_S = 0.005
"""How much above the target the delay of a stream is when it begins."""
_REMEMBERED = 512


class Kind(Enum):
    """The kind of sound that is played next."""

    SOUND = "sound"
    LOST = "lost"
    """A packet is missing, and a later one is here."""
    LATE = "late"
    """Nothing is here: the sound before goes on, and what comes later is played later."""
    SILENCE = "silence"
    """The source pauses, or has not begun."""


@dataclass(frozen=True, slots=True)
class PacketPiece:
    """The next to be played.

    Attributes:
        frames: how long it sounds, in units of the timestamp.
        payload: of ``LOST``: that of the next packet that is here.
        gap: of ``LOST``: how long it is until that one, in units of the timestamp.
        change: -1: a little shorter, by a period of its pitch; 1: a little longer.
    """

    kind: Kind
    frames: int
    payload: bytes = b""
    change: int = 0
    gap: int = 0


@dataclass(slots=True)
class PacketFigures:
    """Counts of packets, and of time in units of the timestamp."""

    received: int = 0
    lost: int = 0
    late: int = 0
    """They came after their turn."""
    duplicate: int = 0
    reordered: int = 0
    stray: int = 0
    """Of another stream, or more than can wait."""
    restarts: int = 0
    played_frames: int = 0
    concealed_frames: int = 0
    silent_frames: int = 0
    delay_sum_s: float = 0.0
    """Of all packets played."""
    played: int = 0
    changes: int = 0

    @property
    def mean_delay_s(self) -> float:
        """Mean time from the earliest that a packet could have come to its turn."""
        return self.delay_sum_s / self.played if self.played else 0.0


class JitterBuffer:
    """Packets of one sender, in any order, to sound in order. Depends on the times it is told
    alone.

    A packet is played once the target delay has passed since the earliest that it could have been
    here. What runs out is made longer: the delay goes up at once; it goes down by a pitch period
    now and then. In a pause of the source both cost nothing.

    Args:
        frames_of: how long a payload sounds, in units of the timestamp; 0: it is broken.
        clock_hz: units of the timestamp in a second.
    """

    def __init__(
        self, clock_hz: int, frames_of: Callable[[bytes], int], target: DelayTarget | None = None
    ) -> None:
        self._clock_hz = clock_hz
        self._frames_of = frames_of
        self._target_given = target
        self._step = round(_STEP_S * clock_hz)
        self.figures = PacketFigures()
        self.target = target or DelayTarget()
        self._ssrc: int | None = None
        self._odd: list[tuple[float, RtpPacket]] = []
        self._waiting: dict[int, tuple[int, int, RtpPacket]] = {}  # by unwrapped sequence number
        self._seen: dict[int, None] = {}
        self._newest = (0, 0)  # sequence number and timestamp, unwrapped
        self._next: tuple[int, int] | None = None  # to be played; None: it waits for its begin
        self._stalled = 0  # frames made since anything was here
        self._lengths = LengthRule()
        self.recorder: PacketRecorder | None = None
        """Who notes when packets come, if anybody."""
        self.last_delay_s = 0.0
        """Of the packet played last: from the earliest it could have come to its turn."""

    @property
    def waiting(self) -> int:
        """Packets that wait for their turn."""
        return len(self._waiting)

    @property
    def stalled_frames(self) -> int:
        """Frames made up since the last packet. The next one will tell whether they stand for a
        loss or for a pause of the source."""
        return self._stalled

    def put(self, at_s: float, packet: RtpPacket) -> None:
        """Take a packet that came at ``at_s``, which does not go back."""
        self.figures.received += 1
        if self._ssrc is None:
            self._begin(at_s, packet)
        elif not self._fits(at_s, packet):
            self._put_odd(at_s, packet)
        else:
            self._odd.clear()
            self._put(at_s, packet)

    def _fits(self, at_s: float, packet: RtpPacket) -> bool:
        sequence, timestamp = self._newest
        ahead = unwrap(packet.sequence, sequence, 16) - sequence
        sent_s = unwrap(packet.timestamp, timestamp, 32) / self._clock_hz
        return (
            packet.ssrc == self._ssrc
            and -_MISORDER < ahead < _DROPOUT
            and abs(self.target.relative_s(at_s, sent_s)) < _STRAY_S
        )

    def _put_odd(self, at_s: float, packet: RtpPacket) -> None:
        last = self._odd[-1][1] if self._odd else packet
        if packet.ssrc != last.ssrc or (packet.sequence - last.sequence) & 0xFFFF > _MISORDER:
            self._odd.clear()
        self._odd.append((at_s, packet))
        self.figures.stray += 1
        if len(self._odd) < _PROOFS:
            return
        odd, self._odd = self._odd, []
        self.figures.stray -= len(odd)
        self.figures.restarts += 1
        self._begin(*odd[0])
        for it in odd[1:]:
            self._put(*it)

    def _begin(self, at_s: float, packet: RtpPacket) -> None:
        """Begin a stream with its first packet; what is left of the one before is dropped."""
        if self._ssrc is not None and self._target_given is None:
            self.target = DelayTarget()
        self._ssrc = packet.ssrc
        if self.recorder is not None:
            self.recorder.begin()
        self._waiting.clear()
        self._seen.clear()
        self._newest = (packet.sequence, packet.timestamp)
        self._next = None
        self._stalled = 0
        self._put(at_s, packet)

    def _put(self, at_s: float, packet: RtpPacket) -> None:
        sequence = unwrap(packet.sequence, self._newest[0], 16)
        timestamp = unwrap(packet.timestamp, self._newest[1], 32)
        if sequence in self._seen:
            self.figures.duplicate += 1
            return
        self._seen[sequence] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self.target.arrived(at_s, timestamp / self._clock_hz)
        if self.recorder is not None:
            self.recorder.arrived(at_s, sequence, timestamp / self._clock_hz)
        if sequence < self._newest[0]:
            self.figures.reordered += 1
        else:
            self._newest = (sequence, timestamp)
        frames = self._frames_of(packet.payload)
        if self._next is not None and sequence < self._next[0]:
            self.figures.late += 1
        elif len(self._waiting) >= _MOST_WAITING or not frames:
            self.figures.stray += 1
        else:
            self._waiting[sequence] = (timestamp, frames, packet)

    def take(self, at_s: float) -> PacketPiece:
        """Return what is to be played from ``at_s`` on; called when all before has been."""
        if self._next is None and (wait_s := self._due_in_s(at_s)) > 0.0:
            return self._silence(wait_s)
        if not self._waiting or self._next is None or self._refilling(at_s):
            return self._late()
        sequence, timestamp = self._next
        if (found := self._waiting.get(sequence)) is None:
            return self._missing(at_s, sequence, timestamp)
        if found[0] > timestamp + self._step // 2:  # numbered on, later sent: the source paused
            self._paused()
            return self.take(at_s)
        del self._waiting[sequence]
        starts, frames, packet = found
        delay_s = self.target.relative_s(at_s, starts / self._clock_hz)
        self.last_delay_s = delay_s
        self.figures.delay_sum_s += delay_s
        self.figures.played += 1
        self.figures.played_frames += frames
        self._next = (sequence + 1, starts + frames)
        self._stalled = 0
        change = self._lengths.change(at_s, delay_s, self.target)
        self.figures.changes += change != 0
        return PacketPiece(Kind.SOUND, frames, packet.payload, change)

    def _due_in_s(self, at_s: float) -> float:
        """Begin with the first packet, or return how long that is to wait."""
        if not self._waiting:
            return _STEP_S
        first = min(self._waiting)
        timestamp = self._waiting[first][0]
        delay_s = self.target.relative_s(at_s, timestamp / self._clock_hz)
        if (wait_s := self.target.target_s + _BEGIN_S - delay_s) > _AT_ONCE_S:
            return wait_s
        self._next, self._stalled = (first, timestamp), 0
        return 0.0

    def _silence(self, seconds: float = _STEP_S) -> PacketPiece:
        frames = max(min(round(seconds * self._clock_hz), self._step), 1)
        self.figures.silent_frames += frames
        return PacketPiece(Kind.SILENCE, frames)

    def _refilling(self, at_s: float) -> bool:
        """Return whether it ran so dry that it had better wait for the target once more."""
        if self._stalled < _DRY_S * self._clock_hz:
            return False
        starts = self._waiting[min(self._waiting)][0]
        return self.target.relative_s(at_s, starts / self._clock_hz) < self.target.target_s

    def _late(self) -> PacketPiece:
        """Return sound for a time in which no packet is here."""
        if self._stalled > _STRAY_S * self._clock_hz:
            self._paused()
            return self._silence()
        self._stalled += self._step
        self.figures.concealed_frames += self._step
        return PacketPiece(Kind.LATE, self._step)

    def _paused(self) -> None:
        """Count what was made up since the last packet as silence; the next packet begins anew."""
        self.figures.concealed_frames -= self._stalled
        self.figures.silent_frames += self._stalled
        self._next, self._stalled = None, 0

    def _missing(self, at_s: float, sequence: int, timestamp: int) -> PacketPiece:
        """Make up for the next packet, which is not here though later ones are."""
        following = min(self._waiting)
        starts, _, packet = self._waiting[following]
        gap = starts - timestamp
        made = min(self._stalled, gap)  # time that has passed already stands for it
        self._stalled = 0
        if (left := gap - made) <= 0:
            self.figures.lost += following - sequence
            self._next = (following, starts)
            return self.take(at_s)
        frames = min(left, self._step)
        self._next = (sequence, timestamp + made + frames)
        if frames == left:
            self.figures.lost += following - sequence
            self._next = (following, timestamp + gap)
        self.figures.concealed_frames += frames
        return PacketPiece(Kind.LOST, frames, packet.payload, gap=left)
