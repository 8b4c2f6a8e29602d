"""Code of the caller's own, and speech with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import voicestream
from tests.support import tones
from voicestream import Result, Settings

WAIT_S = 20.0
NULL = Settings(device="null")
TEXT = "This is the first of them. And this is the second one."
SOUND = tones.tone(1, 0.05).tobytes()
RAISED = [ValueError("mine"), SystemExit(3), KeyboardInterrupt("mine"), GeneratorExit("mine")]
RAISES = pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)


class Reply:
    content_type = "audio/pcm"
    rate_hz: Any = 24_000
    channels: Any = 1
    sent_at_s = 0.0

    def __iter__(self) -> Iterator[Any]:
        yield SOUND

    def close(self) -> None:
        return


class Mine:
    """An endpoint with all its members; a test replaces some, and takes some away."""

    name: Any = "mine"

    def open(self, _request: Any) -> Any:
        return Reply()

    def abort(self) -> None:
        return

    def close(self) -> None:
        return


def with_members(kind: type[Any], **members: Any) -> Any:
    return type(kind.__name__, (kind,), members)()


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise error

    return fail


def say(text: Any = TEXT, settings: Any = NULL, **more: Any) -> Result:
    handle = voicestream.start(text, settings, **({"endpoint": Mine()} | more))
    assert handle.wait(WAIT_S), "it hangs"
    return handle.result()


async def later(*_: Any) -> Any:
    return Reply()
