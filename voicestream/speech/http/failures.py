"""What it means to a person that no connection could be made."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from voicestream.errors import ConnectionFailedError, EndpointError
from voicestream.speech.http.refusal import refusal
from voicestream.speech.http.tunnel import NoTunnelError

_PROXY_HINT = "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names it; NO_PROXY makes exceptions."


def connection_failed(host: str, error: Exception) -> EndpointError:
    """Return the error for a connection that could not be made, by what caused it."""
    if isinstance(error, NoTunnelError) and error.status == 407:
        return refusal(407, host, error.reason.encode())
    failed = _connection_failed(host, error)
    failed.repeatable = not any(map(_lasting, _causes(error)))
    return failed


def _connection_failed(host: str, error: Exception) -> ConnectionFailedError:
    from voicestream.speech.http.tls import CertificatesError

    causes = list(_causes(error))
    if isinstance(error, NoTunnelError):
        return ConnectionFailedError(f"{host} cannot be reached", str(error))
    if any(isinstance(cause, CertificatesError) for cause in causes):
        return ConnectionFailedError(
            "the certificates cannot be read",
            str(error),
            "Correct or unset SSL_CERT_FILE and SSL_CERT_DIR.",
        )
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return ConnectionFailedError(
            f"the certificate of {host} is not trusted",
            str(error),
            "Set SSL_CERT_FILE if the server has a certificate of your own.",
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return ConnectionFailedError(
            f"no TLS with {host}", str(error), "Does this server speak https on that port?"
        )
    proxied = _PROXY_HINT if "the proxy " in host else ""
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        hint = proxied or "Check the spelling of --base-url, and the network."
        return ConnectionFailedError(f"no address found for {host}", str(error), hint)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        hint = proxied or "Is the server running, on that port?"
        return ConnectionFailedError(f"{host} refused the connection", hint=hint)
    return ConnectionFailedError(f"no connection to {host}", str(error), "Is the network up?")


def _lasting(cause: BaseException) -> bool:
    """Return whether a failure would be the same when asked again: of a certificate or a
    protocol, but not of a connection that ended."""
    from voicestream.speech.http.tls import CertificatesError

    return isinstance(cause, ssl.SSLError | CertificatesError) and not isinstance(
        cause, ssl.SSLEOFError
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
