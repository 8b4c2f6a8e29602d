"""Sound sent as packets of RTP with Opus (RFC 7587), in place of a sound card."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from urllib.parse import parse_qs, urlsplit

import numpy as np

from voicestream.encode.codecs import OpusPackets
from voicestream.errors import DeviceError
from voicestream.output.base import Fill
from voicestream.packets import rtp
from voicestream.packets.rtp import RtpPacket
from voicestream.packets.srtp import Srtp, read_key
from voicestream.pcm import PcmFormat

PACKET_S = 0.02
_UNITS = 960
"""Of the timestamp in a packet: its clock runs at 48 kHz whatever the sound's rate is."""
_TYPE = 97
NOT_ENCRYPTED = "RTP is not encrypted: whoever is on the way can hear it"
_HERE = ("127.0.0.1", "[::1]", "localhost")
_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)


def key_file_of(url: str) -> str:
    """Return the file with the key that packets are encrypted with; empty: they are not.

    Raises:
        ValueError: something else is asked for.
    """
    query = urlsplit(url).query
    found = parse_qs(query, strict_parsing=bool(query))
    name = "".join(found.pop("key-file", [])[:1])
    if found:
        raise ValueError(f"{' and '.join(found)} means nothing there")
    return name


def leaves_machine(url: str) -> bool:
    """Return whether others could hear what is sent there."""
    host = urlsplit(url).netloc.rpartition("@")[2].rpartition(":")[0]
    return "key-file=" not in url and host not in _HERE


class RtpSink:
    """Pulls 20 ms at a time, by this machine's clock, and sends them.

    Args:
        url: ``rtp://HOST:PORT[?key-file=FILE]``.
    """

    lead_in_s = 0.0
    latency_s = PACKET_S

    def __init__(self, url: str) -> None:
        self._url = url
        self._pcm = PcmFormat(24_000)
        self._socket: socket.socket | None = None
        self._encoder: OpusPackets | None = None
        self._srtp: Srtp | None = None
        self._target: tuple[str, int] | tuple[str, int, int, int] = ("", 0)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def active(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def open(self, wanted: PcmFormat) -> PcmFormat:
        try:
            parts = urlsplit(self._url)
            host, port = parts.hostname, parts.port
            key_file = key_file_of(self._url)
        except ValueError as error:
            raise DeviceError(f"{self._url} cannot be sent to", str(error)) from error
        if not host or not port:
            raise DeviceError(
                f"{self._url} cannot be sent to", hint="It must look like rtp://127.0.0.1:5004"
            )
        self._srtp = Srtp(read_key(key_file)) if key_file else None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self.stop(drain=False)
            self._socket = socket.socket(found[0], socket.SOCK_DGRAM)
        except OSError as error:
            raise DeviceError(f"{self._url} cannot be sent to", str(error)) from error
        self._target = (host, port) if found[0] == socket.AF_INET else (host, port, 0, 0)
        rate_hz = wanted.rate_hz if wanted.rate_hz in _RATES_HZ else 48_000
        self._pcm = PcmFormat(rate_hz, min(wanted.channels, 2))
        self._encoder = OpusPackets(self._pcm)
        return self._pcm

    def start(self, fill: Fill) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(fill,), name="rtp", daemon=True)
        self._thread.start()

    def _run(self, fill: Fill) -> None:
        assert self._socket is not None
        assert self._encoder is not None
        frames = self._pcm.s_to_frames(PACKET_S)
        sequence, timestamp = secrets.randbits(16), secrets.randbits(32)
        ssrc, first, due_s = secrets.randbits(32), True, time.monotonic()
        while True:
            values = np.frombuffer(fill(frames, due_s), "<i2").reshape(-1, self._pcm.channels)
            for payload in self._encoder.feed(values):
                packet = RtpPacket(_TYPE, sequence, timestamp, ssrc, payload, marker=first)
                data = rtp.build(packet)
                try:
                    sent = data if self._srtp is None else self._srtp.protect(data)
                    self._socket.sendto(sent, self._target)
                except OSError:
                    pass  # a packet is lost, as it may be on the way
                sequence, timestamp, first = sequence + 1, timestamp + _UNITS, False
            due_s += PACKET_S
            if self._stop.wait(max(due_s - time.monotonic(), 0.0)):
                return

    def stop(self, drain: bool) -> None:
        if drain:
            self._stop.wait(PACKET_S)
        self._stop.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
