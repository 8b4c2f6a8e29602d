"""The embedded voice behind the Realtime protocol, with the clients that people have."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.serve.conftest import serving
from tests.serve.test_serve import TEXT, own  # noqa: F401  a fixture
from tests.servers.said import Int16, say_at
from tests.support.canary import KEY
from tests.support.realtime_server import SILENT

PLAIN = ("--no-trim", "--no-normalize")


def websocket(url: str) -> str:
    return "ws" + url.removeprefix("http")


def test_voicestream_hears_its_own_voice(
    server_url: str,
    own: Int16,  # noqa: F811
    tmp_path: Path,
) -> None:
    said = say_at(websocket(server_url), tmp_path, *PLAIN, "--strict", text=TEXT)
    assert said.run.errors == []
    assert np.array_equal(said.samples[:, 0], own)


def spoken(connection: Any) -> tuple[bytes, str, str]:
    """The sound and the transcript of one response, and how it ended."""
    sound, words = b"", ""
    for event in connection:
        if event.type == "response.output_audio.delta":
            sound += base64.b64decode(event.delta)
        elif event.type == "response.output_audio_transcript.done":
            words = event.transcript
        elif event.type == "response.done":
            return sound, words, event.response.status
        elif event.type == "error":
            return b"", event.error.message, event.error.code or ""
    raise AssertionError("the connection ended")


def message(text: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content}


def test_the_openai_sdk_speaks_with_it(server_url: str, own: Int16) -> None:  # noqa: F811
    import openai  # takes a second: not each worker has to

    client = openai.OpenAI(api_key="any", base_url=server_url)
    with client, client.realtime.connect(model="gpt-realtime-2.1-mini") as connection:
        assert next(iter(connection)).type == "session.created"
        output: Any = {"voice": "marin", "speed": 1.0}
        session: Any = {"type": "realtime", "audio": {"output": output}}
        connection.session.update(session=session)
        assert next(iter(connection)).type == "session.updated"
        item: Any = message(TEXT)
        connection.conversation.item.create(item=item)
        connection.response.create()
        sound, words, status = spoken(connection)
        assert (words, status) == (TEXT, "completed")
        assert np.array_equal(np.frombuffer(sound, "<i2"), own)

        asked: Any = {"conversation": "none", "input": [message("One. " * 200)]}
        connection.response.create(response=asked)
        connection.response.cancel()
        assert spoken(connection)[2] == "cancelled"

        wrong: Any = {"type": "realtime", "audio": {"output": {"voice": 7}}}
        connection.session.update(session=wrong)
        assert "'voice' must be text" in spoken(connection)[1]
        empty: Any = {"input": []}
        connection.response.create(response=empty)
        assert "no text" in spoken(connection)[1]
        for text in ("The word \u13a3\u13cf\u13f2.", "---"):
            foreign: Any = {"input": [message(text)]}
            connection.response.create(response=foreign)
            assert spoken(connection)[2] == "failed"


@pytest.mark.parametrize("said", ["", "[", "[]", '{"type": 7}', "{}", '{"type":"response.create"}'])
def test_what_is_no_event_is_told_and_nothing_ends(said: str, server_url: str) -> None:
    with connect(websocket(server_url) + "/realtime") as socket:
        socket.recv(20)
        for _ in range(2):
            socket.send(said)
            assert '"error"' in str(socket.recv(20))


def test_nobody_comes_in_who_may_not(tmp_path: Path) -> None:
    environ = ("--api-key-file", str(tmp_path / "key"))
    (tmp_path / "key").write_text(KEY)
    with serving(tmp_path, *environ) as (url, _):
        address = websocket(url) + "/realtime"
        with pytest.raises(InvalidStatus) as caught:
            connect(address)
        assert caught.value.response.status_code == 401
        known = {"Authorization": f"Bearer {KEY}"}
        for origin in ("https://evil.example", "null"):  # any web page, and a sandboxed one
            with pytest.raises(InvalidStatus) as caught:
                connect(address, additional_headers=known, origin=origin, logger=SILENT)  # type: ignore[arg-type]
            assert caught.value.response.status_code == 403
        with connect(address, additional_headers=known, logger=SILENT) as socket:
            assert "session.created" in str(socket.recv(20))
            assert socket.subprotocol is None
        of_page: Any = ["realtime", f"openai-insecure-api-key.{KEY}"]
        with connect(address, subprotocols=of_page, logger=SILENT) as socket:
            assert "session.created" in str(socket.recv(20))
            assert socket.subprotocol == "realtime"
