"""What kinds of endpoints there are, and which kind a base URL names."""

from __future__ import annotations

from typing import Literal

from voicestream.records import dataclass

EndpointKind = Literal["embedded", "system", "speech", "realtime"]

OPENAI_URL = "https://api.openai.com/v1"
EMBEDDED_URL = "embedded:"
SYSTEM_URL = "system:"
"""The voices of the operating system."""
AUTO = "auto"
"""The model that is chosen here: for speech as long as the endpoint has it, then for Realtime."""
SPEECH_MODEL = "gpt-4o-mini-tts"
REALTIME_MODEL = "gpt-realtime-2.1-mini"
EMBEDDED_MODEL = "hibari"
PICO_MODEL = "pico"
"""Of the embedded voices whose names begin so."""


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What is known of a kind of endpoint.

    Attributes:
        schemes: the URL schemes that name it.
        model: the model that is asked for first, unless one is named.
        voice: the voice that speaks unless one is named.
        local: what it is called, if speech is made on this machine, without a server; its URLs have
            no host then.
    """

    schemes: tuple[str, ...]
    model: str
    voice: str
    local: str = ""


KINDS: dict[EndpointKind, EndpointFacts] = {
    "embedded": EndpointFacts(("embedded",), EMBEDDED_MODEL, "heart", "the voice that comes along"),
    "system": EndpointFacts(("system",), "", "", "the system's voices"),
    "speech": EndpointFacts(("http", "https"), SPEECH_MODEL, "alloy"),
    "realtime": EndpointFacts(("ws", "wss"), REALTIME_MODEL, "marin"),
}
BY_SCHEME = {scheme: name for name, kind in KINDS.items() for scheme in kind.schemes}
"""The kind that each URL scheme names."""


def endpoint_kind(address: str, model: str = "") -> EndpointKind:
    """Return what kind of endpoint a base URL names.

    Models whose name says so are served by the Realtime API alone, wherever they are.
    """
    kind = BY_SCHEME.get(address.partition(":")[0].lower(), "speech")
    return "realtime" if kind == "speech" and "realtime" in model.lower() else kind


def model_for(address: str, model: str) -> str:
    """Return the model that is asked for first, where ``model`` may leave the choice."""
    return model if model != AUTO else KINDS[endpoint_kind(address)].model


def is_local(address: str) -> bool:
    """Return whether speech from there is made on this machine, without a server."""
    return bool(KINDS[endpoint_kind(address)].local)
