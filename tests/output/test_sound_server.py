"""Whether the sound server is there: sockets in its place, and a real one that is killed."""

from __future__ import annotations

import socket
import sys
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.loudspeaker import Loudspeaker
from voicestream.errors import DeviceError
from voicestream.listen.microphone import Microphone
from voicestream.notices import Notices
from voicestream.output import lasting
from voicestream.output.lasting import LastingSink
from voicestream.output.miniaudio import MiniaudioSink
from voicestream.output.sound_server import ServerWatch
from voicestream.pcm import PcmFormat

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system tells")


@pytest.mark.parametrize(("name", "there"), [("native", False), ("pulse.sock", False), ("x", True)])
def test_it_is_gone_once_it_has_hung_up(tmp_path: Path, name: str, there: bool) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as line:
        listener.bind(str(tmp_path / name))
        listener.listen()
        line.connect(str(tmp_path / name))
        server, _ = listener.accept()
        watch = ServerWatch()
        server.send(b"unread")
        assert watch.there
        server.close()
        assert watch.there is there
        assert ServerWatch().there


def test_it_is_gone_once_its_line_was_closed(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "native"))
        listener.listen()
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(tmp_path / "native"))
            watch = ServerWatch()
            assert watch.there
        assert not watch.there


@pytest.fixture
def speaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loudspeaker]:
    with Loudspeaker() as found:
        for name, value in found.env.items():
            monkeypatch.setenv(name, value)
        yield found


def test_a_device_is_replaced_when_its_server_ends(
    monkeypatch: pytest.MonkeyPatch, speaker: Loudspeaker
) -> None:
    """Neither is waited for as long as for a card that may still live."""
    monkeypatch.setattr(lasting, "STUCK_S", 1000.0)
    told, heard = threading.Event(), threading.Event()
    notices = Notices()
    monkeypatch.setattr(notices, "notify", lambda _text: told.set())
    sink = LastingSink(MiniaudioSink, 0.0, notices)

    def fill(frames: int, _at_s: float) -> bytes:
        heard.set()
        return bytes(2 * frames)

    sink.open(PcmFormat(24_000))
    sink.start(fill)
    try:
        assert heard.wait(20)
        assert not told.wait(2 * lasting.LOOK_S)
        speaker.kill()
        assert told.wait(20)
    finally:
        sink.stop(drain=False)


def test_a_microphone_is_gone_when_its_server_ends(speaker: Loudspeaker) -> None:
    speaker.add_microphone(20, -6.0)
    frames = Microphone("miniaudio", "").frames()
    assert next(frames)
    speaker.kill()
    with pytest.raises(DeviceError, match="went away"):
        deque(frames, maxlen=0)
