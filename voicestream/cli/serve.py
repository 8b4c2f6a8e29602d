"""``serve``: the embedded voice for other programs."""

from __future__ import annotations

from collections.abc import Sequence

from voicestream.cli.report import EXIT_INTERRUPTED, notice, warn
from voicestream.serve.admission import LOOPBACK, Admission, is_loopback
from voicestream.serve.run import serve
from voicestream.settings.parse import number, parse_setting, secret
from voicestream.settings.sources import read_key_file

PORT = 8790


def serve_command(
    host: str | None,
    port: str | None,
    key_file: str | None,
    hosts: Sequence[str] = (),
    origins: Sequence[str] = (),
) -> int:
    """Serve until stopped; return the exit code."""
    api_key = parse_setting(secret, read_key_file(key_file), "the key file") if key_file else ""
    number_of_port = parse_setting(number(0, 65535, whole=True), port or PORT, "--port")
    chosen = host or LOOPBACK
    admission = Admission.at(chosen, api_key, hosts, origins)
    if not api_key and not is_loopback(chosen):
        warn(f"whoever reaches {chosen} can use this server; --api-key-file asks for a key")
    try:
        serve(
            chosen,
            number_of_port,
            admission,
            lambda url: notice(f"speaking at {url} (Ctrl-C ends)"),
            warn,
        )
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0
