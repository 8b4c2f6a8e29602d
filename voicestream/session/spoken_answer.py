"""An answer that comes as sound: filled by who hears the model, played by a session."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator

from voicestream.counters import Cue
from voicestream.errors import EndpointError, EndpointTimeoutError, IncompleteReplyError
from voicestream.metrics import Metrics
from voicestream.speech.base import SpeechRequest
from voicestream.speech.realtime.protocol import RATE_HZ
from voicestream.text.pieces import Boundary, Segment
from voicestream.words import Span, place_words

_BYTES_PER_MS = 2 * RATE_HZ / 1000


def heard_of(metrics: Metrics, tempo: float) -> tuple[float, tuple[Span, ...]]:
    """Return how many seconds of an answer were heard, and its pauses: as it came.

    Args:
        tempo: at which it was played.
    """
    feeder, rate_hz = metrics.feeder, metrics.feeder.rate_hz or 1
    scale = tempo * RATE_HZ / rate_hz
    pauses = feeder.pauses_between(0, feeder.written_frames)
    scaled = tuple((round(start * scale), round(end * scale)) for start, end in pauses)
    return tempo * metrics.snapshot().heard_frames / rate_hz, scaled


class SpokenAnswer:
    """One answer: the text of a session, its endpoint, and the only reply of that.

    Args:
        name: where it comes from.
        first_s: how long its first sound may take.
        stall_s: how long any other may.
    """

    late = False
    first: Segment | None = None
    format = recorded = "pcm"
    content_type = f"audio/pcm; rate={RATE_HZ}"
    rate_hz: int | None = RATE_HZ
    channels: int | None = 1

    def __init__(self, name: str, response_id: str, first_s: float, stall_s: float) -> None:
        self.name = name
        self.response_id = response_id
        self._first_s = first_s
        self._stall_s = stall_s
        self.sent_at_s = time.monotonic()
        self.unwanted = False
        """Somebody speaks or types: nothing more of it is to be heard. Any thread."""
        self._pieces: queue.SimpleQueue[bytes | EndpointError | None] = queue.SimpleQueue()
        self._taken = False
        # who hears the model; read by any
        self._whole = False
        self._sizes: dict[tuple[str, int], int] = {}  # bytes of each part of the conversation
        self._texts: dict[tuple[str, int], str] = {}

    def hear(self, item_id: str, part: int, pcm: bytes) -> None:
        """Take what comes next of its sound."""
        place = item_id, part
        self._sizes[place] = self._sizes.get(place, 0) + len(pcm)
        self._pieces.put(pcm)

    def read(self, item_id: str, part: int, words: str, whole: bool) -> None:
        """Take what comes next of its words.

        Args:
            whole: they are all that the part says.
        """
        before = "" if whole else self._texts.get((item_id, part), "")
        self._texts[item_id, part] = before + words

    def end(self, error: EndpointError | None = None, whole: bool = False) -> None:
        """Let no more come.

        Args:
            whole: this was all that the model has to say.
        """
        self._whole = whole
        self._pieces.put(error)

    @property
    def transcript(self) -> str:
        """The words so far; they may be ahead of the sound."""
        return " ".join(filter(None, map(str.strip, list(self._texts.values()))))

    def heard(self, until_s: float, pauses: tuple[Span, ...] = ()) -> str:
        """Return the words of the first ``until_s`` seconds of its sound.

        Args:
            pauses: first and last frame of each, at its own rate.
        """
        whole = sum(self._sizes.values()) // 2 if self._whole else 0
        cue, chars = Cue(0, self.transcript, whole), 0
        for word in place_words(cue, pauses, RATE_HZ):
            if word.until_frame > until_s * RATE_HZ:
                break
            chars = word.end
        return cue.text[:chars]

    def sentence(self, until_s: float) -> str:
        """Return the sentence in which so many seconds of its sound end."""
        words, heard = self.transcript, len(self.heard(until_s))
        return words[max(words.rfind(mark, 0, heard) for mark in ".!?") + 1 :].strip()

    def unheard(self, until_s: float) -> Iterator[tuple[str, int, int]]:
        """Yield each part of the conversation of which the end was not heard: its item, its
        number there, and how many milliseconds were."""
        left_ms = 1000 * until_s
        for (item_id, part), size in list(self._sizes.items()):
            part_ms = size / _BYTES_PER_MS
            if left_ms < part_ms:
                yield item_id, part, int(left_ms)
            left_ms = max(left_ms - part_ms, 0.0)

    # as the text of a session

    def start(self) -> None:
        return

    def take(self, waiting_s: Callable[[], float]) -> Segment | None:  # noqa: ARG002
        taken, self._taken = self._taken, True
        return None if taken else Segment(0, "the answer", Boundary.PARAGRAPH)

    def stop(self) -> None:
        self._taken = True

    def length(self) -> tuple[int, bool]:
        """Return that nothing is known of its length."""
        return 0, True

    # as its endpoint, and the reply of that

    def open(self, request: SpeechRequest) -> SpokenAnswer:  # noqa: ARG002
        return self

    def __iter__(self) -> Iterator[bytes]:
        wait_s = self._first_s
        while True:
            try:
                piece = self._pieces.get(timeout=wait_s)
            except queue.Empty:
                raise self._late(wait_s) from None
            if isinstance(piece, EndpointError):
                raise piece
            if piece is None:
                return
            wait_s = self._stall_s
            yield piece

    def _late(self, waited_s: float) -> EndpointError:
        if self._sizes:
            return IncompleteReplyError("the answer stopped", "the server sent nothing more")
        return EndpointTimeoutError(
            f"{self.name} sent no sound for {waited_s:g} s",
            hint="Raise --timeout if the server is slow.",
        )

    def give_up(self) -> None:
        """Let nobody wait for it. Any thread."""
        self._pieces.put(None)

    def close(self) -> None:
        self._taken = True

    abort = give_up
    cancel = close
