"""The stages of text in one: clean, Markdown, speakers, segments."""

from __future__ import annotations

from collections.abc import Sequence

from voicestream.errors import UsageError
from voicestream.records import replace
from voicestream.text.blocks import CodeMode
from voicestream.text.boundary import AUTO
from voicestream.text.clean import Cleaner
from voicestream.text.divided import DividedWords
from voicestream.text.front_matter import FrontMatter
from voicestream.text.markdown import MarkdownFilter
from voicestream.text.pause_tags import PauseTags, parts
from voicestream.text.pieces import Boundary, Piece
from voicestream.text.segment import Segmenter
from voicestream.text.speakers import QuotedSpeech, Run, Speakers, SpeakerTags


class TextPipeline:
    """Raw text as it comes -> pieces to speak, each with its voice.

    Args:
        plain: the text is no Markdown and is read as it stands.
        code: what becomes of fenced code.
        language: the code by which doubtful abbreviations are judged; AUTO: by that of the text.
        voices: the narrator, then those who take turns in quotes; empty for one voice.
        tags: ``[name]`` at the start of a line or sentence changes the voice, and
            ``[pause 500ms]`` is silence.

    Raises:
        UsageError: both ``voices`` and ``tags`` are asked for.

    Used by one thread, or under a lock.
    """

    def __init__(
        self,
        *,
        plain: bool = False,
        code: CodeMode = "announce",
        language: str = AUTO,
        voices: Sequence[str] = (),
        tags: bool = False,
    ) -> None:
        if voices and tags:
            raise UsageError(
                "voices for quotes and speaker tags exclude each other",
                hint="Give either a list of voices or tags in the text.",
            )
        self._cleaner = Cleaner()
        self._front = FrontMatter()
        self._front.done = plain
        self._divided = DividedWords()
        self._markdown = None if plain else MarkdownFilter(code)
        self._pauses: PauseTags | None = None
        self._speakers: Speakers | None = None
        if voices:
            self._speakers = QuotedSpeech(voices[0], voices[1:])
        elif tags:
            self._speakers = SpeakerTags()
            self._pauses = PauseTags()
        self._segmenter = Segmenter(language, wrapped=plain)
        self._voice: str | None = None

    @property
    def pending(self) -> str:
        """What waits for the end of its sentence."""
        return self._segmenter.pending

    def feed(self, text: str) -> list[Piece]:
        """Take the next text; return the pieces that are certain."""
        text = self._cleaner.feed(text)
        if not self._front.done:
            text = self._front.feed(text)
        if self._pauses is not None:
            text = self._pauses.feed(text)
        text = self._divided.feed(text)
        if self._markdown is not None:
            text = self._markdown.feed(text)
        if not text:
            return []
        if self._speakers is None:
            return self._segmenter.feed(text)
        return self._speak(self._speakers.feed(text))

    def flush(self) -> list[Piece]:
        """Return all that is left: the text has ended."""
        text = self._front.feed(self._cleaner.flush()) + self._front.flush()
        if self._pauses is not None:
            text = self._pauses.feed(text) + self._pauses.flush()
        text = self._divided.feed(text) + self._divided.flush()
        if self._markdown is not None:
            text = self._markdown.feed(text) + self._markdown.flush()
        if self._speakers is None:
            return self._segmenter.feed(text) + self._segmenter.flush()
        pieces = self._speak(self._speakers.feed(text) + self._speakers.flush())
        return pieces + self._voiced(self._segmenter.flush())

    def settle(self) -> list[Piece]:
        """Return what only waits to learn how the text goes on: the writer pauses."""
        text = self._front.settle()
        if self._pauses is not None:
            text = self._pauses.feed(text)
        text = self._divided.feed(text) + self._divided.settle()
        if self._markdown is not None:
            text = self._markdown.feed(text) + self._markdown.settle()
        if self._speakers is None:
            return self._segmenter.feed(text) + self._segmenter.settle()
        return self._speak(self._speakers.feed(text)) + self._voiced(self._segmenter.settle())

    def cut_clause(self, min_chars: int = 1, *, last: bool = False) -> Piece | None:
        """Take what is pending up to a clause boundary; see ``Segmenter.cut_clause``."""
        return self._voiced_one(self._segmenter.cut_clause(min_chars, last=last))

    def cut_blank(self, size: int) -> Piece | None:
        """Take about so many characters of what is pending; see ``Segmenter.cut_blank``."""
        return self._voiced_one(self._segmenter.cut_blank(size))

    def _voiced_one(self, piece: Piece | None) -> Piece | None:
        return piece if piece is None or self._voice is None else replace(piece, voice=self._voice)

    def _speak(self, runs: list[Run]) -> list[Piece]:
        """Return the pieces of runs of text: a change of voice ends a piece."""
        pieces: list[Piece] = []
        for voice, text in runs:
            if voice != self._voice:
                pieces += self._voiced(self._segmenter.flush(Boundary.CLAUSE))
                self._voice = voice
            for part in parts(text):
                if isinstance(part, str):
                    pieces += self._voiced(self._segmenter.feed(part))
                else:  # it ends the piece, too
                    pieces += self._voiced(self._segmenter.flush(Boundary.CLAUSE))
                    pieces.append(Piece("", Boundary.CLAUSE, self._voice, part))
        return pieces

    def _voiced(self, pieces: list[Piece]) -> list[Piece]:
        if self._voice is None:
            return pieces
        return [replace(piece, voice=self._voice) for piece in pieces]
