"""Another tempo beside FFmpeg's ``atempo``, and a server that lags, waited for and stretched.

    python -m tests.bench.tempo [--quick]

The first table: speech of the embedded voice and a tone of 220 Hz. ``length`` is what
the result lasts over what it should, ``pitch`` by how much the tone moved, ``bands`` how far
the farthest octave from 100 Hz to 11 kHz is from the source, ``step`` the largest from sample
to sample over that of the source (a click is one), ``CPU`` milliseconds for each second of
source, and for each second that is heard.

The second: a server at 0.8x realtime, the real command on a device with a real clock, one
run after the other (starting side by side, they would be late themselves), each of an
endpoint never met before.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tests.support import command
from tests.support.atempo import atempo, band_levels_db, pitch_hz
from tests.support.remote import ServerProcess
from tests.support.script import Script
from tests.support.segments import largest_step
from tests.support.trace_content import RATE_HZ, sentences
from voicestream.dsp.stretch import Stretcher
from voicestream.pcm import PcmFormat, Samples, to_int16

TEMPOS = (0.5, 0.75, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0, 3.0)
TONE_HZ = 220.0
PIECE = 960
RATE_OF_SERVER = 0.8
Change = Callable[[Samples, float], Samples]


def ours(samples: Samples, tempo: float) -> Samples:
    """As it arrives: 40 ms at a time."""
    stretcher = Stretcher(PcmFormat(RATE_HZ), tempo)
    pieces = (samples[start : start + PIECE] for start in range(0, len(samples), PIECE))
    return np.concatenate([*(stretcher.feed(piece) for piece in pieces), stretcher.flush()])


def theirs(samples: Samples, tempo: float) -> Samples:
    """All at once."""
    return atempo(samples, RATE_HZ, tempo)


def spoken(count: int) -> Samples:
    """So many sentences, with pauses."""
    pause = np.zeros(round(0.3 * RATE_HZ), np.float32)
    parts = [part for one in sentences()[:count] for part in (one.samples, pause)]
    return np.concatenate(parts)[:, None]


def measured(change: Change, speech: Samples, tempo: float) -> tuple[str, float]:
    """A row's half, and the CPU seconds it took."""
    change(speech[:RATE_HZ], tempo)  # warm
    began_s = time.process_time()
    result = change(speech, tempo)
    cpu_ms = 1000 * (time.process_time() - began_s)
    times_s = np.arange(3 * RATE_HZ) / RATE_HZ
    tone = (0.5 * np.sin(2 * np.pi * TONE_HZ * times_s)).astype(np.float32)[:, None]
    pitch = pitch_hz(change(tone, tempo), RATE_HZ) / TONE_HZ - 1
    off_db = np.abs(band_levels_db(result, RATE_HZ) - band_levels_db(speech, RATE_HZ)).max()
    length = len(result) * tempo / len(speech)
    step = largest_step(result) / largest_step(speech)
    cells = (
        f"{length:9.4f}{100 * pitch:8.3f} %{off_db:6.1f} dB{step:7.2f}"
        f"{cpu_ms * RATE_HZ / len(speech):8.2f}{cpu_ms * RATE_HZ / len(result):8.2f}"
    )
    return cells, cpu_ms


def quality(speech: Samples) -> Iterable[str]:
    yield f"{len(speech) / RATE_HZ:.0f} s of speech\n"
    columns = f"{'length':>9}{'pitch':>10}{'bands':>9}{'step':>7}{'CPU':>8}{'heard':>8}"
    yield f"{'tempo':8}{'voicestream':>51}   {'atempo':>51}"
    yield f"{'':8}{columns}   {columns}   CPU ratio"
    for tempo in TEMPOS:
        mine, mine_ms = measured(ours, speech, tempo)
        other, other_ms = measured(theirs, speech, tempo)
        yield f"{tempo:<8g}{mine}   {other}{mine_ms / other_ms:12.1f}"


def lagging(speech: Samples, text: str) -> Iterable[str]:
    script = Script(
        to_int16(speech).tobytes(),
        first_byte_delay_s=0.2,
        rate_bytes_per_s=RATE_OF_SERVER * 2 * RATE_HZ,
        piece_bytes=1920,
    )
    rows = [(how, playout) for playout in ("fixed", "adaptive") for how in ("wait", "stretch")]
    lacking_s = len(speech) / RATE_HZ * (1 / RATE_OF_SERVER - 1)
    yield f"\na server at {RATE_OF_SERVER:g}x realtime, {lacking_s:.1f} s lacking in all\n"
    yield (
        f"{'':18}{'start':>8}{'stops':>7}{'stalled':>9}{'at pauses':>11}{'waited':>9}"
        f"{'slower':>9}{'heard':>8}"
    )
    with ServerProcess({"slow": script}) as server:
        for how, playout in rows:
            figures = _heard(server.url("slow"), text, how, playout)
            line = figures["timeline_ms"]
            yield (
                f"{playout + ' ' + how:18}{line['playback_start'] - line['first_byte']:5.0f} ms"
                f"{figures['underruns']:7}{figures['stall_ms'] / 1000:7.2f} s"
                f"{figures['holds']:11}{figures['hold_ms'] / 1000:7.2f} s"
                f"{figures['stretched_s']:7.1f} s{figures['audio_s']:6.1f} s"
            )


def _heard(url: str, text: str, how: str, playout: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        done = command.run(
            *("say", text, "--base-url", url, "--device", "null", "--json", "--quiet"),
            *("--underrun", how, "--playout", playout),
            env=command.environment(Path(home)),
            cwd=Path(home),
            timeout_s=120,
        )
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    return command.figures(done)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less speech")
    count = 2 if parser.parse_args().quick else 5
    for line in quality(spoken(count)):
        sys.stdout.write(line + "\n")
    text = " ".join(one.text for one in sentences()[:2])
    for line in lagging(spoken(2), re.sub(r"[^\w ]", "", text)):  # one request
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
