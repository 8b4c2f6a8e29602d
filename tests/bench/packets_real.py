"""The jitter buffer beside GStreamer's rtpjitterbuffer, on the same packets, in real time.

    python -m tests.bench.packets_real [--seconds 20] [--seed 1]

One process sends L16 on eight networks (``tests.support.packets``): each packet, at the moment it
would arrive, to voicestream and to a ``gst-launch-1.0`` for each latency. Concealed is
what was not there at its turn. voicestream tells its delay and what it concealed itself; of
GStreamer's buffer that is seen where its packets come out, at a sink that waits for their turn.
Delays count from the earliest that a packet could have come (of the last two seconds). The ratio is
that of voicestream's delay to GStreamer's where that conceals just as much.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import soxr

from tests.support.packets import NETWORKS, await_listener, free_port
from tests.support.trace_content import sentences
from voicestream.packets import rtp
from voicestream.packets.rtp import RtpPacket
from voicestream.packets.simulate import Point, relative
from voicestream.session.packet_pieces import PacketPieces

LATENCIES_MS = (10, 20, 30, 45, 60, 80, 120, 200)
AT_ONCE = 2
"""Networks: more of them make this machine late."""
_NOTHING = 0.001
RATE_HZ = 8_000
FRAMES = 160
PACKET_S = 0.02
_DESCRIPTION = """v=0
c=IN IP4 127.0.0.1
m=audio {port} RTP/AVP 96
a=rtpmap:96 L16/8000/1
"""
_CAPS = "application/x-rtp,media=audio,clock-rate=8000,encoding-name=L16,channels=1,payload=96"
Plan = list[tuple[float, bytes, tuple[int, ...]]]
"""When a packet arrives, its bytes, and the ports it arrives at."""


@dataclass
class Out:
    """What came out of one of GStreamer's buffers."""

    taken_s: dict[int, float] = field(default_factory=dict)
    """By number: from the moment it was sent to that when it came out."""

    def point(self, delays: np.ndarray) -> Point:
        """Mean delay, and the share of the time that a loudspeaker would have had to conceal.

        No packet comes out before its turn; a busy machine only lets it out later. So the turn is
        where the earliest come out, and what arrived later than that misses as much of it.
        """
        if not self.taken_s:
            return 0.0, 1.0
        turn_s = float(np.quantile(list(self.taken_s.values()), 0.05))
        missed_s = np.clip(delays - turn_s, 0.0, PACKET_S)
        dropped = sum(
            PACKET_S - float(missed_s[number])
            for number in range(len(delays))
            if number not in self.taken_s
        )
        came = np.isfinite(delays)
        base_s = float((delays[came] - relative(delays)[came]).mean())
        return turn_s - base_s, (float(missed_s.sum()) + dropped) / (PACKET_S * len(delays))


def plan(delays: dict[str, np.ndarray], ports: dict[str, list[int]]) -> Plan:
    speech = soxr.resample(sentences()[0].samples, 24_000, RATE_HZ)
    values = (32_767 * speech[: len(speech) // FRAMES * FRAMES]).astype(">i2").reshape(-1, FRAMES)
    made: Plan = []
    for ssrc, (name, its) in enumerate(delays.items()):
        for number, delay_s in enumerate(its):
            if math.isfinite(delay_s):
                payload = values[number % len(values)].tobytes()
                packet = RtpPacket(96, number, number * FRAMES, ssrc + 1, payload)
                at_s = number * PACKET_S + float(delay_s)
                made.append((at_s, rtp.build(packet), tuple(ports[name])))
    return sorted(made, key=lambda it: it[0])


def send(made: Plan, told: Connection) -> None:
    """Say that it is ready, learn when it begins, on the clock that all processes share, and send
    all of it; tell how much later than planned each packet left."""
    told.send("ready")
    began_s: float = told.recv()
    late_s = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for at_s, data, ports in made:
            time.sleep(max(began_s + at_s - time.monotonic(), 0.0))
            late_s.append(time.monotonic() - began_s - at_s)
            for port in ports:
                sender.sendto(data, ("127.0.0.1", port))
    told.send(late_s)


def gstreamer(latency_ms: int, into: Sequence[int], out: int) -> subprocess.Popen[bytes]:
    branches = [
        f"udpsrc port={port} caps={_CAPS} ! rtpjitterbuffer latency={latency_ms} ! "
        f"udpsink host=127.0.0.1 port={out} sync=true async=false processing-deadline=0"
        for port in into
    ]
    return subprocess.Popen(["gst-launch-1.0", "-q", *" ".join(branches).split()])


def gather(
    sockets: list[socket.socket], outs: list[list[Out]], began_s: float, until: Connection
) -> None:
    places = {it: outs[at] for at, it in enumerate(sockets)}
    while not until.poll():
        for ready in select.select(sockets, [], [], 0.1)[0]:
            packet = rtp.parse(ready.recv(2000))
            out = places[ready][packet.ssrc - 1]
            taken_s = time.monotonic() - began_s - packet.sequence * PACKET_S
            out.taken_s.setdefault(packet.sequence, taken_s)


def listen(ports: dict[str, int], told: Connection) -> None:
    """Play what comes at these ports until something is told; tell what became of it."""
    sys.setswitchinterval(0.0005)  # as the command has it
    pieces = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, port in ports.items():
            file = Path(folder) / f"{port}.sdp"
            file.write_text(_DESCRIPTION.format(port=port))
            pieces[name] = PacketPieces(str(file), name)
    for one in pieces.values():
        threading.Thread(target=drain, args=(one,), daemon=True).start()
    told.recv()
    told.send({name: it.packets for name, it in pieces.items()})


def drain(pieces: PacketPieces) -> None:
    pieces.open()
    for _ in pieces:
        pass


def race(delays: dict[str, np.ndarray]) -> tuple[dict[str, dict[str, float]], list[list[Out]]]:
    """What voicestream tells of each network, and what came out of GStreamer by latency."""
    ours = {name: free_port() for name in delays}
    theirs = {it: {name: free_port() for name in delays} for it in LATENCIES_MS}
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in LATENCIES_MS]
    for it in sockets:
        it.bind(("127.0.0.1", 0))
        it.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    outs = [[Out() for _ in delays] for _ in LATENCIES_MS]
    ports = {name: [ours[name], *(theirs[ms][name] for ms in LATENCIES_MS)] for name in ours}
    made = plan(delays, ports)
    spawn = multiprocessing.get_context("spawn")
    (to_sender, sender), (to_listener, listener) = multiprocessing.Pipe(), multiprocessing.Pipe()
    sending = spawn.Process(target=send, args=(made, sender), daemon=True)
    listening = spawn.Process(target=listen, args=(ours, listener), daemon=True)
    running = [
        gstreamer(ms, list(theirs[ms].values()), it.getsockname()[1])
        for ms, it in zip(LATENCIES_MS, sockets, strict=True)
    ]
    try:
        sending.start()
        listening.start()
        for port in (it for its in ports.values() for it in its):
            await_listener(port)
        to_sender.recv()
        began_s = time.monotonic() + 0.5
        to_sender.send(began_s)
        gather(sockets, outs, began_s, to_sender)
        sent = zip(made, to_sender.recv(), strict=True)
        for (_, data, _), late_s in sent:  # the delays as they were
            packet = rtp.parse(data)
            list(delays.values())[packet.ssrc - 1][packet.sequence] += late_s
        to_listener.send("end")
        return to_listener.recv(), outs
    finally:
        for process in running:
            process.terminate()
            process.wait()


def at_share(share: float, points: Sequence[Point]) -> float:
    """The least delay in seconds at which no more is concealed, between those that were measured;
    where more was lost, that at which nothing more is."""
    before = points[0]
    wanted = max(share, min(it for _, it in points) + _NOTHING)
    for point in points:
        if point[1] <= wanted:
            if before[1] <= wanted:
                return point[0]
            part = (before[1] - wanted) / (before[1] - point[1])
            return before[0] + part * (point[0] - before[0])
        before = point
    return points[-1][0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not shutil.which("gst-launch-1.0"):
        raise SystemExit("needs GStreamer (Debian: gstreamer1.0-tools gstreamer1.0-plugins-good)")
    count = round(options.seconds / PACKET_S)
    delays = {
        name: make(np.random.default_rng([options.seed, 18]), count)
        for name, make in NETWORKS.items()
    }
    ours: dict[str, dict[str, float]] = {}
    outs: list[list[Out]] = [[] for _ in LATENCIES_MS]
    for names in (list(delays)[at : at + AT_ONCE] for at in range(0, len(delays), AT_ONCE)):
        told, came = race({name: delays[name] for name in names})
        ours |= told
        for row, more in zip(outs, came, strict=True):
            row += more
    tell(delays, ours, outs)


def tell(
    delays: dict[str, np.ndarray], ours: dict[str, dict[str, float]], outs: list[list[Out]]
) -> None:
    say = sys.stdout.write
    say(f"{'':18}{'voicestream':>20}{'rtpjitterbuffer':>20}\n")
    theirs = [
        [out.point(its) for out, its in zip(row, delays.values(), strict=True)] for row in outs
    ]
    mine: list[Point] = []
    for at, (name, its) in enumerate(delays.items()):
        seen = ours[name]
        mine.append((seen["delay_ms"] / 1000, seen["concealed_ms"] / 1000 / PACKET_S / len(its)))
        same_s = at_share(mine[-1][1], [row[at] for row in theirs])
        say(
            f"{name:18}{1000 * mine[-1][0]:9.1f} ms {100 * mine[-1][1]:5.2f} %"
            f"{1000 * same_s:17.1f} ms {mine[-1][0] / same_s:5.2f}\n"
        )
    means = [tuple(np.mean(row, axis=0)) for row in theirs]
    for ms, (delay_s, share) in zip(LATENCIES_MS, means, strict=True):
        say(f"latency={ms:<10}{'':20}{1000 * delay_s:17.1f} ms {100 * share:5.2f} %\n")
    delay_s, share = np.mean(mine, axis=0)
    best_s = at_share(share, [(float(a), float(b)) for a, b in means])
    say(
        f"all: voicestream {1000 * delay_s:.1f} ms at {100 * share:.2f} %; the one latency that "
        f"conceals as much takes {1000 * best_s:.1f} ms: ratio {delay_s / best_s:.2f}\n"
    )


if __name__ == "__main__":
    main()
