"""One key for all tests, that may show up nowhere but in what a server is sent.

Everything a test writes is searched for it, as it stands and as URLs and base64 have it:
what is captured of stdout and stderr, what subprocesses write, every log record of every
library, every error that is made, and, at the end, all files under the tests' folders.
"""

from __future__ import annotations

import base64
import logging
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from voicestream.errors import VoicestreamError
from voicestream.redact import without_key

KEY = "sk-canary+7d41e6b09c"
_LOOKED_AT_BYTES = 50_000


def forms_of(key: str) -> tuple[bytes, ...]:
    """The key, percent-encoded, and in base64 at each of the three places it may begin."""
    found = {key.encode(), quote(key, safe="").encode(), quote(key).encode()}
    for start in range(3):
        whole = base64.b64encode(bytes(start) + key.encode())
        # the first characters and the last ones depend on the neighbours
        found.add(whole[(0, 2, 3)[start] : len(whole) // 4 * 4 - 4])
    return tuple(sorted(found))


FORMS = forms_of(KEY)


def is_in(written: str | bytes) -> bool:
    """Whether the key is part of it, in any of its forms; or, in what comes before a zero byte
    and is not long, in any spelling that is known where keys are taken out of what is told."""
    data = written.encode("utf-8", "replace") if isinstance(written, str) else written
    if any(form in data for form in FORMS):
        return True
    return _is_spelled_in(data[:_LOOKED_AT_BYTES].partition(b"\0")[0])


@lru_cache(2048)  # log records are much alike
def _is_spelled_in(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    return without_key(text, KEY) != text


class Watch(logging.Handler):
    """Where the key was found since the last look. Any thread may report."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.looked_at_bytes = 0
        self._found: list[str] = []

    def look(self, where: str, written: str | bytes | None) -> None:
        """Search what somebody wrote."""
        if written:
            self.looked_at_bytes += len(written)
            if is_in(written):
                self._found.append(where)

    def emit(self, record: logging.LogRecord) -> None:
        self.look(f"a log record of {record.name}", record.getMessage())
        if record.exc_info:
            self.look(f"a traceback logged by {record.name}", repr(record.exc_info[1]))

    def taken(self) -> list[str]:
        """Where it was found; the list begins anew."""
        found, self._found = self._found, []
        return found

    def look_through(self, folder: Path) -> list[str]:
        """The files under a folder that hold the key and were not given it by a test."""
        files = (file for file in folder.rglob("*") if file.name not in GIVEN)
        return [str(file) for file in files if _holds_key(file)]


def _holds_key(file: Path) -> bool:
    try:
        return file.is_file() and not file.is_symlink() and is_in(file.read_bytes())
    except OSError:  # a folder or a file that a test has locked
        return False


GIVEN = frozenset({".env", "config.toml", "key"})
"""Files that settings are read from, and nothing is written to."""
WATCH = Watch()


@contextmanager
def watching(watch: Watch = WATCH) -> Iterator[None]:
    """Everything below is looked at: subprocesses, captured output, log records and errors."""
    communicate, readouterr = subprocess.Popen.communicate, pytest.CaptureFixture.readouterr
    made = VoicestreamError.__init__

    def seen_communicate(process: Any, *more: Any, **named: Any) -> Any:
        out, err = communicate(process, *more, **named)
        watch.look(f"stdout of {process.args}", out)
        watch.look(f"stderr of {process.args}", err)
        return out, err

    def seen_readouterr(captured: Any) -> Any:
        found = readouterr(captured)
        watch.look("captured stdout", found.out)
        watch.look("captured stderr", found.err)
        return found

    def seen_made(error: VoicestreamError, *words: Any, **named: Any) -> None:
        made(error, *words, **named)
        watch.look(f"a {type(error).__name__}", f"{error} {error!r}")

    root = logging.getLogger()
    level = root.level
    root.addHandler(watch)
    root.setLevel(logging.DEBUG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "communicate", seen_communicate)
        patch.setattr(pytest.CaptureFixture, "readouterr", seen_readouterr)
        patch.setattr(VoicestreamError, "__init__", seen_made)
        yield
    root.removeHandler(watch)
    root.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def canary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """Looks over every test's shoulder; at the end, through all files they left."""
    with watching():
        yield WATCH
    if found := WATCH.look_through(tmp_path_factory.getbasetemp()):
        pytest.fail(f"the key is in {', '.join(found)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test in whose output the key was found has failed."""
    report = yield
    if call.when == "teardown":
        for name, written in report.sections:
            WATCH.look(name, written)
    if found := WATCH.taken():
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: the key is in {', '.join(found)}"
    return report
