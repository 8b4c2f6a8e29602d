"""All targets by name. Each takes any bytes and raises where something does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.fuzz.decoders import check_decoders, check_wav
from tests.fuzz.events import check_sse
from tests.fuzz.files import check_settings, check_traces
from tests.fuzz.realtime import check_realtime
from tests.fuzz.texts import check_markdown, check_pipeline, check_segmenter

TARGETS: dict[str, Callable[[bytes], None]] = {
    "decoders": check_decoders,
    "wav": check_wav,
    "sse": check_sse,
    "realtime": check_realtime,
    "markdown": check_markdown,
    "segmenter": check_segmenter,
    "pipeline": check_pipeline,
    "settings": check_settings,
    "traces": check_traces,
}
CORPUS = Path(__file__).parent / "corpus"


def corpus_of(name: str) -> Iterator[Path]:
    """The inputs that are kept for a target."""
    yield from sorted((CORPUS / name).iterdir())
