"""Which word was heard when it stopped: what --json tells, beside the recording.

    python -m tests.bench.words [--stops 40] [--seed 1] [--told] [--write FILE]

The embedded voice speaks sentences over a recorded null sink and is stopped (SIGINT) at random
moments. How much of it was heard is measured in the recording; which word that is, is known,
since the voice's engine lays out its phonemes in frames of its own, which are read here
(needs `pip install onnx`). Prints how many words `spoken` is off, beside text cut in proportion
to the sound. --told has a server speak them which tells those times, as Kokoro-FastAPI does.
--write keeps the times of the words of all sentences, as the tests use them.
"""

from __future__ import annotations

import argparse
import bisect
import json
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.servers.test_captions import captions
from tests.support import command
from tests.support.loudspeaker import Loudspeaker
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream.policy.pauses import PauseFinder

RATE_HZ = 24_000
_DATA = Path(__file__).parents[1] / "data" / "word_times.json"
_DURATIONS = "/Clip_output_0"
"""The node of the voice's model that says how many of its frames each phoneme takes."""
_QUIET = 0.003
_KEPT = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME")


@dataclass
class Laid:
    """A sentence as the engine laid it out, counted in frames from its first sound."""

    text: str
    frames: int
    pauses: list[tuple[int, int]]
    until: list[int]
    """When each word has been heard."""


class Engine:
    """The embedded voice, its durations laid open."""

    def __init__(self) -> None:
        import hibari
        import onnx
        import onnxruntime
        from hibari.g2p import G2P

        model = onnx.load(str(Path(hibari.__file__).parent / "assets" / "hibari.onnx"))
        model.graph.output.append(onnx.ValueInfoProto(name=_DURATIONS))
        self._durations = onnxruntime.InferenceSession(model.SerializeToString())
        self._voice: Any = hibari.Hibari(voice="heart", g2p=G2P(british=False))
        self.replies: dict[str, Script] = {}
        """Text -> its sound, with the times of its words."""

    def lay_out(self, text: str) -> Laid:
        """A sentence in which each word of the text is one word of the engine.

        Raises:
            ValueError: it holds numbers or the like, which the engine speaks as several words.
        """
        (phonemes,) = self._voice.phonemize(text)
        ids = self._voice.ids(phonemes)
        given = {"ids": np.asarray([ids], np.int64), "speed": np.ones(1, np.float32)}
        steps = self._durations.run([_DURATIONS], given)[0].ravel()
        sound = self._voice.from_ids(ids, 1.0, np.random.default_rng(0))
        ends = np.cumsum(steps) * (len(sound) / steps.sum())
        known = [char for char in phonemes if char in self._voice.vocab] + [" "]
        # the model puts a silent phoneme before the first one
        until = [float(ends[n]) for n, char in enumerate(known) if char == " "]
        if len(until) != len(text.split()):
            raise ValueError(f"{len(until)} words are spoken for {text!r}")
        loud = np.flatnonzero(np.abs(sound) > _QUIET)
        first, last = int(loud[0]), int(loud[-1])
        finder = PauseFinder(RATE_HZ)
        finder.feed(np.asarray(sound, np.float32)[:, None])
        ends_s = [end / RATE_HZ for end in until]
        words = list(zip(text.split(), [0.0, *ends_s], ends_s, strict=False))
        body = captions((sound * 32767).astype("<i2").tobytes(), words)
        self.replies[text] = Script(body, content_type="application/json")
        pauses = [(a - first, b - first) for a, b in finder.between(first, last)]
        return Laid(text, last - first, pauses, [round(end - first) for end in until])


def stop(text: str, speaker: Loudspeaker, after_s: float, *flags: str) -> tuple[str, int] | None:
    """Speak, stop after so much sound: what was told to be heard, and the frames recorded."""
    with tempfile.TemporaryDirectory() as folder, speaker.record() as recording:
        home = Path(folder)
        # the whole sentence in one request, as the engine laid it out here
        own = {"OPENAI_API_KEY": "", "VOICESTREAM_FIRST_CHARS": "4096"}
        env = command.environment(home, {name: speaker.env[name] for name in _KEPT}, own)
        process = command.start("say", text, "--json", *flags, env=env, cwd=home)
        recording.wait_sound()
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        told = json.loads(process.communicate(timeout=30)[0])
        recording.wait_silence(0.3)
        samples = np.abs(recording.stop().astype(np.int32))
    loud = np.flatnonzero(samples > _QUIET * 32768)
    # holes of a busy machine are no speech; tests/bench/cards.py shows that they are told right
    hole_frames = round(told["device_hole_ms"] * RATE_HZ / 1000)
    frames = int(loud[-1] - loud[0]) - hole_frames
    return None if told["completed"] else (told["spoken"], frames)


def write(sentences: list[Laid], file: Path) -> None:
    rows = ",\n".join(json.dumps(vars(sentence)) for sentence in sentences)
    file.write_text(f"[\n{rows}\n]\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stops", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--told", action="store_true")
    parser.add_argument("--write", type=Path)
    chosen = parser.parse_args()
    engine, draw = Engine(), random.Random(chosen.seed)
    known: list[Laid] = []
    for row in json.loads(_DATA.read_text()):
        try:
            known.append(engine.lay_out(row["text"]))
        except ValueError as error:  # its words were told apart by hand
            sys.stderr.write(f"{error}: kept as it is\n")
            if chosen.write:
                known.append(Laid(**row))
    if chosen.write:
        write(known, chosen.write)
        return
    off: list[int] = []
    plain: list[int] = []
    with (
        Loudspeaker() as speaker,
        ScriptedServer(lambda request: engine.replies[request.json["input"]]) as server,
    ):
        told = ("--base-url", server.url, "--stream-format", "captions") if chosen.told else ()
        while len(off) < chosen.stops:
            sentence = draw.choice(known)
            seconds = draw.uniform(0.0, sentence.frames / RATE_HZ)
            heard = stop(sentence.text, speaker, seconds, *told)
            if heard is None:
                continue
            spoken, frames = heard
            true = bisect.bisect_right(sentence.until, frames)
            off.append(abs(len(spoken.split()) - true))
            cut = sentence.text[: round(frames / sentence.frames * len(sentence.text))]
            plain.append(abs(len(cut.split()) - true))
    for name, words in (("spoken", off), ("cut in proportion", plain)):
        exact, within = (sum(word <= most for word in words) / len(words) for most in (0, 1))
        sys.stdout.write(
            f"{name:<18} {len(words)} stops: exact {exact:.0%}, within one word {within:.0%}, "
            f"most {max(words)}\n"
        )


if __name__ == "__main__":
    main()
