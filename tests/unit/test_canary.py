"""The canary key is found wherever a test may have written it; a test that wrote it fails."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.canary import KEY, is_in
from tests.support.command import ROOT

LEAKS = {
    "stdout": "print(KEY)",
    "stderr": "sys.stderr.write(KEY)",
    "captured": "print(KEY); capsys.readouterr()",
    "log": "logging.getLogger('far.away').debug('sent %s', KEY)",
    "error": "str(VoicestreamError('refused', f'no such key: {KEY}'))",
    "subprocess": "subprocess.run(['echo', KEY], capture_output=True)",
    "encoded": "print(base64.b64encode(b'Basic:' + KEY.encode()).decode())",
    "nothing": "print('no key')",
}
HEAD = """
import base64, logging, subprocess, sys
from tests.support import canary as watched
watched.KEY = "sk-of-the-tests-in-this-test"
watched.FORMS = watched.forms_of(watched.KEY)
from tests.support.canary import KEY, canary, pytest_runtest_makereport
from voicestream.errors import VoicestreamError
"""


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_no_form_hides_it(before: str) -> None:
    assert is_in(f"x{KEY}y")
    assert is_in(quote(f"{before}={KEY}&", safe=""))
    assert is_in(base64.b64encode(f"{before}{KEY}:".encode()))
    assert not is_in(f"{before}{KEY[:9]}")


def test_a_test_that_writes_the_key_fails(tmp_path: Path) -> None:
    asks_for = {"captured": "capsys"}
    tests = "".join(
        f"\ndef test_{name}({asks_for.get(name, '')}):\n    {code}\n"
        for name, code in LEAKS.items()
    )
    last = "\ndef test_file(tmp_path):\n    (tmp_path / 'saved.json').write_text(KEY)\n"
    (tmp_path / "conftest.py").write_text(HEAD)
    (tmp_path / "test_leaks.py").write_text(HEAD + tests + last)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider"),
            *("-p", "no:xdist", "-p", "no:hypothesispytest", "--basetemp", "made"),
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    lines = [line.split() for line in ended.splitlines() if "::test_" in line]
    failed = {line[1].partition("::test_")[2] for line in lines if line[0] in ("FAILED", "ERROR")}
    assert failed == LEAKS.keys() - {"nothing"} | {"file"}, ended
    assert "saved.json" in ended
