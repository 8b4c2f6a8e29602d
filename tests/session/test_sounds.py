"""Sources as a session plays them: what fails is named, what is skipped is read no further."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.session.fakes import LONG_S
from tests.session.stage import HandSink
from tests.support import sound
from tests.support.encode import mp3, speech
from tests.support.matching import match
from voicestream.session.conductor import Session
from voicestream.session.play_sources import sources_of
from voicestream.session.sounds import source_segments
from voicestream.settings.table import Settings

RAMP = sound.ramp(4800)


def session_of(words: list[str], raw: str = "") -> tuple[Session, HandSink]:
    settings = Settings(
        base_url="embedded:", trim=False, normalize=False, lookahead=1, prebuffer_ms=50
    )
    sink = HandSink()
    segments = source_segments(settings, sources_of(words), raw, None)
    return Session(settings, segments.endpoint, segments, sink), sink


def hear(session: Session, sink: HandSink) -> np.ndarray:
    """All that is heard, to the end."""
    while not session.wait(0.001):
        if sink.started.is_set():
            sink.pull()
    found = sink.heard
    return found[np.flatnonzero(found)[0] : np.flatnonzero(found)[-1] + 1]


def test_what_is_no_sound_is_named_and_the_others_are_played(tmp_path: Path) -> None:
    files = {
        "notes.txt": b"Dear all,",
        "empty.wav": b"",
        "a.wav": sound.wav(RAMP[:2000]),
        "text.mp3": b"not at all" * 9,
        "list.m3u": b"#EXTM3U\na.wav",
        "b.wav": sound.wav(RAMP[2000:]),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    session, sink = session_of([str(tmp_path / name) for name in files])
    session.start()
    assert np.array_equal(hear(session, sink), RAMP)
    told = [str(error).replace(f"{tmp_path}/", "") for error in session.result().errors]
    assert [line.partition(":")[0] for line in told] == [
        "notes.txt is no sound that is known here",
        "empty.wav is empty",
        "text.mp3 cannot be played",
        "list.m3u is a list of sounds. Give what stands in it, one by one.",
    ]
    assert told[0].endswith("To have it spoken: voicestream -f notes.txt")
    assert "text.mp3 cannot be played: it holds no MP3 sound" in told[2]
    assert not session.result().completed
    assert {error.exit_code for error in session.result().errors} == {1}


@pytest.mark.parametrize("end", ["next", "interrupt"])
def test_a_pipe_that_says_no_more_is_left(tmp_path: Path, end: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "b.raw").write_bytes(RAMP[2400:].tobytes())
    session, sink = session_of([str(pipe), str(tmp_path / "b.raw")], "audio/pcm; rate=24000")
    session.start()
    with pipe.open("wb") as writer:
        writer.write(RAMP[:2400].tobytes())
        writer.flush()
        assert sink.started.wait(LONG_S)
        while session.metrics.play.played_frames < 2400:
            sink.pull()
        leave: Callable[[], object]
        leave = session.interrupt
        if end == "next":
            leave = lambda: session.verbs.answer({"verb": "next", "value": None})  # noqa: E731
        leave()
        heard = hear(session, sink)
        for thread in threading.enumerate():
            if thread.name.startswith("fetch"):  # though nobody has closed the pipe
                thread.join(LONG_S)
                assert not thread.is_alive()
    # what runs dry fades, and comes back softly
    assert np.array_equal(heard[:2400], RAMP[:2400])
    assert match(RAMP[2800:], heard).whole == (end == "next")


def test_who_stops_it_is_told_of_no_broken_pieces(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    session, sink = session_of([str(pipe)])
    session.start()
    with pipe.open("wb") as writer:
        writer.write(mp3(speech(1.0))[:-50])  # it ends within a frame
        writer.flush()
        assert sink.started.wait(LONG_S)
        while session.metrics.play.played_frames < 2400:
            sink.pull()
        session.interrupt()
        hear(session, sink)
    assert session.result().snapshot.warnings == ()
