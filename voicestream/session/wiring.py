"""From settings to the parts of a session: which endpoint, which sink."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from voicestream.errors import DeviceError
from voicestream.settings import Settings

if TYPE_CHECKING:
    from voicestream.output.base import Sink
    from voicestream.speech.base import Endpoint
    from voicestream.speech.wire import EarlyRequest


def make_endpoint(settings: Settings, early: EarlyRequest | None = None) -> Endpoint:
    """The endpoint that the base URL names."""
    if settings.embedded:
        from voicestream.speech.embedded import EmbeddedEndpoint

        return EmbeddedEndpoint()
    from voicestream.speech.http import HttpConfig, HttpEndpoint

    config = HttpConfig(
        base_url=settings.base_url,
        api_key=settings.api_key,
        key_source=settings.sources.get("api_key", "the program") if settings.api_key else "",
        timeout_s=settings.timeout_s,
        chunk_bytes=settings.chunk_size,
        connections=settings.lookahead + 2,
    )
    return HttpEndpoint(config, early)


def make_sink(settings: Settings) -> Sink:
    """The sink that the device setting names, watched over. Nothing is opened yet."""
    from voicestream.session.device import LastingSink

    return LastingSink(lambda: _device_sink(settings), settings.device_wait_s)


def _device_sink(settings: Settings) -> Sink:
    if settings.device == "null":
        from voicestream.output.null import NullSink

        return NullSink()
    from voicestream.output.portaudio import PortAudioSink

    return PortAudioSink(settings.device)


def prepare_in_background(sink: Sink) -> None:
    """Let the sink do what takes time and not the interpreter."""
    prepare = getattr(sink, "prepare", None)
    if prepare is None:
        return

    def run() -> None:
        try:
            prepare()
        except DeviceError:
            pass  # open() tries again and tells

    threading.Thread(target=run, name="prepare-sink", daemon=True).start()
