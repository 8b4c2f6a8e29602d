"""Which files a call makes: of several texts one each, where the names say so."""

from __future__ import annotations

from pathlib import Path

from voicestream.cli.options import SayCall
from voicestream.errors import UsageError
from voicestream.records import replace

_NAME = "{name}"
_TEMPLATES = {"output": "-o", "save": "--save", "subtitles": "--subtitles"}
"""What may hold ``{name}``, and the option it is given with."""


def calls_of(call: SayCall) -> list[SayCall]:
    """Return the calls that this one stands for: one for each file where ``{name}`` asks for that.

    Raises:
        UsageError: what is to be made of several files has one name, or one cannot be read.
    """
    if call.output is not None and call.save is not None:
        raise UsageError("-o plays nothing, and --save plays", hint="Give one of them.")
    given = {name: getattr(call, name) for name in _TEMPLATES if getattr(call, name) is not None}
    named = [name for name, value in given.items() if _NAME in value]
    if len(call.file) > 1:
        for name in given:
            if name not in named:
                _refuse(_TEMPLATES[name], given[name])
    if not named:
        return [call]
    if not call.file:
        hint = "Give it with -f."
        if call.sources:
            hint = "`play` makes one sound of all it is given; run it once for each."
        raise UsageError(f"{_NAME} is the name of a text file that is read", hint=hint)
    for file in call.file:
        _check_readable(file)
    calls = [_for_file(call, file, named) for file in call.file]
    for name in named:
        _no_two_alike(calls, name)
    return calls


def _check_readable(file: str) -> None:
    """Refuse what cannot be read. A pipe is left alone: what it gives, it gives once.

    Raises:
        UsageError: it is missing, forbidden, or no text.
    """
    from voicestream.text.source import open_file

    if not Path(file).is_fifo():
        open_file(file).close()


def _refuse(flag: str, value: str) -> None:
    file = Path(value)
    each = file.with_name(f"{_NAME}{file.suffix}")
    raise UsageError(
        f"several files would become one {value}",
        hint=f"{flag} '{each}' makes one of each; `cat` makes one text of several files.",
    )


def _for_file(call: SayCall, file: str, named: list[str]) -> SayCall:
    values = {name: getattr(call, name).replace(_NAME, Path(file).stem) for name in named}
    return replace(call, file=[file], **values)


def _no_two_alike(calls: list[SayCall], name: str) -> None:
    seen: dict[str, str] = {}
    for call in calls:
        target, (file,) = getattr(call, name), call.file
        if target in seen:
            raise UsageError(f"both {seen[target]} and {file} would become {target}")
        seen[target] = file
