"""voicestream as a library."""

from __future__ import annotations

import time

from voicestream.metrics import Metrics, Snapshot
from voicestream.output.save import Saver
from voicestream.session.conductor import OnEvent, Session
from voicestream.session.result import Result
from voicestream.session.script import Script
from voicestream.session.wiring import make_endpoint, make_sink, prepare_in_background
from voicestream.settings import Settings, load


class Handle:
    """A reply being spoken. Its methods may be called from any thread."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until the last sample is heard, or the timeout; whether it has ended."""
        return self._session.wait(timeout_s)

    def interrupt(self) -> None:
        """Silence within 60 ms, and end all requests."""
        self._session.interrupt()

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
    text: str,
    settings: Settings | None = None,
    on_event: OnEvent | None = None,
    save: str | None = None,
) -> Handle:
    """Begin to speak ``text`` and return at once.

    Args:
        settings: as read from environment, ``.env`` and config file unless given.
        on_event: called with each :class:`Event` from voicestream's own threads;
            it must return quickly.
        save: a .wav file that keeps the sound.

    Raises:
        VoicestreamError: a setting is wrong, the text is empty, or the file cannot be written.
    """
    started_s = time.monotonic()
    chosen = settings if settings is not None else load()
    script = Script(chosen, text)
    saver = Saver(save) if save is not None else None
    sink = make_sink(chosen)
    prepare_in_background(sink)
    session = Session(
        chosen, make_endpoint(chosen), script, sink, saver, Metrics(started_s), on_event
    )
    session.start()
    return Handle(session)


def say(
    text: str,
    settings: Settings | None = None,
    on_event: OnEvent | None = None,
    save: str | None = None,
) -> Result:
    """Speak ``text`` and return when its last sample was heard. See :func:`start`.

    Ctrl-C (KeyboardInterrupt) silences it and is raised on.

    Raises:
        VoicestreamError: nothing was heard.
    """
    handle = start(text, settings, on_event, save)
    try:
        return handle.result()
    except KeyboardInterrupt:
        handle.interrupt()
        handle.wait(1.0)
        raise
