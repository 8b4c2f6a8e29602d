"""Every error voicestream raises, and the exit code the command line gives it.

::

    VoicestreamError                  1
    ├── UsageError                    2   the caller asked for something that cannot be
    │   ├── SettingsError             2   a setting is unknown, malformed or contradicts another
    │   └── EmptyTextError            2   there is nothing to speak
    ├── EndpointError                 3   the endpoint or the way to it
    │   ├── ConnectionFailedError     3   no network, no such name, refused, TLS
    │   ├── EndpointTimeoutError      3   it took too long
    │   ├── ResponseError             3   an HTTP status other than 200 (``status``)
    │   │   ├── KeyRefusedError       4   401 or 403
    │   │   ├── TooLongError         3   it takes only shorter texts
    │   │   └── ModelGoneError        3   the endpoint has no such model (any more)
    │   ├── ReplyError                3   status 200, but the body is not speech
    │   ├── IncompleteReplyError      3   the reply broke off; what came was played
    │   │   └── CutShortError         3   it ended at the most that is made at once
    │   ├── UnspokenError             3   words that no voice here has sounds for
    │   ├── RewordedError             3   other words were said than were asked for
    │   ├── DecodeError               3   the speech cannot be decoded
    │   └── SourceError               1   what is to be played is no sound, or cannot be read
    ├── DeviceError                   5   no audio device, or it failed
    │   └── NoAnswerError             5   the sound system does not answer
    ├── SaveError                     1   the file cannot be written
    └── ReaderGoneError             141   nobody reads the pipe we write to any more

An error says what happened, why, and what to do about it. Foreign exceptions
are turned into one of these at the boundary where they arise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from voicestream.redact import redacted

_MOST_SHOWN = 200
"""Characters of a list of words."""


class VoicestreamError(Exception):
    """Base of all errors.

    Args:
        what: what happened, one sentence without a full stop.
        why: the cause, often the other side's own words.
        hint: what the reader can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        what, why, hint = redacted(what), redacted(why), redacted(hint)
        super().__init__(what, why, hint)
        self.what = what
        self.why = why
        self.hint = hint

    @classmethod
    def unforeseen(cls, what: str, cause: BaseException) -> Self:
        """For what no boundary has foreseen: the cause stays with it, traceback and all."""
        error = cls(what, repr(cause))
        error.__cause__ = cause
        return error

    def __str__(self) -> str:
        text = f"{self.what}: {self.why}" if self.why else self.what
        return f"{text.rstrip('.')}. {self.hint}" if self.hint else text


class UsageError(VoicestreamError):
    exit_code = 2


class SettingsError(UsageError):
    pass


class EmptyTextError(UsageError):
    pass


class EndpointError(VoicestreamError):
    exit_code = 3
    repeatable = False
    """Whether the same request may well succeed when it is made again."""
    retry_after_s: float | None = None
    """How long the endpoint asked to be left alone, if it did."""
    warming_up = False
    """The endpoint loads its model: it will answer, and nobody knows when."""


class ConnectionFailedError(EndpointError):
    repeatable = True


class EndpointTimeoutError(EndpointError):
    repeatable = True


class ResponseError(EndpointError):
    """The endpoint answered with an HTTP status other than 200."""

    def __init__(self, status: int, what: str, why: str = "", hint: str = "") -> None:
        super().__init__(what, why, hint)
        self.status = status
        # 501 and 505 say what the server is; it will be the same tomorrow
        self.repeatable = status in (408, 409, 429) or (status >= 500 and status not in (501, 505))


class KeyRefusedError(ResponseError):
    exit_code = 4


class ModelGoneError(ResponseError):
    pass


class TooLongError(ResponseError):
    most_chars: int | None = None
    """The longest text that it takes, if it said so."""


class ReplyError(EndpointError):
    pass


class IncompleteReplyError(EndpointError):
    repeatable = True
    untidy = False
    """The connection was closed where the end should have been told, and this server has not told
    any end so far: perhaps it never does, and this was all."""


class CutShortError(IncompleteReplyError):
    pass


class UnspokenError(EndpointError):
    """No voice here has sounds for a text, or for words of it.

    Args:
        words: those words; none where the text has no words at all.
    """

    def __init__(self, words: Sequence[str]) -> None:
        shown = ", ".join(dict.fromkeys(words))
        if len(shown) > _MOST_SHOWN:
            shown = shown[:_MOST_SHOWN].rpartition(", ")[0] or shown[:_MOST_SHOWN]
            shown += " and more"
        super().__init__(
            f"the voices that were asked have no sounds for {shown or 'this text'}",
            "this system has no voice for that",
            "Install espeak-ng, or set another endpoint with --base-url.",
        )
        self.words = tuple(words)


class RewordedError(EndpointError):
    pass


class DecodeError(EndpointError):
    pass


class SourceError(EndpointError):
    exit_code = 1


class DeviceError(VoicestreamError):
    exit_code = 5


class NoAnswerError(DeviceError):
    pass


class SaveError(VoicestreamError):
    pass


class ReaderGoneError(VoicestreamError):
    exit_code = 141
