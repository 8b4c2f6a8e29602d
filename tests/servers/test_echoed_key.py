"""A server that repeats the key, wherever it can and however it spells it: nobody is told it."""

from __future__ import annotations

import base64
import json
import traceback
from urllib.parse import quote

import pytest

import voicestream
from tests.support.canary import KEY, is_in
from tests.support.script import Script
from tests.support.server import ScriptedServer
from voicestream import Event, Settings

SPELLED = {
    "plain": KEY,
    "JSON": KEY.replace("-", "\\u002d").replace("+", "\\/+"),
    "percent": quote(quote(KEY, safe=""), safe=""),
    "HTML": KEY.replace("+", "&plus;"),
    "base64": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "not seen": f"{KEY[:5]}\x1b[0m{KEY[5:9]}\xad{KEY[9:]}",
}


def replies(spelled: str) -> dict[str, Script]:
    line = spelled.encode("latin-1")
    in_json = b'{"error":{"message":"Incorrect API key: ' + line + b'"}}'
    event = b'data: {"type":"error","error":{"message":"' + line + b'"}}\n\n'
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
    return {
        "refusal": Script(in_json, 401, "application/json", framing="length"),
        "text": Script(b"key: " + line, 400, "text/plain", framing="length"),
        "message": Script(in_json, content_type="application/json"),
        "event": Script(event, content_type="text/event-stream"),
        "content type": Script(raw=head + b"Content-Type: text/" + line + b"\r\n\r\n"),
        "encoding": Script(raw=head + b"Content-Encoding: " + line + b"\r\n\r\n"),
        "location": Script(raw=head.replace(b"200", b"307") + b"Location: " + line + b"\r\n\r\n"),
        "reason": Script(raw=b"HTTP/1.1 500 " + line + b"\r\nContent-Length: 0\r\n\r\n"),
        "status": Script(raw=b"HTTP/1.1 " + line + b"\r\n\r\n"),
        "header": Script(raw=b"HTTP/1.1 200 OK\r\n" + line + b"\r\n\r\n"),
        "length": Script(raw=b"HTTP/1.1 200 OK\r\nContent-Length: " + line + b"\r\n\r\n"),
        "chunk": Script(
            raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + line + b"\r\n"
        ),
    }


@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED)
@pytest.mark.parametrize("place", replies(""))
def test_it_is_in_no_error_event_figure_or_traceback(place: str, spelled: str) -> None:
    events: list[Event] = []
    with ScriptedServer(replies(spelled)[place]) as server:
        settings = Settings(base_url=server.url, api_key=KEY, device="null", retries=0)
        handle = voicestream.start("Hi there.", settings, events.append)
        assert handle.wait(20)
        assert server.requests[0].headers["authorization"].endswith(KEY)
    with pytest.raises(voicestream.VoicestreamError) as raised:
        handle.result()
    told = [*traceback.format_exception(raised.value), *(event.text for event in events)]
    told += [repr(raised.value), *handle.snapshot().warnings]
    assert not is_in("\n".join(told))
    assert not is_in(json.dumps(told))
