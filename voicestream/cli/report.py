"""What a person is told: errors, warnings and notices, on stderr, one line each."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from voicestream.errors import SaveError, VoicestreamError
from voicestream.printable import escaped, printable
from voicestream.state import State
from voicestream.words import heard

if TYPE_CHECKING:
    from voicestream.counters import Snapshot

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
LISTENING = "listening: speak to interrupt"


def own_stderr() -> None:
    """Give Python's stderr a descriptor of its own, and descriptor 2 to nobody.

    C libraries write to descriptor 2 whenever they like: ALSA and JACK while the
    sound system starts, PortAudio when a device dies. None of it may reach the
    screen, and nothing of ours may be lost with it.
    """
    try:
        mine = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
    except OSError:  # closed by whoever started us
        return
    encoding = sys.stderr.encoding if sys.stderr else "utf-8"
    sys.stderr = open(  # noqa: SIM115  lives as long as the process
        mine, "w", buffering=1, encoding=encoding, errors="backslashreplace"
    )


def say_line(text: str) -> None:
    """One line on stderr; nothing of a stranger's text can steer the terminal."""
    if sys.stderr is None:  # closed before we began
        return
    try:
        sys.stderr.write(printable(text) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # nobody reads it; the exit code still tells


def report(error: VoicestreamError, as_json: bool = False) -> int:
    """Tell of an error; return the exit code it has.

    ``as_json``: on stdout too, as the one object that a program waits for.
    """
    say_line(f"voicestream: {error}")
    if not as_json:
        return error.exit_code
    figures = {"completed": False, "ttfa_ms": None, "errors": [str(error)]}
    return print_json(figures) or error.exit_code


def warn(text: str) -> None:
    say_line(f"voicestream: warning: {text}")


def notice(text: str) -> None:
    say_line(text)


def print_json(figures: dict[str, Any]) -> int:
    """Print one object on stdout; return the exit code if nobody reads it, else 0."""
    line = escaped(json.dumps(figures, ensure_ascii=False))
    try:
        line.encode(sys.stdout.encoding if sys.stdout else "utf-8")
    except UnicodeEncodeError:  # a terminal of another encoding, or a name that is not UTF-8
        line = json.dumps(figures)
    return print_text(line + "\n")


def print_text(text: str) -> int:
    """Print text on stdout; return the exit code if it cannot be written, else 0."""
    if sys.stdout is None:
        return 0
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        return EXIT_BROKEN_PIPE
    except OSError as error:
        return report(SaveError("the output cannot be written", error.strerror or str(error)))
    return 0


class Echo:
    """Passes the text on to ``stream`` as it is heard."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._passed = 0
        self._ended = False
        self.reader_gone = False

    @property
    def on_terminal(self) -> bool:
        return self._stream.isatty()

    def _shown(self, text: str) -> str:
        """Return ``text`` with what the stream's encoding lacks replaced."""
        encoding = self._stream.encoding or "utf-8"
        return text.encode(encoding, "replace").decode(encoding)

    def follow(self, snapshot: Snapshot) -> bool:
        """Pass on the words begun by now; False if nobody reads any more."""
        if self.reader_gone:
            return False
        fresh = ""
        if snapshot.state is not State.IDLE and snapshot.played_frames:
            begun = _begun_text(snapshot)
            fresh, self._passed = begun[self._passed :], max(len(begun), self._passed)
        try:
            self._stream.write(self._shown(fresh))
            if snapshot.state.final and not self._ended:
                self._ended = True
                if self._passed and not snapshot.cues[-1].text.endswith("\n"):
                    self._stream.write("\n")
            self._stream.flush()
        except (OSError, ValueError):
            self.reader_gone = True
            return False
        return True


def _begun_text(snapshot: Snapshot) -> str:
    """Return the text up to the end of the word that is being heard."""
    cues, known = snapshot.cues, heard(snapshot)
    parts = [cue.text for cue in cues[: known.segments]]
    if known.segments < len(cues):
        end = known.word[1] if known.word else known.chars
        parts.append(cues[known.segments].text[:end])
    return "".join(parts)
