"""An answer while it is worked on: its stages as they begin, then the answer. Who hangs up ends the work."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from anyio import CancelScope
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from rag.progress import SENTENCE, Listener, told_to
from web.problems import problem_of
from web.request_state import current

T = TypeVar("T")
PING_S = 15
_LOG = logging.getLogger("yuntu.stream")
Checked = Callable[[Listener], Listener]


@dataclass(frozen=True, slots=True)
class Stage:
    """One of rag.progress.STAGES begins; or a SENTENCE is sure."""

    name: str
    question: str  # as it is understood by then; the sentence


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What the work came to."""

    value: T


class _HungUp(Exception):
    """Nobody waits for the answer any more."""


async def stages_of(
    work: Callable[[], T], checked: Checked = lambda listener: listener
) -> AsyncGenerator[Stage | Done[T], None]:
    """Runs `work` in a thread: each Stage as it begins, then Done.

    `checked` may stop the work where a stage begins.

    Closing the iterator ends the work where its next stage would begin. Raises: what `work` raises.
    """
    loop = asyncio.get_running_loop()
    heard: asyncio.Queue[Stage | None] = asyncio.Queue()
    hung_up = threading.Event()

    def listen(stage: str, question: str) -> None:
        if hung_up.is_set():
            raise _HungUp
        loop.call_soon_threadsafe(heard.put_nowait, Stage(stage, question))

    told = checked(listen)

    def run() -> T:
        with told_to(told):
            return work()

    task = asyncio.create_task(run_in_threadpool(run))

    def done(ended: asyncio.Task[T]) -> None:
        if not ended.cancelled():
            ended.exception()  # taken note of: when nobody waits any more, nobody else does
        heard.put_nowait(None)

    task.add_done_callback(done)
    try:
        while (stage := await heard.get()) is not None:
            yield stage
        yield Done(await task)
    finally:
        hung_up.set()
        with CancelScope(shield=True):  # whoever hung up keeps the turn until the thread is free again
            await asyncio.wait({task})


async def result_of(work: Callable[[], T], checked: Checked = lambda listener: listener) -> T:
    """What `work` returns, run in a thread; it ends at its next stage where nobody waits any more."""
    value: list[T] = []
    async with aclosing(stages_of(work, checked)) as steps:
        async for step in steps:
            if isinstance(step, Done):
                value.append(step.value)
    return value[0]


async def events(
    work: Callable[[], T], shown: Callable[[T], AsyncGenerator[ServerSentEvent, None]], checked: Checked
) -> AsyncGenerator[ServerSentEvent, None]:
    """The events of one answer: `stage` {"stage","question"} each, `sentence` {"text"} as a model writes, then those of
    `shown`; or one `error`.
    """
    try:
        async with aclosing(stages_of(work, checked)) as steps:
            async for step in steps:
                if isinstance(step, Stage) and step.name == SENTENCE:
                    yield event("sentence", {"text": step.question})
                    continue
                if isinstance(step, Stage):
                    yield event("stage", {"stage": step.name, "question": step.question})
                    continue
                async with aclosing(shown(step.value)) as further:
                    async for one in further:
                        yield one
    except Exception as e:
        problem = problem_of(e)
        current().note(refused_by=problem.code)
        if problem.status == 500:
            _LOG.error("crash", exc_info=e, extra={"id": current().id})
        yield event("error", problem.as_json())


def event(name: str, data: Any) -> ServerSentEvent:
    """One event; `data` goes out as JSON."""
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), event=name, sep="\n")


def streamed(
    work: Callable[[], T],
    shown: Callable[[T], AsyncGenerator[ServerSentEvent, None]],
    checked: Checked = lambda listener: listener,
) -> EventSourceResponse:
    """The response that sends `events(work, shown)`, with a ping when nothing else is sent for a while."""
    sent = events(work, shown, checked)
    return EventSourceResponse(sent, ping=PING_S, sep="\n", headers={"Cache-Control": "no-store"})
