"""voicestream as a library: blocking, or with a handle. ``api_async`` has its async twin."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from voicestream.errors import UsageError
from voicestream.metrics import Metrics, Snapshot
from voicestream.output.save import Saver
from voicestream.session.conductor import OnEvent, Session
from voicestream.session.outputs import make_sink, make_turn, prepare_in_background
from voicestream.session.pacing import kept_learnt
from voicestream.session.result import Result
from voicestream.session.script import Script
from voicestream.session.wiring import endpoint_of
from voicestream.settings.table import Settings, load

if TYPE_CHECKING:
    import asyncio

POLL_S = 0.02
"""How often an ``interrupt_callback`` is asked."""
_STOP_S = 1.0


class Handle:
    """A reply being spoken. Its methods may be called from any thread."""

    def __init__(self, session: Session, interruptible: bool = True) -> None:
        self._session = session
        self.interruptible = interruptible
        """Whether :meth:`interrupt` has an effect."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until the last sample is heard, or the timeout; whether it has ended."""
        return self._session.wait(timeout_s)

    def interrupt(self) -> None:
        """Silence within 60 ms, and end all requests. Does nothing if not interruptible."""
        if self.interruptible:
            self._session.interrupt()

    def stop(self) -> None:
        """As :meth:`interrupt`, interruptible or not; waits for the end, a second at most."""
        self._session.interrupt()
        self._session.wait(_STOP_S)

    def snapshot(self) -> Snapshot:
        """The figures at this moment."""
        return self._session.snapshot()

    def result(self) -> Result:
        """The result, waiting for the end.

        Raises:
            VoicestreamError: nothing was heard; what was heard in part is a
                result with ``completed`` False and ``errors``.
        """
        self._session.wait()
        result = self._session.result()
        if result.errors and not result.snapshot.audio_s:
            raise result.errors[0]
        return result


def start(
    text: str | Iterable[str],
    settings: Settings | None = None,
    on_event: OnEvent | None = None,
    save: str | None = None,
    *,
    endpoint: Any = None,
    interruptible: bool = True,
    interrupt_callback: Callable[[], bool] | None = None,
) -> Handle:
    """Begin to speak ``text`` and return at once.

    Args:
        text: a text, or pieces of it as they come: an iterable is read in a thread
            of its own, and what it has given so far is spoken while it goes on.
        settings: as read from environment, ``.env`` and config file unless given.
        on_event: called with each :class:`Event` from voicestream's own threads;
            it must return quickly.
        save: a .wav file that keeps the sound.
        endpoint: instead of the one the settings name: a client of the ``openai``
            package (``OpenAI``, ``AsyncOpenAI``, Azure), which stays open, or an
            object with the members of ``voicestream.speech.base.Endpoint``, which
            serves one reply.
        interruptible: if False, neither the handle's ``interrupt()`` nor
            ``interrupt_callback`` ends the speech.
        interrupt_callback: asked every 20 ms in a thread of voicestream's; once it
            says True, the speech is interrupted. What it raises becomes a warning,
            and it is not asked again.

    Raises:
        VoicestreamError: a setting is wrong, the text is empty, or the file cannot be written.
    """
    handle = begin(text, settings, on_event, save, endpoint, interruptible)
    if interruptible and interrupt_callback is not None:
        threading.Thread(
            target=_poll, args=(handle._session, interrupt_callback), name="poll", daemon=True
        ).start()
    return handle


def begin(
    text: str | Iterable[str],
    settings: Settings | None,
    on_event: OnEvent | None,
    save: str | None,
    endpoint: Any,
    interruptible: bool,
    loop: asyncio.AbstractEventLoop | None = None,
) -> Handle:
    """``start`` without a callback to poll; ``loop`` is where an async client is at home."""
    started_s = time.monotonic()
    chosen = settings if settings is not None else load()
    metrics = Metrics(started_s)
    speaker, chosen = endpoint_of(chosen, endpoint, loop, metrics.notices)
    script = _script(chosen, text)
    saver = Saver(save) if save is not None else None
    sink = make_sink(chosen, metrics)
    prepare_in_background(sink)
    turn = make_turn(chosen, started_s, metrics.notices)
    session = Session(chosen, speaker, script, sink, saver, metrics, on_event, kept_learnt(), turn)
    session.start()
    return Handle(session, interruptible)


def _script(settings: Settings, text: object) -> Script:
    if isinstance(text, str):
        return Script(settings, text)
    if isinstance(text, Iterable) and not isinstance(text, bytes | bytearray):
        return Script(settings, rest=text)
    hint = "Use speak_stream." if isinstance(text, AsyncIterable) else "Give str."
    raise UsageError(f"a {type(text).__name__} is no text", hint=hint)


def _poll(session: Session, wanted: Callable[[], bool]) -> None:
    try:
        while not session.wait(POLL_S):
            if wanted():
                session.interrupt()
                return
    except Exception as error:  # noqa: BLE001  the caller's code must not end the sound
        session.metrics.notices.notify(f"interrupt_callback failed: {error!r}")


def say(
    text: str | Iterable[str],
    settings: Settings | None = None,
    on_event: OnEvent | None = None,
    save: str | None = None,
    *,
    endpoint: Any = None,
    interruptible: bool = True,
    interrupt_callback: Callable[[], bool] | None = None,
) -> Result:
    """Speak ``text`` and return when its last sample was heard. See :func:`start`.

    Ctrl-C (KeyboardInterrupt) silences it and is raised on.

    Raises:
        VoicestreamError: nothing was heard.
    """
    handle = start(
        text,
        settings,
        on_event,
        save,
        endpoint=endpoint,
        interruptible=interruptible,
        interrupt_callback=interrupt_callback,
    )
    try:
        return handle.result()
    except KeyboardInterrupt:
        handle.stop()
        raise


def speak_stream_sync(
    text_iter: str | Iterable[str],
    settings: Settings | None = None,
    on_event: OnEvent | None = None,
    save: str | None = None,
    *,
    endpoint: Any = None,
    interruptible: bool = True,
    interrupt_callback: Callable[[], bool] | None = None,
) -> Result:
    """The blocking twin of :func:`speak_stream`; the same as :func:`say`."""
    return say(
        text_iter,
        settings,
        on_event,
        save,
        endpoint=endpoint,
        interruptible=interruptible,
        interrupt_callback=interrupt_callback,
    )
