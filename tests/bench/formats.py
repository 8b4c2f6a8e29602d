"""How soon each format is heard when it comes no faster than it is spoken, beside mpv and ffplay.

    python -m tests.bench.formats [--runs 3] [--only FORMAT ...]

A scripted server in a process of its own sends each reply at 1x realtime. The programs
take turns on one recorded loudspeaker; each is ended once it has been heard. The time is
that from the first byte of the body sent to the first sound, the median of the runs; ``x``:
against the goal, which is the prebuffer (150 ms of sound take as long to come) and 60 ms;
of Opus the first page with sound, if that is longer. ``there`` is when the bytes are sent that
hold so much sound: tags, codec delay and whole frames come on top, and nobody who keeps the
prebuffer can be heard sooner. A first round is not counted.

Below: bytes until the decoder gives the first sample. MP3 and AAC begin with samples that
belong to the codec (1105 and 1024) and are cut off. ``least`` is the first byte at which
FFmpeg, told of every frame what it holds so far, decodes all of the first frame that holds
a sample of the speech: no decoder that cuts the delay off can need less.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.bench.decoders import exact_bytes
from tests.bench.rows import FFPLAY, MPV, MPV_RAW, Row, piped, voicestream
from tests.support.encode import every_format, opus
from tests.support.loudspeaker import Loudspeaker
from tests.support.remote import ServerProcess
from tests.support.script import Script
from tests.support.sound import speechlike
from voicestream.decode.aac import parse_adts
from voicestream.decode.compressed import PacketDecoder
from voicestream.decode.mp3 import parse_header, parse_info
from voicestream.decode.opus import RATE_HZ, duration, split_lacing
from voicestream.decode.registry import open_decoder
from voicestream.decode.synced import id3_size_bytes
from voicestream.pcm import Samples, from_int16

ROOT = Path(__file__).parents[2]
SOUND_S = 8.0
PIECE_S = 0.01
THINKS_S = 0.3
PREBUFFER_S = 0.15
GOAL_S = 0.06
GOAL_BYTES = {"mp3": 500, "aac": 600, "flac": 17_000, "wav": 46, "pcm": 2}
KINDS = {
    "pcm": "audio/pcm",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
}
QUIET = 300
PATIENCE_S = 7.0


def replies() -> dict[str, bytes]:
    """The same sound in every format, loud from its first sample on."""
    found = every_format(from_int16(speechlike(SOUND_S)[:, None]))
    del found["buffered"]
    wide = from_int16(speechlike(SOUND_S, RATE_HZ)[:, None])
    return found | {"opus": opus(wide), "opus-20ms": opus(wide, page_duration=20_000)}


def script(name: str, body: bytes) -> Script:
    """At 1x realtime, from the first byte on, which comes when the server has thought."""
    rate_bytes_per_s = len(body) / SOUND_S
    return Script(
        body,
        content_type=KINDS[name.partition("-")[0]],
        first_byte_delay_s=THINKS_S,
        rate_bytes_per_s=rate_bytes_per_s,
        piece_bytes=max(2, round(rate_bytes_per_s * PIECE_S) // 2 * 2),
    )


def programs(name: str) -> list[Row]:
    kind = name.partition("-")[0]
    raw = MPV_RAW if kind == "pcm" else []
    ffplay_raw = ["-f", "s16le", "-ar", "24000"] if kind == "pcm" else []
    return [
        voicestream(kind, "--prebuffer-ms", f"{1000 * PREBUFFER_S:.0f}"),
        voicestream(kind),
        piped("curl | mpv", kind, [*MPV, *raw, "-"]),
        piped("curl | ffplay", kind, [*FFPLAY, *ffplay_raw, "-"]),
    ]


def first_sound_s(row: Row, name: str, server: ServerProcess, speaker: Loudspeaker) -> float | None:
    """From the first byte sent to the first sound heard; None: not heard."""
    server.take_requests()
    while speaker.streams():  # of the program before
        time.sleep(0.02)
    running: list[subprocess.Popen[bytes]] = []
    with speaker.record() as recording:
        try:
            for command in row.start(server.url(name)):
                running.append(
                    subprocess.Popen(
                        command,
                        env=speaker.env | {"VOICESTREAM_API_KEY": "test"},
                        cwd=ROOT,
                        stdin=running[-1].stdout if running else subprocess.DEVNULL,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL,
                    )
                )
            recording.wait_sound(PATIENCE_S)
        except TimeoutError:
            return None
        finally:
            for process in running:
                process.kill()
                process.communicate()
        heard_s = recording.first_sound_s(QUIET)
    asked = [request for request in server.take_requests() if request.method == "POST"]
    if heard_s is None or not asked or asked[0].first_byte_s is None:
        return None
    return heard_s - asked[0].first_byte_s


def goal_s(name: str, body: bytes) -> float:
    """By when it shall be heard after the first byte."""
    page_s = first_page(body)[0] / len(body) * SOUND_S if name.startswith("opus") else 0.0
    return max(PREBUFFER_S, page_s) + GOAL_S


def there_s(name: str, body: bytes) -> float:
    """When the prebuffer has been sent, as far as the format tells."""
    decoder = open_decoder("", name.partition("-")[0])
    frames = 0
    for at in range(len(body)):
        frames += len(decoder.feed(body[at : at + 1]))
        if decoder.format and frames >= PREBUFFER_S * decoder.format.rate_hz:
            return (at + 1) / len(body) * SOUND_S
    raise AssertionError


def first_page(body: bytes) -> tuple[int, float]:
    """Where the first Ogg page with sound ends, in bytes, and how much sound is in it."""
    at = 0
    for number in range(3):  # the head, the tags, the sound
        lacing = body[at + 27 : at + 27 + body[at + 26]]
        begins, at = at + 27 + len(lacing), at + 27 + len(lacing) + sum(lacing)
        if number == 2:
            sizes = [size for size, _ in split_lacing(lacing)]
            starts = np.concatenate(([0], np.cumsum(sizes)))[:-1] + begins
            return at, sum(duration(body[start : start + 2]) for start in starts) / RATE_HZ
    raise AssertionError


def least_bytes(name: str, body: bytes) -> int | None:
    """See the top; None for what has no delay to cut off."""
    at = id3_size_bytes(body) or 0
    if name == "aac":
        return _decoded_at(body, "aac", parse_adts, at, 1)
    if name != "mp3":
        return None
    header = parse_header(body, at)
    assert header is not None
    info = parse_info(header, body[at : at + header.size_bytes])
    at += header.size_bytes if info else 0
    return _decoded_at(
        body, "mp3float", parse_header, at, info[0][1] // header.frames if info else 1
    )


def _decoded_at(
    body: bytes, codec: str, parse: Callable[[bytes, int], object], at: int, delay_frames: int
) -> int:
    """Where the data of the frame behind so many others is complete."""
    frames = []
    for _ in range(delay_frames + 1):
        size_bytes: int = parse(body, at).size_bytes  # type: ignore[attr-defined]
        frames.append(body[at : at + size_bytes])
        at += size_bytes
    *before, last = frames

    def decoded(frame: bytes) -> Samples | None:
        decoder = PacketDecoder(codec)
        for earlier in before:
            decoder.decode(earlier)
        return decoder.decode(frame)

    whole = decoded(last)
    assert whole is not None
    for size in range(len(last)):
        got = decoded(last[:size] + bytes(len(last) - size))
        if got is not None and np.array_equal(got, whole):
            return at - len(last) + size
    return at


def show_times(name: str, body: bytes, taken: dict[str, list[float | None]]) -> None:
    there_ms, goal_ms = 1000 * there_s(name, body), 1000 * goal_s(name, body)
    for title, times in taken.items():
        heard = [1000 * time_s for time_s in times[1:] if time_s is not None]
        line = f"{name + ': ' + title:44}{there_ms:8.0f}"
        if heard:
            ms = statistics.median(heard)
            line += f"{ms:8.0f}{goal_ms:8.0f}{ms / goal_ms:7.2f}"
        else:
            line += f"{f'> {1000 * PATIENCE_S:.0f}':>8}{goal_ms:8.0f}{'-':>7}"
        print(line, flush=True)


def show_bytes(bodies: dict[str, bytes]) -> None:
    print(f"\n{'bytes to the first sample':28}{'ours':>8}{'goal':>8}{'x':>7}{'least':>8}{'x':>7}")
    for name, body in bodies.items():
        kind = name.partition("-")[0]
        ours = exact_bytes(kind, body)
        goal = GOAL_BYTES.get(name) or first_page(body)[0]
        least = least_bytes(name, body)
        known = f"{least:8}{ours / least:7.2f}" if least else f"{'-':>8}{'-':>7}"
        print(f"{name:28}{ours:8}{goal:8}{ours / goal:7.2f}{known}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="counted rounds (default 3)")
    parser.add_argument("--only", nargs="+", metavar="FORMAT", help="only these formats")
    options = parser.parse_args()
    bodies = {name: body for name, body in replies().items() if name in (options.only or [name])}
    scripts = {name: script(name, body) for name, body in bodies.items()}
    print(f"{'first byte to first sound':44}{'there':>8}{'ms':>8}{'goal':>8}{'x':>7}")
    with Loudspeaker() as speaker, ServerProcess(scripts) as server:
        for name, body in bodies.items():
            rows = [row for row in programs(name) if not row.lacking]
            taken: dict[str, list[float | None]] = {row.name: [] for row in rows}
            for _ in range(options.runs + 1):
                for row in rows:
                    taken[row.name].append(first_sound_s(row, name, server, speaker))
            show_times(name, body, taken)
    show_bytes(bodies)
    return 0


if __name__ == "__main__":
    sys.exit(main())
