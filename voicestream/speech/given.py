"""An endpoint that a program wrote itself: it may leave out what it has no use for."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from voicestream.errors import EndpointError, UsageError
from voicestream.notices import Notices
from voicestream.speech.base import SpeechRequest, said_by


class GivenEndpoint:
    """Has all members of ``Endpoint``, whatever the object it wraps has beside ``open``.

    Args:
        given: an object with ``open(request)``, which gives the reply as an iterable of bytes;
            of the further members of ``Endpoint`` and ``SpeechStream`` those that it has are used.
        notices: told what fails and changes nothing of the sound.

    Raises:
        UsageError: ``given`` cannot be asked for speech.
    """

    def __init__(self, given: Any, notices: Notices) -> None:
        _check(given)
        self._given = given
        self._notices = notices

    @property
    def name(self) -> str:
        """Its own, or that of its class."""
        try:
            name = getattr(self._given, "name", "")
        except Exception:  # noqa: BLE001  a property of the caller's own; it is only shown
            name = ""
        return name if isinstance(name, str) and name else type(self._given).__name__

    @property
    def has_others(self) -> bool:
        return bool(getattr(self._given, "has_others", False))

    def open(self, request: SpeechRequest) -> GivenStream:
        reply = self._given.open(request)
        if isinstance(reply, str | bytes) or not isinstance(reply, Iterable):
            raise EndpointError(
                f"open() of {self.name} gave {type(reply).__name__}",
                hint="It must give the reply, an iterable of bytes.",
            )
        return GivenStream(reply, self.name, self._notices)

    def abort(self) -> None:
        if (abort := getattr(self._given, "abort", None)) is not None:
            abort()

    def close(self) -> None:
        if (close := getattr(self._given, "close", None)) is not None:
            close()


class GivenStream:
    """The reply of such an endpoint; ``name`` is the endpoint's."""

    def __init__(self, reply: Iterable[Any], name: str, notices: Notices) -> None:
        self._reply = reply
        self._name = name
        self._notices = notices
        told = getattr(reply, "content_type", "")
        self.content_type: str = told if isinstance(told, str) else ""
        self.rate_hz = self._number("rate_hz")
        self.channels = self._number("channels")
        sent_at_s = getattr(reply, "sent_at_s", 0.0)
        self.sent_at_s: float = sent_at_s if isinstance(sent_at_s, int | float) else 0.0

    def _number(self, member: str) -> int | None:
        value = getattr(self._reply, member, None)
        if value is not None and not isinstance(value, int):
            raise EndpointError(
                f"the reply of {self._name} has {member} = {value!r}",
                hint="It must be a whole number, or None.",
            )
        return value

    @property
    def said(self) -> str | None:
        return said_by(self._reply)

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._reply:
            if not isinstance(piece, bytes | bytearray | memoryview):
                raise EndpointError(
                    f"the reply of {self._name} gave {type(piece).__name__}",
                    hint="Its pieces must be bytes.",
                )
            yield bytes(piece)

    def close(self) -> None:
        try:
            if (close := getattr(self._reply, "close", None)) is not None:
                close()
        except BaseException as error:  # noqa: BLE001  the caller's own: its sound is here already
            self._notices.notify_once(f"a reply of {self._name} failed to close: {error!r}")


def _check(given: Any) -> None:
    """Refuse what cannot be asked for speech, before anything is asked."""
    name = given.__name__ if isinstance(given, type) else type(given).__name__
    if isinstance(given, type):
        raise UsageError(f"endpoint={name} is a class", hint=f"Give an instance: {name}(...).")
    ask = getattr(given, "open", None)
    if not callable(ask):
        raise UsageError(
            f"{name} is no endpoint",
            hint="Give a client of the openai package, or an object with open(request).",
        )
    if inspect.iscoroutinefunction(ask):
        raise UsageError(
            f"open() of {name} is asynchronous",
            hint="Make it a plain function; it is called in threads of voicestream's.",
        )
    try:
        inspect.signature(ask).bind(None)
    except TypeError as error:
        raise UsageError(f"{name} has no open(request)", str(error)) from error
    except ValueError:
        return  # written in C: it does not tell
