"""A proxy on real sockets that spoils replies: delays, drips, stalls, cuts and resets at any byte.

It stands in front of a :class:`~tests.support.server.ScriptedServer`, whose
replies it takes whole and hands on as the plan for each request wants it.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

How = Literal["none", "close", "reset", "stall", "drip", "jitter"]
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Fault:
    """What happens to one reply.

    Attributes:
        how: ``close``, ``reset`` or ``stall`` end it at ``at``; ``drip`` sends its first
            bytes one by one; ``jitter`` sends all of it in pieces of random size and pace.
        at: where: before anything is ``sent``, in the ``head``, or at a part of the body.
        answer: sent instead of the reply.
        delay_s: before anything else.
        drip_s: from byte to byte.
        framing: how the end of the body is told.
        then: what becomes of the connection after a whole reply.
    """

    how: How = "none"
    at: Literal["sent", "head"] | float = "sent"
    answer: bytes = b""
    delay_s: float = 0.0
    framing: Literal["chunked", "length"] = "chunked"
    then: Literal["keep", "close", "reset_at_next"] = "keep"
    seed: int = 0
    drip_s: float = 0.001


@dataclass(frozen=True)
class Exchange:
    """One request as the plan sees it; ``attempt`` counts (from 1) requests for the same text."""

    path: str
    text: str
    attempt: int


GOOD = Fault()


class FaultProxy:
    """Listens on 127.0.0.1 in a thread of its own.

    Args:
        port: of the server behind it.
        plan: what to do with each request.
    """

    def __init__(self, port: int, plan: Callable[[Exchange], Fault]) -> None:
        self._upstream = port
        self._plan = plan
        self._asked: Counter[tuple[str, str]] = Counter()
        self.exchanges: list[Exchange] = []
        """All requests, in order."""
        self.open_connections = 0
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self._listener.getsockname()[1]
        self._serving: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="fault proxy", daemon=True)
        self._thread.start()

    def url(self, name: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{'/' if name else ''}{name}/v1"

    def attempts(self, path: str) -> dict[str, int]:
        """How often each text was asked for under a path."""
        return {text: n for (where, text), n in self._asked.items() if where.startswith(path)}

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._accept, sock=self._listener)
        )
        self._loop.run_forever()
        server.close()
        for task in self._serving:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._serving, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.open_connections += 1
        try:
            while await self._exchange(reader, writer):
                continue
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or all is over
        finally:
            self.open_connections -= 1
            self._serving.discard(task)
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and what becomes of its reply; whether the connection stays."""
        request = await reader.readuntil(b"\r\n\r\n")
        size = next(
            int(line.split(b":")[1])
            for line in request.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        body = await reader.readexactly(size)
        path, text = request.split()[1].decode(), str(json.loads(body)["input"])
        self._asked[path, text] += 1
        exchange = Exchange(path, text, self._asked[path, text])
        self.exchanges.append(exchange)
        fault = self._plan(exchange)
        await asyncio.sleep(fault.delay_s)
        if fault.answer:
            writer.write(fault.answer)
            await writer.drain()
            return True
        if fault.at == "sent" and fault.how in ("close", "reset", "stall"):
            return await self._end(fault.how, reader, writer)
        head, sound = await self._fetch(request + body)
        if not await self._send(fault, head, sound, reader, writer):
            return False
        if fault.then == "reset_at_next":
            await reader.readuntil(b"\r\n\r\n")
            return await self._end("reset", reader, writer)
        return fault.then == "keep"

    async def _fetch(self, request: bytes) -> tuple[bytes, bytes]:
        """The head without lengths, and the body, of what the server answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        size = next(
            int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length")
        )
        body = await reader.readexactly(size)
        writer.close()
        kept = [line for line in lines if line and not line.lower().startswith(b"content-length")]
        return b"\r\n".join(kept), body

    async def _send(
        self,
        fault: Fault,
        head: bytes,
        sound: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        told = b"Transfer-Encoding: chunked"
        if fault.framing == "length":
            told = b"Content-Length: %d" % len(sound)
        head += b"\r\n" + told + b"\r\n\r\n"
        ends = fault.how in ("close", "reset", "stall")
        if ends and fault.at == "head":
            writer.write(head[: len(head) // 2])
            await writer.drain()
            return await self._end(fault.how, reader, writer)
        end = len(sound)
        if ends and isinstance(fault.at, float):
            # 0 and 1 are the ends; whatever lies between leaves a byte on either side
            inside = min(max(int(fault.at * end), 1), end - 1)
            end = inside if 0 < fault.at < 1 else int(fault.at) * end
        for piece, wait_s in _pieces(fault, head, sound[:end]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(wait_s)
        if ends:
            return await self._end(fault.how, reader, writer)
        writer.write(b"0\r\n\r\n" if fault.framing == "chunked" else b"")
        await writer.drain()
        return True

    async def _end(
        self, how: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if how == "stall":
            await reader.read()  # until the client has had enough
        if how == "reset":
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        return False


def _pieces(fault: Fault, head: bytes, sound: bytes) -> list[tuple[bytes, float]]:
    """What to write, and how long to wait after each."""
    chance = random.Random(fault.seed)
    found: list[tuple[bytes, float]] = [(head, 0.0)]
    if fault.how == "drip":
        found = [(head[at : at + 1], fault.drip_s) for at in range(len(head))]
    start = 0
    while start < len(sound):
        size, wait_s = 4096, 0.0
        if fault.how == "drip" and start < 64:
            size, wait_s = 1, fault.drip_s
        elif fault.how == "jitter":
            size, wait_s = chance.randint(1, 3000), chance.choice([0.0, 0.0, 0.002, 0.02])
        piece = sound[start : start + size]
        start += size
        if fault.framing == "chunked":
            piece = b"%x\r\n%s\r\n" % (len(piece), piece)
        found.append((piece, wait_s))
    return found
