"""Packets over a real socket to a recorded loudspeaker."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import command, sound
from tests.support.loudspeaker import Loudspeaker
from tests.support.packets import await_listener, free_port
from tests.support.recording import Recording
from voicestream.packets import rtp
from voicestream.packets.rtp import RtpPacket

RATE_HZ = 24_000
RAMP = sound.ramp(RATE_HZ)
FRAMES = RATE_HZ // 50
SDP = """v=0
c=IN IP4 127.0.0.1
m=audio {port} RTP/AVP 96
a=rtpmap:96 L16/24000/1
"""


@pytest.fixture
def env(loudspeaker: Loudspeaker, tmp_path: Path) -> dict[str, str]:
    speaker: Mapping[str, str] = loudspeaker.env
    wanted = ("XDG_RUNTIME_DIR", "PULSE_SERVER", "HOME", "PULSE_COOKIE", "ALSA_CONFIG_PATH")
    return command.environment(
        tmp_path, {name: speaker[name] for name in wanted if name in speaker}
    )


def packets() -> Iterator[bytes]:
    for number in range(len(RAMP) // FRAMES):
        values = RAMP[number * FRAMES : (number + 1) * FRAMES].astype(">i2")
        yield rtp.build(
            RtpPacket(96, 65_530 + number, 4_294_960_000 + number * FRAMES, 9, values.tobytes())
        )


def stopped(playing: subprocess.Popen[bytes]) -> dict[str, Any]:
    playing.send_signal(signal.SIGINT)
    out, err = playing.communicate(timeout=20)
    assert playing.returncode == 130, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_every_sample_of_packets_is_heard(
    env: dict[str, str], recording: Recording, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "a.sdp").write_text(SDP.format(port=port))
    playing = command.start("play", "a.sdp", "--json", env=env, cwd=tmp_path)
    await_listener(port)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        stranger.bind(("127.0.0.2", 0))
        due_s = time.monotonic()
        for packet in packets():
            stranger.sendto(packet[:12] + b"\x40" * (2 * FRAMES), ("127.0.0.1", port))
            sender.sendto(packet, ("127.0.0.1", port))
            sender.sendto(packet, ("127.0.0.1", port))
            due_s += 0.02
            time.sleep(max(due_s - time.monotonic(), 0.0))
    recording.wait_silence()
    figures = stopped(playing)["packets"]
    recording.stop()
    assert figures["received"] == 100
    assert figures["duplicate"] == 50
    assert figures["refused"] >= 50
    assert figures["lost"] == 0
    if not figures["concealed_ms"] and not figures["stretched_ms"]:  # as on any machine not stalled
        assert recording.missing(RAMP) == 0


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_opus_of_ffmpeg_is_heard(env: dict[str, str], recording: Recording, tmp_path: Path) -> None:
    port = free_port()
    playing = command.start("play", f"rtp://127.0.0.1:{port}", "--json", env=env, cwd=tmp_path)
    await_listener(port)
    source = ("-re", "-f", "lavfi", "-i", "sine=frequency=440:duration=1.5")
    target = ("-c:a", "libopus", "-f", "rtp", f"rtp://127.0.0.1:{port}")
    ended = subprocess.run(
        ["ffmpeg", "-loglevel", "error", *source, *target],
        check=True,
        capture_output=True,
        timeout=30,
    )
    assert b"opus/48000/2" in ended.stdout  # the session description
    recording.wait_silence()
    told = stopped(playing)
    recording.stop()
    assert told["packets"]["received"] > 60
    assert told["packets"]["lost"] == 0
    loud = np.asarray(recording.samples, np.float64).reshape(-1)
    spectrum = np.abs(np.fft.rfft(loud))
    peak_hz = np.argmax(spectrum) * RATE_HZ / len(loud)
    assert 435 < peak_hz < 445
