"""Where the time goes until the first sound, beside programs that load nothing.

    python -m tests.bench.startup [--runs 5] [--only WORD ...] [--imports 25]

Cold processes take turns on a recorded loudspeaker, round by round, as in ``first_sound``, at
servers whose first byte comes after 30 ms (then 20x realtime: a model on this desk), 200 and 500 ms
(then 4x). ``x``: the median beside that of the reference in the same column: ``httpx`` alone for
the request, ``curl | pacat`` for PCM, ``curl | mpv`` for MP3, ``espeak-ng`` for the embedded voice,
which finds what an earlier speech has left in the user's cache; a kept reply is that of PCM.

Rows with ``engine`` have one running, with the voice loaded, whose memory is shown.

Below that the imports of one more run at the first server: CPU by thread, how much of it was over
by the request, and by the first sound, and the modules that took most, each without what it
imports, with the moment it was there. Times of the tracing run are not those of the table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.first_sound import BenchError, Run, measure, median, program_env, scripts
from tests.bench.rows import BARE, PACAT, TEXT, Row, rows, through_engine
from tests.support.engine import engine
from tests.support.loudspeaker import Loudspeaker
from tests.support.remote import ServerProcess
from voicestream.cli.engine.command import memory_mb

SERVERS = {30: 20.0, 200: 4.0, 500: 4.0}
"""Milliseconds to the first byte -> speed after it, in realtimes."""
MPV, ESPEAK = "curl | mpv mp3", "espeak-ng"
_KEPT, _HOWS = "voicestream, kept", ("", ", engine")
_ENGINE = ("voicestream pcm, engine", "voicestream mp3, engine")
_NAMES = ("voicestream pcm", "voicestream mp3", *_ENGINE, PACAT, MPV, "curl | ffplay mp3", BARE)
_AGAINST = {
    f"voicestream {kind}{how}": reference
    for kind, reference in (("pcm", PACAT), ("mp3", MPV), ("embedded", ESPEAK))
    for how in ("", ", engine")
}
_TRACED = Path(__file__).parent / "players" / "traced.py"


@dataclass(frozen=True)
class Import:
    """One module's loading, as ``players/traced.py`` saw it."""

    module: str
    thread: str
    own_ms: float
    all_ms: float
    ended_ms: float


def programs() -> list[tuple[int, Row]]:
    """Each server's delay with the programs that ask it; 0 for those that ask nobody."""
    known = {row.name: row for row in rows()}
    for name in ("voicestream pcm", "voicestream mp3", "voicestream embedded", _KEPT):
        engine = through_engine(known[name])
        known[engine.name] = engine
    here = [known[f"voicestream embedded{how}"] for how in _HOWS]
    # asked of the first server by the round that is not counted, and then of nobody
    pcm = f"pcm-{min(SERVERS)}"
    here += [replace(known[f"{_KEPT}{how}"], format=pcm) for how in _HOWS]
    asking = [
        (delay_ms, replace(known[name], format=f"{known[name].format}-{delay_ms}"))
        for delay_ms in SERVERS
        for name in _NAMES
        if name != BARE or delay_ms == min(SERVERS)
    ]
    espeak = Row(ESPEAK, "embedded", lambda _url: [["espeak-ng", TEXT]])
    return [*asking, *((0, row) for row in here), (0, espeak)]


def prepare_voice(speaker: Loudspeaker) -> None:
    """Have what the neural voice keeps in the user's cache made, as the first speech does."""
    Path(speaker.env["HOME"], ".cache").mkdir()
    command = [sys.executable, "-m", "voicestream.speech.prepared"]
    subprocess.run(command, env=program_env(speaker.env), cwd=Path(__file__).parents[2], check=True)


@contextmanager
def resident(speaker: Loudspeaker) -> Iterator[Callable[[], float]]:
    """An engine as long as the block lasts; what tells its memory with that of its spare, MB."""
    env = program_env(speaker.env)
    del env["VOICESTREAM_ENGINE"]
    with tempfile.TemporaryDirectory(prefix="vs-") as runtime:
        # the rows find it where the loudspeaker's programs look
        speaker.env["VOICESTREAM_RUNTIME_DIR"] = env["VOICESTREAM_RUNTIME_DIR"] = runtime
        env["VOICESTREAM_BASE_URL"] = "embedded:"
        with engine(env, Path(runtime), Path(runtime)) as running:
            yield lambda: memory_mb(running.pid)


def take(
    chosen: Sequence[tuple[int, Row]], runs: int, server: ServerProcess, speaker: Loudspeaker
) -> dict[tuple[int, str], list[Run]]:
    """Measure all programs in turn, after one round that is not counted."""
    taken: dict[tuple[int, str], list[Run]] = {(at, row.name): [] for at, row in chosen}
    for turn in range(runs + 1):
        for at, row in chosen:
            try:
                run = measure(row, server, speaker)
            except (BenchError, TimeoutError, OSError) as error:
                sys.stderr.write(f"{row.name} at {at} ms: {error}\n")
                continue
            if turn:
                taken[at, row.name].append(run)
    return taken


def table(taken: dict[tuple[int, str], list[Run]]) -> str:
    lines = [
        f"{'':8}{'':28}{'request':>9}{'x httpx':>9}{'sound':>9}{'least':>8}{'x ref.':>8}"
        f"{'lost':>6}{'CPU':>8}{'memory':>8}",
        f"{'server':8}{'medians':28}{'ms':>9}{'':>9}{'ms':>9}{'ms':>8}{'':>8}{'':>6}{'ms':>8}{'MB':>8}",
    ]
    bare = median(taken.get((min(SERVERS), BARE), []), "request_ms")
    for (at, name), runs in taken.items():
        request, sound = median(runs, "request_ms"), median(runs, "sound_ms")
        reference = median(taken.get((at, _AGAINST.get(name, "")), []), "sound_ms")
        least = min((run.sound_ms for run in runs if run.sound_ms is not None), default=None)
        lines.append(
            f"{f'{at} ms' if at else '-':8}{name:28}{_shown(request, 9)}{_ratio(request, bare)}"
            f"{_shown(sound, 9)}{_shown(least, 8)}{_ratio(sound, reference, 8)}"
            f"{_shown(median(runs, 'lost'), 6)}{_shown(median(runs, 'cpu_ms'), 8)}"
            f"{_shown(median(runs, 'memory_mb'), 8)}"
        )
    return "\n".join(lines)


def _shown(value: float | None, width: int) -> str:
    return f"{'-' if value is None else format(value, '.0f'):>{width}}"


def _ratio(value: float | None, base: float | None, width: int = 9) -> str:
    return f"{'-' if value is None or not base else format(value / base, '.2f'):>{width}}"


def imports(kind: str, most: int, server: ServerProcess, speaker: Loudspeaker) -> str:
    """Trace one run; show its imports."""
    base = "embedded:" if kind == "embedded" else server.url(f"{kind}-{min(SERVERS)}")
    form = [] if kind == "embedded" else ["--format", kind]
    with tempfile.NamedTemporaryFile("r") as file, speaker.record():
        command = [sys.executable, str(_TRACED), file.name, "say", TEXT, "--json", "--quiet"]
        done = subprocess.run(
            [*command, "--base-url", base, *form],
            env=program_env(speaker.env),
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        found = [Import(*row) for row in json.load(file)]
    line = json.loads(done.stdout)["timeline_ms"]
    sent_ms, heard_ms = line["request_sent"] or 0.0, line["first_sound"]
    parts: list[tuple[str, Callable[[Import], bool]]] = [
        ("by the request", lambda it: it.ended_ms <= sent_ms),
        ("then to the first sound", lambda it: sent_ms < it.ended_ms <= heard_ms),
        ("while it plays", lambda it: it.ended_ms > heard_ms),
    ]
    lines = [f"{kind}: request at {sent_ms:.0f} ms, first sound at {heard_ms:.0f} ms"]
    for name, within in parts:
        spent: Counter[str] = Counter()
        counted = [it for it in found if within(it)]
        for it in counted:
            spent[it.thread] += it.own_ms  # type: ignore[assignment]
        threads = ", ".join(f"{thread} {ms:.0f} ms" for thread, ms in spent.most_common())
        lines.append(f"  {name:24}{len(counted):4} modules  {threads}")
    by_package: Counter[str] = Counter()
    for it in found:
        by_package[_package(it.module)] += it.own_ms  # type: ignore[assignment]
    shown = ", ".join(f"{name} {ms:.0f}" for name, ms in by_package.most_common(14))
    lines.append(f"  CPU ms by package: {shown}")
    lines += [
        f"  {it.own_ms:7.1f} ms  there at {it.ended_ms:5.0f}  {it.thread:14} {it.module}"
        for it in sorted(found, key=lambda it: -it.own_ms)[:most]
    ]
    return "\n".join(lines)


def _package(module: str) -> str:
    first, _, rest = module.partition(".")
    if first == "voicestream":
        return f"voicestream.{rest.partition('.')[0]}" if rest else first
    return "the standard library" if first in sys.stdlib_module_names else first


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="counted rounds (default 5)")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="programs with one of these")
    parser.add_argument("--servers", nargs="+", type=int, metavar="MS", default=[*SERVERS])
    parser.add_argument("--imports", type=int, default=25, help="modules shown (default 25)")
    options = parser.parse_args()
    chosen = [
        (at, row)
        for at, row in programs()
        if at in {0, *options.servers}
        and (not options.only or any(word.lower() in row.name.lower() for word in options.only))
        and not row.lacking
    ]
    replies = {
        f"{name}-{delay_ms}": script
        for delay_ms, speed in SERVERS.items()
        for name, script in scripts(delay_ms / 1000, speed).items()
    }
    with Loudspeaker() as speaker, ServerProcess(replies) as server:
        prepare_voice(speaker)
        with resident(speaker) as engine_mb:
            taken = take(chosen, options.runs, server, speaker)
            idle_mb = engine_mb()
        traced = [
            imports(kind, options.imports, server, speaker)
            for kind in ("pcm", "mp3", "embedded")
            if options.imports
            and (0 if kind == "embedded" else 1, f"voicestream {kind}")
            in {(min(at, 1), row.name) for at, row in chosen}
        ]
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}; {options.runs} rounds; idle engine {idle_mb:.0f} MB\n"
    )
    print("\n\n".join([table(taken), *traced]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
