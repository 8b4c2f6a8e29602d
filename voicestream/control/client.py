"""Verbs to whoever speaks: loads next to nothing, so that they take effect at once."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import os

from voicestream.control.lines import Message, Peer
from voicestream.control.runtime import runtime_folder

_WAIT_S = 1.0
"""A speaker that does not answer within this time hangs."""


def speakers(folder: str) -> list[str]:
    """Who may be asked, ``PID-N``: those in the queue for the floor, the one that has it first,
    then those who speak beside it. Some of them may be dead."""
    queued = [name.split("-", 2)[2] for name in sorted(_listed(f"{folder}/floor", "-"))]
    mixed = [name.removesuffix(".sock") for name in sorted(_listed(folder, ".sock"))]
    return queued + [who for who in mixed if who not in queued]


def _listed(folder: str, part: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if part in name and name[0].isdigit()]
    except FileNotFoundError:
        return []


def tell(verb: str, value: str | None = None, everybody: bool = False) -> list[Message]:
    """Tell the first speaker that lives, or all of them, a verb.

    Returns:
        The answers, each with ``who`` gave it; none where nobody speaks.

    Raises:
        VoicestreamError: the runtime folder cannot be used.
    """
    message: Message = {"verb": verb} if value is None else {"verb": verb, "value": value}
    folder = runtime_folder()
    answers = []
    for who in speakers(folder):
        try:
            peer = Peer(f"{folder}/{who}.sock", _WAIT_S)
        except OSError:  # dead, or it hangs
            continue
        try:
            answer = peer.ask(message)
        except (OSError, ValueError):
            answer = None
        finally:
            peer.close()
        if answer is not None:
            answers.append({"who": who, **answer})
            if not everybody:
                break
    return answers
