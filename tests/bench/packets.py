"""Packets on eight networks: delay and concealed time, and what is heard of losses.

    python -m tests.bench.packets [--runs 2000] [--hour] [--pesq]

Before the table: what became of every packet on the same networks when nothing is lost, and of
every sample of ramps on even ones. Simulated time, 20 s of packets of 20 ms a run. The delay counts
from the earliest that a packet could have come (of the last two seconds) to its turn; concealed is
what had to be made up, a lost packet included. A fixed delay is what GStreamer's rtpjitterbuffer
keeps (its ``latency``): for each row the one latency, for all networks the same or for each its
own, at which just as much is concealed; the ratio is to that. The optimum knows all packets before.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import deque
from collections.abc import Callable

import numpy as np
import soxr

from tests.support.packets import NETWORKS
from tests.support.sound import ramp
from tests.support.trace_content import sentences
from voicestream.packets.jitter import JitterBuffer
from voicestream.packets.rtp import RtpPacket
from voicestream.packets.sdp import Payload
from voicestream.packets.simulate import (
    CLOCK_HZ,
    Arrival,
    Delays,
    Point,
    delayed,
    fixed_at,
    optimum,
    play,
    point,
    relative,
    sent,
    simulate,
)
from voicestream.packets.sound import PacketSound
from voicestream.pcm import to_int16
from voicestream.policy.delay import DelayTarget, FixedDelay, NetEqDelay

COUNT = 1000
PACKET_S = 0.02
FRAMES = 960


def adaptive(make: Callable[[], DelayTarget], delays: Delays) -> Point:
    return point(simulate(delays, make()), COUNT * PACKET_S)


def networks(runs: int) -> dict[str, list[Delays]]:
    return {
        name: [make(np.random.default_rng([number, 18]), COUNT) for number in range(runs)]
        for name, make in NETWORKS.items()
    }


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def compare(runs: int) -> None:
    sets = networks(runs)
    accounted([it for its in sets.values() for it in its])
    late = {name: np.concatenate([relative(it) for it in its]) for name, its in sets.items()}
    every = np.concatenate(list(late.values()))
    rows: list[tuple[str, Callable[[Delays], Point], int]] = [
        ("voicestream", lambda it: adaptive(DelayTarget, it), runs),
        *(
            (f"  quantile {q}", lambda it, q=q: adaptive(lambda: DelayTarget(q), it), runs // 5)
            for q in (0.9, 0.95, 0.99)
        ),
        ("NetEq's rule", lambda it: adaptive(NetEqDelay, it), runs),
        ("optimum, price 1", lambda it: optimum(relative(it), 1.0), runs // 25),
        ("optimum, price 4", lambda it: optimum(relative(it), 4.0), runs // 25),
    ]
    say(f"{8 * runs} runs; delay ms / concealed % / to the fixed delay of each network")
    say(f"{'':18}" + "".join(f"{name:>21}" for name in sets) + f"{'all':>21}   to one fixed")
    for title, run, count in rows:
        points = {name: [run(it) for it in its[: max(count, 2)]] for name, its in sets.items()}
        cells, ratios = [], []
        for name, found in points.items():
            delay_s, share = np.mean(found, axis=0)
            ratio = delay_s / max(fixed_at(share, late[name]), 1e-3)
            ratios.append((delay_s, fixed_at(share, late[name])))
            cells.append(f"{1000 * delay_s:7.1f} {100 * share:6.2f} {ratio:6.2f}")
        delay_s, share = np.mean([it for found in points.values() for it in found], axis=0)
        own = sum(it[0] for it in ratios) / sum(it[1] for it in ratios)
        cells.append(f"{1000 * delay_s:7.1f} {100 * share:6.2f} {own:6.2f}")
        one = fixed_at(share, every)
        say(
            f"{title:18}"
            + "".join(f"{it:>21}" for it in cells)
            + f"   {1000 * one:.0f} ms, {delay_s / one:.2f}"
        )


def accounted(every: list[Delays]) -> None:
    """Print what is not played, in its turn or at all, where nothing is lost."""
    late = missing = unordered = 0
    for delays in every:
        played = simulate(np.where(np.isfinite(delays), delays, 0.0), DelayTarget())
        figures, numbers = played.buffer.figures, played.numbers
        late += figures.late
        missing += len(delays) - figures.played - figures.late
        unordered += numbers != sorted(set(numbers))
    samples = lost = 0
    for number in range(len(every)):
        rng = np.random.default_rng([number, 19])
        rate_hz, packet_ms = int(rng.choice((8_000, 16_000, 48_000))), int(rng.choice((10, 20, 40)))
        frames = rate_hz * packet_ms // 1000
        values = ramp(40 * frames)
        sound = PacketSound(Payload("L16", rate_hz))
        heard = hear(sound, arrivals(values, frames, rate_hz, rng.uniform(0.0, 0.002, 40), rng))
        begin = int(np.flatnonzero(heard == values[1])[0]) - 1
        found = heard[begin : begin + len(values)]
        samples += len(values)
        lost += len(values) if len(found) < len(values) else int(np.sum(found != values))
    say(
        f"{len(every)} runs without a loss: of {len(every) * COUNT} packets {missing} missing, "
        f"{late} late; {unordered} runs out of order; of {samples} samples {lost} not heard"
    )


def arrivals(
    values: np.ndarray, frames: int, rate_hz: int, delays: Delays, rng: np.random.Generator
) -> list[Arrival]:
    """16-bit samples as packets of L16; both counters begin anywhere."""
    sequence, timestamp = int(rng.integers(1 << 16)), int(rng.integers(1 << 32))
    packets = [
        RtpPacket(
            *(96, (sequence + number) & 0xFFFF, (timestamp + number * frames) & 0xFFFFFFFF, 1),
            part.astype(">i2").tobytes(),
        )
        for number, part in enumerate(values.reshape(-1, frames))
    ]
    sent_s = [number * frames / rate_hz for number in range(len(packets))]
    return delayed(list(zip(sent_s, packets, strict=True)), delays)


def hear(sound: PacketSound, packets: list[Arrival]) -> np.ndarray:
    """All that is played, and 0.1 s after the last packet, as 16-bit samples."""
    heard, at, rate_hz = [], 0, sound.pcm.rate_hz
    coming = deque(packets)
    while coming or at < (packets[-1][0] + 0.1) * rate_hz:
        while coming and coming[0][0] <= at / rate_hz:
            sound.put(*coming.popleft())
        heard.append(sound.take(at / rate_hz))
        at += len(heard[-1])
    values: np.ndarray = to_int16(np.concatenate(heard))[:, 0]
    return values


def hour() -> None:
    """A clock that runs 200 ppm off for an hour; packets up to 10 ms late, or now and then more."""
    count = 180_000
    for drift_ppm, name in itertools.product((0, 200, -200), ("up to 10 ms", "gamma")):
        rng = np.random.default_rng(3)
        late: list[float] = []
        delays = rng.gamma(2.0, 0.003, count) if name == "gamma" else rng.uniform(0.0, 0.01, count)
        packets = delayed(sent(count, drift_ppm=drift_ppm), delays)
        played = play(
            JitterBuffer(CLOCK_HZ, lambda _: FRAMES),
            packets,
            watch=lambda _, it, seen=late: seen.append(it.last_delay_s),
        )
        figures, tenth = played.buffer.figures, len(late) // 10
        say(
            f"{drift_ppm:+4} ppm, {name}: {count - figures.played} packets not played, "
            f"{1000 * played.concealed_s:.0f} ms concealed, {figures.changes} periods left out or "
            f"repeated; delay {1000 * np.mean(late[tenth : 2 * tenth]):.1f} ms at first, "
            f"{1000 * np.mean(late[-tenth:]):.1f} ms at last; "
            f"measured {played.buffer.target.drift_ppm:+.0f} ppm"
        )


def pesq_scores(runs: int = 4) -> None:
    from pesq import pesq  # type: ignore[import-not-found, unused-ignore]

    speech = np.concatenate([it.samples for it in sentences()[:4]])
    clean = to_int16(soxr.resample(speech, 24_000, 16_000)[:, None])[:, 0]
    clean = clean[: len(clean) // 320 * 320]
    say("PESQ (wide band) of 20 ms packets lost: silence, repetition, voicestream")
    for share in (0.01, 0.05, 0.1):
        scores = []
        for number in range(runs):
            rng = np.random.default_rng([number, int(100 * share)])
            lost = rng.random(len(clean) // 320) < share
            lost[:5] = False
            heard = [_silence(clean, lost), _repetition(clean, lost), _concealed(clean, lost)]
            scores.append([pesq(16_000, clean, it, "wb") for it in heard])
        silence, repetition, own = np.mean(scores, axis=0)
        say(f"{share:5.0%} {silence:6.2f} {repetition:6.2f} {own:6.2f}   {own - silence:+.2f}")


def _silence(clean: np.ndarray, lost: np.ndarray) -> np.ndarray:
    heard = clean.reshape(-1, 320).copy()
    heard[lost] = 0
    return heard.reshape(-1)


def _repetition(clean: np.ndarray, lost: np.ndarray) -> np.ndarray:
    heard = clean.reshape(-1, 320).copy()
    for number in np.flatnonzero(lost):
        heard[number] = heard[number - 1]
    return heard.reshape(-1)


def _concealed(clean: np.ndarray, lost: np.ndarray) -> np.ndarray:
    came = np.where(lost, np.inf, 0.0)
    rng = np.random.default_rng(1)
    sound = PacketSound(Payload("L16", 16_000), FixedDelay(0.02))
    values = hear(sound, arrivals(clean, 320, 16_000, came, rng))
    began = int(np.flatnonzero(np.abs(values) > 0)[0]) - int(np.flatnonzero(clean)[0])
    return values[max(began, 0) :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="of all eight networks")
    parser.add_argument("--hour", action="store_true", help="only a clock that drifts")
    parser.add_argument("--pesq", action="store_true", help="only the losses heard")
    arguments = parser.parse_args()
    began = time.perf_counter()
    if arguments.hour:
        hour()
    elif arguments.pesq:
        pesq_scores()
    else:
        compare(max(arguments.runs // len(NETWORKS), 1))
    say(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
