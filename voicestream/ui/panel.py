"""The panel: a picture of the latest snapshot, drawn again and again on a terminal.

Importing this loads rich; ask ``terminal.wants_panel`` first.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Self, TextIO, cast

from rich.console import Console, ConsoleRenderable, RenderHook
from rich.control import Control
from rich.file_proxy import FileProxy
from rich.segment import ControlType, Segment

from voicestream.ui.lines import Line, segments
from voicestream.ui.picture import draw
from voicestream.ui.terminal import CLEAR, encoding_of

_DRAG_S, _DRAG_COLUMNS = 1.0, 25
"""What comes sooner after another resize is a drag; how far its next step may go."""
_AGAIN_S = 1.0
"""So long a picture that has not changed is left, whatever may have been written over it."""
_DOWN = "\r\x1b[B"
_SAVE, _RESTORE = "\x1b7", "\x1b8"
_WRAP_OFF, _WRAP_ON = "\x1b[?7l", "\x1b[?7h"


def _raw(code: str) -> Control:
    """Return a control code that rich has no name for."""
    control = Control()
    control.segment = Segment(code, None, [(ControlType.CARRIAGE_RETURN,)])
    return control


class _Console(Console):
    """Prints above a picture, which begins at the cursor.

    The cursor rests where the picture begins. Only the terminal knows where that is after a
    resize, for it may have folded, cut or scrolled away any line; but it keeps its cursor with
    the text, so that all below is ours to erase, and nothing above.
    """

    _picture = ""
    _drawn = (0, 0, 0)  # how many lines, on a terminal of which size

    def show(self, lines: list[Line]) -> None:
        """Draw ``lines``, in one write, in place of what was drawn before."""
        # The terminal may already be smaller than it has told (tmux tells a quarter of a second
        # later): no line wraps, and no line feed among them scrolls away what is ours.
        rows = _DOWN.join(self._render_buffer(segments(line)) for line in lines)
        rows = f"{_WRAP_OFF}{_SAVE}{rows}{_RESTORE}{_WRAP_ON}"
        more = len(lines) - 1
        self._picture = "\n" * more + f"\x1b[{more}A{rows}" if more else rows
        room_there, self._drawn = self._drawn, (len(lines), *self.size)
        self.control(_raw(CLEAR + (rows if room_there == self._drawn else self._picture)))

    def hide(self) -> None:
        """Erase what was drawn."""
        self._picture = ""
        self.control(_raw(CLEAR))

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Return what is printed with the picture below it; rich asks."""
        return [_raw(CLEAR), *renderables, _raw(self._picture)]

    def on_broken_pipe(self) -> None:
        """A picture that nobody sees must not end the speech; rich would exit here."""
        self.quiet = True


class Panel:
    """Shows snapshots on a terminal while a ``with`` block runs.

    There is no thread: the block calls ``tick`` as often as it likes, every
    ``interval_s`` or so, and a picture is drawn when one is due and has changed. Afterwards the
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
        rate_hz: float = 6.0,
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
        self.full = full
        """All figures instead of one line of them."""
        self.hint = ""
        """A line below all others; empty: none."""
        self._due_s = -math.inf
        self._shown = False
        self._latest: tuple[list[Line], int, int] | None = None
        self._latest_s = -math.inf
        self._resized_to, self._resized_s, self._dragged = (0, 0), -math.inf, False

    def __enter__(self) -> Self:
        self._shown = True
        self._console.show_cursor(False)
        # stdout carries data and is not touched; what others print on stderr goes above.
        if self._stream is sys.stderr and self._console.is_interactive:
            self._console.push_render_hook(cast("RenderHook", self._console))
            sys.stderr = cast("TextIO", FileProxy(self._console, self._stream))
        try:
            self.tick()
        except BaseException:
            self._stop()
            raise
        return self

    def tick(self) -> None:
        """Draw if a picture is due. A terminal that went away is left alone."""
        now_s = self._clock()
        if now_s < self._due_s or not self._shown:
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
        self._shown = False
        if isinstance(sys.stderr, FileProxy) and sys.stderr.rich_proxied_file is self._stream:
            sys.stderr = self._stream
            self._console.pop_render_hook()
        try:
            with self._console:
                self._console.hide()
                self._console.show_cursor(True)
        except OSError:
            self._console.quiet = True

    def _draw(self) -> None:
        columns, rows = self._console.size = self._size()
        # The last column stays free: a full line makes some terminals wrap.
        size = columns - 1 - self._margin((columns, rows)), rows - 1
        seen = self._snapshot()
        lines = self._lay(seen, *size, self._encoding, self._color, self.hint, self.full)
        now_s = self._clock()
        if self._latest == (lines, columns, rows) and now_s - self._latest_s < _AGAIN_S:
            return
        self._latest, self._latest_s = (lines, columns, rows), now_s
        self._console.show(lines[: rows - 1])

    def _margin(self, size: tuple[int, int]) -> int:
        """Return the columns to leave free while a border is being dragged, so that its next steps
        fold no line: xterm.js (VS Code) moves its cursor by what it folds below it."""
        now_s = self._clock()
        still_s = now_s - self._resized_s
        if size != self._resized_to:
            self._dragged = still_s < _DRAG_S
            self._resized_to, self._resized_s = size, now_s
        elif still_s >= _DRAG_S:
            self._dragged = False
        return _DRAG_COLUMNS if self._dragged else 0

    def _size(self) -> tuple[int, int]:
        """Columns and rows of the very terminal drawn on, as it is now.

        rich would look at stdin first, and COLUMNS would hold its answer through a resize.
        """
        try:
            columns, rows = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            columns, rows = 0, 0  # not a terminal
        return columns or 80, rows or 25
