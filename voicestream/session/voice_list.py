"""Which voices the endpoint of the settings has."""

from __future__ import annotations

from voicestream.session.wiring import http_endpoint
from voicestream.settings.table import Settings
from voicestream.speech.http.voices import voices_of
from voicestream.speech.voice import Voice


def find_voices(settings: Settings) -> list[Voice]:
    """Ask the endpoint; the embedded voice knows its own.

    Raises:
        EndpointError: it does not tell, cannot be reached, or refuses the key.
    """
    if settings.embedded:
        from voicestream.speech.embedded import VOICES

        return list(VOICES)
    endpoint = http_endpoint(settings)
    try:
        return voices_of(endpoint)
    finally:
        endpoint.close()
