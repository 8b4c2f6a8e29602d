"""Verbs to whoever speaks: loads next to nothing, so that they take effect at once."""

from __future__ import annotations

import sys

assert sys.platform != "win32"  # whose Python has no Unix sockets

import contextlib
import os

from voicestream.control.entries import queued
from voicestream.control.lines import Message, Peer
from voicestream.control.runtime import runtime_folder

_WAIT_S = 1.0
"""A speaker that does not answer within this time hangs."""


def speakers(folder: str) -> list[str]:
    """Return who may be asked, ``PID-N``: the queue for the floor, whoever has it first,
    then those who speak beside it. Some of them may be dead."""
    waiting = queued(f"{folder}/floor")
    beside = [who for who in _with_sockets(folder) if who not in waiting]
    return waiting + beside


def _with_sockets(folder: str) -> list[str]:
    names = sorted(os.listdir(folder))
    return [name.removesuffix(".sock") for name in names if name.endswith(".sock")]


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
        path = f"{folder}/{who}.sock"
        try:
            peer = Peer(path, _WAIT_S)
        except ConnectionRefusedError:
            _remove_dead(path, who)
            continue
        except OSError:  # it has just gone, or it hangs
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


def _remove_dead(path: str, who: str) -> None:
    """Remove the socket of a process that was killed; one that lives may be about to listen."""
    try:
        os.kill(int(who.partition("-")[0]), 0)
    except ProcessLookupError:
        with contextlib.suppress(OSError):  # another verb was first
            os.unlink(path)
    except (ValueError, OverflowError, OSError):
        return  # no socket of ours, or somebody else's process
