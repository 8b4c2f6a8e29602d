"""``again``: the last speech once more, from what is kept, without a request."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from voicestream.cli.options import SayCall
from voicestream.cli.say import say
from voicestream.errors import UsageError

if TYPE_CHECKING:
    from voicestream.session.kept import SaidSegments
    from voicestream.settings.table import Settings

_AS_IT_IS: dict[str, Any] = {
    "base_url": "embedded:",
    "format": "pcm",
    "tempo": "1",
    "trim": "false",
    "normalize": "false",
    "loudness": "off",
    "lookahead": "0",
    "prebuffer_ms": "0",
    "streaming": "true",
    "keep_last": "false",
}
"""Every sample as it was heard, at once; it stays the one that is kept."""


def again(call: SayCall) -> int:
    """Say the last speech again; return the exit code."""
    call.settings.update(_AS_IT_IS)
    return say(call, _said, None)


def _said(_call: SayCall, _settings: Settings) -> SaidSegments:
    if sys.platform != "win32":
        from voicestream.control.runtime import runtime_folder
        from voicestream.session.kept import SaidSegments, last_said

        return SaidSegments(last_said(runtime_folder()))
    raise UsageError("nothing that was said is kept on Windows")
