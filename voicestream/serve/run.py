"""From an address to a server that listens there until it is stopped."""

from __future__ import annotations

import socket
from collections.abc import Callable

from voicestream.errors import UsageError, VoicestreamError
from voicestream.serve.admission import Admission


def serve(
    host: str,
    port: int,
    admission: Admission,
    ready: Callable[[str], None],
    tell: Callable[[str], None],
) -> None:
    """Listen until a signal ends it.

    Args:
        port: 0 takes any that is free.
        ready: called with the base URL once connections are accepted.
        tell: called with a line about a request that failed in a way that nobody foresaw.

    Raises:
        UsageError: the extra ``serve`` is not installed.
        VoicestreamError: the address cannot be listened at.
    """
    try:
        from voicestream.serve.app import make_app
        from voicestream.serve.connections import Server
    except ModuleNotFoundError as error:
        raise UsageError(
            "the parts of `serve` are not installed",
            f"{error.name} is missing",
            "Install them: pip install 'voicestream[serve]'",
        ) from error
    with _listen(host, port) as listener:
        bound_port = listener.getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{bound_port}/v1"
        Server(make_app(admission), lambda: ready(address), tell).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise VoicestreamError(
            f"cannot listen at {host}, port {port}", str(error), "Try another --port."
        ) from error
