"""Endpoints that take only so many characters: cut again, nothing is lost, and remembered."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.said import say, speak
from tests.support import sound
from tests.support.script import Request, Script
from voicestream.errors import TooLongError
from voicestream.session.lengths import Lengths
from voicestream.speech.http.refusal import refusal

TEXT = (
    "This sentence goes on and on about one thing after another, with a comma here, a comma there, "
    "and never a stop before its very end, which some services refuse to speak at all."
)
FRAMES = 240


def rendering(text: str) -> sound.Int16:
    """Sound whose level tells the text."""
    return np.full(FRAMES, 1000 + sum(map(ord, text)) % 5000, np.int16)


def limited(
    most: int, message: Callable[[int], object], status: int = 400, form: str = "pcm"
) -> Callable[[Request], Script]:
    def answer(request: Request) -> Script:
        text = request.json["input"]
        if len(text) > most:
            return Script.error(status, message(len(text)))
        samples = rendering(text)
        return Script(samples.tobytes() if form == "pcm" else sound.wav(samples))

    return answer


MESSAGES: list[tuple[int, Callable[[int], object]]] = [
    (400, lambda got: {"error": {"message": f"input must be at most 100 characters, got {got}"}}),
    (
        422,
        lambda _: {
            "detail": [
                {"loc": ["body", "input"], "msg": "String should have at most 100 characters"}
            ]
        },
    ),
    (400, lambda got: {"error": f"Input text length ({got}) exceeds maximum of 100"}),
    (413, lambda _: "Payload Too Large"),
    (400, lambda _: {"error": {"message": "Text is too long", "param": "input"}}),
    (400, lambda _: {"error": {"message": "The input has a maximum of 2000 tokens"}}),
]


@pytest.mark.parametrize(("status", "message"), MESSAGES)
def test_a_text_that_is_too_long_is_spoken_in_parts(
    status: int, message: Callable[[int], object], tmp_path: Path
) -> None:
    said = speak(
        limited(100, message, status),
        tmp_path,
        "--batch-chars",
        "4096",
        "--pause-clause-ms",
        "0",
        text=TEXT,
    )
    assert said.run.code == 0
    spoken = [r.json["input"] for r in said.requests if len(r.json["input"]) <= 100]
    spoken.sort(key=TEXT.index)  # those of several segments are asked for at once
    assert " ".join(spoken) == TEXT
    heard = [level for level, run in groupby(said.samples.ravel()) if len(list(run)) > FRAMES // 2]
    assert [level for level in heard if level] == [int(rendering(text)[0]) for text in spoken]


@pytest.mark.parametrize("form", ["pcm", "wav"])
def test_what_was_learnt_holds_for_what_follows(form: str, tmp_path: Path) -> None:
    text = f"Hello there.\n\n{TEXT}\n\n{TEXT}\n\nGood-bye now."
    answer = limited(100, lambda got: f"text too long: limit is 100, got {got}", form=form)
    said = say(answer, tmp_path, "--format", form, "--lookahead", "0", text=text)
    assert said.run.code == 0
    lengths = [len(request.json["input"]) for request in said.requests]
    assert sum(length > 100 for length in lengths) == 1
    spoken = [r.json["input"] for r in said.requests if len(r.json["input"]) <= 100]
    assert " ".join(spoken).split() == text.split()


def test_a_part_that_breaks_off_does_not_end_the_segment(tmp_path: Path) -> None:
    """A whole WAV in front of it proves nothing."""
    long = TEXT.replace(",", "")
    seen: list[str] = []

    def answer(request: Request) -> Script:
        text = request.json["input"]
        if len(text) > 60:
            return Script.error(400, "text too long, at most 60 characters")
        seen.append(text)
        body = sound.wav(rendering(text))
        breaks = len(seen) > 1 and seen.count(text) == 1
        return Script(body, cut_after_bytes=44 if breaks else None)

    said = say(answer, tmp_path, "--format", "wav", "--retries", "9", "--lookahead", "0", text=long)
    assert said.run.code == 0, said.run.err
    spoken = list(dict.fromkeys(seen))
    assert len(spoken) > 2
    assert " ".join(spoken) == long
    heard = [level for level, run in groupby(said.samples.ravel()) if len(list(run)) > FRAMES // 2]
    assert {level for level in heard if level} == {int(rendering(text)[0]) for text in spoken}


def test_a_limit_that_is_set_is_kept_from_the_first_request_on(tmp_path: Path) -> None:
    said = say(
        lambda _: Script(sound.ramp(240).tobytes()), tmp_path, "--max-chars", "40", text=TEXT
    )
    assert said.run.code == 0
    assert all(len(request.json["input"]) <= 40 for request in said.requests)
    words = " ".join(request.json["input"] for request in said.requests).split()
    assert sorted(words) == sorted(TEXT.split())  # several are asked for at once


def test_what_cannot_be_cut_is_told(tmp_path: Path) -> None:
    said = speak(Script.error(400, "input too long"), tmp_path, text=TEXT)
    assert said.run.code == 3
    assert "--max-chars" in said.run.errors[0]
    assert len(said.requests) < 8


@pytest.mark.parametrize(
    ("status", "message", "most"),
    [
        (400, "String too long. Expected a string with maximum length 4096, but got 5000", 4096),
        (400, "Text exceeds the limit of 273 characters", 273),
        (400, "max_length: 600 chars", 600),
        (422, "ensure this value has at most 300 characters", 300),
        (400, "maximum of 2000 tokens for the input", None),
        (413, "", None),
    ],
)
def test_the_limit_is_found_in_the_words(status: int, message: str, most: int | None) -> None:
    error = refusal(status, "http://host", message.encode())
    assert isinstance(error, TooLongError)
    assert error.most_chars == most


@pytest.mark.parametrize(
    "message", ["voice must be at most nice", "speed exceeds the maximum of 4", "no"]
)
def test_other_refusals_are_not_about_length(message: str) -> None:
    assert not isinstance(refusal(400, "http://host", message.encode()), TooLongError)


@given(st.text("ab .,", min_size=41, max_size=300))
def test_each_refusal_makes_the_parts_shorter(text: str) -> None:
    lengths, error = Lengths(), TooLongError(400, "no")
    longest = max(lengths.parts(text), key=len)
    for _ in range(10):
        try:
            lengths.learn(longest, error)
        except TooLongError:
            break
        before, longest = longest, max(lengths.parts(text), key=len)
        assert len(longest) < len(before)
    else:
        raise AssertionError("it never ends")
