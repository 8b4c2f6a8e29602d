"""An endpoint whose speech model may have been shut down: then its Realtime API speaks."""

from __future__ import annotations

import threading
from collections.abc import Callable

from voicestream.errors import EndpointError, ModelGoneError, ResponseError
from voicestream.records import replace
from voicestream.speech.base import Endpoint, SpeechRequest, SpeechStream

_FIRST_ANSWER_S = 0.5
"""How long other requests wait for the answer to the first one: if the model is gone, one refusal
is enough for all."""
_VOICES = {"fable": "ballad", "nova": "coral", "onyx": "ash"}
"""Voices of OpenAI's speech route that its Realtime API lacks -> the nearest there."""


class AutoEndpoint:
    """Asks the speech route, and for good the Realtime API once the model is gone.

    Args:
        speech: the speech route.
        realtime: makes the Realtime endpoint, with its model.
        on_gone: called once, with the refusal, when Realtime has taken over.
        any_404: whether a 404 without a word about models means it, too.
    """

    def __init__(
        self,
        speech: Endpoint,
        realtime: tuple[Callable[[], Endpoint], str],
        on_gone: Callable[[EndpointError], None],
        any_404: bool = False,
    ) -> None:
        self._speech = speech
        self._make_realtime, self._realtime_model = realtime
        self._on_gone = on_gone
        self._any_404 = any_404
        self._answered = threading.Event()
        self._lock = threading.Lock()
        # under the lock
        self._asked = False
        self._realtime: Endpoint | None = None
        self._refusal: EndpointError | None = None
        self._told = False
        self._aborted = False

    @property
    def name(self) -> str:
        return self._speech.name

    def open(self, request: SpeechRequest) -> SpeechStream:
        """Ask the endpoint that has its model.

        Raises:
            EndpointError: neither has, or what the one that has answered.
        """
        if self._refusal is None and self._may_ask():
            try:
                stream = self._speech.open(request)
            except ResponseError as error:
                if not self._is_gone(error):
                    raise
                self._refusal = error
            else:
                return stream
            finally:
                self._answered.set()
        return self._open_realtime(request)

    def _may_ask(self) -> bool:
        """Return whether the model still counts as there, the first answer awaited."""
        with self._lock:
            first, self._asked = not self._asked, True
        if not first:
            self._answered.wait(_FIRST_ANSWER_S)
        return self._refusal is None

    def _is_gone(self, error: ResponseError) -> bool:
        return isinstance(error, ModelGoneError) or (self._any_404 and error.status == 404)

    def _open_realtime(self, request: SpeechRequest) -> SpeechStream:
        with self._lock:
            if self._aborted and self._refusal is not None:
                raise self._refusal
            if self._realtime is None:
                self._realtime = self._make_realtime()
            endpoint = self._realtime
        voice = _VOICES.get(request.voice, request.voice)
        try:
            stream = endpoint.open(replace(request, model=self._realtime_model, voice=voice))
        except EndpointError as error:
            if self._told or self._refusal is None:
                raise
            raise self._refusal from error  # no Realtime API either: the model is what is wrong
        with self._lock:
            news, self._told = not self._told, True
        if news and self._refusal is not None:
            self._on_gone(self._refusal)
        return stream

    def abort(self) -> None:
        with self._lock:
            self._aborted = True
            realtime = self._realtime
        self._answered.set()
        self._speech.abort()
        if realtime is not None:
            realtime.abort()

    def close(self) -> None:
        with self._lock:
            self._aborted = True
            realtime = self._realtime
        self._speech.close()
        if realtime is not None:
            realtime.close()
