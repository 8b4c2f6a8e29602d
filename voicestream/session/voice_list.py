"""Which voices the endpoint of the settings has."""

from __future__ import annotations

from voicestream.session.wiring import http_endpoint
from voicestream.settings.table import Settings
from voicestream.speech.http.voices import voices_of
from voicestream.speech.voice import Voice


def find_voices(settings: Settings) -> list[Voice]:
    """Ask the endpoint; those of this machine are known.

    Raises:
        EndpointError: it does not tell, cannot be reached, or refuses the key.
    """
    if settings.embedded:
        from voicestream.speech.embedded import embedded_voices

        return list(embedded_voices())
    if settings.kind == "system":
        from voicestream.speech.system import system_voices

        return [voice.listed() for voice in system_voices()]
    endpoint = http_endpoint(settings)
    try:
        return voices_of(endpoint)
    finally:
        endpoint.close()
