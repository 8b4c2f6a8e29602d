"""The examples of the README and of the page on the library run as they stand."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import tones
from tests.support.command import environment
from tests.support.script import Request, Script
from tests.support.server import ScriptedServer

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "voicestream/pages/library.md"]


def examples(page: str) -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.S))


def answer(request: Request) -> Script:
    seconds = 4.0 if "story" in request.json["input"] else 0.2
    return Script(tones.tone(1, seconds).tobytes())


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_run(page: str, tmp_path: Path) -> None:
    program = f"{examples(page)}\nassert not handle.result().completed\n"
    with ScriptedServer(answer) as server:
        named = {"VOICESTREAM_BASE_URL": server.url, "VOICESTREAM_DEVICE": "null"}
        ended = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=environment(tmp_path, named),
            capture_output=True,
            timeout=50,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, b"")


class Response:
    """What a web framework gives, about."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""

    async def write(self, piece: bytes) -> None:
        self.body += piece


def test_the_example_for_a_web_page_sends_the_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pieces() -> AsyncIterator[str]:
        yield "Number 1 is spoken. "

    page = examples(PAGES[1])
    names: dict[str, Any] = {}
    exec("import voicestream\n" + page[page.index("async def send") :], names)
    response = Response()
    with ScriptedServer(answer) as server:
        monkeypatch.setenv("VOICESTREAM_BASE_URL", server.url)
        asyncio.run(names["send"](pieces(), response))
    assert response.headers == {"X-Rate": "24000"}
    assert response.body == tones.tone(1, 0.2).tobytes()
