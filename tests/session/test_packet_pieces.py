"""Where packets may come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packets.test_rtp import FFMPEG
from voicestream.errors import UsageError
from voicestream.session.packet_pieces import listening
from voicestream.session.sources import sources_of


def test_without_a_name_only_this_machine_may_send() -> None:
    found = listening("rtp://127.0.0.1:5004")
    assert (found.address, found.port) == ("127.0.0.1", 5004)
    assert found.senders == {"127.0.0.1", "::1"}
    named = listening("rtp://[::]:5004?from=192.0.2.7,2001:db8::7")
    assert (named.address, named.senders) == ("::", {"192.0.2.7", "2001:db8::7"})


@pytest.mark.parametrize(
    "place",
    [
        "rtp://127.0.0.1",
        "rtp://127.0.0.1:0",
        "rtp://127.0.0.1:70000",
        "rtp://localhost:5004",
        "rtp://:5004",
        "rtp://0.0.0.0:5004",
        "rtp://192.0.2.1:5004?from=",
        "rtp://192.0.2.1:5004?from=everybody",
    ],
)
def test_what_would_let_anybody_send_is_refused(place: str) -> None:
    with pytest.raises(UsageError):
        sources_of([place])


def test_a_description_counts_for_this_machine_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.SDP"
    file.write_text(FFMPEG)
    [source] = sources_of([str(file)])
    assert source.is_packets
    assert listening(str(file)).port == 5004
    file.write_text(FFMPEG.replace("127.0.0.1", "192.0.2.1"))
    with pytest.raises(UsageError):
        sources_of([str(file)])
    file.write_bytes(b"\xff\x00 no description")
    with pytest.raises(UsageError):
        sources_of([str(file)])
