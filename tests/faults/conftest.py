"""The key of all runs here is looked for in everything they write."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.faults.stage import KEY


class Evidence(logging.Handler):
    """What runs wrote: output, events, figures, saved files, and every log of every library."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.size = 0
        self.leaks: list[str] = []

    def add(self, where: str, text: str) -> None:
        self.size += len(text)
        if KEY in text:
            self.leaks.append(where)

    def emit(self, record: logging.LogRecord) -> None:
        self.add(f"log {record.name}", record.getMessage())


@pytest.fixture(scope="session")
def evidence() -> Iterator[Evidence]:
    """Everything added here is searched; at the end nothing may have been found."""
    evidence = Evidence()
    root = logging.getLogger()
    level = root.level
    root.addHandler(evidence)
    root.setLevel(logging.DEBUG)
    yield evidence
    root.removeHandler(evidence)
    root.setLevel(level)
    assert evidence.size
    assert not evidence.leaks
