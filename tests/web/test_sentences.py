"""A sentence that is sure goes out while the next is still being written."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator

import pytest
from sse_starlette import ServerSentEvent

from rag.progress import say
from web.stream import event, events

pytestmark = pytest.mark.alone


def test_a_sure_sentence_is_sent_before_the_answer_is_whole() -> None:
    said_at: list[float] = []

    def work() -> str:
        said_at.append(time.monotonic())
        say("甲占49.2%[1]。")
        time.sleep(0.4)
        return "whole"

    async def shown(answer: str) -> AsyncGenerator[ServerSentEvent, None]:
        yield event("answer", answer)

    async def heard() -> list[tuple[str | None, object, float]]:
        sent = events(work, shown, lambda listener: listener)
        return [(one.event, json.loads(one.data), time.monotonic()) async for one in sent]

    first, last = asyncio.run(heard())
    assert first[:2] == ("sentence", {"text": "甲占49.2%[1]。"})
    assert first[2] - said_at[0] < 0.1
    assert last[0] == "answer"
    assert last[2] - first[2] > 0.3
