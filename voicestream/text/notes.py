"""Marks that refer to a source: ``[1]``, ``[2][3]``, and those of assistants that search."""

from __future__ import annotations

from voicestream.patterns import lazy_pattern
from voicestream.text.found import NOTHING, Found

_ONE = r"\[[1-9]\d{0,2}(?:\s?[,–-]\s?[1-9]\d{0,2}){0,9}\]"
_NOTES = lazy_pattern(rf"{_ONE}(?: ?{_ONE})*")
_NOTES_BEGUN = lazy_pattern(rf"(?:{_ONE} ?)*(?:\[[\d\s,–-]{{0,40}})?\Z")
_SOURCE = lazy_pattern(
    r"【[^【】\n]{0,20}†[^【】\n]{0,120}】|\ue200[^\ue200\ue201\n]{0,200}\ue201"
    r"|:contentReference\[[^\[\]\n]{0,60}\](?:\{[^{}\n]{0,40}\})?"
)
_OPENED = ":contentReference["
_SOURCE_BEGUN = lazy_pattern(
    r"【[^【】\n]{0,140}\Z|\ue200[^\ue200\ue201\n]{0,200}\Z"
    r"|:contentReference\[[^\[\]\n]{0,60}(?:\](?:\{[^{}\n]{0,40})?)?\Z"
)
SOURCE_MARKS = "【\ue200:"


def note(
    text: str, at: int, stop: int, known: bool, before: str, cited: bool
) -> tuple[Found | None, bool]:
    """``blue[1][2]`` -> nothing, ``items[1]`` stays.

    Args:
        before: the character before the bracket.
        cited: there was a mark of a source in this text already.

    Returns:
        What was found, and whether it is certainly the mark of a source.
    """
    found = _NOTES.match(text, at, stop)
    if not known and _NOTES_BEGUN.match(text, at, stop):
        return None, False
    if found is None:
        return NOTHING, False
    end = found.end()
    if end + 1 >= stop and not known:
        return None, False
    after = text[end : end + 2] if end + 1 < stop else text[end:stop]
    if after[:1] in ("(", "[", ":") and after:
        return NOTHING, False
    several, listed = "][" in found[0] or "] [" in found[0], "," in found[0]
    ends = not after or after[0] in ".,;:!?)\n"
    if before.isalnum():
        stops = after != "" and after[0] in ".!?" and not after[1:].strip()
        sure = several or cited or stops
    elif before == "\n" or before in "([{=":
        sure = False
    elif before.isspace():
        sure = several or cited or (ends and not listed)
    else:
        sure = several or cited or not listed
    return (Found(end, "", "gone"), True) if sure else (NOTHING, False)


def source_mark(text: str, at: int, stop: int, known: bool) -> Found | None:
    """``【4:0†source】``, ``:contentReference[oaicite:0]{index=0}`` -> nothing."""
    if not known:
        begun = text[at : min(at + len(_OPENED), stop)]
        if len(begun) < len(_OPENED) and _OPENED.startswith(begun):
            return None
        if _SOURCE_BEGUN.match(text, at, stop):
            return None
    found = _SOURCE.match(text, at, stop)
    return Found(found.end(), "", "gone") if found else NOTHING
