"""Packets to samples: every one of them, when nothing is lost; no click where something is."""

from __future__ import annotations

import av
import numpy as np
import numpy.typing as npt
import pytest

from tests.support import sound as sounds
from voicestream.packets.payload import decoder, frames_of
from voicestream.packets.rtp import RtpPacket
from voicestream.packets.sdp import OPUS, STATIC, Payload
from voicestream.packets.sound import PacketSound
from voicestream.pcm import Samples, to_int16
from voicestream.policy.delay import DelayTarget

L16 = Payload("L16", 16_000)
FRAMES = 320


def played(
    values: npt.NDArray[np.int16],
    lost: frozenset[int] = frozenset(),
    target: DelayTarget | None = None,
) -> tuple[PacketSound, Samples]:
    """16-bit samples sent as L16 in packets of 20 ms, played from the moment the first is due."""
    made, sound, heard = len(values) // FRAMES, PacketSound(L16, target), []
    end_s = made * 0.02
    number, at_s = 0, 0.0
    while at_s < end_s or sound.buffer.waiting:
        while number < made and number * 0.02 <= at_s + 1e-9:
            payload = values[number * FRAMES : (number + 1) * FRAMES].astype(">i2").tobytes()
            if number not in lost:
                sound.put(number * 0.02, RtpPacket(96, number, number * FRAMES, 1, payload))
            number += 1
        heard.append(sound.take(at_s))
        at_s += len(heard[-1]) / L16.clock_hz
    return sound, np.concatenate(heard)


class Falling(DelayTarget):
    """From 0.1 s down, once ten packets are here."""

    def arrived(self, at_s: float, sent_s: float) -> None:
        super().arrived(at_s, sent_s)
        self.target_s = 0.1 if sent_s < 0.2 else 0.01


def tone(frames: int) -> npt.NDArray[np.int16]:
    at = np.arange(frames)
    return (8000 * np.sin(2 * np.pi * 200 * at / L16.clock_hz)).astype(np.int16)


def test_every_sample_is_played_when_nothing_is_lost() -> None:
    ramp = sounds.ramp(FRAMES * 8)
    _, heard = played(ramp)
    values = to_int16(heard)[:, 0]
    begin = int(np.flatnonzero(values == ramp[1])[0]) - 1
    assert np.array_equal(values[begin : begin + len(ramp)], ramp)


@pytest.mark.parametrize("lost", [frozenset({20}), frozenset({20, 21, 22, 23, 24, 25})])
def test_a_hole_is_covered_and_does_not_click(lost: frozenset[int]) -> None:
    values = tone(FRAMES * 50)
    steepest = np.abs(np.diff(values.astype(int))).max()
    sound, heard = played(values, lost)
    covered = to_int16(heard)[:, 0]
    assert np.abs(np.diff(covered.astype(int))).max() < 1.5 * steepest
    assert sound.buffer.figures.concealed_frames == len(lost) * FRAMES
    # one packet is hardly missed; after 60 ms there is silence
    quiet = np.convolve(np.abs(covered), np.ones(160) / 160, "same") < 500
    inside = quiet[FRAMES * 10 : FRAMES * 45].sum() / L16.clock_hz
    assert (inside > 0.03) == (len(lost) > 1)


def test_a_hole_is_filled_from_both_its_ends() -> None:
    """A tone that is lost for 20 ms comes back as loud as it was, and does not die before."""
    _, heard = played(tone(FRAMES * 30), frozenset({20}))
    values = to_int16(heard)[:, 0]
    hole = int(np.flatnonzero(values)[0]) + 20 * FRAMES
    periods = np.abs(values[hole : hole + FRAMES].reshape(4, -1)).max(axis=1)
    assert periods[0] > 7200
    assert periods[3] > 7200
    assert periods.min() > 6000


def test_a_change_of_length_is_a_period_and_no_click() -> None:
    values = tone(FRAMES * 100)
    steepest = np.abs(np.diff(values.astype(int))).max()
    sound, heard = played(values, target=Falling())
    assert sound.stretched_frames > 0
    assert sound.stretched_frames % 80 == 0  # periods of 200 Hz
    covered = to_int16(heard)[:, 0]
    assert np.abs(np.diff(covered[FRAMES * 5 :].astype(int))).max() < 1.2 * steepest


@pytest.mark.parametrize("name", ["PCMU", "PCMA"])
def test_every_code_of_g711_has_the_value_that_ffmpeg_gives_it(name: str) -> None:
    codes = bytes(range(256))
    context = av.CodecContext.create("pcm_mulaw" if name == "PCMU" else "pcm_alaw", "r")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout = 8000, "mono"
    packet = av.Packet(len(codes))
    packet.update(codes)
    [frame] = context.decode(packet)
    found = decoder(Payload(name, 8000))(codes)
    assert found is not None
    assert np.array_equal(to_int16(found)[:, 0], np.frombuffer(frame.planes[0], "<i2", 256))
    assert frames_of(STATIC[0])(codes) == 256


def test_opus_is_decoded_packet_by_packet() -> None:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    at = np.arange(960 * 20)
    values = (8000 * np.sin(2 * np.pi * 440 * at / 48_000)).astype(np.int16)
    decode, count, heard = decoder(OPUS), frames_of(OPUS), []
    for begin in range(0, len(values), 960):
        part = values[None, begin : begin + 960]
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
        frame.sample_rate = 48_000
        for made in encoder.encode(frame):
            assert count(bytes(made)) == 960
            found = decode(bytes(made))
            assert found is not None
            heard.append(found)
    loud = np.abs(np.concatenate(heard)[4800:]).max()
    assert 0.2 < loud < 0.3
    assert count(b"") == 0
    assert count(b"\xff\xff") == 0  # 63 frames of 20 ms


def test_broken_payloads_are_covered() -> None:
    sound = PacketSound(OPUS)
    for number in range(10):
        sound.put(number * 0.02, RtpPacket(96, number, number * 960, 1, b"\x0b\xff\x00"))
        assert len(sound.take(number * 0.02)) > 0
    assert frames_of(L16)(b"odd") == 0
