"""Sound from anywhere as an endpoint and its segments: whoever asks for a title hears it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from voicestream.formats import FORMATS, Format
from voicestream.session.play_sources import Source
from voicestream.session.recognised import recognised
from voicestream.session.stream_pieces import Pieces, StreamPieces
from voicestream.settings.table import Settings
from voicestream.speech.base import Endpoint, SpeechRequest
from voicestream.text.pieces import Boundary, Segment

if TYPE_CHECKING:
    from voicestream.speech.http.early_get import EarlyGet


Fetch = Callable[[Source], Pieces]


class SourceStream:
    """One source, while it is read. Used by one fetch thread, but for ``give_up``.

    Attributes:
        recorded: the name of its format; a stream with this member reads nobody's text.
    """

    rate_hz: int | None = None
    channels: int | None = None

    def __init__(self, source: Source, pieces: Pieces, raw: str, close: Callable[[], None]) -> None:
        """
        Args:
            raw: the content type of raw samples; empty: it shows what it is.
            close: called once, when nothing more is read.

        Raises:
            SourceError: it is no sound, or cannot be read.
        """
        self._pieces = pieces
        self._close = close
        self._bytes = iter(pieces)
        self._head = b""
        self.notes = pieces.notes
        self.sent_at_s = pieces.sent_at_s
        self.content_type, self.recorded = raw, "pcm"
        if not raw:
            form = self._recognise(source)
            self.recorded = form.name
            raw_type = form is FORMATS["pcm"]
            self.content_type = pieces.content_type if raw_type else "".join(form.content_types[:1])

    def _recognise(self, source: Source) -> Format:
        """Read until it is clear what it is."""
        form: Format | None = None
        told = self._pieces.content_type.partition(";")[0].strip().lower()
        while form is None:
            piece = next(self._bytes, b"")
            self._head += piece
            form = recognised(self._head, told, source, ended=not piece)
        return form

    @property
    def packets(self) -> dict[str, float]:
        """Figures of packets, where it comes as such."""
        found: dict[str, float] = getattr(self._pieces, "packets", {})
        return found

    def __iter__(self) -> Iterator[bytes]:
        head, self._head = self._head, b""
        if head:
            yield head
        yield from self._bytes

    def give_up(self) -> None:
        self._pieces.give_up()

    def close(self) -> None:
        self._close()


class SoundEndpoint:
    """Plays sources. ``open`` may be called by several threads at once.

    Args:
        raw: the content type of raw samples; empty: each source shows what it is.
        fetch: opens a URL.
        read_out: called when a source has no more bytes to give.
    """

    name = "play"

    def __init__(
        self, sources: Sequence[Source], raw: str, fetch: Fetch, read_out: Callable[[], None]
    ) -> None:
        self._sources: Mapping[str, Source] = {it.title: it for it in sources}
        self._raw = raw
        self._fetch = fetch
        named = None if raw else sources[0].named_format
        self.format = "pcm" if raw else "mp3" if named is None else named.name
        """What the first one is, probably: it is loaded before its first byte is here."""
        self._read_out = read_out
        self._lock = threading.Lock()
        # under the lock
        self._open: list[Pieces] = []
        self._aborted = False

    def open(self, request: SpeechRequest) -> SourceStream:
        """Open the source with that title; return when it is known what it is.

        Raises:
            EndpointError: it cannot be read, or is no sound.
        """
        source = self._sources[request.text]
        by_fetch = source.is_url or source.is_packets
        pieces = self._fetch(source) if by_fetch else StreamPieces(source)
        with self._lock:
            self._open.append(pieces)
            aborted = self._aborted
        if aborted:
            pieces.give_up()
        close = partial(self._ended, pieces)
        try:
            pieces.open()
            raw = pieces.content_type if source.is_packets else self._raw
            return SourceStream(source, pieces, raw, close)
        except BaseException:
            close()
            raise

    def _ended(self, pieces: Pieces) -> None:
        with self._lock:
            self._open.remove(pieces)
        try:
            pieces.close()
        finally:
            self._read_out()

    def abort(self) -> None:
        with self._lock:
            self._aborted = True
            for pieces in self._open:
                pieces.give_up()

    def close(self) -> None:
        self.abort()


class SourceSegments:
    """Sources as the text of a session, one after the other. Any thread.

    The next one is not opened before the one before has been read to its end: a connection that
    waits for hours would be closed.
    """

    late = False
    first: Segment | None = None
    """None is asked for early."""

    def __init__(
        self, sources: Sequence[Source], endpoint_of: Callable[[Callable[[], None]], Endpoint]
    ) -> None:
        """
        Args:
            endpoint_of: makes what reads them, given what it calls when one is read to its end.
        """
        self._endpoint_of = endpoint_of
        self._endpoint: Endpoint | None = None
        self._titles = [source.title for source in sources]
        self._taken = 0
        self._may_take = threading.Semaphore(1)

    @property
    def endpoint(self) -> Endpoint:
        """Reads them, in place of the one in the settings; made when it is first asked for."""
        if self._endpoint is None:
            self._endpoint = self._endpoint_of(self._read_out)
        return self._endpoint

    def start(self) -> None:
        return

    def _read_out(self) -> None:
        """The one taken last has no more bytes to give."""
        self._may_take.release()

    def take(self, waiting_s: Callable[[], float]) -> Segment | None:  # noqa: ARG002
        self._may_take.acquire()
        if self._taken >= len(self._titles):
            self._may_take.release()
            return None
        self._taken += 1
        return Segment(self._taken - 1, self._titles[self._taken - 1], Boundary.CLAUSE)

    def stop(self) -> None:
        self._taken = len(self._titles)
        self._may_take.release()

    cancel = stop

    def length(self) -> tuple[int, bool]:
        """Return that nothing is known: how long sound is, its title does not say."""
        return 0, True


def source_segments(
    settings: Settings,
    sources: Sequence[Source],
    raw: str,
    early: EarlyGet | None,
    packet_trace: str | None = None,
) -> SourceSegments:
    """Return what a session plays.

    Args:
        early: the request for the first source, sent already.
        raw: the content type of raw samples; empty: each source shows what it is.
        packet_trace: the file that keeps when packets came, if any.
    """

    def fetch(source: Source) -> Pieces:
        nonlocal early
        if source.is_packets:
            from voicestream.session.packet_pieces import PacketPieces

            return PacketPieces(source.place, source.title, packet_trace)
        from voicestream.speech.http.fetched import FetchConfig, FetchedSound

        asked, early = early, None
        config = FetchConfig(
            settings.connect_timeout_s,
            settings.timeout_s,
            settings.stall_timeout_s,
            settings.retries,
        )
        return FetchedSound(source.place, source.title, config, asked)

    def endpoint(ended: Callable[[], None]) -> SoundEndpoint:
        if sources[0].is_url and not sources[0].is_packets:
            # loaded while its server thinks: later it would be in the way of the decoder
            import voicestream.speech.http.fetched  # noqa: F401
        return SoundEndpoint(sources, raw, fetch, ended)

    return SourceSegments(sources, endpoint)
