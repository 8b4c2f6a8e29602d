"""What is known of a voice."""

from __future__ import annotations

from voicestream.records import dataclass


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice; what is not known of it is empty.

    Attributes:
        id: what to give as ``--voice``.
        name: for people, where it differs.
        language: what it speaks, as a tag (``en-US``) or in words.
        quality: how it sounds.
        source: where it comes from.
        licence: of its model, as its maker names it.
    """

    id: str
    name: str = ""
    language: str = ""
    quality: str = ""
    source: str = ""
    licence: str = ""
