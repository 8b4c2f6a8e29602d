"""``voicestream mcp``: the real command, asked by the client of the official package."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from tests.support import sound
from tests.support.command import environment, run
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer


def reply(request: Request) -> Script:
    if request.path.endswith("voices"):
        return Script(b'{"voices": ["nova", "echo"]}', content_type="application/json")
    seconds = 20.0 if "long" in request.json["input"] else 0.2
    return Script(sound.speechlike(seconds).tobytes(), rate_bytes_per_s=8 * 48_000)


async def ask(env: dict[str, str], folder: Path) -> dict[str, Any]:
    """What the tools answer, one after the other."""
    import mcp  # takes seconds: not each worker has to

    command = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "voicestream", "mcp"], env=env, cwd=folder
    )
    found: dict[str, Any] = {}
    async with mcp.Client(mcp.stdio_client(command)) as client:
        found["tools"] = {tool.name for tool in (await client.list_tools()).tools}

        async def call(name: str, **given: Any) -> Any:
            return (await client.call_tool(name, given)).structured_content

        found["voices"] = await call("voices")
        found["heard"] = await call("speak", text="Hello there.", wait=True, voice="echo")
        found["begun"] = await call("speak", text="A long story.")
        while not (status := await call("status"))["speaking"][0]["sentence"]:
            await asyncio.sleep(0.05)
        found["status"] = status
        found["stopped"] = await call("stop")
        found["silent"] = await call("status")
        found["nothing"] = await call("speak", text=" ", wait=True)
    return found


def test_the_tools_speak_tell_and_stop(tmp_path: Path) -> None:
    with ScriptedServer(reply) as server:
        settings = {"VOICESTREAM_BASE_URL": server.url, "VOICESTREAM_DEVICE": "null"}
        env = environment(tmp_path, settings, {"VOICESTREAM_CACHE": "off"})
        del env["PYTHONWARNINGS"]  # another's package
        found = asyncio.run(ask(env, tmp_path))
        spoken = [one.json for one in server.requests if one.path.endswith("speech")]
    assert found["tools"] == {"speak", "stop", "status", "voices"}
    assert found["voices"] == {"voices": ["nova", "echo"]}
    assert found["heard"] == {"completed": True, "heard": "Hello there."}
    assert spoken[0]["voice"] == "echo"
    assert found["begun"]["speaking"]
    assert found["status"]["speaking"][0]["sentence"] == "A long story."
    assert not found["stopped"]["stopped"][0]["completed"]
    assert found["silent"] == {"speaking": []}
    assert "nothing to say" in found["nothing"]["error"]


def test_without_the_extra_it_tells_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "mcp.py").write_text("raise ImportError(name='mcp')")
    env = environment(tmp_path)
    env["PYTHONPATH"] = f"{tmp_path}:{env['PYTHONPATH']}"
    ended = run("mcp", env=env, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert b"pip install 'voicestream[mcp]'" in ended.stderr
