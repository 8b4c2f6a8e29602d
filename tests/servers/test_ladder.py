"""``--format auto``: what the network cannot carry is asked for in less, and back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.link import NarrowLink
from tests.servers.said import say_at, speak
from tests.support import encode, sound
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from voicestream.pcm import from_int16
from voicestream.session.ladder import RUNGS, Ladder, Step, Transfer, throughput_kbps
from voicestream.session.speech_request import first_format
from voicestream.settings.table import Settings

NEED = {"pcm": 384.0, "mp3": 128.0, "opus": 48.0}


@dataclass
class Simulation:
    """Segments of two seconds over a link, one after the other, in simulated time."""

    ladder: Ladder = field(default_factory=Ladder)
    waiting_s: float = 0.0
    stalls: int = 0
    asked: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    _measured: float | None = None

    def run(self, link_kbps: float, segments: int, server_speed: float = 8.0) -> list[str]:
        begun = len(self.asked)
        for _ in range(segments):
            if step := self.ladder.step(self._measured, self.waiting_s, 2.0):
                self.steps.append(step)
            form = self.ladder.format
            self.asked.append(form)
            self._measured = min(link_kbps, server_speed * NEED[form])
            self.ladder.learn(form, NEED[form])
            took_s = 2 * NEED[form] / self._measured
            if took_s > self.waiting_s + 2:
                self.stalls += 1
            # no player waits for more than so much: the requests are held back
            self.waiting_s = min(max(self.waiting_s - took_s, 0) + 2, 12)
        return self.asked[begun:]


def test_a_wide_link_is_never_left() -> None:
    simulation = Simulation()
    assert set(simulation.run(5000, 100)) == {"pcm"}
    assert simulation.steps == []


@pytest.mark.parametrize(("link_kbps", "form"), [(200, "mp3"), (330, "mp3"), (100, "opus")])
def test_a_narrow_link_is_noticed_at_once_and_trials_become_rare(
    link_kbps: float, form: str
) -> None:
    simulation = Simulation()
    asked = simulation.run(link_kbps, 200)
    assert asked[:2] == ["pcm", form]
    too_wide = [f for f in asked if RUNGS.index(f) < RUNGS.index(form)]
    # 1 at first, then trials after 8, 16, 32, 64 and 64
    assert 2 <= len(too_wide) <= 6
    assert simulation.stalls <= 1  # the first one, and no trial


def test_at_twice_the_tempo_the_same_link_carries_less() -> None:
    hasty = Ladder(2.0)
    assert hasty.need_kbps("pcm") == 2 * Ladder().need_kbps("pcm")
    assert Ladder().step(500, 0.0, 2.0) is None
    step = hasty.step(500, 0.0, 2.0)
    assert step is not None
    assert (step.before, step.after) == ("pcm", "mp3")


@pytest.mark.parametrize("server_speed", [0.8, 1.0, 1.1])
def test_a_slow_server_is_not_taken_for_a_slow_network(server_speed: float) -> None:
    simulation = Simulation()
    asked = simulation.run(5000, 50, server_speed)
    assert asked[:3] == ["pcm", "mp3", "pcm"]
    assert set(asked[2:]) == {"pcm"}
    assert len(simulation.steps) == 2


def test_a_step_is_judged_by_its_own_format_alone() -> None:
    ladder = Ladder()
    ladder.step(384.0, 0.0, 2.0)
    assert ladder.format == "mp3"
    assert ladder.step(150.0, 0.0, 2.0, settled=False) is None
    assert ladder.step(150.0, 0.0, 2.0) is not None  # 1.2 times its need, 1.0 times before
    assert ladder.format == "pcm"


def test_a_trial_waits_until_it_would_not_be_heard() -> None:
    ladder = Ladder()
    ladder.step(200.0, 0.0, 2.0)
    # 10 s of sound in PCM would take 19 s to come
    assert all(ladder.step(200.0, 20.0, 10.0) is None for _ in range(30))
    assert ladder.step(200.0, 22.0, 10.0) is not None


def test_a_link_that_recovers_is_climbed_back_up() -> None:
    simulation = Simulation()
    simulation.run(200, 6)
    assert simulation.ladder.format == "mp3"
    # the server sends fast enough to show the room
    assert simulation.run(5000, 2)[-1] == "pcm"
    simulation.run(90, 4)
    assert simulation.ladder.format == "opus"
    # a server that sends no faster than it must shows nothing: a trial does
    asked = simulation.run(5000, 60, server_speed=1.6)
    assert asked[-1] == "pcm"
    assert set(simulation.run(5000, 100, server_speed=1.6)) == {"pcm"}


def test_nothing_is_decided_without_a_measure_or_with_plenty_waiting() -> None:
    ladder = Ladder()
    assert ladder.step(None, 0.0, 2.0) is None
    assert ladder.step(10.0, 60.0, 2.0) is None
    step = ladder.step(10.0, 1.0, 2.0)
    assert step is not None
    assert (step.before, step.after, step.down) == ("pcm", "opus", True)
    assert "10 kbit/s" in str(step)


def test_what_a_format_really_takes_is_learnt() -> None:
    ladder = Ladder()
    ladder.learn("mp3", 320.0)
    ladder.step(200.0, 0.0, 2.0)
    assert ladder.format == "opus"


@given(st.lists(st.tuples(st.none() | st.floats(0, 1e6), st.floats(0, 100)), max_size=60))
def test_no_measurement_leads_off_the_ladder(seen: list[tuple[float | None, float]]) -> None:
    ladder = Ladder()
    for measured, waiting_s in seen:
        before = ladder.format
        step = ladder.step(measured, waiting_s, 2.0)
        assert ladder.format in RUNGS
        assert (step is not None) == (ladder.format != before)


def test_throughput_is_of_all_transfers_together_and_pauses_do_not_count() -> None:
    # two at the same time, a pause, and one that still arrives: 100 kB in 2 s
    transfers = [Transfer(10, 11, 30_000), Transfer(10, 11, 20_000), Transfer(13, None, 50_000)]
    assert throughput_kbps(transfers, 14) == pytest.approx(400)
    # what came more than five seconds ago does not count either
    assert throughput_kbps([Transfer(0, 10, 100_000)], 14) == pytest.approx(80)
    assert throughput_kbps([Transfer(0, 10, 100_000)], 20) is None
    assert throughput_kbps([], 20) is None
    # too early to tell, unless it is whole
    assert throughput_kbps([Transfer(10, None, 9000)], 10.1) is None
    assert throughput_kbps([Transfer(10, 10.1, 9000)], 10.1) == pytest.approx(720)


def test_the_first_request_is_the_first_rung() -> None:
    assert first_format(Settings(format="auto")) == RUNGS[0]


SECONDS = 1.0
VOICE = sound.speechlike(SECONDS)


def speaker(request: Request) -> Script:
    """Any format, each reply of one second, as fast as the link allows."""
    if request.json["response_format"] == "pcm":
        return Script(VOICE.tobytes(), piece_bytes=500)
    if request.json["response_format"] == "mp3":
        return Script(sound.mp3(VOICE), content_type="audio/mpeg", piece_bytes=500)
    wide = from_int16(sound.speechlike(SECONDS, 48_000)[:, None])
    return Script(encode.opus(wide), content_type="audio/ogg", piece_bytes=500)


def arguments(count: int) -> tuple[str, list[str]]:
    """A text of so many requests, and what makes it so."""
    text = " ".join(f"This is sentence number {n}." for n in range(count))
    settings = ["--format", "auto", "--batch-chars", "1", "--first-chars", "4096"]
    settings += ["--pause-sentence-ms", "0", "--pause-clause-ms", "0", "--pause-paragraph-ms", "0"]
    return text, settings


def formats(figures: dict[str, Any]) -> list[str]:
    return [segment["format"] for segment in figures["segments"]]


def over_link(
    rate_bytes_per_s: float, count: int, folder: Path, *more: str
) -> tuple[dict[str, Any], set[int]]:
    """So many segments over a narrow link: the figures, and the connections that were used."""
    with ScriptedServer(speaker) as server, NarrowLink(server.url, rate_bytes_per_s) as link:
        text, settings = arguments(count)
        said = say_at(link.url, folder, *settings, "--json", *more, text=text)
    return json.loads(said.run.out), {request.connection for request in server.requests}


def test_a_link_of_200_kbit_is_held(tmp_path: Path) -> None:
    """What PCM cannot, MP3 can: at most one stall, then none.

    A machine that is late itself makes stalls of its own, and asks before the last reply has
    ended: one try of three must be free of both.
    """
    for _ in range(3):
        figures, connections = over_link(25_000, 3, tmp_path)
        assert figures["completed"]
        assert formats(figures)[0] == "pcm"
        assert set(formats(figures)[1:]) <= {"mp3", "opus"}
        assert len(figures["format_steps"]) >= 1
        assert any("asking for" in warning for warning in figures["warnings"])
        # one after the other, so that what plays next comes first
        if figures["underruns"] <= 1 and connections == {0}:
            return
    pytest.fail(f"{figures['underruns']} underruns, connections {connections}")


def test_a_wide_link_keeps_pcm(tmp_path: Path) -> None:
    text, more = arguments(3)
    said = speak(speaker, tmp_path, *more, text=text)
    figures = json.loads(said.run.out)
    assert set(formats(figures)) == {"pcm"}
    assert figures["format_steps"] == []
