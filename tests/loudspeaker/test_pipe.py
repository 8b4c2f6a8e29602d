"""Text as it is written, heard: order, joins and interrupts are read off the recording."""

from __future__ import annotations

import json
import signal
import threading
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.support import command, tones
from tests.support.loudspeaker import Loudspeaker
from tests.support.piped import Piped
from tests.support.recording import Recording
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

RATE_HZ = 24_000
BYTES_PER_S = 2 * RATE_HZ
AUDIBLE = 60
"""-55 dB: what is quieter counts as pause."""
STORY = (
    "Take step 1, which is quite easy to begin with. Then comes number 2 of them. "
    "Number 3 is a short one.\n\nA paragraph later we are at 4 already. "
    "The 5 follows it as it should. At last there is number 6."
)
EACH = ("--batch-above-s", "600")
"""Each sentence gets a request of its own, so that each join is one of two requests."""
PAUSES_S = {"clause": 0.150, "sentence": 0.350, "paragraph": 0.700}


@pytest.fixture
def env(loudspeaker: Loudspeaker, tmp_path: Path) -> dict[str, str]:
    speaker = loudspeaker.env
    wanted = ("XDG_RUNTIME_DIR", "PULSE_SERVER")
    alsa = {"HOME": speaker["HOME"]}  # its .asoundrc leads to the loudspeaker
    return command.environment(tmp_path, {name: speaker[name] for name in wanted} | alsa)


class Uneven:
    """A server of varied speeds: 300 ms to the first byte, then slow and fast in turn."""

    def __init__(self, seconds: float = 0.5, loud_ends: bool = False) -> None:
        self._seconds = seconds
        self._loud_ends = loud_ends
        self._asked = 0
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Script:
        with self._lock:
            self._asked += 1
            fast = self._asked % 2 == 0
        silence_s = 0.0 if self._loud_ends else 0.1
        sound = tones.speech(request.json["input"], self._seconds, silence_s, self._loud_ends)
        return Script(
            sound.tobytes(),
            first_byte_delay_s=0.3,
            rate_bytes_per_s=(20 if fast else 1.5) * BYTES_PER_S,
            piece_bytes=(960, 4096, 33),
        )


def asked_pauses_s(text: str, requests: list[Request]) -> list[float]:
    """The pause after each request's text but the last, by what ends it in the text."""
    found, at = [], 0
    for request in requests:
        said = request.json["input"]
        at = text.index(said, at) + len(said)
        if text.startswith("\n\n", at):
            found.append(PAUSES_S["paragraph"])
        else:
            found.append(PAUSES_S["sentence" if said.endswith(".") else "clause"])
    return found[:-1]


def kept(folder: Path) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """What was saved, and where it is silent between its first and last sound.

    A recording may have holes that a busy machine made; what is saved has none.
    """
    with wave.open(str(folder / "kept.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    loud = np.flatnonzero(np.abs(samples.astype(int)) > AUDIBLE)
    gaps = np.flatnonzero(np.diff(loud) > 0.02 * RATE_HZ)
    return samples, [(int(loud[at]) + 1, int(loud[at + 1])) for at in gaps]


def largest_step(samples: np.ndarray) -> int:
    return int(np.abs(np.diff(samples.astype(int))).max(initial=0))


@pytest.mark.parametrize("loud_ends", [False, True], ids=["silence at the ends", "loud ends"])
def test_a_stream_of_tokens_is_heard_in_order_with_the_pauses_asked_for(
    loud_ends: bool, env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    with (
        ScriptedServer(Uneven(0.6, loud_ends)) as server,
        Piped(
            *(*EACH, "--json", "--save", "kept.wav", "--base-url", server.url),
            env=env,
            cwd=tmp_path,
        ) as piped,
    ):
        piped.write_tokens(tones.tokens(STORY))
        code, out, err = piped.end()
    recording.wait_silence()
    heard = recording.stop()
    assert code == 0, err
    figures = json.loads(out)
    assert figures["completed"]
    assert figures["spoken"].split() == STORY.split()
    assert tones.heard_numbers(heard) == [1, 2, 3, 4, 5, 6]
    ends_s = [request.end_s for request in server.requests]
    assert ends_s != sorted(ends_s), "later segments were ready before earlier ones"
    # the joins: no more and no less silence than asked for, and no click
    samples, silences = kept(tmp_path)
    wanted_s = asked_pauses_s(
        STORY, sorted(server.requests, key=lambda r: STORY.index(r.json["input"]))
    )
    got_s = [(end - start) / RATE_HZ for start, end in silences]
    assert len(got_s) == len(wanted_s)
    assert np.abs(np.subtract(got_s, wanted_s)).max() < 0.020, (got_s, wanted_s)
    for start, end in silences:
        around = samples[start - 240 : end + 240]
        inside = np.concatenate(
            [samples[start - 4800 : start - 300], samples[end + 300 : end + 4800]]
        )
        assert largest_step(around) <= largest_step(inside) + 2


def test_a_writer_who_pauses_loses_no_word_and_counts_no_underrun(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    before = "Here is 1 for a start. And the second one is 2, but then it"
    after = "takes until 3 to go on. The end is 4."
    with (
        ScriptedServer(Uneven(0.8)) as server,
        Piped("--json", "--base-url", server.url, env=env, cwd=tmp_path) as piped,
    ):
        piped.write(f"{before} ")
        time.sleep(2.5)
        piped.write(after)
        assert piped.process.stdin is not None
        piped.process.stdin.close()
        code, out, err = piped.end()
    recording.wait_silence()
    heard = recording.stop()
    assert code == 0, err
    figures = json.loads(out)
    assert tones.heard_numbers(heard) == [1, 2, 3, 4]
    assert (figures["underruns"], figures["stall_ms"]) == (0, 0)
    assert figures["spoken"].split() == f"{before} {after}".split()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_silences_an_open_pipe_and_ends_every_request(
    number: int, env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    hold = threading.Event()  # never set: each request but the first hangs in mid-reply

    def answer(request: Request) -> Script:
        sound = tones.speech(request.json["input"], 5.0)
        if "1" in request.json["input"]:
            return Script(sound.tobytes(), rate_bytes_per_s=4 * BYTES_PER_S)
        return Script(sound.tobytes(), hold_at_bytes=4096, hold=hold)

    with (
        ScriptedServer(answer) as server,
        Piped(*EACH, "--json", "--base-url", server.url, env=env, cwd=tmp_path) as piped,
    ):
        piped.write(
            "This is number 1 of them. This is number 2 of them. This is number 3 of them. And "
        )
        server.wait_sent(3)
        recording.wait_sound()
        signalled_s = time.monotonic()
        piped.process.send_signal(number)
        code = piped.process.wait(10)
        exited_s = time.monotonic()
        _, out, err = piped.end()
        ended = [server.wait_end(which) for which in (2, 3)]
    recording.wait_silence()
    recording.stop()
    assert code == 128 + number
    assert b"Traceback" not in err
    figures = json.loads(out)
    assert not figures["completed"]
    assert "This".startswith(figures["spoken"][:4])
    assert "number 2" not in figures["spoken"]
    assert all(request.client_closed_s is not None for request in ended)
    # generous, for loaded machines; the bench holds them to 60 and 300 ms
    silent_s = recording.last_sound_s()
    assert silent_s is not None
    assert silent_s - signalled_s < 1.0
    assert exited_s - signalled_s < 5


def test_a_segment_that_fails_is_named_and_the_others_are_heard_in_order(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    uneven = Uneven(0.3)

    def answer(request: Request) -> Script:
        if "the 2" in request.json["input"]:
            return Script.error(500, {"error": {"message": "cannot say that"}})
        return uneven(request)

    with ScriptedServer(answer) as server:
        done = command.run(
            *("say", "--base-url", server.url, "--panel", "off"),
            env=env,
            cwd=tmp_path,
            stdin=b"First of all there is the 1 to say. After this comes the 2, to be sure. "
            b"From there we go on to the 3. And at the very end there is the 4.",
        )
    recording.wait_silence()
    heard = recording.stop()
    assert done.returncode == 3
    assert tones.heard_numbers(heard) == [1, 3, 4]
    assert b"After this comes the 2, to be sure." in done.stderr
    assert b"cannot say that" in done.stderr


def test_voices_take_turns_without_a_gap(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    text = "[alloy] Hello, I am number 1 here. [nova] And I am number 2 here. [alloy] I am 3."
    with (
        ScriptedServer(Uneven(0.8)) as server,
        Piped(
            *("--tags", "--json", "--save", "kept.wav", "--base-url", server.url),
            env=env,
            cwd=tmp_path,
        ) as piped,
    ):
        piped.write_tokens(tones.tokens(text))
        code, out, err = piped.end()
    recording.wait_silence()
    heard = recording.stop()
    assert code == 0, err
    by_text = sorted(server.requests, key=lambda request: text.index(request.json["input"]))
    voices = {n: r.json["voice"] for r in by_text for n in tones.numbers_of(r.json["input"])}
    assert voices == {1: "alloy", 2: "nova", 3: "alloy"}
    assert "[" not in "".join(request.json["input"] for request in by_text)
    assert tones.heard_numbers(heard) == [1, 2, 3]
    figures = json.loads(out)
    assert figures["underruns"] == 0
    longest_s = max(end - start for start, end in kept(tmp_path)[1]) / RATE_HZ
    assert longest_s < PAUSES_S["sentence"] + 0.020
