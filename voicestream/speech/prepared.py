"""What the neural voice loads, made ready once and kept in the user's cache.

At each start onnxruntime would simplify the model's graph, and the phonemiser unpack 11 MB of
tables from JSON. Kept are the graph as onnxruntime leaves it and the tables in small parts, of
which those are unpacked that a text needs; each file behind its checksum, in a folder named after
the versions that made it. The sound is the same, sample for sample. What is missing or damaged
comes from the package, as if nothing were kept.

``python -m voicestream.speech.prepared`` makes them; whoever finds none starts that, to have them
the next time. It takes two seconds at the lowest priority, and 20 MB; what other versions left is
removed. Where the user has no cache folder, none is made.
"""

from __future__ import annotations

import marshal
import os
import shutil
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from voicestream.files import create_part, read_bounded
from voicestream.settings.sources import user_cache_folder

MODEL, TABLES = "model.ort", "tables.parts"
_MOST_BYTES = 64 << 20
_CHECK_BYTES = 4
_TABLES = (
    *("lexicon_us_gold.json.gz", "lexicon_us_silver.json.gz"),
    *("tagger.json.gz", "tokenizer_exceptions.json"),
)
"""Those of hibari's assets that American English is spelt with."""


_PARTS = 2048
_LARGE = 10_000
"""Entries of a table that is kept in parts."""


class Table(Mapping[str, Any]):
    """A table in parts, by their keys' checksums; a part is unpacked when one of them is wanted."""

    def __init__(self, parts: tuple[bytes, ...]) -> None:
        self._parts = parts

    def __getitem__(self, key: str) -> Any:
        return marshal.loads(self._parts[_part_of(key)])[key]

    def __iter__(self) -> Iterator[str]:
        for part in self._parts:
            yield from marshal.loads(part)

    def __len__(self) -> int:
        return sum(len(marshal.loads(part)) for part in self._parts)


def _part_of(key: str) -> int:
    return zlib.crc32(key.encode("utf-8", "surrogatepass")) % _PARTS


def _packed(found: Any) -> Any:
    """Return what is written for a table, or for one within: the parts of a large one."""
    if not isinstance(found, dict):
        return found
    if len(found) < _LARGE:
        return {key: _packed(value) for key, value in found.items()}
    parts: list[dict[str, Any]] = [{} for _ in range(_PARTS)]
    for key, value in found.items():
        parts[_part_of(key)][key] = value
    return tuple(map(marshal.dumps, parts))


def _opened(kept: Any) -> Any:
    """Return what ``_packed`` has made one of, for reading. JSON has no tuples of its own."""
    if isinstance(kept, tuple):
        return Table(kept)
    if isinstance(kept, dict):
        return {key: _opened(value) for key, value in kept.items()}
    return kept


def folder() -> Path:
    """Return where this installation's files are kept, or would be."""
    import hibari
    import onnxruntime

    machine = ""
    if sys.platform != "win32":
        machine = os.uname().machine
    made_by = (hibari.__version__, onnxruntime.__version__, sys.implementation.cache_tag)
    name = "-".join(("hibari", *map(str, made_by), sys.platform, machine))
    return user_cache_folder("voice") / name.rstrip("-")


def read(name: str) -> memoryview | None:
    """Return a file's content; None where it is missing, damaged, or not to be read."""
    try:
        content = read_bounded(folder() / name, _MOST_BYTES, wait_s=0.0)
    except OSError:
        return None
    found = memoryview(content)[_CHECK_BYTES:]
    return found if content[:_CHECK_BYTES] == _check(found) else None


def read_tables() -> dict[str, Any]:
    """Return the phonemiser's tables by the names of their files; none where they are not kept."""
    content = read(TABLES)
    try:
        found = {} if content is None else marshal.loads(content)
    except (ValueError, EOFError, TypeError):
        return {}
    return _opened(found) if isinstance(found, dict) else {}


def prepare_later() -> None:
    """Have the files made for the next time, in a process that nobody waits for."""
    if not os.access(user_cache_folder("voice").parent.parent, os.W_OK):
        return
    command = [sys.executable, "-P", "-m", "voicestream.speech.prepared"]
    nowhere = subprocess.DEVNULL
    try:
        made = subprocess.Popen(
            command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
        )
    except OSError:
        return  # the next one tries again
    # who does not wait leaves a zombie, and a warning in programs that look for them
    threading.Thread(target=made.wait, name="prepare-voice", daemon=True).start()


def prepare() -> None:
    """Make the files.

    Raises:
        OSError: they cannot be written.
    """
    from hibari.g2p import _load_json

    here = folder()
    for place in (here.parent.parent, here.parent, here):
        place.mkdir(mode=0o700, exist_ok=True)
    for other in here.parent.iterdir():
        if other != here:
            shutil.rmtree(other, ignore_errors=True)
    _write(here / TABLES, marshal.dumps({name: _packed(_load_json(name)) for name in _TABLES}))
    _write(here / MODEL, _optimised(here))


def _optimised(here: Path) -> bytes:
    """Return the model as onnxruntime leaves it, for any processor of this kind."""
    import onnxruntime
    from hibari.voices import voice_path

    wished = onnxruntime.SessionOptions()
    wished.log_severity_level = 3
    # one step more would be for this very processor; a home may be on many machines
    wished.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    wished.add_session_config_entry("session.save_model_format", "ORT")
    handle, part = create_part(here, "model", ".part", 0o600)
    os.close(handle)
    try:
        wished.optimized_model_filepath = part
        onnxruntime.InferenceSession(
            voice_path("heart"), wished, providers=["CPUExecutionProvider"]
        )
        return Path(part).read_bytes()
    finally:
        Path(part).unlink(missing_ok=True)


def _write(file: Path, content: bytes) -> None:
    handle, part = create_part(file.parent, file.stem, ".part", 0o600)
    try:
        with open(handle, "wb") as out:
            out.write(_check(content))
            out.write(content)
        os.replace(part, file)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _check(content: bytes | memoryview) -> bytes:
    return zlib.crc32(content).to_bytes(_CHECK_BYTES, "big")


def main() -> int:
    """Make the files at the lowest priority, for ``python -m``."""
    if sys.platform != "win32":
        os.nice(19)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        prepare()
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
