"""What the sink sends is Opus in order, one packet each 20 ms, and sounds as what was pulled."""

from __future__ import annotations

import itertools
import socket
import time

import numpy as np
import pytest

from voicestream.errors import DeviceError
from voicestream.output.rtp import RtpSink
from voicestream.packets import rtp
from voicestream.packets.sdp import OPUS
from voicestream.packets.sound import PacketSound
from voicestream.pcm import PcmFormat


def test_what_is_sent_is_what_was_pulled() -> None:
    pulled = 0

    def fill(frames: int, _dac_s: float) -> bytes:
        nonlocal pulled
        at = np.arange(pulled, pulled + frames)
        pulled += frames
        return (8000 * np.sin(2 * np.pi * 440 * at / 24_000)).astype("<i2").tobytes()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        sink = RtpSink(f"rtp://127.0.0.1:{receiver.getsockname()[1]}")
        assert sink.open(PcmFormat(24_000)) == PcmFormat(24_000)
        began_s = time.monotonic()
        sink.start(fill)
        packets = [rtp.parse(receiver.recv(2000)) for _ in range(25)]
        assert time.monotonic() - began_s > 0.45
        sink.stop(drain=False)
        assert not sink.active
    steps = {(b.sequence - a.sequence) & 0xFFFF for a, b in itertools.pairwise(packets)}
    assert steps == {1}
    units = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(packets)}
    assert units == {960}
    assert [packet.marker for packet in packets] == [True] + [False] * 24
    sound = PacketSound(OPUS)
    heard = []
    for number, packet in enumerate(packets):
        sound.put(number * 0.02, packet)
        heard.append(sound.take(number * 0.02))
    loud = np.concatenate(heard)[9600:, 0]
    spectrum = np.abs(np.fft.rfft(loud * np.hanning(len(loud))))
    assert abs(np.argmax(spectrum) * 48_000 / len(loud) - 440) < 8
    assert 0.2 < np.abs(loud).max() < 0.3


@pytest.mark.parametrize("url", ["rtp://", "rtp://127.0.0.1", "rtp://127.0.0.1:99999"])
def test_what_names_no_place_is_no_device(url: str) -> None:
    with pytest.raises(DeviceError):
        RtpSink(url).open(PcmFormat(24_000))
