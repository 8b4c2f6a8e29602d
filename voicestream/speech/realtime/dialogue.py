"""A conversation with a model that hears and speaks: one WebSocket, events both ways."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from voicestream.errors import ConnectionFailedError, EndpointError
from voicestream.redact import without_key
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.realtime.failures import not_connected, reported
from voicestream.speech.realtime.frames import NORMAL, PING, close_frame, masked, text_frame
from voicestream.speech.realtime.handshake import Handshake, NoWebSocketError, open_early
from voicestream.speech.realtime.incoming import SEND_S, Incoming
from voicestream.speech.realtime.protocol import (
    RATE_HZ,
    SESSION,
    ServerEvent,
    message_of,
    read_event,
)
from voicestream.speech.realtime.wire import Wire

PCM: Mapping[str, Any] = {"type": "audio/pcm", "rate": RATE_HZ}
MAY_FAIL = "may-fail"
"""Identifies what may come too late, and what becomes of it is of no interest."""
_CLOSE_S = 0.2


class Dialogue:
    """Owns the socket of a conversation. ``send``, ``ping`` and ``close`` may be called by any
    thread.

    Args:
        take: called with each event of the server, by the thread that reads.
        over: called by it with what ended the connection, unless ``close`` did.
    """

    def __init__(
        self,
        config: EndpointConfig,
        model: str,
        take: Callable[[ServerEvent], None],
        over: Callable[[EndpointError], None],
    ) -> None:
        self._config = config
        self._model = model
        self._hand_on = take
        self._over = over
        self._opening: Handshake | None = None
        self._wire: Wire | None = None
        self._incoming: Incoming | None = None
        self._asked_s = 0.0
        self._closed = False

    def open(self, session: Mapping[str, Any]) -> None:
        """Connect, and say what is wanted.

        Args:
            session: how to converse; fields that the user adds take the place of its own.

        Raises:
            EndpointError: it cannot be reached, or refuses.
        """
        config, model = self._config, self._model
        wait_s = config.connect_timeout_s
        wanted = _merged(session, config.body)
        first = message_of({"type": "session.update", "event_id": SESSION, "session": wanted})
        opening = open_early(config.base_url, config.api_key, model, wait_s, config.headers)
        self._opening = opening
        opening.send((first,))
        opening.start()
        if self._closed:
            opening.abandon()
        try:
            opened = opening.take()
        except (OSError, ValueError, NoWebSocketError) as error:
            raise not_connected(config, model, error) from error
        self._wire = wire = Wire(opened.socket)
        hide = partial(without_key, key=config.api_key)
        self._incoming = Incoming(wire, partial(reported, config, model), hide)
        threading.Thread(
            target=self._read,
            args=(self._incoming, wire, opened.rest),
            daemon=True,
            name="dialogue",
        ).start()
        if self._closed:
            self.close()

    def _read(self, incoming: Incoming, wire: Wire, begun: bytes) -> None:
        try:
            error = incoming.read(begun or wire.receive(), self._take)
        except Exception as failure:  # noqa: BLE001  a thread's entry: handed on to who converses
            error = ConnectionFailedError.unforeseen("the connection failed", failure)
        wire.close()
        if not self._closed:
            self._over(error)

    def _take(self, message: bytes) -> None:
        self._hand_on(read_event(message))

    def send(self, kind: str, event_id: str = "", **fields: Any) -> None:
        """Send an event; where the connection is gone, ``over`` is told."""
        named = {"event_id": event_id} if event_id else {}
        self._write(text_frame(message_of({"type": kind, **named, **fields})))

    def send_sound(self, pcm: bytes) -> None:
        """Let it hear this: 16 bits, mono, 24 kHz."""
        self.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())

    def ping(self) -> None:
        """Have the other side show that it is still there; see ``silent_s``."""
        self._asked_s = time.monotonic()
        self._write(masked(PING, b""))

    @property
    def silent_s(self) -> float:
        """For how long nothing has come since ``ping``."""
        incoming = self._incoming
        if not self._asked_s or incoming is None or incoming.heard_at_s >= self._asked_s:
            return 0.0
        return time.monotonic() - self._asked_s

    def _write(self, data: bytes, within_s: float = SEND_S) -> None:
        wire = self._wire
        if wire is not None:
            try:
                wire.send(data, within_s)
            except OSError:
                wire.shut()  # the thread that reads goes on, and tells

    def close(self) -> None:
        """End it."""
        self._closed = True
        if self._opening is not None:
            self._opening.abandon()
        if self._wire is not None:
            self._write(close_frame(NORMAL), _CLOSE_S)
            self._wire.shut()


def _merged(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``ours`` with the fields of ``theirs``, at any depth."""
    merged = {**ours, **theirs}
    for name in ours.keys() & theirs.keys():
        if isinstance(ours[name], dict) and isinstance(theirs[name], dict):
            merged[name] = _merged(ours[name], theirs[name])
    return merged
