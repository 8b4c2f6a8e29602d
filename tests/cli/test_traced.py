"""What the embedded voices ask of the system: no network, and no file but the user's own few."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import command, environment

TRACE = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=network,open,openat,mkdir,rename")
_WRITES = re.compile(r"(?:O_WRONLY|O_RDWR|O_CREAT|mkdir|rename)")


def can_trace() -> bool:
    """Some containers forbid it."""
    if shutil.which("strace") is None:
        return False
    return not subprocess.run([*TRACE, "true"], capture_output=True, check=False).returncode


@pytest.mark.skipif(sys.platform != "linux" or not can_trace(), reason="strace (Debian: strace)")
def test_embedded_voices_use_no_network_and_leave_no_other_files(tmp_path: Path) -> None:
    env = environment(tmp_path, {"PYTHONDONTWRITEBYTECODE": "1"})
    log = tmp_path / "calls"
    text = "Hello. Guten Tag. Bonjour. ¿Qué tal? Buongiorno a tutti."
    played = ("--device", "null", "--save", "out.wav")
    spoken = command("say", text, "--base-url", "embedded:", *played)
    subprocess.run([*TRACE, "-o", str(log), *spoken], env=env, cwd=tmp_path, check=True)
    calls = [line for line in log.read_text().splitlines() if " = -1 " not in line]
    assert [line for line in calls if "AF_INET" in line or "AF_NETLINK" in line] == []
    paths = {
        path for line in calls if _WRITES.search(line) for path in re.findall(r'"(.+?)"', line)
    }
    own = (env["XDG_CACHE_HOME"], f"{tmp_path}/.local", "/dev/")
    others = {path for path in paths if not path.startswith(own)}
    assert {Path(path).name.lstrip(".").partition("-")[0] for path in others} <= {"out", "out.wav"}
