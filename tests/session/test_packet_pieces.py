"""Where packets may come from, and what is refused."""

from __future__ import annotations

import math
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.packets.test_rtp import FFMPEG
from tests.support.listener import Listener
from tests.support.packets import free_port
from voicestream.errors import SourceError, UsageError
from voicestream.packets import rtp
from voicestream.packets.rtp import RtpPacket
from voicestream.records import replace
from voicestream.session.packet_pieces import PacketPieces, _read, listening
from voicestream.session.play_sources import sources_of
from voicestream.trace import PacketTrace, load_trace


def test_without_a_name_only_this_machine_may_send() -> None:
    found = listening("rtp://127.0.0.1:5004")
    assert (found.address, found.port) == ("127.0.0.1", 5004)
    assert found.senders == {"127.0.0.1", "::1"}
    named = listening("rtp://[::]:5004?from=192.0.2.7,2001:db8::7")
    assert (named.address, named.senders) == ("::", {"192.0.2.7", "2001:db8::7"})


@pytest.mark.parametrize(
    "place",
    [
        "rtp://127.0.0.1",
        "rtp://127.0.0.1:0",
        "rtp://127.0.0.1:70000",
        "rtp://localhost:5004",
        "rtp://:5004",
        "rtp://0.0.0.0:5004",
        "rtp://192.0.2.1:5004?from=",
        "rtp://192.0.2.1:5004?from=everybody",
    ],
)
def test_what_would_let_anybody_send_is_refused(place: str) -> None:
    with pytest.raises(UsageError):
        sources_of([place])


def test_a_description_counts_for_this_machine_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.SDP"
    file.write_text(FFMPEG)
    [source] = sources_of([str(file)])
    assert source.is_packets
    assert listening(str(file)).port == 5004
    file.write_text(FFMPEG.replace("127.0.0.1", "192.0.2.1"))
    with pytest.raises(UsageError):
        sources_of([str(file)])
    file.write_bytes(b"\xff\x00 no description")
    with pytest.raises(UsageError):
        sources_of([str(file)])


GOOD = RtpPacket(11, 65_530, 4_294_967_000, 9, b"\x10\x20" * 220)  # L16, mono, 5 ms
BROKEN = {
    "empty": b"",
    "short": b"\x80\x0b\x00",
    "64 kB": b"\x80\x0b" + bytes(65_000),
    "version 1": b"\x40" + rtp.build(GOOD)[1:],
    "RTCP": b"\x80\xc8" + bytes(30),
    "extension cut off": b"\x90" + rtp.build(GOOD)[1:12] + b"\x00",
    "sources cut off": b"\x8f" + rtp.build(GOOD)[1:20],
    "padding longer than all": b"\xa0" + rtp.build(GOOD)[1:12] + b"\xff",
    "another payload type": rtp.build(replace(GOOD, payload_type=0)),
}


def test_nothing_disturbs_one_sender_who_stops_and_comes_back() -> None:
    there = ("127.0.0.1", free_port())
    listener = Listener(f"rtp://127.0.0.1:{there[1]}", there[1])
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):

        def send(first: int, count: int, **changed: int) -> None:
            for number in range(first, first + count):
                timestamp = (GOOD.timestamp + 220 * number) & 0xFFFFFFFF
                packet = replace(GOOD, sequence=GOOD.sequence + number, timestamp=timestamp)
                sender.sendto(rtp.build(replace(packet, **changed)), there)

        send(0, 1)
        listener.until("received", 1)
        refused = listener.pieces.packets["refused"]
        for number, data in enumerate(BROKEN.values()):
            sender.sendto(data, there)
            listener.until("refused", refused + number + 1)
        stranger.bind(("127.0.0.2", 0))
        for number in range(100):  # no more than the socket holds: what follows must fit as well
            stranger.sendto(rtp.build(replace(GOOD, sequence=number)), there)
        listener.until("refused", refused + len(BROKEN) + 100)
        send(1, 5)
        listener.until("received", 6)
        second = {"ssrc": 10}
        send(6, 2, **second)  # another sender, in between
        send(6, 5)
        listener.until("received", 13)
        assert listener.pieces.packets["restarts"] == 0
        send(20, 5, **second)  # the first is gone, and the other goes on
        listener.until("restarts", 1)
        made = len(listener.made)
        while len(listener.made) == made:
            time.sleep(0.005)
    figures = listener.end()
    assert figures["received"] == 18
    assert figures["duplicate"] == 0


def test_an_address_in_use_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        pieces = PacketPieces(f"rtp://127.0.0.1:{taken.getsockname()[1]}", "it")
        with pytest.raises(SourceError, match="cannot be listened at"):
            pieces.open()
        pieces.close()


def test_when_packets_came_is_kept(tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "kept.json"
    pieces = PacketPieces(f"rtp://127.0.0.1:{port}", "it", str(file))
    threading.Timer(0.05, pieces.give_up).start()
    with pytest.raises(SourceError, match="was given up"):
        pieces.open()  # nobody has sent anything
    pieces.close()
    assert not file.exists()
    listener = Listener(f"rtp://127.0.0.1:{port}", port, str(file))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in (0, 1, 3, 4):
            packet = replace(GOOD, sequence=number, timestamp=441 * number)
            sender.sendto(rtp.build(packet), ("127.0.0.1", port))
    listener.until("received", 4)
    listener.end()
    kept = load_trace(file)
    assert isinstance(kept, PacketTrace)
    assert kept.packet_s == pytest.approx(0.01)
    assert [math.isfinite(it) for it in kept.delays_s] == [True, True, False, True, True]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a packet came")
def test_a_packet_that_waits_to_be_read_is_not_late() -> None:
    port = free_port()
    pieces = PacketPieces(f"rtp://127.0.0.1:{port}", "it")
    threading.Timer(0.05, pieces.give_up).start()
    with pytest.raises(SourceError):
        pieces.open()
    stream = pieces._socket
    assert stream is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ("127.0.0.1", port))
    sent_s = time.monotonic()
    time.sleep(0.02)
    data, address, at_s = _read(stream)
    assert (data, address) == (b"x", "127.0.0.1")
    assert at_s < sent_s + 0.01
    pieces.close()
