"""What people type: bare text is spoken, slips and other tools' flags get a hint."""

from __future__ import annotations

import os
from collections.abc import Sequence

from voicestream.cli.verbs import VERBS
from voicestream.errors import UsageError

FIRST_WORDS = (
    *("say", "ask", "again", "config", "voices", "trace", "devices", "endpoints", "doctor"),
    *("serve", "cache", "play", "hook", "mcp", "engine", "talk"),
    *("completion", "help", *VERBS),
)
"""What commands begin with; `cli.commands`, which loads the settings, knows more of them."""

_HELP = ("-h", "--help", "--help-all")
_CLOSE = 0.75
"""How alike a word and a command are, from 0 to 1, for the word to be taken for a slip."""

_ELSEWHERE = {
    **dict.fromkeys(
        ("-r", "--rate", "--wpm"), "The tempo is --tempo (-t): 1.5 is half as fast again."
    ),
    **dict.fromkeys(
        ("--output-file", "-w", "--write-media", "--out"),
        "-o FILE makes a sound file; --save FILE plays as well.",
    ),
    "--volume": "`voicestream volume 0.5` sets the volume while it speaks.",
    **dict.fromkeys(("-l", "--lang"), "The language is --language."),
    **dict.fromkeys(("-s",), "The endpoint's speed is --speed; the tempo is --tempo (-t)."),
    **dict.fromkeys(("--input-file", "--input", "-i"), "-f FILE reads a file."),
    "--text": "The text needs no flag: voicestream hello there.",
    **dict.fromkeys(("--url", "--host"), "Where speech is asked for is --base-url."),
    **dict.fromkeys(
        ("--api-key", "--key"), "A key stands in VOICESTREAM_API_KEY, or in --api-key-file FILE."
    ),
    "--list-voices": "`voicestream voices` lists them.",
    "--speaker": "The voice is --voice (-v).",
    **dict.fromkeys(
        ("--verbose", "--debug"),
        "--log FILE writes what happened when; --json prints the figures.",
    ),
}
"""A flag of another tool -> what does that here."""
_VALUES = {
    **dict.fromkeys(("-v", "--voice", "--voices"), "`voicestream voices` lists them."),
    **dict.fromkeys(("-e", "--endpoint"), "`voicestream endpoints` lists them."),
    "--device": "`voicestream devices` lists them.",
    **dict.fromkeys(("-o", "--output", "--save"), "It is the sound file to make: notes.mp3."),
}
"""An option -> what tells of its values."""


def as_command(arguments: Sequence[str], at_terminal: bool) -> Sequence[str]:
    """Return the command line with ``say`` in front where only a text, or its options, stand.

    Args:
        arguments: what was typed after the program's name.
        at_terminal: no text comes in on stdin.

    Raises:
        UsageError: the first word is a command but for a slip, or all there is is a file's name.
    """
    if not arguments:
        return arguments if at_terminal else ["say"]
    first = arguments[0]
    if first in FIRST_WORDS or first in (*_HELP, "-V", "--version"):
        return arguments
    alone = all(word.startswith("-") for word in arguments[1:])
    if alone and "." in first and os.path.isfile(first):
        from shlex import quote

        name = quote(first)
        raise UsageError(
            f"{first} is a file",
            hint=f"To have it read: voicestream -f {name}; its name: voicestream say {name}",
        )
    # text with a blank, a capital or a sign is no command that was meant
    if first.isalpha() and first.islower():
        nearest = _nearest(first) if alone else _swapped(first)
        if nearest:
            raise UsageError(
                f"there is no command {first}",
                hint=f"Did you mean `voicestream {nearest}`? To have the word spoken: "
                f"voicestream say {first}",
            )
    return ["say", *arguments]


def help_asked(arguments: Sequence[str]) -> bool:
    """Return whether a command line asks for help with one of the flags."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return not arguments or any(word in _HELP for word in options)


def _nearest(word: str) -> str:
    from difflib import get_close_matches

    return _swapped(word) or next(iter(get_close_matches(word, FIRST_WORDS, 1, _CLOSE)), "")


def _swapped(word: str) -> str:
    """Return the command that ``word`` is with two neighbouring letters swapped; else empty."""
    for at in range(len(word) - 1):
        other = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if other in FIRST_WORDS:
            return other
    return ""


def value_hint(option: str) -> str:
    """Return what tells of the values of an option that was given none."""
    return _VALUES.get(option, "")


def option_hint(option: str, typed: str, near: Sequence[str], path: str) -> str:
    """Return what to type instead of an option that does not exist.

    Args:
        option: that was read.
        typed: the word that it stands in.
        near: options that are spelt alike, the nearest first.
        path: the command it was given to, as it is called.
    """
    if option in _ELSEWHERE and not typed.removeprefix(option).isalpha():  # -r200, but not -rest
        return _ELSEWHERE[option]
    if near:
        return f"Did you mean {' or '.join(near[:3])}?"
    return f"To speak a text that begins with a dash: `{path} -- TEXT`."
