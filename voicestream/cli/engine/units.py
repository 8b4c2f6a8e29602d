"""``engine install``: the engine starts with the session, by systemd or launchd."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import os
import subprocess
from pathlib import Path

from voicestream.cli.report import notice, print_text, warn
from voicestream.errors import SaveError, VoicestreamError
from voicestream.settings.sources import user_config_file

_NAME = "voicestream-engine"
_LABEL = "voicestream.engine"
_PLATFORM: str = sys.platform
_COMMAND_S = 20.0

_SYSTEMD = """\
[Unit]
Description=Speech for other processes of this user (voicestream engine)

[Service]
ExecStart={command}
Restart=on-failure

[Install]
WantedBy=default.target
"""
_LAUNCHD = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" \
"http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>{label}</string>
  <key>ProgramArguments</key>
  <array>{command}</array>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
</dict>
</plist>
"""


def install() -> int:
    """Write the unit, show it, and start it; return the exit code."""
    file, content = unit()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    except OSError as error:
        raise SaveError(f"{file} cannot be written", error.strerror or str(error)) from error
    print_text(f"# {file}\n{content}")
    return _run(_starting(file))


def uninstall() -> int:
    """Stop it and remove the unit; return the exit code."""
    file, _ = unit()
    if not file.exists():
        notice(f"there is no {file}")
        return 1
    code = _run(_stopping(file))
    try:
        file.unlink()
    except OSError as error:
        raise SaveError(f"{file} cannot be removed", error.strerror or str(error)) from error
    print_text(f"removed {file}\n")
    return code


def unit() -> tuple[Path, str]:
    """Return the file of this system's service manager, and what belongs into it.

    Raises:
        VoicestreamError: this system has neither systemd nor launchd.
    """
    command = [sys.executable, "-m", "voicestream", "engine"]
    if _PLATFORM == "darwin":
        from xml.sax.saxutils import escape

        words = "".join(f"<string>{escape(word)}</string>" for word in command)
        file = Path.home() / "Library" / "LaunchAgents" / f"{_LABEL}.plist"
        return file, _LAUNCHD.format(label=_LABEL, command=words)
    if _PLATFORM.startswith("linux"):
        file = user_config_file().parent.parent / "systemd" / "user" / f"{_NAME}.service"
        return file, _SYSTEMD.format(command=" ".join(map(_quoted, command)))
    raise VoicestreamError(
        "there is no service manager known here", hint="voicestream engine start"
    )


def _quoted(word: str) -> str:
    """Return a word as systemd reads it (systemd.service(5), command lines)."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if escaped.isalnum() or not set(escaped) & set(" '\"\\\t;") else f'"{escaped}"'


def _starting(file: Path) -> list[list[str]]:
    if _PLATFORM == "darwin":
        return [["launchctl", "bootstrap", _domain(), str(file)]]
    return [
        ["systemctl", "--user", "daemon-reload"],
        ["systemctl", "--user", "enable", "--now", _NAME],
    ]


def _stopping(file: Path) -> list[list[str]]:
    if _PLATFORM == "darwin":
        return [["launchctl", "bootout", _domain(), str(file)]]
    return [["systemctl", "--user", "disable", "--now", _NAME]]


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _run(commands: list[list[str]]) -> int:
    """Run the service manager's commands; those that it refuses are shown."""
    for command in commands:
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=_COMMAND_S, check=False, text=True
            )
            told = done.stderr.strip() if done.returncode else ""
        except (OSError, subprocess.TimeoutExpired) as error:
            told = str(error)
        if told:
            warn(f"{' '.join(command)}: {told}")
            return 1
    return 0
