"""Packets and session descriptions, as others make them and as nobody should."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicestream.errors import UsageError
from voicestream.packets import rtp, sdp
from voicestream.packets.rtp import NotRtpError, RtpPacket

PACKETS = st.builds(
    RtpPacket,
    st.integers(0, 63) | st.integers(96, 127),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=200),
    st.booleans(),
)


@given(
    PACKETS,
    st.lists(st.binary(min_size=4, max_size=4), max_size=15),
    st.none() | st.lists(st.binary(min_size=4, max_size=4), max_size=20),
    st.integers(0, 255),
)
def test_what_is_built_is_parsed_whatever_stands_between(
    packet: RtpPacket, sources: list[bytes], extension: list[bytes] | None, padding: int
) -> None:
    bare = rtp.build(packet)
    assert rtp.parse(bare) == packet
    first = bare[0] | len(sources)
    middle = b"".join(sources)
    if extension is not None:
        first |= 0x10
        middle += struct.pack(">HH", 0xBEDE, len(extension)) + b"".join(extension)
    tail = b""
    if padding:
        first |= 0x20
        tail = bytes(padding - 1) + bytes([padding])
    data = bytes([first]) + bare[1:12] + middle + packet.payload + tail
    assert rtp.parse(data) == packet
    for cut in range(12 + len(middle)):
        with pytest.raises(NotRtpError):
            rtp.parse(data[:cut])


@given(st.binary(max_size=64) | st.binary(min_size=11, max_size=40).map(lambda it: b"\xbf" + it))
def test_any_bytes_are_a_packet_or_refused(data: bytes) -> None:
    try:
        packet = rtp.parse(data)
    except NotRtpError:
        return
    assert len(packet.payload) <= len(data) - 12


def test_what_is_no_packet_of_sound_is_refused() -> None:
    good = rtp.build(RtpPacket(96, 1, 2, 3, b"x"))
    rtcp = bytes([0x80, 200]) + good[2:]
    for data in (b"", b"\x40" + good[1:], rtcp, good + bytes(65_000), b"\xa0" + good[1:-1] + b"\0"):
        with pytest.raises(NotRtpError):
            rtp.parse(data)


@given(st.integers(0, 1 << 40), st.integers(-30_000, 30_000))
def test_a_number_goes_on_where_it_wraps(near: int, step: int) -> None:
    assert rtp.unwrap((near + step) & 0xFFFF, near, 16) == near + step


FFMPEG = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=No Name
c=IN IP4 127.0.0.1
t=0 0
a=tool:libavformat 60.16.100
m=audio 5004 RTP/AVP 97
b=AC:64
a=rtpmap:97 opus/48000/2
a=fmtp:97 sprop-stereo=1
"""


def test_a_description_of_ffmpeg_is_understood() -> None:
    found = sdp.parse(FFMPEG)
    assert found == sdp.Description("127.0.0.1", 5004, {97: sdp.OPUS})
    assert found.payload_of(96) is None
    other = FFMPEG.replace("97\nb", "0 98\nb").replace("97 opus/48000/2", "98 L16/16000")
    described = sdp.parse(other)
    assert described.payload_of(0) == sdp.Payload("PCMU", 8000)
    assert described.payload_of(98) == sdp.Payload("L16", 16_000)


def test_without_a_description_a_dynamic_type_is_opus() -> None:
    nothing = sdp.Description("", 0, {})
    assert nothing.payload_of(111) == sdp.OPUS
    assert nothing.payload_of(10) == sdp.Payload("L16", 44_100, 2)
    assert nothing.payload_of(33) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        FFMPEG.replace("opus/48000/2", "MPA/90000"),
        FFMPEG.replace("5004", "99999"),
        FFMPEG.replace("audio", "video"),
        FFMPEG.replace("opus/48000/2", "L16/0/1"),
    ],
)
def test_a_description_without_known_sound_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        sdp.parse(text)


@given(st.text(max_size=300) | st.text("mca=udio rtp:map/0123\n", max_size=300))
def test_any_text_is_a_description_or_refused(text: str) -> None:
    try:
        assert sdp.parse(text).payloads
    except UsageError:
        pass
