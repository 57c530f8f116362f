"""How many requests are worked on at once, and how many may wait, how long. The others are told to come back."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import Request

from index.errors import YuntuError
from web.request_state import current

WITHIN_S = 2.5  # an answer is to come by then, waiting included; who would wait too long for that is turned away
SHORTEST_WAIT_S = 0.2
_LATEST = 0.2  # weight of the latest turn in what a turn takes
_SLOW = 1.5  # times what a turn takes: many take longer


class Busy(YuntuError):
    """The line is full, or too slow. Nobody gets a weaker answer instead."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("现在问的人太多 (too many questions at once)。", "请过一会儿再试 (try again in a moment)")


class Admission:
    """A line before the routes that search or answer. Who waits in it holds no thread."""

    def __init__(
        self,
        running: int,
        waiting: int,
        changed: Callable[[int, int], None] = lambda running, waiting: None,
        within_s: float = WITHIN_S,
    ) -> None:
        """`changed`: told how many run and wait, whenever that changes."""
        self._places = running + waiting
        self._inside = self._at_work = 0
        self._running = asyncio.Semaphore(running)
        self._changed = changed
        self._within_s = within_s
        self._takes_s = 0.0  # a turn, lately

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a turn and keeps it. Raises: Busy."""
        began = time.monotonic()
        if self._inside >= self._places:
            raise Busy
        self._count(inside=1)
        try:
            try:
                await asyncio.wait_for(
                    self._running.acquire(), max(SHORTEST_WAIT_S, self._within_s - _SLOW * self._takes_s)
                )
            except asyncio.TimeoutError:
                raise Busy from None
            self._count(at_work=1)
            own = time.monotonic()
            current().note(waited_ms=round((own - began) * 1000, 1))
            try:
                yield
            finally:
                self._running.release()
                self._takes_s += _LATEST * (time.monotonic() - own - self._takes_s)
                self._count(at_work=-1)
        finally:
            self._count(inside=-1)

    def _count(self, inside: int = 0, at_work: int = 0) -> None:
        self._inside += inside
        self._at_work += at_work
        self._changed(self._at_work, self._inside - self._at_work)

    async def always(self) -> AsyncIterator[None]:
        """A dependency: the request has its turn until its response has been sent."""
        async with self.turn():
            yield

    async def if_asked(self, request: Request) -> AsyncIterator[None]:
        """The same for the page that answers when its address holds a question, and else needs no turn."""
        if not request.query_params.get("q", "").strip():
            yield
            return
        async with self.turn():
            yield
