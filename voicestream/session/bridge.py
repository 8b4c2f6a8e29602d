"""Text from an event loop to the thread that reads it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterable, Iterator

_ROOM_CHARS = 65_536


class Bridge:
    """Iterated by the text thread; filled by :meth:`carry` in the loop it is made in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._changed = threading.Condition()
        self._pieces: deque[str] = deque()
        self._chars = 0
        self._ended = False
        self._error: BaseException | None = None

    async def carry(self, text: AsyncIterable[str]) -> None:
        """Everything that ``text`` gives, as it comes; waits while much of it waits.

        What ``text`` raises is raised in the text thread, after what came before. What ends a
        task or a process goes on from here, too.
        """
        try:
            async for piece in text:
                while not self._put(piece):
                    await self._room.wait()
        except BaseException as error:  # the caller's own code: raised again at the reader
            self._error = error
            if isinstance(error, SystemExit | KeyboardInterrupt | asyncio.CancelledError):
                raise
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, piece: str) -> bool:
        with self._changed:
            if self._chars >= _ROOM_CHARS:
                self._room.clear()
                return False
            self._pieces.append(piece)
            self._chars += len(piece)
            self._changed.notify_all()
            return True

    def __iter__(self) -> Iterator[str]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pieces or self._ended)
                if not self._pieces:
                    break
                piece = self._pieces.popleft()
                was_full = self._chars >= _ROOM_CHARS
                self._chars -= len(piece)
            if was_full and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._room.set)
            yield piece
        if self._error is not None:
            raise self._error
