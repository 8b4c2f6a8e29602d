"""Which replies a session keeps: those that came whole for certain, and only where it is asked."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

import voicestream
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer
from tests.support.sound import mp3, speechlike, wav
from voicestream import Settings
from voicestream.cache import Cache

pytestmark = pytest.mark.usefixtures("quick_null")
SOUND = speechlike(0.2)
PCM, WAV, MP3 = SOUND.tobytes(), wav(SOUND), mp3(SOUND)
NOISE = bytes(range(1, 255)) * 30


def events(pcm: bytes, *, done: bool) -> Script:
    told = [{"type": "speech.audio.delta", "audio": base64.b64encode(pcm).decode()}]
    told += [{"type": "speech.audio.done"}] if done else []
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in told)
    return Script(body.encode(), content_type="text/event-stream")


def as_wav(body: bytes, **more: object) -> Script:
    return Script(body, content_type="audio/wav", **more)  # type: ignore[arg-type]


REPLIES = {
    "pcm": (True, Script(PCM)),
    "pcm of a length": (True, Script(PCM, framing="length")),
    "pcm that just ends": (False, Script(PCM[:-4000], framing="close")),
    "pcm of half a sample more": (False, Script(PCM + b"x")),
    "pcm that begins as a file": (False, Script(b"RIFF" + NOISE)),
    "wav": (True, as_wav(WAV)),
    "wav of unknown size": (True, as_wav(wav(SOUND, sizes="max"))),
    "wav with something behind": (True, as_wav(WAV + b"LIST" + bytes(60))),
    "wav cut by its server": (False, as_wav(WAV[:-4000], framing="length")),
    "wav that just ends": (False, as_wav(WAV[:-4000], framing="close")),
    "wav that is none": (False, as_wav(b"RIFF" + NOISE)),
    "mp3": (True, Script(MP3, content_type="audio/mpeg")),
    "mp3 cut by its server": (False, Script(MP3[:-400], content_type="audio/mpeg")),
    "mp3 with a hole": (False, Script(MP3[:600] + NOISE + MP3[900:], content_type="audio/mpeg")),
    "events": (True, events(PCM, done=True)),
    "events without a last one": (False, events(PCM, done=False)),
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """The user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("VOICESTREAM_CACHE", raising=False)
    return Cache(1 << 20)


def test_only_what_came_whole_for_certain_is_kept(cache: Cache) -> None:
    def reply(request: Request) -> Script:
        return REPLIES[request.json["input"]][1]

    for name, (_, script) in REPLIES.items():
        # a server of its own: one that ends replies as it should is believed to do so
        with ScriptedServer(reply) as server:
            kind = (script.content_type or "").removeprefix("audio/").replace("mpeg", "mp3")
            format = kind if kind in ("wav", "mp3") else "pcm"
            told = Settings(base_url=server.url, cache="on", device="null", format=format)
            try:
                voicestream.say(name, told)
            except voicestream.VoicestreamError:
                assert not REPLIES[name][0]
    kept = {one.about.text for one in cache.entries()}
    assert kept == {name for name, (whole, _) in REPLIES.items() if whole}


def test_a_program_that_says_nothing_of_it_leaves_nothing_on_the_disk(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with ScriptedServer(lambda _: Script(PCM)) as server:
        monkeypatch.setenv("VOICESTREAM_BASE_URL", server.url)
        monkeypatch.setenv("VOICESTREAM_DEVICE", "null")
        for settings in 2 * [None, Settings(base_url=server.url, device="null")]:
            voicestream.say("Done.", settings)
        assert not cache.folder.exists()
        monkeypatch.setenv("VOICESTREAM_CACHE", "on")
        voicestream.say("Done.")
        assert [one.about.text for one in cache.entries()] == ["Done."]
