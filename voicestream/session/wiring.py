"""From settings to the parts of a session: which endpoint, which sink."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from voicestream.errors import DeviceError, UsageError
from voicestream.settings import OPENAI_URL, Settings

if TYPE_CHECKING:
    import asyncio

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


def endpoint_of(
    settings: Settings, given: Any, loop: asyncio.AbstractEventLoop | None = None
) -> tuple[Endpoint, Settings]:
    """The endpoint that a program gave, or that the settings name; and the settings for it.

    Raises:
        UsageError: ``given`` is no endpoint.
    """
    if given is None:
        return make_endpoint(settings), settings
    from voicestream.speech.openai_client import client_endpoint, is_client

    if is_client(given):
        given = client_endpoint(given, settings.timeout_s, loop)
    elif not callable(getattr(given, "open", None)):
        raise UsageError(
            f"a {type(given).__name__} is no endpoint",
            hint="Give a client of the openai package, or an object with open(request).",
        )
    if settings.embedded:  # whose voice and URL are the defaults without a key
        voice = "" if settings.voice == "heart" else settings.voice
        settings = replace(settings, base_url=OPENAI_URL, voice=voice)
    return given, settings


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
