"""The program as an engine loads it: whatever a speech needs sooner or later."""

from __future__ import annotations

import contextlib
import threading
from ctypes import CDLL
from importlib import import_module

from voicestream.cli.parts import load_settings
from voicestream.errors import VoicestreamError
from voicestream.session.script import Script

_OWN = (
    *("cli.entry", "cli.say", "cli.targets", "cli.watch", "cli.lean", "cli.outcome"),
    *("settings.profiles", "settings.unknown", "settings.told", "policy.history_file"),
    *("session.conductor", "session.outputs", "session.wiring", "session.pacing"),
    *("session.turn", "session.speech_request", "session.kept", "session.script"),
    *("speech.failover", "speech.hedge", "speech.retry", "speech.auto", "speech.embedded"),
    *("speech.cached", "session.caching", "session.loudness"),
    *("speech.http.endpoint", "speech.http.request", "speech.http.limits", "speech.http.ahead"),
    *("speech.realtime.endpoint", "speech.realtime.handshake", "text.source", "words"),
    *("output.lasting", "output.waking", "output.miniaudio", "output.null", "output.save"),
    *("output.pactl", "output.subtitles"),
    *("decode.registry", "decode.mp3", "decode.raw", "decode.wav", "decode.opus", "decode.aac"),
    *("api", "agents.speaker", "cli.hook"),
    *("decode.flac", "ui.panel", "ui.keys", "ui.summary", "ui.terminal"),
)
_FOREIGN = (
    *("dotenv.parser", "_miniaudio", "tomllib", "sentencex", "certifi", "json", "resource"),
    "numpy.fft",
)
_SOUND = "libpulse.so.0"
"""What miniaudio loads on Linux, with some twenty libraries of its own."""
_TEXT = "Well, *this* is a text (and it's no long one): `code`, 3 of 4. It ends here."
"""What is done with any text is done with it, so that its patterns are compiled."""


class Nothing:
    """For an engine whose spares load the program themselves."""

    voice = False

    def load(self) -> None:
        """Load nothing."""

    def load_voice(self) -> None:
        """Load nothing."""
        self.voice = True

    def connect(self, _host: str, _port: int) -> None:
        """Leave that to the spares."""


class Program:
    """The program, loaded into the engine.

    Attributes:
        voice: whether the embedded voice is loaded.
    """

    def __init__(self) -> None:
        self.voice = False

    def load(self) -> None:
        """Load what every call needs, and the embedded voice where the settings name it."""
        for name in _OWN:
            import_module(f"voicestream.{name}")
        for name in _FOREIGN:
            import_module(name)
        with contextlib.suppress(OSError):  # not there: nor will it be asked for
            CDLL(_SOUND)
        try:
            settings = load_settings({})
        except VoicestreamError:  # whoever speaks is told
            return
        Script(settings, _TEXT)
        if settings.embedded:
            self.load_voice()

    def load_voice(self) -> None:
        """Load the embedded voice, and leave no thread behind."""
        from voicestream.speech.neural import neural_voice

        neural_voice().sentences("Now.")
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join()
        self.voice = True

    def connect(self, host: str, port: int) -> None:
        """Begin to connect to a server, by TLS, for the next call."""
        from voicestream.speech.http.ahead import connect_ahead

        connect_ahead(host, port)
