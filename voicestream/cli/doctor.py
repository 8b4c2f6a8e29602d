"""``doctor``: one screen for whoever hears nothing, or hears it badly."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from voicestream.cli.parts import load_settings
from voicestream.cli.report import EXIT_BROKEN_PIPE, notice, own_stderr, print_json
from voicestream.doctor.endpoint import endpoint_check
from voicestream.doctor.finding import Check, Finding, broken, exit_code, run_checks
from voicestream.doctor.machine import machine_check, settings_check
from voicestream.doctor.sound import sound_check
from voicestream.errors import SettingsError
from voicestream.printable import printable
from voicestream.settings.table import Settings

_COLOURS = {"good": "green", "look": "yellow", "broken": "red"}
_SAYS = {
    "good": "It can speak.",
    "look": "It can speak. If it is not heard well, see what is marked with look.",
    "broken": "It can speak, but see what is broken.",
}


def doctor(flags: dict[str, Any], as_json: bool, free: bool) -> int:
    """Look at all that speech needs; return 0 if it can speak, else what is broken first.

    Args:
        free: ask the endpoint for nothing that may be billed.
    """
    own_stderr()  # nothing of ALSA's words reaches the screen
    findings: list[Finding] = []
    show = _ignored if as_json else _Screen().show
    if not as_json:
        costs = "" if free else "; the endpoint is asked for one short sentence"
        notice(f"voicestream: playing a short quiet tone{costs}")
    try:
        for finding in _found(flags, free):
            findings.append(finding)
            show(finding)
    except BrokenPipeError:
        return EXIT_BROKEN_PIPE
    code = exit_code(findings)
    if as_json:
        told = [finding.to_dict() for finding in findings]
        return print_json({"can_speak": code == 0, "exit_code": code, "findings": told}) or code
    verdicts = {finding.verdict for finding in findings}
    worst = next(name for name in ("broken", "look", "good") if name in verdicts)
    notice("It cannot speak: see what is broken." if code else _SAYS[worst])
    return code


def _found(flags: dict[str, Any], free: bool) -> Iterator[Finding]:
    try:
        settings = load_settings(flags)
    except SettingsError as error:
        # what needs no settings is looked at all the same
        yield broken("settings", error)
        yield from run_checks([sound_check(Settings()), machine_check()])
        return
    checks: list[Check] = [
        sound_check(settings),
        endpoint_check(settings, free),
        settings_check(settings),
        machine_check(),
    ]
    yield from run_checks(checks)


def _ignored(_finding: Finding) -> None:
    return


class _Screen:
    """Shows each finding as it comes: what about, the verdict, what, and what to do."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(file=sys.stdout, highlight=False, emoji=False)
        self._about = ""

    def show(self, finding: Finding) -> None:
        from rich.table import Table
        from rich.text import Text

        about = "" if finding.about == self._about else finding.about
        self._about = finding.about
        told = Text(printable(finding.what))
        if finding.todo:
            told.append("\n-> " + printable(finding.todo), style="bold")
        row = Table.grid(padding=(0, 2, 0, 0))
        row.add_column(width=12)
        row.add_column(width=6)
        row.add_column()
        row.add_row(about, Text(finding.verdict, style=_COLOURS[finding.verdict]), told)
        # written here: rich would end the process where nobody reads
        with self._console.capture() as captured:
            self._console.print(row)
        if sys.stdout is not None:  # closed before we began
            sys.stdout.write(captured.get())
            sys.stdout.flush()
