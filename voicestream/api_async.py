"""voicestream in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from voicestream.api import POLL_S, STOP_S, Handle, SaveTarget, begin
from voicestream.session.bridge import Bridge
from voicestream.session.callers import check_callbacks
from voicestream.session.listener import OnEvent
from voicestream.session.result import Event, Result
from voicestream.settings.table import Settings

if TYPE_CHECKING:
    from voicestream.pcm import Frames16
    from voicestream.session.barge_in import OnBargeIn


async def speak_stream(
    text_iter: str | Iterable[str] | AsyncIterable[str],
    settings: Settings | None = None,
    on_event: OnEvent | None = None,
    save: SaveTarget | None = None,
    *,
    endpoint: Any = None,
    interruptible: bool = True,
    interrupt_callback: Callable[[], bool] | None = None,
    on_barge_in: OnBargeIn | None = None,
) -> Result:
    """Speak a text that is still being written; return when its last sample was heard.

    As :func:`voicestream.start`, but: ``text_iter`` may be asynchronous; it is then
    iterated in this event loop, and a plain iterable in a thread. ``on_event``,
    ``interrupt_callback`` and ``on_barge_in`` are called in this event loop, as is an
    asynchronous client given as ``endpoint``: whatever blocks the loop delays the speech.

    Cancelling the task silences it and ends all requests, interruptible or not.

    Raises:
        VoicestreamError: nothing was heard.
    """
    check_callbacks(on_event, interrupt_callback, on_barge_in)
    caller = _Caller(on_event, on_barge_in)
    helpers: list[asyncio.Task[None]] = []
    text: str | Iterable[str]
    if isinstance(text_iter, AsyncIterable):
        bridge = Bridge()
        helpers.append(asyncio.create_task(bridge.carry(text_iter)))
        text = bridge
    else:
        text = text_iter
    try:
        handle = caller.handle = begin(
            *(text, settings, caller.tell, save, endpoint, interruptible, caller.loop),
            on_barge_in=caller.tell_barge_in,
        )
        if interruptible and interrupt_callback is not None:
            helpers.append(asyncio.create_task(_poll(handle, interrupt_callback)))
        try:
            await caller.ended.wait()
        except asyncio.CancelledError:
            handle.cancel()
            with suppress(TimeoutError):
                await asyncio.wait_for(caller.ended.wait(), STOP_S)
            raise
    finally:
        await _end(helpers, text_iter)
    return handle.result()


class _Caller:
    """Calls the caller's functions in its event loop, from the threads that speak."""

    def __init__(self, on_event: OnEvent | None, on_barge_in: OnBargeIn | None) -> None:
        self._on_event = on_event
        self._on_barge_in = on_barge_in
        self.loop = asyncio.get_running_loop()
        self.ended = asyncio.Event()
        """The end has been told."""
        self.handle: Handle | None = None

    def tell(self, event: Event) -> None:
        """Tell of an event."""
        self.loop.call_soon_threadsafe(self._deliver, event)

    def tell_barge_in(self, spoken: str, heard: Frames16) -> None:
        """Tell that a person has ended the speech."""
        if self._on_barge_in is not None:
            self.loop.call_soon_threadsafe(self._on_barge_in, spoken, heard)

    def _deliver(self, event: Event) -> None:
        try:
            if self._on_event is not None:
                self._on_event(event)
        except (SystemExit, KeyboardInterrupt):
            raise  # they end the loop, which is the caller's
        except BaseException as error:  # noqa: BLE001  the caller's code must not end the sound
            assert self.handle is not None  # set before the loop gets its turn
            self.handle.warn(f"on_event failed: {error!r}")
        finally:
            if event.kind == "end":
                self.ended.set()


async def _poll(handle: Handle, wanted: Callable[[], bool]) -> None:
    try:
        while not wanted():
            await asyncio.sleep(POLL_S)
        handle.interrupt()
    except Exception as error:  # noqa: BLE001  the caller's code must not end the sound
        handle.warn(f"interrupt_callback failed: {error!r}")


async def _end(helpers: list[asyncio.Task[None]], text_iter: object) -> None:
    """Nobody wants more text, and nobody can interrupt any more."""
    for helper in helpers:
        helper.cancel()
    await asyncio.gather(*helpers, return_exceptions=True)
    close = getattr(text_iter, "aclose", None)
    if close is not None:
        await close()
