"""``voicestream mcp``: speech as tools of the Model Context Protocol, over stdio.

For agents that have no hooks. The protocol is the business of the ``mcp`` package (the extra
``mcp``), which is loaded here and nowhere else.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from voicestream.errors import UsageError, VoicestreamError
from voicestream.records import replace
from voicestream.settings.table import Settings, load

_STOP_S = 1.0
_TOLD = (
    "Speaks to the user, through their loudspeaker. Be brief, in plain sentences: what is written "
    "is read aloud, and code is only announced."
)


def serve_mcp() -> None:
    """Serve on stdin and stdout until the other side closes them.

    Raises:
        UsageError: the extra is not installed.
        VoicestreamError: a setting is wrong.
    """
    try:
        from mcp.server import MCPServer
    except ImportError as error:
        raise UsageError(
            f"{error.name} is missing", hint="Run: pip install 'voicestream[mcp]'"
        ) from error
    speech = Speech(load())
    server = MCPServer("voicestream", instructions=_TOLD)
    for tool in (speech.speak, speech.stop, speech.status, speech.voices):
        server.tool()(tool)
    # loaded while the other side introduces itself
    threading.Thread(target=_load, name="load", daemon=True).start()
    server.run("stdio")


def _load() -> None:
    import voicestream.api  # noqa: F401


class Speech:
    """The tools. Their docstrings are what the agent reads.

    Args:
        settings: of all that is said.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._handles: list[Any] = []

    async def speak(self, text: str, wait: bool = False, voice: str = "") -> dict[str, Any]:
        """Say `text` to the user, after what is being said. Returns at once; with `wait`, when it
        was heard, and tells what of it was. `voice` is one of those that `voices` lists."""
        return await asyncio.to_thread(self._speak, text, wait, voice)

    async def stop(self) -> dict[str, Any]:
        """Fall silent at once, and forget what waits. Tells what was heard of it."""
        return await asyncio.to_thread(self._stop)

    async def status(self) -> dict[str, Any]:
        """Tell what is being said, and how many of its characters have been heard."""
        return {"speaking": [_figures(handle) for handle in self._living()]}

    async def voices(self) -> dict[str, Any]:
        """List the voices that `speak` can use, as far as the endpoint tells."""
        from voicestream.session.voice_list import find_voices

        try:
            found = await asyncio.to_thread(find_voices, self._settings)
        except VoicestreamError as error:
            return {"voices": [], "error": str(error)}
        return {"voices": [voice.id for voice in found]}

    def _speak(self, text: str, wait: bool, voice: str) -> dict[str, Any]:
        from voicestream.api import start

        settings = replace(self._settings, voice=voice) if voice else self._settings
        try:
            handle = start(text, settings)
        except VoicestreamError as error:
            return {"completed": False, "heard": "", "error": str(error)}
        self._handles = [*self._living(), handle]
        if not wait:
            return {"completed": False, "heard": "", "speaking": True}
        return _outcome(handle)

    def _stop(self) -> dict[str, Any]:
        stopped = self._living()
        for handle in reversed(stopped):  # the one that is heard last, or the next would begin
            handle.cancel()
        return {"stopped": [_outcome(handle) for handle in stopped if handle.wait(_STOP_S)]}

    def _living(self) -> list[Any]:
        return [handle for handle in self._handles if not handle.wait(0.0)]


def _outcome(handle: Any) -> dict[str, Any]:
    """Return what was heard of a reply, when it has ended."""
    try:
        result = handle.result()
    except VoicestreamError as error:
        return {"completed": False, "heard": "", "error": str(error)}
    found = {"completed": result.completed, "heard": result.spoken}
    return {**found, "error": str(result.errors[0])} if result.errors else found


def _figures(handle: Any) -> dict[str, Any]:
    from voicestream.words import spoken_text

    seen = handle.snapshot()
    return {
        "state": "waiting" if seen.waits_for else seen.state.value,
        "sentence": seen.speaking,
        "heard_chars": len(spoken_text(seen)),
        "text_chars": seen.text_chars,
    }
