"""What a check has found, and how several of them run at once, each within its time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from voicestream.errors import VoicestreamError
from voicestream.records import dataclass, field
from voicestream.redact import redacted

Verdict = Literal["good", "look", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for a person.

    Attributes:
        about: what was looked at, such as ``sound card``.
        what: what was found.
        todo: what to do about it; empty for nothing.
        exit_code: of a command that meets this; 0: it speaks all the same.
        enough: whatever else is broken of the same, speech comes.
        figures: the same for programs.
    """

    about: str
    verdict: Verdict
    what: str
    todo: str = ""
    exit_code: int = 0
    enough: bool = False
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As in ``--json``."""
        return {
            "about": self.about,
            "verdict": self.verdict,
            "what": redacted(self.what),
            "todo": redacted(self.todo),
            **self.figures,
        }


def broken(about: str, error: VoicestreamError) -> Finding:
    """Return the finding for what would end a command."""
    what = f"{error.what}: {error.why}" if error.why else error.what
    return Finding(about, "broken", what, error.hint, error.exit_code)


def exit_code(findings: Sequence[Finding]) -> int:
    """0 if it can speak, else that of the first that is broken."""
    enough = {finding.about for finding in findings if finding.enough}
    codes = (finding.exit_code for finding in findings if finding.about not in enough)
    return next((code for code in codes if code), 0)


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at.

    Attributes:
        run: yields what it finds as soon as it is found.
        limit_s: it is given up after so long.
        hung: what is found then.
    """

    run: Callable[[], Iterator[Finding]]
    limit_s: float
    hung: Finding


def run_checks(checks: Sequence[Check]) -> Iterator[Finding]:
    """Run all at once; yields the findings in the order of the checks, as they are known.

    A check that hangs is left to the end of the process.
    """
    for running in [_Running(check) for check in checks]:
        yield from running.findings()


class _Running:
    """A check in a thread of its own."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._until_s = time.monotonic() + check.limit_s
        self._came: queue.SimpleQueue[Finding | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="check", daemon=True).start()

    def _run(self) -> None:
        about = self._check.hung.about
        try:
            for finding in self._check.run():
                self._came.put(finding)
        except VoicestreamError as error:
            self._came.put(broken(about, error))
        except Exception as error:  # noqa: BLE001  a thread's entry: told like anything else
            unforeseen = VoicestreamError.unforeseen("this check failed", error)
            self._came.put(broken(about, unforeseen))
        finally:
            self._came.put(None)

    def findings(self) -> Iterator[Finding]:
        while True:
            try:
                found = self._came.get(timeout=max(self._until_s - time.monotonic(), 0.001))
            except queue.Empty:
                yield self._check.hung
                return
            if found is None:
                return
            yield found
