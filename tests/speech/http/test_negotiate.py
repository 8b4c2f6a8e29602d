"""What a refusal says of the format, and what it only repeats of the request."""

from __future__ import annotations

import json

import pytest

from voicestream.speech.base import SpeechRequest
from voicestream.speech.http.negotiate import Agreement

ASKED = SpeechRequest("The response_format must be one of: wav.", "m", "v", "pcm")


@pytest.mark.parametrize("name", ["input", "body", "request", "ctx", "url", "traceback"])
def test_what_a_refusal_repeats_of_the_request_says_nothing_of_the_format(name: str) -> None:
    entry = {"loc": ["body", "voice"], "msg": "no such voice", name: ASKED.text}
    agreement = Agreement()
    assert not agreement.learn(ASKED, 400, json.dumps({"detail": [entry]}).encode())
    assert agreement.adapt(ASKED) == ASKED


def test_what_it_says_itself_is_obeyed() -> None:
    agreement = Agreement()
    body = json.dumps({"detail": [{"msg": ASKED.text, "input": "pcm"}]}).encode()
    assert agreement.learn(ASKED, 400, body)
    assert agreement.adapt(ASKED).format == "wav"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "ffmpeg: Unknown encoder 'pcm'"),
        (400, "Only mp3 output is available"),
        (400, "Format pcm_24000 not permitted on your plan"),
        (406, ""),
        (415, "no"),
    ],
)
def test_a_refused_format_is_known_by_many_words(status: int, body: str) -> None:
    agreement = Agreement()
    assert agreement.learn(ASKED, status, body.encode())
    assert agreement.adapt(ASKED).format != ASKED.format
