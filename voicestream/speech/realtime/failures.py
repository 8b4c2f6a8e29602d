"""What went wrong with a Realtime API, as an error for a person."""

from __future__ import annotations

import json
import time
from typing import Any

from voicestream.errors import EndpointError, EndpointTimeoutError, ModelGoneError, ReplyError
from voicestream.redact import without_key
from voicestream.settings.proxy import tunnel_proxy
from voicestream.speech.http.config import EndpointConfig
from voicestream.speech.http.refusal import asked_wait_s, refusal
from voicestream.speech.realtime.handshake import NoWebSocketError, UnansweredError
from voicestream.speech.realtime.protocol import realtime_target, trouble_error

_ELSE = "For a speech endpoint write https:// or http://, and a model that is no Realtime one."


def not_connected(config: EndpointConfig, model: str, error: Exception) -> EndpointError:
    """Return the error for a WebSocket that could not be opened."""
    target = realtime_target(config.base_url, model)
    host = f"{target.host}:{target.port}"
    if isinstance(error, NoWebSocketError):
        return _refused(config, model, error)
    if isinstance(error, UnansweredError):
        return EndpointTimeoutError(
            f"{host} accepted the connection, and has not answered as a WebSocket",
            hint=f"Is this a Realtime endpoint? {_ELSE}",
        )
    proxy = tunnel_proxy(config.base_url)
    if proxy is not None:
        host = f"{host} by the proxy {proxy.shown}"
    if isinstance(error, TimeoutError):
        return EndpointTimeoutError(
            f"{host} did not accept a connection within {config.connect_s:g} s",
            hint="Is the address right, and the network up?",
        )
    from voicestream.speech.http.failures import connection_failed

    return connection_failed(host, error)


def _refused(config: EndpointConfig, model: str, answer: NoWebSocketError) -> EndpointError:
    url = _url(config, model)
    body = without_key(answer.body.decode("utf-8", "replace"), config.api_key).encode()
    if answer.status in (0, 101, 200, 405, 426):
        return ReplyError(
            f"{url} does not speak WebSocket",
            f"it answered with status {answer.status}" if answer.status else "nor HTTP",
            f"Is this a Realtime endpoint? {_ELSE}",
        )
    if answer.status == 403 and not body.strip():
        # Python's servers answer so where they know no such route: it need not be the key
        return ReplyError(
            f"{url} opens no WebSocket (status 403)",
            hint=f"Check --base-url, which ends in /v1 for most servers, and the key. {_ELSE}",
        )
    location = without_key(answer.headers.get("location", ""), config.api_key)
    error = refusal(answer.status, url, body, location, config.key_source)
    error.retry_after_s = asked_wait_s(answer.headers, time.time())
    # what servers answer that know no such route
    if answer.status in (400, 403, 404) and not isinstance(error, ModelGoneError):
        error.hint = f"{error.hint} {_ELSE}"
    return error


def _url(config: EndpointConfig, model: str) -> str:
    target = realtime_target(config.base_url, model)
    scheme = "wss" if target.scheme == "https" else "ws"
    return f"{scheme}://{target.authority}{target.path}"


def reported(
    config: EndpointConfig, model: str, trouble: dict[str, Any], wait_s: float | None = None
) -> EndpointError:
    """Return the error for what the server reports, without the key that it may repeat."""
    if config.api_key:
        trouble = json.loads(json.dumps(trouble).replace(config.api_key, "(the key)"))
    return trouble_error(trouble, _url(config, model), config.key_source, wait_s)
