"""How many requests are worked on at once, and how many may wait. The others are told to come back, at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from index.errors import YuntuError


class Busy(YuntuError):
    """The line is full. Nobody gets a weaker answer instead."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("现在问的人太多 (too many questions at once)。", "请过一会儿再试 (try again in a moment)")


class Admission:
    """A line before the routes that search or answer. Who waits in it holds no thread."""

    def __init__(self, running: int, waiting: int) -> None:
        self._places = running + waiting
        self._inside = 0
        self._running = asyncio.Semaphore(running)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a turn and keeps it. Raises: Busy."""
        if self._inside >= self._places:
            raise Busy
        self._inside += 1
        try:
            async with self._running:
                yield
        finally:
            self._inside -= 1

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
