"""Packets under a key: ffmpeg's are played, ours come out as they were, nobody else's do."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.support.listener import Listener
from tests.support.packets import free_port
from voicestream.errors import UsageError
from voicestream.output.rtp import RtpSink, leaves_machine
from voicestream.packets import rtp, sdp
from voicestream.packets.rtp import NotRtpError, RtpPacket
from voicestream.packets.srtp import KEY_BYTES, Srtp, parse_key
from voicestream.pcm import PcmFormat
from voicestream.session.packet_pieces import listening

pytest.importorskip("pylibsrtp")
KEY = base64.b64encode(bytes(range(KEY_BYTES))).decode()
PACKET = rtp.build(RtpPacket(97, 1, 960, 7, b"payload" * 9))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "srtp.key"
    file.write_text(f"{KEY}\n")
    return file


def test_only_who_has_the_key_can_read_and_make_packets() -> None:
    mine, theirs = Srtp(parse_key(KEY)), Srtp(parse_key(KEY))
    sent = mine.protect(PACKET)
    assert b"payload" not in sent
    assert theirs.unprotect(sent) == PACKET
    other = Srtp(bytes(KEY_BYTES))
    for bad in (sent, PACKET, b"", bytes(3), other.protect(PACKET), bytes(1510)):  # sent twice
        with pytest.raises(NotRtpError):
            theirs.unprotect(bad)


@pytest.mark.parametrize("text", ["", "abc", "not base64!", KEY[:-8], KEY * 2])
def test_what_is_no_key_is_refused_and_not_shown(text: str, tmp_path: Path) -> None:
    (tmp_path / "k").write_text(text)
    with pytest.raises(UsageError) as refused:
        listening(f"rtp://127.0.0.1:5004?key-file={tmp_path}/k")
    assert not text or text not in str(refused.value)
    with pytest.raises(UsageError, match="cannot read the key"):
        listening("rtp://127.0.0.1:5004?key-file=missing")
    with pytest.raises(UsageError, match="means nothing there"):
        listening("rtp://127.0.0.1:5004?keyfile=missing")


def test_a_session_description_may_hold_the_key() -> None:
    text = "c=IN IP4 127.0.0.1\nm=audio 5004 RTP/SAVP 97\na=rtpmap:97 opus/48000/2\n"
    found = sdp.parse(f"{text}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31\n")
    assert (found.key, found.port) == (KEY, 5004)
    assert sdp.parse(text).key == ""


def test_what_is_sent_under_a_key_needs_no_warning() -> None:
    assert leaves_machine("rtp://192.0.2.1:5004")
    assert not leaves_machine("rtp://192.0.2.1:5004?key-file=k")
    assert not leaves_machine("rtp://127.0.0.1:5004")


def test_what_is_sent_under_a_key_is_played(key_file: Path) -> None:
    port = free_port()
    listener = Listener(f"rtp://127.0.0.1:{port}?key-file={key_file}", port)
    sink = RtpSink(f"rtp://127.0.0.1:{port}?key-file={key_file}")
    sink.open(PcmFormat(24_000))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(PACKET, ("127.0.0.1", port))
    sink.start(lambda frames, _: np.zeros(frames, np.int16).tobytes())
    listener.until("received", 5)
    figures = listener.end()
    sink.stop(drain=False)
    assert figures["refused"] >= 1
    assert figures["restarts"] == 0


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_what_ffmpeg_sends_under_a_key_is_played(key_file: Path) -> None:
    port = free_port()
    listener = Listener(f"rtp://127.0.0.1:{port}?key-file={key_file}", port)
    source = ("-re", "-f", "lavfi", "-i", "sine=frequency=440:duration=0.6")
    suite = ("-srtp_out_suite", "AES_CM_128_HMAC_SHA1_80", "-srtp_out_params", KEY)
    target = ("-c:a", "libopus", "-f", "rtp", *suite, f"srtp://127.0.0.1:{port}")
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", *source, *target],
        check=True,
        capture_output=True,
        timeout=60,
    )
    listener.until("received", 20)
    assert listener.end()["lost"] == 0
