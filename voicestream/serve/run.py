"""From an address to a server that listens there until it is stopped."""

from __future__ import annotations

import socket
from collections.abc import Callable

from voicestream.errors import UsageError, VoicestreamError
from voicestream.serve.admission import Admission

_MAX_MESSAGE_BYTES = 1 << 20


def serve(host: str, port: int, admission: Admission, ready: Callable[[str], None]) -> None:
    """Listen until a signal ends it.

    Args:
        port: 0 takes any that is free.
        ready: called with the base URL once connections are accepted.

    Raises:
        UsageError: the extra ``serve`` is not installed.
        VoicestreamError: the address cannot be listened at.
    """
    try:
        import uvicorn

        from voicestream.serve.app import make_app
    except ModuleNotFoundError as error:
        raise UsageError(
            "the parts of `serve` are not installed",
            f"{error.name} is missing",
            "Install them: pip install 'voicestream[serve]'",
        ) from error
    with _listen(host, port) as listener:
        bound_port = listener.getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        config = uvicorn.Config(
            make_app(admission),
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=_MAX_MESSAGE_BYTES,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        ready(f"http://{name}:{bound_port}/v1")
        uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise VoicestreamError(
            f"cannot listen at {host}, port {port}", str(error), "Try another --port."
        ) from error
