"""GStreamer sends to `play` and plays what `--device rtp://` sends."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.support.listener import Listener
from tests.support.packets import free_port
from voicestream.output.rtp import RtpSink
from voicestream.pcm import PcmFormat

pytestmark = pytest.mark.skipif(not shutil.which("gst-launch-1.0"), reason="needs GStreamer")
_PATIENCE_S = 60


def launch(*pipeline: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["gst-launch-1.0", "-q", *" ! ".join(pipeline).split()], stderr=subprocess.PIPE
    )


def peak_hz(values: np.ndarray, rate_hz: int) -> float:
    loud = values[np.abs(values) > 0]
    return float(np.argmax(np.abs(np.fft.rfft(loud))) * rate_hz / len(loud))


def test_what_gstreamer_sends_is_played() -> None:
    port = free_port()
    listener = Listener(f"rtp://127.0.0.1:{port}", port)
    sending = launch(
        "audiotestsrc is-live=true freq=440 samplesperbuffer=960 num-buffers=50",
        "audio/x-raw,rate=48000,channels=2",
        "opusenc",
        "rtpopuspay pt=97",
        f"udpsink host=127.0.0.1 port={port}",
    )
    listener.until("received", 45)
    figures = listener.end()
    sending.communicate(timeout=_PATIENCE_S)
    assert figures["lost"] == figures["duplicate"] == 0
    assert figures["refused"] <= 2  # the probe whether it listens
    assert "rate=48000; channels=2" in listener.pieces.content_type
    values = np.frombuffer(b"".join(listener.made), np.int16)[::2]
    assert 430 < peak_hz(values, 48_000) < 450


def test_gstreamer_plays_what_is_sent(tmp_path: Path) -> None:
    port, pulled = free_port(), 0

    def fill(frames: int, _dac_s: float) -> bytes:
        nonlocal pulled
        at = np.arange(pulled, pulled + frames)
        pulled += frames
        return (8000 * np.sin(2 * np.pi * 440 * at / 24_000)).astype("<i2").tobytes()

    caps = "application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=97"
    playing = launch(
        f"udpsrc port={port} num-buffers=40 caps={caps}",
        "rtpjitterbuffer latency=40",
        "rtpopusdepay",
        "opusdec",
        "audioconvert",
        "audio/x-raw,format=S16LE,rate=48000,channels=1",
        f"filesink location={tmp_path}/heard.raw",
    )
    sink = RtpSink(f"rtp://127.0.0.1:{port}")
    assert sink.open(PcmFormat(24_000)) == PcmFormat(24_000)
    sink.start(fill)
    try:
        _, told = playing.communicate(timeout=_PATIENCE_S)
    finally:
        sink.stop(drain=False)
    assert playing.returncode == 0, told
    values = np.fromfile(tmp_path / "heard.raw", np.int16)
    assert len(values) > 0.6 * 48_000
    assert 430 < peak_hz(values[9600:], 48_000) < 450
