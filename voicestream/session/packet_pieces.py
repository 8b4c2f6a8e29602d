"""Packets of RTP as a source that is played: who may send, and sound at the rate it is heard."""

from __future__ import annotations

import ipaddress
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from voicestream.errors import SourceError, UsageError
from voicestream.packets import rtp, sdp
from voicestream.packets.record import PacketRecorder
from voicestream.packets.rtp import NotRtpError, RtpPacket
from voicestream.packets.sdp import Description
from voicestream.packets.sound import PacketSound
from voicestream.packets.srtp import MORE_BYTES, Srtp, parse_key, read_key
from voicestream.pcm import to_int16
from voicestream.records import dataclass
from voicestream.trace import save_trace

_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_TURN_S = 0.2
"""The longest time until it is seen whether anybody still wants more."""
_MOST_AT_ONCE = 100
"""Packets read between two pieces of sound: no flood keeps the sound from being made."""
_LATE_S = 0.5
_MOST_BYTES = rtp.MOST_BYTES + MORE_BYTES
_SO_TIMESTAMPNS = 35
"""Of Linux; Python has no name for it."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where packets come to, and from whom."""

    address: str
    port: int
    senders: frozenset[str]
    description: Description
    key: bytes = b""
    """Of SRTP; empty: it is not encrypted."""


def listening(place: str) -> Listening:
    """Return what ``rtp://ADDRESS:PORT[?from=ADDRESS,...&key-file=FILE]`` or the path of a session
    description stands for.

    Raises:
        UsageError: it stands for nothing, or everybody could send.
    """
    if not place.startswith("rtp://"):
        return _described(place)
    hint = "It must look like rtp://127.0.0.1:5004 or rtp://192.0.2.1:5004?from=192.0.2.7"
    try:
        parts = urlsplit(place)
        address, port = str(ipaddress.ip_address(parts.hostname or "")), parts.port
        query = parse_qs(parts.query, strict_parsing=bool(parts.query))
        named = ",".join(query.pop("from", []))
        key_file = "".join(query.pop("key-file", [])[:1])
        if query:
            raise ValueError(f"{' and '.join(query)} means nothing there")
        senders = frozenset(str(ipaddress.ip_address(it)) for it in named.split(",") if it)
    except ValueError as error:
        raise UsageError(f"{place} cannot be listened at", str(error), hint) from error
    if not port:
        raise UsageError(f"{place} cannot be listened at", "it names no port", hint)
    if not senders and not ipaddress.ip_address(address).is_loopback:
        raise UsageError(f"{place} does not say who may send", hint=hint)
    key = read_key(key_file) if key_file else b""
    return Listening(address, port, senders or _LOOPBACK, Description("", 0, {}), key)


def _described(path: str) -> Listening:
    with Path(path).open("rb") as file:
        found = sdp.parse(file.read(sdp.MOST_BYTES).decode("utf-8", "replace"))
    address = found.address or "127.0.0.1"
    if not ipaddress.ip_address(address).is_loopback:
        raise UsageError(
            f"{path} does not say who may send",
            f"it names {address}, which others can reach",
            "Only descriptions of this machine's own address 127.0.0.1 are played.",
        )
    key = parse_key(found.key) if found.key else b""
    return Listening(address, found.port, _LOOPBACK, found, key)


class PacketPieces:
    """Packets as they come, through a jitter buffer, to raw samples, piece by piece. Used by
    one fetch thread, but for ``give_up``.

    It goes on until nobody wants more: a sender that stops may come back.
    """

    def __init__(self, place: str, title: str, trace_file: str | None = None) -> None:
        """
        Args:
            trace_file: where it is kept when packets came, if anywhere.
        """
        self._where = listening(place)
        self._srtp = Srtp(self._where.key) if self._where.key else None
        self._title = title
        self._trace_file = trace_file
        self._socket: socket.socket | None = None
        self._sound: PacketSound | None = None
        self._type = -1
        self._refused = 0
        self._given_up = False
        self.content_type = ""
        """Of the raw samples, once the first packet is here."""
        self.sent_at_s = 0.0
        self.notes: list[str] = []

    def open(self) -> None:
        """Listen, and return when the first packet is here.

        Raises:
            SourceError: nothing can be listened to there.
        """
        where = self._where
        family = socket.AF_INET6 if ":" in where.address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        if sys.platform == "linux":
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        try:
            self._socket.bind((where.address, where.port))
        except OSError as error:
            told = error.strerror or str(error)
            raise SourceError(f"{self._title} cannot be listened at", told) from error
        self.sent_at_s = time.monotonic()
        if self._where.senders != _LOOPBACK and self._srtp is None:
            self.notes.append("RTP is not encrypted: whoever is on the way can hear it")
        while self._sound is None and not self._given_up:
            self._receive(time.monotonic() + _TURN_S)
        if self._sound is None:
            raise SourceError(f"{self._title} was given up")
        pcm = self._sound.pcm
        self.content_type = f"audio/pcm; rate={pcm.rate_hz}; channels={pcm.channels}; encoding=s16"

    def __iter__(self) -> Iterator[bytes]:
        sound = self._sound
        if sound is None:
            return
        at_s = time.monotonic()
        while not self._given_up:
            self._receive(at_s)
            now_s = time.monotonic()
            if now_s > at_s + _LATE_S:  # this machine slept
                at_s = now_s
            samples = sound.take(at_s)
            at_s += sound.pcm.frames_to_s(len(samples))
            yield to_int16(samples).tobytes()

    def _receive(self, until_s: float) -> None:
        """Take in what comes until then, and what is here already."""
        assert self._socket is not None
        for _ in range(_MOST_AT_ONCE):
            wait_s = max(until_s - time.monotonic(), 0.0)
            if self._given_up or not select.select([self._socket], [], [], wait_s)[0]:
                return
            try:
                data, sender, at_s = _read(self._socket)
            except OSError:  # ICMP's answer to nothing of ours, or a packet that Windows cut
                continue
            if sender not in self._where.senders:
                self._refused += 1
                continue
            try:
                plain = data if self._srtp is None else self._srtp.unprotect(data)
                self._take_in(at_s, rtp.parse(plain))
            except NotRtpError:
                self._refused += 1

    def _take_in(self, at_s: float, packet: RtpPacket) -> None:
        if self._sound is None:
            payload = self._where.description.payload_of(packet.payload_type)
            if payload is not None:
                self._sound, self._type = PacketSound(payload), packet.payload_type
                if self._trace_file is not None:
                    self._sound.buffer.recorder = PacketRecorder()
        if self._sound is None or packet.payload_type != self._type:
            self._refused += 1
        else:
            self._sound.put(at_s, packet)

    @property
    def packets(self) -> dict[str, float]:
        """Figures of the packets and of what was made of them."""
        if self._sound is None:
            return {"refused": self._refused}
        seen, pcm = self._sound.buffer.figures, self._sound.pcm
        target = self._sound.buffer.target
        concealed = seen.concealed_frames - self._sound.buffer.stalled_frames
        return {
            "received": seen.received,
            "lost": seen.lost,
            "late": seen.late,
            "duplicate": seen.duplicate,
            "reordered": seen.reordered,
            "refused": self._refused + seen.stray,
            "restarts": seen.restarts,
            "delay_ms": round(1000 * seen.mean_delay_s, 1),
            "target_ms": round(1000 * target.target_s, 1),
            "concealed_ms": round(pcm.frames_to_ms(concealed), 1),
            "stretched_ms": round(pcm.frames_to_ms(self._sound.stretched_frames), 1),
            "drift_ppm": round(target.drift_ppm, 1),
        }

    def give_up(self) -> None:
        self._given_up = True

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        recorder = self._sound.buffer.recorder if self._sound is not None else None
        if recorder is not None and self._trace_file is not None:
            trace = recorder.trace(self._title)
            if trace is not None:
                save_trace(trace, self._trace_file)


def _read(stream: socket.socket) -> tuple[bytes, str, float]:
    """Return the next packet, its sender's address, and when it came: what waited for a busy
    machine was not late on its way."""
    now_s = time.monotonic()
    if sys.platform == "linux":
        data, told, _, sender = stream.recvmsg(_MOST_BYTES + 1, socket.CMSG_SPACE(16))
        now_s -= _waited_s(told)
    else:
        data, sender = stream.recvfrom(_MOST_BYTES + 1)
    return data, sender[0], now_s


def _waited_s(told: Sequence[tuple[int, int, bytes]]) -> float:
    """Return how long ago the kernel took a packet; 0 where it does not tell."""
    for level, kind, stamp in told:
        if (level, kind, len(stamp)) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS, 16):
            seconds, nanoseconds = struct.unpack("qq", stamp)
            waited_s = time.time() - seconds - nanoseconds / 1e9
            # a clock that was set meanwhile tells nothing
            return waited_s if 0.0 < waited_s < _LATE_S else 0.0
    return 0.0
