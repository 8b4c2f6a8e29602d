"""Who speaks to it: interruptions found, missed and false, and how soon it gives way.

    python -m tests.bench.barge_in [--conversations 100] [--seed 1] [--real 0]

In simulated time: our own voice in a room (an echo after 20 to 250 ms, -6 to -30 dB, distorted)
and, in each conversation, one of five kinds of people at the loudspeaker's level or up to 6 dB
above it, who begins at any moment; then ten minutes of our own voice at -6 dB; then hummed "mhm"s,
coughs and chairs. What the fade and the sound card take is added to each decision. The reference is
the goal. --real holds so many over a recorded null sink with a microphone, cold processes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from tests.support import command
from tests.support.loudspeaker import Loudspeaker
from tests.support.people import RATE_HZ, Sound, chair, cough, echo, heard_at, hum, pico, voice
from tests.support.sound import Int16

LEVEL = 3000.0
_FADE_S = 0.06
"""From the decision to silence: what waits in the sound card, and the fade."""
OURS = (
    "The sky is blue because air scatters short waves of light more strongly than long ones.",
    "A river never runs straight for long, for where it bends it takes earth from one bank.",
    "Bread rises because yeast eats sugar and breathes out a gas that stays in the dough.",
    "Sailors once found their way by the stars, and knew from them how far north they were.",
)
THEIRS = {
    "en-GB": ("Wait a moment, please.", "No, I meant the other one.", "Can you say that again?"),
    "de-DE": ("Moment bitte, nicht so schnell.", "Das meinte ich nicht."),
    "fr-FR": ("Attendez un instant.",),
    "es-ES": ("Espera un momento.",),
    "it-IT": ("Aspetta un attimo.",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=int, default=0)
    asked = parser.parse_args()
    random = np.random.default_rng(asked.seed)
    for name, value, goal, unit in chain(
        conversations(random, asked.conversations),
        alone(random, 600.0 * asked.conversations / 100),
        others(random, asked.conversations // 2),
        real(random, asked.real),
    ):
        ratio = f"{value / goal:6.2f}" if goal else "     -"
        print(f"{name:58} {value:8.2f} {unit:6} goal {goal:7.2f}  ratio {ratio}", flush=True)


def person(random: np.random.Generator) -> Sound:
    """Somebody's words."""
    language = str(random.choice(list(THEIRS)))
    text, pitch = str(random.choice(THEIRS[language])), float(random.choice((0.85, 1.0, 1.2)))
    if language == "en-GB" and random.random() < 0.5:
        return voice(text, pitch, seed=3)
    return pico(text, language, pitch)


def ours(random: np.random.Generator, count: int) -> Sound:
    pause = np.zeros(RATE_HZ // 3)
    parts = [(LEVEL * voice(OURS[int(random.integers(len(OURS)))]), pause) for _ in range(count)]
    return np.concatenate([piece for part in parts for piece in part])


Rows = Iterator[tuple[str, float, float, str]]


def conversations(random: np.random.Generator, count: int) -> Rows:
    after_s: list[float] = []
    missed = false = 0
    cpu_s = spoken_s = 0.0
    for _ in range(count):
        sent = ours(random, 2)
        delay_ms, level_db = random.uniform(20, 250), random.uniform(-30, -6)
        heard = echo(sent, random, delay_ms, level_db) + 15 * random.normal(size=len(sent))
        words = LEVEL * 10 ** (random.uniform(0, 6) / 20) * person(random)
        start = int(random.integers(RATE_HZ, len(sent) - len(words)))
        heard[start : start + len(words)] += words
        begun_s = time.process_time()
        found = heard_at(sent, heard)
        cpu_s += time.process_time() - begun_s
        spoken_s += len(sent) / RATE_HZ
        false += sum(at_s < start / RATE_HZ for at_s in found)
        hits = [at_s - start / RATE_HZ for at_s in found if at_s >= start / RATE_HZ]
        missed += not hits or hits[0] > len(words) / RATE_HZ + 0.3
        after_s += hits[:1]
    yield from _times("simulated", after_s)
    yield f"simulated: missed of {count}", 100 * missed / count, 2.0, "%"
    yield "simulated: false, before the person spoke", float(false), 0.0, ""
    yield "simulated: CPU of what listens", 100 * cpu_s / spoken_s, 10.0, "%"


def _times(name: str, after_s: list[float]) -> Rows:
    silent_ms = 1000 * (np.array(after_s) + (0 if name == "real" else _FADE_S))
    yield f"{name}: first word to silence, median", float(np.median(silent_ms)), 350.0, "ms"
    yield f"{name}: 95 % within", float(np.percentile(silent_ms, 95)), 600.0, "ms"


def alone(random: np.random.Generator, seconds: float) -> Rows:
    false, spoken_s = 0, 0.0
    while spoken_s < seconds:
        sent = ours(random, 4)
        false += len(heard_at(sent, echo(sent, random, random.uniform(20, 250), -6.0)))
        spoken_s += len(sent) / RATE_HZ
    yield f"simulated: false in {spoken_s / 60:.1f} min of own voice", float(false), 0.0, ""


def others(random: np.random.Generator, count: int) -> Rows:
    sounds = {
        "hummed mhm": lambda: hum(random.uniform(90, 220)),
        "coughs": lambda: cough(random),
        "chairs": lambda: chair(random),
    }
    for name, make in sounds.items():
        stopped = 0
        for _ in range(count):
            sent = ours(random, 1)
            heard = echo(sent, random, random.uniform(20, 250), random.uniform(-30, -6))
            sound = LEVEL * make()
            start = int(random.integers(RATE_HZ, len(sent) - len(sound)))
            heard[start : start + len(sound)] += sound
            stopped += bool(heard_at(sent, heard))
        yield f"simulated: {name} that interrupt, of {count}", float(stopped), 0.0, ""


def _place_of(words: Int16, heard: Int16) -> int:
    """The frame at which words begin in a recording that holds other sound, too."""
    size = 1 << (len(words) + len(heard)).bit_length()
    alike = np.fft.irfft(np.fft.rfft(heard, size) * np.fft.rfft(words, size).conj(), size)
    return int(np.argmax(alike[: len(heard)]))


def real(random: np.random.Generator, count: int) -> Rows:
    if not count:
        return
    after_s: list[float] = []
    false = 0
    for _ in range(count):
        words = np.repeat((5000 * person(random)).astype("<i2"), 3)[::2]  # 24 kHz
        with tempfile.TemporaryDirectory() as folder, Loudspeaker() as speaker:
            speaker.add_microphone(int(random.uniform(20, 200)), -6.0)
            env = command.environment(Path(folder), speaker.env) | {"OPENAI_API_KEY": ""}
            with speaker.record() as recording, speaker.record("room") as room:
                process = command.start(
                    *("say", " ".join(OURS), "--barge-in", "--json", "-q"),
                    env=env,
                    cwd=Path(folder),
                )
                speaker.wait_listener()
                time.sleep(random.uniform(1, 4))
                early = process.poll() is not None
                speaker.say(words)
                out, _ = process.communicate()
                recording.wait_silence()
                recording.stop()
                begun_s = room.time_of(_place_of(words, room.stop()))
        first_s, silent_s = recording.first_sound_s(), recording.last_sound_s()
        told_ms = json.loads(out)["timeline_ms"]
        if told_ms["barge_in"] is None:
            continue
        assert first_s is not None
        assert silent_s is not None
        decided_s = first_s + (told_ms["barge_in"] - told_ms["first_sound"]) / 1000
        if early or decided_s < begun_s:
            false += 1
        elif silent_s < begun_s + len(words) / 24_000 + 0.3:
            # who is interrupted in a pause between two sentences was silent before
            after_s.append(max(silent_s - begun_s, 0.0))
    yield f"real: missed of {count}", 100 * (count - false - len(after_s)) / count, 2.0, "%"
    yield "real: false", float(false), 0.0, ""
    if after_s:
        yield from _times("real", after_s)


if __name__ == "__main__":
    main()
