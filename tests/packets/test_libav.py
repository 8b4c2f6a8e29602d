"""FFmpeg's libraries as peers: what they send is played whole, and they play what is sent."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from tests.support import sound as sounds
from tests.support.packets import free_port
from voicestream.output.rtp import RtpSink
from voicestream.packets import rtp
from voicestream.packets.payload import decoder
from voicestream.packets.rtp import RtpPacket
from voicestream.packets.sdp import OPUS, STATIC, Payload
from voicestream.packets.sound import PacketSound
from voicestream.pcm import PcmFormat, to_int16

Values = npt.NDArray[np.int16]
_PATIENCE_S = 20.0


def codes(payload_type: int) -> Values:
    """Each code of G.711, again and again: what is encoded comes out as it was."""
    found = decoder(STATIC[payload_type])(bytes(range(256)) * 12)
    assert found is not None
    return to_int16(found)[:, 0]


def chirp(frames: int, rate_hz: int) -> Values:
    """Every place in it sounds different."""
    at_s = np.arange(frames) / rate_hz
    return (8000 * np.sin(2 * np.pi * (300 * at_s + 400 * at_s**2))).astype(np.int16)


def packets_of(codec: str, rate_hz: int, values: Values) -> list[RtpPacket]:
    """What FFmpeg sends of some sound."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_PATIENCE_S)
        place = f"rtp://127.0.0.1:{receiver.getsockname()[1]}"
        found: list[RtpPacket] = []
        with av.open(place, "w", format="rtp") as sender:
            stream = sender.add_stream(codec, rate=rate_hz)
            assert isinstance(stream, av.AudioStream)
            stream.layout, stream.format = "mono", "s16"  # type: ignore[assignment]
            for begin in range(0, len(values), rate_hz // 50):
                part = values[None, begin : begin + rate_hz // 50]
                frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
                frame.sample_rate, frame.pts = rate_hz, begin
                sender.mux(stream.encode(frame))
            sender.mux(stream.encode())
            receiver.setblocking(False)
            while True:
                try:
                    found.append(rtp.parse(receiver.recv(2000)))
                except rtp.NotRtpError:  # RTCP
                    continue
                except BlockingIOError:
                    return found


def played(payload: Payload, packets: list[RtpPacket]) -> Values:
    """The first channel of what is played of packets that come evenly."""
    sound, heard, at_s = PacketSound(payload), [], 0.0
    begins = [
        ((it.timestamp - packets[0].timestamp) & 0xFFFFFFFF) / payload.clock_hz for it in packets
    ]
    for due_s, packet in zip(begins, packets, strict=True):
        sound.put(due_s, packet)
        while at_s < due_s:
            heard.append(sound.take(at_s))
            at_s += len(heard[-1]) / payload.clock_hz
    while sound.buffer.waiting:
        heard.append(sound.take(at_s))
        at_s += len(heard[-1]) / payload.clock_hz
    assert not sound.buffer.figures.concealed_frames
    values: Values = to_int16(np.concatenate(heard))[:, 0]
    return values[np.flatnonzero(values)[0] :]


@pytest.mark.parametrize(
    ("codec", "payload_type", "payload", "values"),
    [
        ("pcm_mulaw", 0, STATIC[0], codes(0)),
        ("pcm_alaw", 8, STATIC[8], codes(8)),
        ("pcm_s16be", 11, STATIC[11], sounds.ramp(44_100 // 2)),
        ("pcm_s16be", 97, Payload("L16", 24_000), sounds.ramp(12_000)),
    ],
)
def test_every_sample_that_ffmpeg_sends_is_played(
    codec: str, payload_type: int, payload: Payload, values: Values
) -> None:
    packets = packets_of(codec, payload.clock_hz, values)
    assert {it.payload_type for it in packets} == {payload_type}
    assert np.array_equal(played(payload, packets), values[np.flatnonzero(values)[0] :])


def likeness(heard: Values, sent: Values) -> float:
    """How like what was heard is to the place in what was sent that it is most like; 1: the
    same."""
    part = heard[4800:9600].astype(float)
    shifted = np.correlate(sent.astype(float), part, "valid")
    at = int(np.argmax(shifted))
    same = sent[at : at + len(part)].astype(float)
    return float(np.dot(part, same) / np.sqrt(np.dot(part, part) * np.dot(same, same)))


def test_opus_that_ffmpeg_sends_is_played() -> None:
    sent = chirp(48_000 // 2, 48_000)
    packets = packets_of("libopus", 48_000, sent)
    assert likeness(played(OPUS, packets), sent) > 0.95


def source(sent: Values) -> Callable[[int, float], bytes]:
    pulled = 0

    def fill(frames: int, _dac_s: float) -> bytes:
        nonlocal pulled
        pulled += frames
        return np.resize(sent, pulled)[-frames:].astype("<i2").tobytes()

    return fill


def test_ffmpeg_plays_what_is_sent(tmp_path: Path) -> None:
    port, sent = free_port(), chirp(48_000, 48_000)
    description = tmp_path / "a.sdp"
    description.write_text(
        f"v=0\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 97\na=rtpmap:97 opus/48000/2\n"
    )
    sink = RtpSink(f"rtp://127.0.0.1:{port}")
    sink.open(PcmFormat(48_000))
    sink.start(source(sent))
    heard: list[Values] = []
    options = {"protocol_whitelist": "file,udp,rtp"}
    try:
        with av.open(str(description), options=options, timeout=_PATIENCE_S) as container:
            for frame in container.decode(audio=0):
                assert isinstance(frame, av.AudioFrame)
                heard.append((32_768 * frame.to_ndarray()[0]).astype(np.int16))
                if sum(map(len, heard)) > 12_000:
                    break
    finally:
        sink.stop(drain=False)
    assert likeness(np.concatenate(heard), np.tile(sent, 2)) > 0.95
