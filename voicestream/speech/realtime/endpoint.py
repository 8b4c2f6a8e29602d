"""A Realtime API as an endpoint: one WebSocket a voice, one response a segment."""

from __future__ import annotations

import threading
from functools import partial

from voicestream.errors import (
    ConnectionFailedError,
    KeyRefusedError,
)
from voicestream.redact import without_key
from voicestream.settings.proxy import tunnel_proxy
from voicestream.speech.base import SpeechRequest
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.limits import most_bytes
from voicestream.speech.realtime.connection import RealtimeConnection
from voicestream.speech.realtime.failures import not_connected, reported
from voicestream.speech.realtime.handshake import (
    Handshake,
    NoWebSocketError,
    open_early,
)
from voicestream.speech.realtime.protocol import (
    LEAST_SPEED,
    MOST_SPEED,
    first_messages,
    realtime_target,
    session_update,
)
from voicestream.speech.realtime.stream import RealtimeStream


class RealtimeEndpoint:
    """Speaks through a Realtime API (``wss://host/v1/realtime``).

    The voice of a connection cannot change once it has spoken, so each voice (and model,
    and speed) has one of its own, kept for the next segment.

    Args:
        early: the first connection, being opened already; whoever asks for the same gets it.

    Raises:
        SettingsError: the environment names a proxy that cannot be used.
    """

    def __init__(self, config: EndpointConfig, early: Handshake | None = None) -> None:
        self._config = config
        self._early = early
        self._proxy = tunnel_proxy(config.base_url)
        self._lock = threading.Lock()
        # under the lock
        self._made: list[RealtimeConnection] = []
        self._slots: dict[tuple[str, str, float], _Slot] = {}
        self._aborted = False
        # any thread that asks
        self._key_refused: KeyRefusedError | None = None

    @property
    def name(self) -> str:
        return self._config.base_url

    def open(self, request: SpeechRequest) -> RealtimeStream:
        """Ask, and return when the server has begun a response.

        Raises:
            EndpointError: it cannot be reached, or refuses. Once it has refused the key it
                is not asked again.
        """
        if self._key_refused is not None:
            raise self._key_refused
        speed = min(max(request.speed, LEAST_SPEED), MOST_SPEED)
        with self._lock:
            if self._aborted:
                raise ConnectionFailedError("given up")
            slot = self._slots.setdefault((request.model, request.voice, speed), _Slot())
        try:
            while True:
                connection, kept = self._connected(slot, request)
                try:
                    return self._begun(connection, request)
                except ConnectionFailedError:
                    # a kept connection may have died while nobody used it
                    given_up = request.call is not None and request.call.cancelled
                    if not kept or connection.usable or given_up or self._aborted:
                        raise
        except KeyRefusedError as error:
            self._key_refused = error
            raise

    def _begun(self, connection: RealtimeConnection, request: SpeechRequest) -> RealtimeStream:
        reply = connection.ask(request, most_bytes(request))
        if (call := request.call) is not None:
            call.wait_for(partial(reply.came.put, ConnectionFailedError("given up")))
        stream = RealtimeStream(self._config, connection, reply)
        stream.wait_begun()
        return stream

    def _connected(self, slot: _Slot, request: SpeechRequest) -> tuple[RealtimeConnection, bool]:
        """Return the connection of a voice, and whether it was there already."""
        with slot.lock:
            kept = slot.connection is not None and slot.connection.usable
            if slot.connection is None or not kept:
                opening = self._opening(request)
                slot.opening = opening
                if self._aborted:
                    opening.abandon()
                if (call := request.call) is not None:
                    call.wait_for(opening.abandon)
                try:
                    opened = opening.take()
                except (OSError, ValueError, NoWebSocketError) as error:
                    raise not_connected(self._config, request.model, error) from error
                finally:
                    slot.opening = None
                failure = partial(reported, self._config, request.model)
                slot.connection = RealtimeConnection(
                    opened, failure, self._without_key, self._config.body
                )
                with self._lock:
                    self._made.append(slot.connection)
                if self._aborted:
                    slot.connection.close()
            return slot.connection, kept

    def _opening(self, request: SpeechRequest) -> Handshake:
        """Return the early handshake if it is for this voice, or a new one."""
        config = self._config
        with self._lock:
            early = self._early
            target = realtime_target(config.base_url, request.model)
            if early is not None and early.serves(target, session_update(request, config.body)):
                self._early = None
                return early
        wait_s = min(config.timeout_s, config.connect_s)
        opening = open_early(config.base_url, config.api_key, request.model, wait_s, config.headers)
        opening.send(first_messages(request, config.body))
        opening.start()
        return opening

    def _without_key(self, words: str) -> str:
        return without_key(words, self._config.api_key)

    def abort(self) -> None:
        self._end(cancel=True)

    def close(self) -> None:
        self._end(cancel=False)

    def _end(self, *, cancel: bool) -> None:
        with self._lock:
            self._aborted = True
            slots, made = list(self._slots.values()), list(self._made)
            early, self._early = self._early, None
        openings = [early, *(slot.opening for slot in slots)]
        for opening in openings:
            if opening is not None:
                opening.abandon()
        for connection in made:
            connection.close(cancel=cancel)


class _Slot:
    """Holds the connection of one voice, or the making of it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.opening: Handshake | None = None
        self.connection: RealtimeConnection | None = None
