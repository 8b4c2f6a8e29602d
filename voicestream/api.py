"""voicestream as a library: blocking, or with a handle. ``api_async`` has its async twin."""

from __future__ import annotations

import inspect
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, BinaryIO, ParamSpec, TypeAlias

from voicestream.counters import Snapshot
from voicestream.encode.base import Tags
from voicestream.errors import UsageError
from voicestream.metrics import Metrics
from voicestream.output.save import Saver
from voicestream.session.callers import check_callbacks, kind_of, save_target, script_of
from voicestream.session.conductor import Session
from voicestream.session.forks import refuse_amid_speech
from voicestream.session.listener import OnEvent
from voicestream.session.outputs import make_sink, make_turn, prepare_in_background
from voicestream.session.pacing import kept_learnt
from voicestream.session.result import Result
from voicestream.session.wiring import endpoint_of
from voicestream.settings.table import Settings, load

if TYPE_CHECKING:
    import asyncio

    from voicestream.output.base import Recipient
    from voicestream.session.barge_in import OnBargeIn
    from voicestream.session.fetchers import Segments
    from voicestream.session.pacing import LearntStore
    from voicestream.speech.base import Endpoint

SaveTarget: TypeAlias = str | os.PathLike[str] | BinaryIO
"""Where sound is kept."""
POLL_S = 0.02
"""How often an ``interrupt_callback`` is asked."""
STOP_S = 1.0
_P = ParamSpec("_P")


class Handle:
    """A reply being spoken. Its methods may be called from any thread."""

    def __init__(self, session: Session, interruptible: bool = True) -> None:
        self._session = session
        self.interruptible = interruptible
        """Whether :meth:`interrupt` has an effect."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until the last sample is heard, or the timeout; whether it has ended.

        In ``on_event`` it does not wait; told of the end, it is True.

        Raises:
            UsageError: it would never return: called without a timeout in ``on_event``,
                which the speech waits for, or in a child process after ``fork``.
        """
        return self._session.wait(timeout_s)

    def interrupt(self) -> None:
        """Silence within 60 ms, and end all requests. Does nothing if not interruptible."""
        if self.interruptible:
            self._session.interrupt()

    def cancel(self) -> None:
        """As :meth:`interrupt`, interruptible or not."""
        self._session.interrupt()

    def stop(self) -> None:
        """As :meth:`cancel`; waits for the end, a second at most."""
        self.cancel()
        self._session.wait(STOP_S)

    def warn(self, text: str) -> None:
        """Add a warning to the result, once."""
        self._session.metrics.notices.note_once(text)

    def snapshot(self) -> Snapshot:
        """Return the figures at this moment."""
        return self._session.snapshot()

    def result(self) -> Result:
        """Return the result, waiting for the end.

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
    save: SaveTarget | None = None,
    *,
    endpoint: Any = None,
    interruptible: bool = True,
    interrupt_callback: Callable[[], bool] | None = None,
    on_barge_in: OnBargeIn | None = None,
) -> Handle:
    """Begin to speak ``text`` and return at once.

    Args:
        text: a text, or pieces of it as they come: an iterable is read in a thread
            of its own, and what it has given so far is spoken while it goes on.
        settings: as read from environment, ``.env`` and config file unless given.
        on_event: called with each :class:`Event` from voicestream's own threads;
            it must return quickly.
        save: a file that keeps the sound, of the kind that its ending names (``.wav``,
            ``.mp3``, ``.flac``, ``.opus``, ``.ogg``, ``.m4a``), or a binary stream.
        endpoint: instead of the one the settings name: a client of the ``openai``
            package (``OpenAI``, ``AsyncOpenAI``, Azure), which stays open, or an
            object with the members of ``voicestream.speech.base.Endpoint``, which
            serves one reply; of these it needs only ``open``. A str is the name of one,
            or several in order, as for ``--endpoint``.
        interruptible: if False, neither the handle's ``interrupt()`` nor
            ``interrupt_callback`` nor a person's voice ends the speech.
        interrupt_callback: asked every 20 ms in a thread of voicestream's; once it
            says True, the speech is interrupted. What it raises becomes a warning,
            and it is not asked again.
        on_barge_in: with ``Settings(barge_in=True)``, called in a thread of voicestream's when a
            person has ended the speech, before the end is told: with the text that was heard, and
            the last seconds of the microphone, int16 at 16 kHz without our own voice.

    Raises:
        VoicestreamError: a setting is wrong, the text is empty, or the file cannot be written.
    """
    check_callbacks(on_event, interrupt_callback, on_barge_in)
    handle = begin(text, settings, on_event, save, endpoint, interruptible, on_barge_in=on_barge_in)
    if interruptible and interrupt_callback is not None:
        threading.Thread(
            target=_poll, args=(handle._session, interrupt_callback), name="poll", daemon=True
        ).start()
    return handle


def begin(
    text: str | Iterable[str],
    settings: Settings | None,
    on_event: OnEvent | None,
    save: SaveTarget | None,
    endpoint: Any,
    interruptible: bool,
    loop: asyncio.AbstractEventLoop | None = None,
    sound: Recipient | None = None,
    on_barge_in: OnBargeIn | None = None,
) -> Handle:
    """``start`` without a callback to poll.

    Args:
        loop: where an async client is at home.
        sound: who gets the sound, instead of a sound card.
    """
    started_s = time.monotonic()
    refuse_amid_speech()
    if isinstance(endpoint, str):
        if settings is not None:
            raise UsageError(
                "an endpoint's name was given beside settings",
                hint='Name it there: voicestream.Settings(endpoint="kokoro").',
            )
        settings, endpoint = load({"endpoint": endpoint}, program=True), None
    chosen = settings if settings is not None else load(program=True)
    if not isinstance(chosen, Settings):
        raise UsageError(
            f"settings are of type {kind_of(chosen)}",
            hint='Give voicestream.Settings(voice="nova").',
        )
    metrics = Metrics(started_s)
    with ExitStack() as undo:  # where anything fails, nothing stays open or on the disk
        speaker, chosen = endpoint_of(chosen, endpoint, loop, metrics.notices)
        if endpoint is None:
            undo.callback(speaker.close)
        script = script_of(chosen, text)
        session = conduct(
            *(chosen, speaker, script, metrics, on_event, save, sound, kept_learnt()),
            on_barge_in=on_barge_in,
            interruptible=interruptible,
        )
        undo.pop_all()
    return Handle(session, interruptible)


def conduct(
    settings: Settings,
    endpoint: Endpoint,
    segments: Segments,
    metrics: Metrics,
    on_event: OnEvent | None,
    save: SaveTarget | None,
    sound: Recipient | None = None,
    learnt: LearntStore | None = None,
    on_barge_in: OnBargeIn | None = None,
    interruptible: bool = True,
) -> Session:
    """Start a session; where that fails, nothing stays open or on the disk."""
    with ExitStack() as undo:
        sink = make_sink(settings, metrics) if sound is None else None
        turn = (
            make_turn(settings, metrics.timeline.process_start, metrics.notices)
            if sound is None
            else None
        )
        saver = sound if save is None else Saver(save_target(save), Tags(voice=settings.voice))
        if saver is not None:
            undo.callback(saver.close)
        if sink is not None:
            prepare_in_background(sink)
        session = Session(
            *(settings, endpoint, segments, sink, saver, metrics, on_event, learnt), turn
        )
        if session.barge_in is not None:
            session.barge_in.on_barge_in = on_barge_in
            if not interruptible:
                session.barge_in = None
        session.start()
        undo.pop_all()
    return session


def _poll(session: Session, wanted: Callable[[], bool]) -> None:
    try:
        while not session.wait(POLL_S):
            if wanted():
                session.interrupt()
                return
    except BaseException as error:  # noqa: BLE001  the caller's code must not end the sound
        session.metrics.notices.notify(f"interrupt_callback failed: {error!r}")


def finish(handle: Handle) -> Result:
    """Wait for the end; whatever is raised meanwhile, by a signal's handler too, silences it."""
    try:
        return handle.result()
    except BaseException:
        handle.stop()
        raise


def blocking(begins: Callable[_P, Handle], name: str, told: str) -> Callable[_P, Result]:
    """Return the twin of a function that begins: it returns when the last sample was heard.

    Args:
        begins: its parameters are the twin's.
        name, told: of the twin: what it is called, and its docstring.
    """

    def twin(*args: _P.args, **named: _P.kwargs) -> Result:
        return finish(begins(*args, **named))

    twin.__name__ = twin.__qualname__ = name
    twin.__doc__ = told
    signature = inspect.signature(begins).replace(return_annotation="Result")
    twin.__signature__ = signature  # type: ignore[attr-defined]
    return twin


say = blocking(
    start,
    "say",
    """Speak ``text`` and return when its last sample was heard. See :func:`start`.

    Ctrl-C (KeyboardInterrupt), and whatever else a signal raises, silences it and is raised on.

    Raises:
        VoicestreamError: nothing was heard.
    """,
)
speak_stream_sync = say
"""The blocking twin of :func:`speak_stream`."""
