"""Speech from any OpenAI-compatible endpoint, played while it is still arriving.

::

    import voicestream

    result = voicestream.say("Hello there.")
    print(result.snapshot.ttfa_ms)

``say`` blocks until the last sample is heard; ``start`` returns a handle that
can be waited for, watched and interrupted. Both take a text or an iterable of
its pieces, spoken while it goes on; ``await speak_stream(...)`` is their twin in
an event loop. ``stream`` plays nothing: it gives the sound, piece by piece, to a
``for`` or an ``async for``. ``play`` and ``start_playing`` play sound from
anywhere instead of speech. None of them writes to the terminal.
"""

TYPE_CHECKING = False  # nothing is imported here: under `python -m`, __main__ has yet to see to it
if TYPE_CHECKING:
    from typing import Any

    from voicestream.api import Handle, say, speak_stream_sync, start
    from voicestream.api_async import speak_stream
    from voicestream.api_play import play, start_playing
    from voicestream.api_stream import SoundStream, stream
    from voicestream.counters import Snapshot
    from voicestream.errors import VoicestreamError
    from voicestream.session.result import Event, Result
    from voicestream.settings.table import Settings
    from voicestream.state import State

__all__ = [
    "Event",
    "Handle",
    "Result",
    "Settings",
    "Snapshot",
    "SoundStream",
    "State",
    "VoicestreamError",
    "play",
    "say",
    "speak_stream",
    "speak_stream_sync",
    "start",
    "start_playing",
    "stream",
]

_HOMES = {
    "Event": "voicestream.session.result",
    "Handle": "voicestream.api",
    "Result": "voicestream.session.result",
    "Settings": "voicestream.settings.table",
    "Snapshot": "voicestream.counters",
    "SoundStream": "voicestream.api_stream",
    "State": "voicestream.state",
    "VoicestreamError": "voicestream.errors",
    "play": "voicestream.api_play",
    "say": "voicestream.api",
    "speak_stream": "voicestream.api_async",
    "speak_stream_sync": "voicestream.api",
    "start": "voicestream.api",
    "start_playing": "voicestream.api_play",
    "stream": "voicestream.api_stream",
}


def __getattr__(name: str) -> "Any":
    """Load the public names when they are used: the command line needs few of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """As if all of them were loaded: what ``dir`` and ``help`` show."""
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING"})
