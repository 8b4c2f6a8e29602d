"""What a signal does, by when it comes; real processes are hit in ``tests/cli``."""

from __future__ import annotations

import signal

import pytest

from voicestream.cli.signals import Signals


class Over:
    """A session that has ended: nothing interrupts it any more."""

    interrupted = False

    def interrupt(self) -> None:
        return


def test_the_second_signal_ends_the_process_even_when_the_session_is_over() -> None:
    """The figures may be waiting for a reader who does not read."""
    signals = Signals()
    signals.session = Over()  # type: ignore[assignment]
    signals._end(signal.SIGTERM, None)
    with pytest.raises(KeyboardInterrupt):
        signals._end(signal.SIGINT, None)
    assert signals.exit_code == 143
