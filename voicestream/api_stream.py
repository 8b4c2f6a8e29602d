"""voicestream without a sound card: the sound of a text for a program that sends it on."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterable, Iterable
from typing import Any, Self

from voicestream.api import STOP_S, begin
from voicestream.errors import UsageError
from voicestream.pcm import PcmFormat
from voicestream.session.bridge import Bridge
from voicestream.session.callers import check_callbacks
from voicestream.session.conductor import Session
from voicestream.session.listener import OnEvent
from voicestream.session.result import Event, Result
from voicestream.session.sound_pipe import SoundPipe
from voicestream.settings.table import Settings, load

_TICK_S = 0.5


def stream(
    text: str | Iterable[str] | AsyncIterable[str],
    settings: Settings | None = None,
    on_event: OnEvent | None = None,
    *,
    endpoint: Any = None,
) -> SoundStream:
    """Return the sound of ``text`` as it is made, for ``for`` and ``async for``; play nothing.

    Args:
        text: a text, or pieces of it as they come; an asynchronous iterable is iterated in
            the event loop that runs, any other in a thread of its own.
        settings: as read from environment, ``.env`` and config file unless given.
        on_event: called with each :class:`Event` from voicestream's own threads;
            it must return quickly. Nothing is heard here, so no event tells of that.
        endpoint: see :func:`start`; an asynchronous client needs ``async for``.

    Returns:
        The sound: an iterator of bytes, 16-bit little-endian samples whose rate and
        channels are its ``format``.

    Raises:
        VoicestreamError: a setting is wrong, or the text is empty.
    """
    check_callbacks(on_event)
    chosen = settings if settings is not None else load(program=True)
    room_s = chosen.max_buffer_s if isinstance(chosen, Settings) else 0.0
    sound = SoundPipe(room_s)
    loop, carrier = _running_loop(), None
    given: Any = text
    if isinstance(text, AsyncIterable):
        if loop is None:
            raise UsageError("an asynchronous text needs a running event loop")
        given = Bridge()
        carrier = loop.create_task(given.carry(text))

    def tell(event: Event) -> None:
        if event.kind == "end":
            sound.end()
        if on_event is not None:
            on_event(event)

    try:
        handle = begin(given, chosen, tell, None, endpoint, True, loop, sound)
    except BaseException:
        if carrier is not None:
            carrier.cancel()
        raise
    return SoundStream(handle._session, sound, carrier)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class SoundStream:
    """The sound of a text, as :func:`stream` gives it: pieces of bytes, none empty.

    It is read once, by one reader, with ``for`` or with ``async for``. A slow reader slows
    everything down: only so much as ``max_buffer_s`` says, and a few megabytes of each
    reply, wait for it. When it is closed (``close()``, the end of ``with`` or ``async
    with``, the cancelling of the task that reads, or nobody holds it any more), all requests
    end at once.

    After its last piece it raises a :class:`VoicestreamError` where that was not all.
    """

    def __init__(
        self, session: Session, sound: SoundPipe, carrier: asyncio.Task[None] | None
    ) -> None:
        self._session = session
        self._sound = sound
        self._carrier = carrier
        self._told = False
        self._reader: asyncio.Task[Any] | None = None  # with ``async for``, as long as it reads
        self._give_up = weakref.finalize(self, _give_up, session, sound, carrier)
        self._give_up.atexit = False

    @property
    def format(self) -> PcmFormat:
        """Rate, channels and encoding of the samples (always ``s16``); waits until it is known.

        Raises:
            VoicestreamError: no sound will come.
            UsageError: it is not known yet, and an event loop must not wait here.
        """
        if self._sound.format is None and _running_loop() is not None:
            raise UsageError(
                "the format is not known yet", hint="Say `await sound.opened()` before."
            )
        while self._sound.format is None and not self._sound.over:
            self._sound.wait(lambda: self._sound.format, _TICK_S)
            self._session.wait(0.0)
        return self._known_format()

    async def opened(self) -> PcmFormat:
        """Return the format, as soon as it is known.

        Raises:
            VoicestreamError: no sound will come.
        """
        while self._sound.format is None and not self._sound.over:
            await self._change(lambda: self._sound.format is not None)
        return self._known_format()

    def _known_format(self) -> PcmFormat:
        if self._sound.format is None:
            self._raise_failure()
            raise UsageError("the sound was closed before it began")
        return self._sound.format

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        while (piece := self._sound.poll()) is None:
            if self._sound.over:
                self._raise_failure()
                raise StopIteration
            self._sound.wait(lambda: self._sound.waiting, _TICK_S)
            self._session.wait(0.0)  # refuses in a child process, where nobody writes
        return piece

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._note_reader(asyncio.current_task())
        while (piece := self._sound.poll()) is None:
            if self._sound.over:
                await self.aclose()
                self._raise_failure()
                raise StopAsyncIteration
            await self._change(lambda: self._sound.waiting)
        return piece

    def _note_reader(self, task: asyncio.Task[Any] | None) -> None:
        """Close the sound once the task that reads was cancelled, as for a visitor of a web page
        who has gone: it holds the sound in its traceback, until garbage is collected."""
        if task is None or task is self._reader:
            return
        self._reader, mine = task, weakref.ref(self)

        def see(ended: asyncio.Task[Any]) -> None:
            if (sound := mine()) is not None:
                sound._reader = None
                if ended.cancelled():
                    sound.close()

        task.add_done_callback(see)

    async def _change(self, ready: Any) -> None:
        """Wait until ``ready`` says so, or it is over; the loop goes on meanwhile."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(changed.set)

        self._sound.on_change = tell
        if not (ready() or self._sound.over):
            await changed.wait()

    def _raise_failure(self) -> None:
        """Raise what went wrong, once, unless it was closed."""
        errors = () if self._told or self._session.interrupted else self.result().errors
        self._told = True
        if errors:
            raise errors[0]

    def result(self) -> Result:
        """Return the figures, once its last piece was read.

        Raises:
            UsageError: it was not read to its end.
        """
        if not self._sound.over:
            raise UsageError("the sound was not read to its end", hint="Read or close it first.")
        self._session.wait(STOP_S)  # closed, it ends in a moment
        return self._session.result()

    def close(self) -> None:
        """End all requests; no more pieces come. Does nothing where it has ended."""
        self._give_up()

    async def aclose(self) -> None:
        """As ``close``; returns when the text, if it is an asynchronous one, has been left."""
        self.close()
        if self._carrier is not None:
            await asyncio.gather(self._carrier, return_exceptions=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _give_up(session: Session, sound: SoundPipe, carrier: asyncio.Task[None] | None) -> None:
    """End what a stream leaves behind that nobody reads any more."""
    if not sound.over:
        sound.cancel()  # the feeder may wait for room
        session.interrupt()
    if carrier is not None and not carrier.done() and not carrier.get_loop().is_closed():
        carrier.get_loop().call_soon_threadsafe(carrier.cancel)
