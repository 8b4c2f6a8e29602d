"""What clients of the ``openai`` package raise, as errors of ours."""

from __future__ import annotations

import sys

from voicestream.errors import ConnectionFailedError, EndpointError, EndpointTimeoutError
from voicestream.speech.http.refusal import refusal


def foreign_error(error: Exception, name: str) -> EndpointError:
    """Return an exception of the ``openai`` package as one of ours.

    Args:
        name: the client's base URL.
    """
    openai = sys.modules.get("openai")  # there if the client came from it
    if openai is None:
        return EndpointError("the client failed", str(error) or repr(error))
    if isinstance(error, openai.APITimeoutError):
        return EndpointTimeoutError(
            f"{name} did not answer in time", str(error), "Raise the timeout if it is slow."
        )
    if isinstance(error, openai.APIConnectionError):
        return ConnectionFailedError(
            f"no connection to {name}", str(error.__cause__ or error), "Is the server running?"
        )
    if isinstance(error, openai.APIStatusError):
        return refusal(
            error.status_code,
            f"{name}/audio/speech",
            error.response.content,
            key_source="the client",
        )
    return EndpointError("the client failed", str(error) or repr(error))
