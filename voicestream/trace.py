"""When the sound of one reply arrived: kept in a file, to be played back in simulated time."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voicestream.errors import SaveError, SettingsError, UsageError
from voicestream.files import check_place, no_folder, read_bounded, write_whole
from voicestream.records import dataclass

_LONGEST_S = 86_400.0
_MOST_BYTES = 64 << 20
_MOST_FRAMES = 1 << 40
_MOST_PACKETS = 1_000_000


@dataclass(frozen=True, slots=True)
class Trace:
    """One reply's arrivals: ``(seconds since the request, frames of sound)`` each, in order."""

    name: str
    rate_hz: int
    arrivals: tuple[tuple[float, int], ...]
    chars: int = 0
    """Characters that were spoken; 0: not known."""
    pauses: tuple[tuple[int, int], ...] = ()
    """Frames ``(start, end)`` of the speech's pauses, as found while it was played."""

    @property
    def frames(self) -> int:
        return sum(frames for _, frames in self.arrivals)

    @property
    def audio_s(self) -> float:
        return self.frames / self.rate_hz

    @property
    def best_start_s(self) -> float:
        """The offline optimum: the least start delay with which nothing is ever late.

        ``max_i (a_i - sum_{j<i} c_j)`` for sound of ``c_j`` seconds arriving at
        ``a_j``. Start delay and waiting of any policy add up to no less.
        """
        best, before = 0.0, 0
        for at_s, frames in self.arrivals:
            best = max(best, at_s - before / self.rate_hz)
            before += frames
        return best


@dataclass(frozen=True, slots=True)
class PacketTrace:
    """How packets of one sender came.

    Attributes:
        delays_s: of each packet, in the order they were sent, one each ``packet_s``: seconds on the
            way longer than the quickest; infinite: it was lost.
    """

    name: str
    packet_s: float
    delays_s: tuple[float, ...]


def load_trace(path: Path) -> Trace | PacketTrace:
    """Read a trace.

    Raises:
        UsageError: the file cannot be read, or is none.
    """
    try:
        content = json.loads(read_bounded(path, _MOST_BYTES))
        return _parse_packets(content) if "delays_ms" in content else _parse(content)
    except OSError as error:
        raise UsageError(f"the trace {path.name} cannot be read", error.strerror or "") from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UsageError(
            f"{path.name} is no trace of a reply",
            str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}",
            "`voicestream trace record FILE` makes one.",
        ) from error


def _parse(content: Any) -> Trace:
    rate_hz, arrivals = int(content["sample_rate"]), content["arrivals"]
    if not 1000 <= rate_hz <= 400_000:
        raise ValueError(f"a sample rate of {rate_hz} Hz")
    pieces: list[tuple[float, int]] = []
    last_s = 0.0
    for at_s, frames in arrivals:
        if not isinstance(frames, int) or not 0 <= frames <= _MOST_FRAMES:
            raise ValueError(f"{frames!r} is no number of frames")
        if not (math.isfinite(at_s) and 0 <= at_s <= _LONGEST_S):
            raise ValueError(f"{at_s!r} is no time")
        if at_s < last_s:
            raise ValueError(f"arrivals go back from {last_s:g} s to {at_s:g} s")
        last_s = float(at_s)
        pieces.append((last_s, frames))
    if not sum(frames for _, frames in pieces):
        raise ValueError("it holds no sound")
    chars = max(int(content.get("chars", 0)), 0)
    pauses = tuple((int(start), int(end)) for start, end in content.get("pauses", ()))
    return Trace(str(content.get("name", "")), rate_hz, tuple(pieces), chars, pauses)


def _parse_packets(content: Any) -> PacketTrace:
    packet_s = float(content["packet_ms"]) / 1000
    if not 0.002 <= packet_s <= 0.2:
        raise ValueError(f"packets of {1000 * packet_s:g} ms")
    delays_s = tuple(
        math.inf if it is None else float(it) / 1000 for it in content["delays_ms"][:_MOST_PACKETS]
    )
    if not any(math.isfinite(it) for it in delays_s):
        raise ValueError("it holds no packet that came")
    if any(math.isnan(it) or it < 0 or (it > _LONGEST_S and math.isfinite(it)) for it in delays_s):
        raise ValueError("a delay is no time")
    return PacketTrace(str(content.get("name", "")), packet_s, delays_s)


def dump_trace(trace: Trace | PacketTrace) -> str:
    """Return the content of a trace's file."""
    if isinstance(trace, PacketTrace):
        delays = [round(1000 * it, 2) if math.isfinite(it) else None for it in trace.delays_s]
        packet_ms = round(1000 * trace.packet_s, 3)
        return json.dumps({"name": trace.name, "packet_ms": packet_ms, "delays_ms": delays})
    return json.dumps(
        {
            "name": trace.name,
            "sample_rate": trace.rate_hz,
            "audio_s": round(trace.audio_s, 3),
            "oracle_start_s": round(trace.best_start_s, 4),
            "chars": trace.chars,
            "pauses": trace.pauses,
            "arrivals": [[round(at_s, 4), frames] for at_s, frames in trace.arrivals],
        }
    )


def check_trace_file(file: str) -> None:
    """Refuse, before anything is recorded, what no trace can be written to.

    Raises:
        SaveError: there is no such folder, or it may not be written to.
    """
    try:
        check_place(Path(file))
    except OSError as error:
        raise _failure(error, file) from error


def save_trace(trace: Trace | PacketTrace, file: str) -> None:
    """Write a trace.

    Raises:
        SaveError: the file cannot be written.
    """
    try:
        write_whole(Path(file), dump_trace(trace) + "\n")
    except OSError as error:
        raise _failure(error, file) from error


def _failure(error: OSError, file: str) -> SaveError:
    what = f"the trace {file} cannot be written"
    return SaveError(what, error.strerror or str(error), no_folder(file))


class TraceRecorder:
    """Notes arrivals as they come. Used by the feeder.

    Args:
        request_at_s: when the first request was sent, on the clock of the arrivals.
    """

    def __init__(self, name: str, rate_hz: int, request_at_s: float) -> None:
        if rate_hz < 1:
            raise SettingsError(f"a sample rate of {rate_hz} Hz")
        self._name = name
        self._rate_hz = rate_hz
        self._request_at_s = request_at_s
        # arrays: an hour of arrivals is a megabyte, not ten
        self._times_s = array("d")
        self._frames = array("q")

    def arrived(self, at_s: float, frames: int) -> None:
        """So many frames of sound came; a clock that goes back counts as standing still."""
        last_s = self._times_s[-1] if self._times_s else 0.0
        self._times_s.append(max(at_s - self._request_at_s, last_s))
        self._frames.append(frames)

    def trace(self, chars: int = 0, pauses: Sequence[tuple[int, int]] = ()) -> Trace:
        arrivals = tuple(zip(self._times_s, self._frames, strict=True))
        return Trace(self._name, self._rate_hz, arrivals, chars, tuple(pauses))
