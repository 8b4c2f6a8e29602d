"""Where and how an endpoint is asked over HTTP, or over a WebSocket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voicestream.records import dataclass, field
from voicestream.speech.http.limits import Limits
from voicestream.speech.http.request import CONNECT_S


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """Where and how an endpoint is asked."""

    base_url: str
    api_key: str = ""
    key_source: str = ""
    """The variable or flag the key came from, for messages."""
    timeout_s: float = 30.0
    """The longest wait for the first byte of a reply."""
    connect_s: float = CONNECT_S
    """The longest wait for a connection."""
    limits: Limits = field(default_factory=Limits)
    chunk_bytes: int = 4096
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with each request or handshake, besides ours; names in lower case."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Fields sent with each request, or of the session, besides ours."""
    rate_hz: int = 0
    """Of raw PCM, whatever the reply says; 0: as it says."""

    @property
    def connect_timeout_s(self) -> float:
        return min(self.timeout_s, self.connect_s)
