"""A socket that is passed on: the bytes only, or by a real ssh."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.engine import until


@contextmanager
def proxy(path: str) -> Iterator[tuple[str, Callable[[bytes], None]]]:
    """A socket that is passed on as ssh does it: the bytes only; and what cuts it once some of
    them have come back."""
    cuts: list[socket.socket] = []
    back = bytearray()
    with tempfile.TemporaryDirectory(prefix="vs-") as folder, socket.socket(socket.AF_UNIX) as here:
        here.bind(f"{folder}/s")
        here.listen()

        def run() -> None:
            near, _ = here.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(path)
            cuts.extend((near, far))
            for one, other, seen in ((near, far, bytearray()), (far, near, back)):
                threading.Thread(target=_pump, args=(one, other, seen), daemon=True).start()

        threading.Thread(target=run, daemon=True).start()

        def cut(after: bytes) -> None:
            until(lambda: after in back)
            for end in cuts:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        yield f"{folder}/s", cut
        for end in cuts:
            end.close()


def _pump(source: socket.socket, target: socket.socket, seen: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
            seen += data


SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def ssh(folder: Path) -> Iterator[list[str]]:
    """A command line that logs in to a server of its own, which runs as this user."""
    separation = Path("/run/sshd")
    made = os.getuid() == 0 and not separation.exists()
    if made:  # what its package's service makes
        separation.mkdir(mode=0o755)
    for name in ("host", "user"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(key, check=True)
    config = folder / "sshd_config"
    config.write_text(
        f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nStrictModes no\n"
        "UsePAM no\nPermitRootLogin yes\nPidFile none\n"
    )
    user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
    settings = {
        "ProxyCommand": f"{SSHD} -i -f {config}",
        "User": user,
        "IdentityFile": folder / "user",
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": folder / "known",
        "ExitOnForwardFailure": "yes",
        "LogLevel": "ERROR",
    }
    words = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    try:
        yield ["ssh", "-F", "none", *words]
    finally:
        if made:
            separation.rmdir()
