"""An answer while it is worked on: its stages as they begin, then the answer. Who hangs up ends the work."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import ServerSentEvent

from rag.progress import told_to
from web.problems import problem_of

T = TypeVar("T")
_LOG = logging.getLogger("uvicorn.error")


@dataclass(frozen=True, slots=True)
class Stage:
    """One of rag.progress.STAGES begins."""

    name: str
    question: str  # as it is understood by then


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What the work came to."""

    value: T


class _HungUp(Exception):
    """Nobody waits for the answer any more."""


async def stages_of(work: Callable[[], T]) -> AsyncIterator[Stage | Done[T]]:
    """Runs `work` in a thread: each Stage as it begins, then Done.

    Closing the iterator ends the work where its next stage would begin. Raises: what `work` raises.
    """
    loop = asyncio.get_running_loop()
    heard: asyncio.Queue[Stage | None] = asyncio.Queue()
    hung_up = threading.Event()

    def listen(stage: str, question: str) -> None:
        if hung_up.is_set():
            raise _HungUp
        loop.call_soon_threadsafe(heard.put_nowait, Stage(stage, question))

    def run() -> T:
        with told_to(listen):
            return work()

    task = asyncio.create_task(run_in_threadpool(run))
    task.add_done_callback(lambda _: heard.put_nowait(None))
    try:
        while (stage := await heard.get()) is not None:
            yield stage
        yield Done(await task)
    finally:
        hung_up.set()


async def events(
    work: Callable[[], T], shown: Callable[[T], AsyncIterator[ServerSentEvent]]
) -> AsyncIterator[ServerSentEvent]:
    """The events of one answer: `stage` {"stage","question"} each, then those of `shown`; or one `error`."""
    try:
        async for step in stages_of(work):
            if isinstance(step, Stage):
                yield event("stage", {"stage": step.name, "question": step.question})
            else:
                async for further in shown(step.value):
                    yield further
    except Exception as e:
        problem = problem_of(e)
        if problem.status == 500:
            _LOG.exception("answering failed")
        yield event("error", problem.as_json())


def event(name: str, data: Any) -> ServerSentEvent:
    """One event; `data` goes out as JSON."""
    return ServerSentEvent(event=name, data=data)
