"""How soon the first sample is there, and what decoding costs, beside mpv and ffplay.

    python -m tests.bench.decoders [SECONDS_OF_SPEECH]

Each decoder gets the same bytes at 1x realtime, as a server sends them that
speaks as it thinks. Time counts from the first byte to the first decoded
sample: mpv writes its samples to a pipe (``--ao=pcm``), ffplay by SDL's disk
driver (the first that is not silence); both have been running for a second
before the first byte, so that their start costs nothing here. No sound card is
involved and no prebuffer of voicestream's: it is the decoders that are compared.
"""

from __future__ import annotations

import os
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.encode import every_format, mp3, opus, speech
from voicestream.decode.registry import open_decoder, preload

PIECE_S = 0.01
PATIENCE_S = 6.0
RUNS = 2
RAW = {
    "mpv": ("--demuxer=rawaudio", "--demuxer-rawaudio-rate=24000", "--demuxer-rawaudio-channels=1"),
    "ffplay": ("-f", "s16le", "-ar", "24000", "-ac", "1"),
}


def paced(data: bytes, audio_s: float) -> Iterator[bytes]:
    """The data in pieces, each when it would have been spoken."""
    size = max(1, round(len(data) * PIECE_S / audio_s))
    started_s = time.monotonic()
    for number, at in enumerate(range(0, len(data), size)):
        time.sleep(max(0.0, started_s + number * PIECE_S - time.monotonic()))
        yield data[at : at + size]


def ours(name: str, data: bytes, audio_s: float) -> tuple[float, int] | None:
    """Seconds and bytes from the first byte to the first sample."""
    preload(name)
    decoder = open_decoder("", name)
    sent_bytes = 0
    started_s = time.monotonic()
    for piece in paced(data, audio_s):
        sent_bytes += len(piece)
        if len(decoder.feed(piece)):
            return time.monotonic() - started_s, sent_bytes
    return None


def theirs(
    command: Callable[[str, str], list[str]], name: str, data: bytes, audio_s: float
) -> tuple[float, int] | None:
    """The same for a program that reads stdin and writes samples to a pipe."""
    with tempfile.TemporaryDirectory() as home:
        pipe = str(Path(home) / "samples")
        os.mkfifo(pipe)
        env = {**os.environ, "SDL_AUDIODRIVER": "disk", "SDL_DISKAUDIOFILE": pipe, "HOME": home}
        # Opened for both directions, so that neither side waits for the other to open it.
        end = os.open(pipe, os.O_RDWR)
        heard_s: list[float] = []
        over = threading.Event()
        watcher = threading.Thread(target=_watch, args=(end, heard_s, over), daemon=True)
        watcher.start()
        player = subprocess.Popen(
            command(name, pipe),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=env,
        )
        try:
            time.sleep(1.0)  # the program's own start is not what is measured
            return _serve(player, data, audio_s, heard_s)
        finally:
            player.kill()
            player.communicate()
            over.set()
            watcher.join()
            os.close(end)


def _serve(
    player: subprocess.Popen[bytes], data: bytes, audio_s: float, heard_s: list[float]
) -> tuple[float, int] | None:
    assert player.stdin is not None
    started_s = time.monotonic()
    sent: list[tuple[float, int]] = []
    sent_bytes = 0
    for piece in paced(data, audio_s):
        if heard_s or time.monotonic() - started_s > PATIENCE_S:
            break
        player.stdin.write(piece)
        player.stdin.flush()
        sent_bytes += len(piece)
        sent.append((time.monotonic(), sent_bytes))
    if not heard_s:
        return None
    by_then = [size for at_s, size in sent if at_s <= heard_s[0]]
    return heard_s[0] - started_s, by_then[-1] if by_then else 0


def _watch(end: int, heard_s: list[float], over: threading.Event) -> None:
    """Note when the first sample that is not silence comes; drink the rest."""
    while not over.is_set():
        if select.select([end], [], [], 0.05)[0] and os.read(end, 65_536).strip(b"\0"):
            heard_s.append(time.monotonic())


def _mpv(name: str, pipe: str) -> list[str]:
    out = ["--ao=pcm", "--ao-pcm-waveheader=no", f"--ao-pcm-file={pipe}"]
    return ["mpv", "--no-config", "--no-terminal", "--no-video", *out, *_raw("mpv", name), "-"]


def _ffplay(name: str, _pipe: str) -> list[str]:
    return ["ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet", *_raw("ffplay", name), "-"]


def _raw(program: str, name: str) -> tuple[str, ...]:
    return RAW[program] if name == "pcm" else ()


def cpu_ms_per_audio_s(name: str, data: bytes, audio_s: float) -> float:
    """Processor time of decoding, with pieces as a network brings them."""

    def once() -> float:
        decoder = open_decoder("", name)
        started_s = time.process_time()
        for at in range(0, len(data), 1400):
            decoder.feed(data[at : at + 1400])
        decoder.flush()
        return 1000 * (time.process_time() - started_s) / audio_s

    return min(once() for _ in range(RUNS))


def exact_bytes(name: str, data: bytes) -> int:
    """Bytes until the first sample, when they come one by one."""
    decoder = open_decoder("", name)
    return next(at + 1 for at in range(len(data)) if len(decoder.feed(data[at : at + 1])))


def median(measure: Callable[[], tuple[float, int] | None]) -> tuple[float, int] | None:
    results = [result for result in (measure() for _ in range(RUNS)) if result is not None]
    return statistics.median_low(results) if results else None


def examples(audio_s: float) -> list[tuple[str, str, bytes]]:
    """What is shown, the format's name, and the bytes."""
    sound = speech(audio_s)
    formats = every_format(sound)
    del formats["buffered"]
    formats["opus"] = opus(speech(audio_s, 48_000))
    rows = [(name, name, data) for name, data in formats.items()]
    bare = mp3(sound, seekable=False, id3v2_version=0)
    rows.insert(3, ("mp3, no tags", "mp3", bare))
    rows.insert(4, ("mp3, 32 kbit/s", "mp3", mp3(sound, bit_rate=32_000)))
    short_pages = opus(speech(audio_s, 48_000), page_duration=20_000)
    short_frames = opus(speech(audio_s, 48_000), frame_duration=2.5)
    return [
        *rows,
        ("opus, page 20 ms", "opus", short_pages),
        ("opus, frame 2.5 ms", "opus", short_frames),
    ]


def main() -> None:
    audio_s = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    players = {"mpv": _mpv, "ffplay": _ffplay}
    for program in list(players):
        if shutil.which(program) is None:
            sys.stdout.write(f"{program} is not installed: left out\n")
            del players[program]
    heads = "".join(f"{program + ' ms':>12}{'bytes':>8}{'ratio':>7}" for program in players)
    sys.stdout.write(f"{'':18}{'CPU ms/s':>9}{'1st after':>10}{'ours ms':>9}{'bytes':>7}{heads}\n")
    for title, name, data in examples(audio_s):
        mine = median(lambda name=name, data=data: ours(name, data, audio_s))
        assert mine is not None
        line = f"{title:18}{cpu_ms_per_audio_s(name, data, audio_s):9.2f}"
        line += f"{exact_bytes(name, data):10}{1000 * mine[0]:9.1f}{mine[1]:7}"
        for command in players.values():
            other = median(lambda n=name, d=data, c=command: theirs(c, n, d, audio_s))
            if other is None:
                line += f"{'> ' + str(round(1000 * PATIENCE_S)):>12}{'-':>8}{'-':>7}"
            else:
                ratio = f"{other[0] / max(mine[0], PIECE_S):.0f}x"
                line += f"{1000 * other[0]:12.0f}{other[1]:8}{ratio:>7}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
