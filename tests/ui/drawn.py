"""A picture as rows of text."""

from voicestream.counters import Snapshot
from voicestream.ui.picture import draw


def rows(snapshot: Snapshot, width: int = 80, full: bool = True, **options: object) -> list[str]:
    lines = draw(snapshot, width, full=full, **options)  # type: ignore[arg-type]
    return ["".join(text for text, _ in line) for line in lines]
