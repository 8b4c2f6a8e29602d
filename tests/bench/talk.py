"""Conversations over a loudspeaker with a microphone: how soon it answers, what it remembers.

    python -m tests.bench.talk [--conversations 20] [--seed 1] [--realtime] [--recogniser]

In each a person says something into a microphone that hears the loudspeaker too, is answered in
the embedded voice by servers that answer at once, and speaks into the answer at a random moment.
Printed: the person's last sound to the first one of the answer, less the silence that ends a turn;
and how many words the history is off what the recording holds (``tests/bench/words.py`` tells how
that is known). --realtime: the same speech to speech, and what the server is told was heard, beside
what the recording holds of it. --recogniser: what is said is written down by Whisper, from the
packages that ``tests/bench/recogniser.py`` names, and printed beside what was said.
"""

from __future__ import annotations

import argparse
import bisect
import io
import json
import signal
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.bench.barge_in import THEIRS, person
from tests.cli.test_ask import chat
from tests.support import command
from tests.support.dialogue_server import DialogueServer
from tests.support.loudspeaker import Loudspeaker
from tests.support.people import RATE_HZ as PERSON_HZ
from tests.support.people import _neural, pico
from tests.support.realtime_events import Asked, Step, speak
from tests.support.recording import Recording
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from tests.support.sound import Int16, speechlike
from voicestream.settings.table import Settings

RATE_HZ = 24_000
_DATA = Path(__file__).parents[1] / "data" / "word_times.json"
_LOUD = 200
_HELD = 30.0
LAID = [row for row in json.loads(_DATA.read_text()) if len(row["text"].split()) > 8]
"""Sentences, and when each word of them has been heard."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--conversations", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--realtime", action="store_true")
    parser.add_argument("--recogniser", action="store_true")
    asked = parser.parse_args()
    random = np.random.default_rng(asked.seed)
    if asked.recogniser:
        _with_recogniser()
        return
    if asked.realtime:
        _speech_to_speech(asked.conversations, random)
        return
    late_ms: list[float] = []
    off: list[int] = []
    whole = failed = 0
    for _ in range(asked.conversations):
        held = _Conversation(random).hold()
        if held is None:
            failed += 1
            continue
        late_ms.append(held[0])
        whole += held[1] is None
        off += [] if held[1] is None else [held[1]]
    for name, value, goal, unit in (
        ("end of the turn's silence to first sound, median", np.median(late_ms), 150.0, "ms"),
        ("95 % within", np.percentile(late_ms, 95), 0.0, "ms"),
        ("history within one word", 100 * np.mean([each <= 1 for each in off]), 95.0, "%"),
        (f"not interrupted, of {asked.conversations}", whole, 0.0, ""),
        ("not answered or asked anew", failed, 0.0, ""),
    ):
        against = f"goal {goal:6.1f}  ratio {value / goal:5.2f}" if goal else ""
        print(f"{name:52} {value:8.1f} {unit:3} {against}".rstrip(), flush=True)


class _Conversation:
    """One of them, in processes of its own."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._laid = LAID[int(random.integers(len(LAID)))]
        made = np.asarray(_neural()(self._laid["text"], seed=0))  # type: ignore[operator]
        self._speech = np.clip(32768 * made, -32768, 32767).astype("<i2")
        self._questions: list[list[dict[str, str]]] = []

    def _answer(self, request: Request) -> Script:
        if request.path.endswith("/transcriptions"):
            return Script(b'{"text": "Tell me more."}', content_type="application/json")
        if request.path.endswith("/chat/completions"):
            self._questions.append(request.json["messages"])
            again = len(self._questions) > 1
            return chat([self._laid["text"]], header_delay_s=_HELD * again)
        return Script(self._speech.tobytes())

    def hold(self) -> tuple[float, int | None] | None:
        """How late it was, ms, and how many words it is off (None: it was heard to its end)."""
        random = self._random
        with (
            tempfile.TemporaryDirectory() as folder,
            Loudspeaker() as speaker,
            ScriptedServer(self._answer) as server,
        ):
            speaker.add_microphone(int(random.uniform(20, 200)), -6.0)
            process = command.start(
                *("talk", "--base-url", server.url, "--first-chars", "4096", "-q"),
                env=command.environment(Path(folder), speaker.env),
                cwd=Path(folder),
            )
            with speaker.record() as voice, speaker.record("room") as room:
                speaker.wait_listener()
                speaker.say(_at_24_khz(person(random)))
                try:
                    voice.wait_sound(10)
                    time.sleep(random.uniform(0.2, 0.7) * len(self._speech) / RATE_HZ)
                    speaker.say(_at_24_khz(person(random)))
                    until_s = time.monotonic() + 8
                    while len(self._questions) < 2 and time.monotonic() < until_s:
                        time.sleep(0.05)
                except TimeoutError:
                    self._questions.clear()
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=30)
                heard, in_room = voice.stop(), room.stop()
            if len(self._questions) < 2:
                return None
            late_ms, loud = _late_ms(voice, heard, room, in_room)
        told = next((m["content"] for m in self._questions[1] if m["role"] == "assistant"), "")
        true = bisect.bisect_right(self._laid["until"], int(loud[-1] - loud[0]))
        if true >= len(self._laid["until"]):
            return late_ms, None
        return late_ms, abs(len(told.split()) - true)


def _speech_to_speech(conversations: int, random: np.random.Generator) -> None:
    held = [found for _ in range(conversations) if (found := _spoken(random)) is not None]
    late_ms, off_ms = np.transpose(held)
    for name, value, goal in (
        ("end of the turn's silence to first sound, median", np.median(late_ms), 150.0),
        ("95 % within", np.percentile(late_ms, 95), 0.0),
        ("told as heard against audible, off by, median", np.median(np.abs(off_ms)), 20.0),
        ("95 % within", np.percentile(np.abs(off_ms), 95), 60.0),
    ):
        against = f"goal {goal:6.1f}  ratio {value / goal:5.2f}" if goal else ""
        print(f"{name:52} {value:8.1f} ms  {against}".rstrip(), flush=True)
    print(f"{'not interrupted, or not answered':52} {conversations - len(held):8.1f}")


def _spoken(random: np.random.Generator) -> tuple[float, float] | None:
    """How late an answer was, and how much more was told than heard of it, both in ms."""
    played = speechlike(20.0)

    def answer(asked: Asked) -> Iterator[Step]:
        sound = played if asked.response_id.endswith("_0") else played[::-1]
        return speak(asked, sound.tobytes(), "A story.")

    with (
        tempfile.TemporaryDirectory() as folder,
        Loudspeaker() as speaker,
        DialogueServer(answer) as server,
    ):
        speaker.add_microphone(int(random.uniform(20, 200)), -6.0)
        process = command.start(
            *("talk", "--realtime", "--base-url", server.url, "-q"),
            env=command.environment(Path(folder), speaker.env),
            cwd=Path(folder),
        )
        with speaker.record() as voice, speaker.record("room") as room:
            speaker.wait_listener()
            speaker.say(_at_24_khz(person(random)))
            try:
                voice.wait_sound(10)
                time.sleep(random.uniform(1.0, 4.0))
                speaker.say(_at_24_khz(person(random)))
                server.wait(lambda: bool(server.of_kind("conversation.item.truncate")), 8)
            except TimeoutError:
                pass
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
            heard, in_room = voice.stop(), room.stop()
        told = server.of_kind("conversation.item.truncate")
    # one more is told for what Ctrl-C ends
    if not told or not len(np.flatnonzero(np.abs(heard) > _LOUD)):
        return None
    late_ms, _ = _late_ms(voice, heard, room, in_room)
    audible_ms = 1000 * (len(played) - voice.missing(played)) / RATE_HZ
    return late_ms, told[0]["audio_end_ms"] - audible_ms


def _late_ms(
    voice: Recording, heard: Int16, room: Recording, in_room: Int16
) -> tuple[float, npt.NDArray[np.intp]]:
    """How long after the person's last sound, and the silence that ends a turn, the voice began;
    and the frames where it is loud."""
    loud = np.flatnonzero(np.abs(heard.astype(np.int32)) > _LOUD)
    first_s = voice.time_of(int(loud[0]))
    spoken = np.flatnonzero(np.abs(in_room.astype(np.int32)) > _LOUD)
    after = bisect.bisect_left(spoken, first_s, key=lambda frame: room.time_of(int(frame)))
    end_s = room.time_of(int(spoken[after - 1]))
    return 1000 * (first_s - end_s) - Settings().turn_end_ms, loud


def _at_24_khz(sound: np.ndarray) -> Int16:
    assert PERSON_HZ * 3 == RATE_HZ * 2
    return np.repeat((5000 * sound).astype("<i2"), 3)[::2]


def _with_recogniser() -> None:
    """Let words go round: said, written down, answered with them, spoken."""
    from faster_whisper import WhisperModel  # type: ignore[import-not-found]

    from tests.bench.recogniser import models, plain

    with tempfile.TemporaryDirectory() as folder:
        place = next(iter(models(Path(folder)).values()))
        model = WhisperModel(str(place), device="cpu", compute_type="int8", cpu_threads=2)

        def written(request: Request) -> str:
            with wave.open(io.BytesIO(request.body[request.body.index(b"RIFF") :])) as turn:
                sound = np.frombuffer(turn.readframes(turn.getnframes()), "<i2") / 32768
            pieces, _ = model.transcribe(sound.astype(np.float32), language="en")
            return " ".join(piece.text.strip() for piece in pieces)

        right = 0
        for text in THEIRS["en-GB"]:
            heard = _go_round(pico(text), written)
            right += plain(heard) == plain(text)
            print(f"said: {text:36} answered: {heard}", flush=True)
        print(f"word for word: {right} of {len(THEIRS['en-GB'])}")


def _go_round(sound: np.ndarray, written: Callable[[Request], str]) -> str:
    """Say it; return what the answer says, whose model repeats what was asked."""

    def answer(request: Request) -> Script:
        if request.path.endswith("/transcriptions"):
            told = json.dumps({"text": written(request)}).encode()
            return Script(told, content_type="application/json")
        if request.path.endswith("/chat/completions"):
            return chat([request.json["messages"][-1]["content"]])
        return Script(b"")

    with (
        tempfile.TemporaryDirectory() as folder,
        Loudspeaker() as speaker,
        ScriptedServer(answer) as server,
    ):
        speaker.add_microphone(60, -6.0)
        own = {"OPENAI_API_KEY": "", "VOICESTREAM_CHAT_BASE_URL": server.url}
        process = command.start(
            *("talk", "--base-url", "embedded:", "--transcribe-base-url", server.url),
            *("-q", "--json"),
            env=command.environment(Path(folder), speaker.env, own),
            cwd=Path(folder),
        )
        with speaker.record() as voice:
            speaker.wait_listener()
            speaker.say(_at_24_khz(sound))
            voice.wait_sound(40)
            voice.wait_silence(1.0)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    said = [json.loads(line) for line in out.splitlines()]
    return next((line["text"] for line in said if line["role"] == "assistant"), "")


if __name__ == "__main__":
    main()
