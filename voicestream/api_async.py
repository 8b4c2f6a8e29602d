"""voicestream in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

from voicestream.api import POLL_S, Handle, begin
from voicestream.session.bridge import Bridge
from voicestream.session.conductor import OnEvent
from voicestream.session.result import Event, Result
from voicestream.settings.table import Settings


async def speak_stream(
    text_iter: str | Iterable[str] | AsyncIterable[str],
    settings: Settings | None = None,
    on_event: OnEvent | None = None,
    save: str | None = None,
    *,
    endpoint: Any = None,
    interruptible: bool = True,
    interrupt_callback: Callable[[], bool] | None = None,
) -> Result:
    """Speak a text that is still being written; return when its last sample was heard.

    As :func:`voicestream.start`, but: ``text_iter`` may be asynchronous; it is then
    iterated in this event loop, and a plain iterable in a thread. ``on_event`` and
    ``interrupt_callback`` are called in this event loop, as is an asynchronous client
    given as ``endpoint``: whatever blocks the loop delays the speech.

    Cancelling the task silences it and ends all requests, interruptible or not.

    Raises:
        VoicestreamError: nothing was heard.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def deliver(event: Event) -> None:
        if on_event is not None:
            on_event(event)
        if event.kind == "end":
            ended.set()

    def from_thread(event: Event) -> None:
        loop.call_soon_threadsafe(deliver, event)

    helpers: list[asyncio.Task[None]] = []
    text: str | Iterable[str]
    if isinstance(text_iter, AsyncIterable):
        bridge = Bridge()
        helpers.append(asyncio.create_task(bridge.carry(text_iter)))
        text = bridge
    else:
        text = text_iter
    try:
        handle = begin(text, settings, from_thread, save, endpoint, interruptible, loop)
        if interruptible and interrupt_callback is not None:
            helpers.append(asyncio.create_task(_poll(handle, interrupt_callback)))
        try:
            await ended.wait()
        except asyncio.CancelledError:
            await asyncio.to_thread(handle.stop)
            raise
        return handle.result()
    finally:
        await _end(helpers, text_iter)


async def _poll(handle: Handle, wanted: Callable[[], bool]) -> None:
    while not wanted():
        await asyncio.sleep(POLL_S)
    handle.interrupt()


async def _end(helpers: list[asyncio.Task[None]], text_iter: object) -> None:
    """Nobody wants more text, and nobody can interrupt any more."""
    for helper in helpers:
        helper.cancel()
    for outcome in await asyncio.gather(*helpers, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome  # of interrupt_callback
    close = getattr(text_iter, "aclose", None)
    if close is not None:
        await close()
