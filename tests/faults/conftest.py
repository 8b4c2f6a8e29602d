"""What runs in this process make is looked at, too: events, figures, saved sound."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.canary import WATCH, Watch


@pytest.fixture(scope="session")
def evidence() -> Iterator[Watch]:
    """Everything it is given to look at is searched for the key; it is given something."""
    yield WATCH
    assert WATCH.looked_at_bytes
