"""The panel: a picture of the latest snapshot, drawn again and again on a terminal.

Importing this loads rich; ask ``terminal.wants_panel`` first.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, Segment
from rich.style import Style

from voicestream.ui.folds import LastPicture
from voicestream.ui.lines import Laid, Line, cells
from voicestream.ui.picture import draw
from voicestream.ui.terminal import encoding_of, reflows


def _raw(code: str) -> Control:
    """Return a control code that rich has no name for."""
    control = Control()
    control.segment = Segment(code, None, [(ControlType.CARRIAGE_RETURN,)])
    return control


_DOWN = "\r\x1b[B"
_WRAP_OFF, _WRAP_ON = _raw("\x1b[?7l"), _raw("\x1b[?7h")


class _Console(Console):
    printed = False
    """Something else than the picture was written."""
    rows_there = 0
    """Rows of the picture that need no room to be made for them."""

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        """As rich does it; but a line feed would scroll a terminal that is lower than it has told,
        and what goes off at the top stays there."""
        written: str = super()._render_buffer(buffer)
        return written.replace("\n", _DOWN, max(self.rows_there - 1, 0))

    def print(self, *objects: Any, **options: Any) -> None:
        self.printed |= not all(isinstance(it, Control) for it in objects)
        super().print(*objects, **options)

    def on_broken_pipe(self) -> None:
        """A picture that nobody sees must not end the speech; rich would exit here."""
        self.quiet = True

    def render_lines(
        self,
        renderable: RenderableType,
        options: ConsoleOptions | None = None,
        *,
        style: Style | None = None,
        pad: bool = True,
        new_lines: bool = False,
    ) -> list[list[Segment]]:
        """As rich does it; but what is laid fits, and to split it anew is half the work."""
        if isinstance(renderable, Laid):
            return renderable.rows
        return super().render_lines(renderable, options, style=style, pad=pad, new_lines=new_lines)


class _Live(Live):
    @property
    def renderable(self) -> RenderableType:
        """The picture itself; rich would wrap it in a group of all that is live, one."""
        return self.get_renderable()


class Panel:
    """Shows snapshots on a terminal while a ``with`` block runs.

    There is no thread: the block calls ``tick`` as often as it likes, every
    ``interval_s`` or so, and a picture is drawn when one is due. Afterwards the
    terminal is as it was before: the picture gone, the cursor back.

    Args:
        snapshot: gives what is to be seen now, a ``Snapshot`` unless ``draw`` wants another.
        stream: the terminal, usually stderr.
        rate_hz: pictures a second, at most.
        clock: seconds, ever growing.
        draw: makes the picture, see :func:`voicestream.ui.picture.draw`.
        full: all figures from the start.
    """

    def __init__(
        self,
        snapshot: Callable[[], Any],
        stream: TextIO,
        *,
        rate_hz: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        environ: Mapping[str, str] | None = None,
        draw: Callable[..., list[Line]] = draw,
        full: bool = False,
    ) -> None:
        self._lay = draw
        self.interval_s = 1.0 / rate_hz
        self._snapshot = snapshot
        self._stream = stream
        self._clock = clock
        self._environ = os.environ if environ is None else environ
        self._encoding = encoding_of(stream)
        # Whoever made a panel of a stream wants it drawn there, be it a terminal or not.
        self._console = _Console(file=stream, force_terminal=True, _environ=self._environ)
        self._color = bool(self._console.color_system) and not self._console.no_color
        # stdout carries data and is not touched; what others print on stderr goes above.
        self._live = _Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=stream is sys.stderr,
            vertical_overflow="crop",
        )
        self.full = full
        """All figures instead of one line of them."""
        self.hint = ""
        """A line below all others; empty: none."""
        self._due_s = -math.inf
        self._last = LastPicture(reflows(self._environ), pushes="TMUX" in self._environ)

    def __enter__(self) -> Self:
        self._live.start()
        try:
            self.tick()
        except BaseException:
            self._stop()
            raise
        return self

    def tick(self) -> None:
        """Draw if a picture is due. A terminal that went away is left alone."""
        now_s = self._clock()
        if now_s < self._due_s or not self._live.is_started:
            return
        self._due_s = now_s + self.interval_s
        try:
            self._draw()
        except OSError:
            # The terminal is gone (EIO). The speech goes on without a picture.
            self._console.quiet = True

    def __exit__(self, *_: object) -> None:
        try:
            self._due_s = -math.inf
            self.tick()
        finally:
            self._stop()

    def _stop(self) -> None:
        try:
            with self._unwrapped():
                self._live.stop()
        except OSError:
            self._console.quiet = True

    def _draw(self) -> None:
        columns, rows = self._console.size = self._size()
        # The last column stays free: a full line makes some terminals wrap.
        size = columns - 1, rows - 1
        seen = self._snapshot()
        lines = self._lay(seen, *size, self._encoding, self._color, self.hint, self.full)
        self._live.update(Laid(lines))
        with self._unwrapped():
            if self._console.printed:
                self._last.printed()
            if more := self._last.rows_more(columns, rows):
                self._erase_above(more)
            self._live.refresh()
            self._console.rows_there = 0 if self._console.printed else self._last.rows
        self._console.printed, self._console.rows_there = False, 0
        self._last.drawn([cells(line) for line in lines], columns, rows)

    @contextmanager
    def _unwrapped(self) -> Iterator[None]:
        """One write, in which the terminal cuts lines that are too long.

        It may already be narrower than it has told (tmux tells a quarter of a second
        later), and a picture that wraps is higher than rich believes.
        """
        with self._console:
            self._console.control(_WRAP_OFF)
            try:
                yield
            finally:
                self._console.control(_WRAP_ON)

    def _size(self) -> tuple[int, int]:
        """Columns and rows of the very terminal drawn on, as it is now.

        rich would look at stdin first, and COLUMNS would hold its answer through a resize.
        """
        try:
            columns, rows = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            columns, rows = 0, 0  # not a terminal
        return columns or 80, rows or 25

    def _erase_above(self, rows: int) -> None:
        """Erase rows of the last picture that rich knows nothing of."""
        up = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2))
        self._console.control(Control((ControlType.ERASE_IN_LINE, 2), *(up * rows)))
