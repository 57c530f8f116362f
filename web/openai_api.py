"""The door for chat clients: POST /v1/chat/completions and GET /v1/models, as OpenAI's clients expect them."""

import json
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from index.script import language_of
from rag.progress import SENTENCE
from rag.values import Answer
from web.admission import Admission
from web.asking import Asking
from web.labels import Labels
from web.openai_schema import MODEL, ChatBody, chat_in, checked_model
from web.problems import checked_question, noted
from web.quoting import footnoted
from web.render import recent_turns
from web.request_state import current
from web.service import Service
from web.stream import Checked, Done, result_of, stages_of
from web.versions import Versions


def openai_routes(versions: Versions, admission: Admission, asking: Asking) -> APIRouter:
    """`/v1/…`. Not in our own description: its shapes, those of errors too, are OpenAI's."""
    routes = APIRouter(prefix="/v1", include_in_schema=False)
    max_chars = versions.current.max_question_chars
    Served = Annotated[Service, Depends(versions.taken)]  # noqa: N806  a type

    @routes.post("/chat/completions", dependencies=[Depends(admission.always)])
    async def chat(body: ChatBody, request: Request, service: Served) -> Response:
        asked = chat_in(body)
        question = checked_question(asked.question, max_chars)
        turns = recent_turns(asked.turns, max_chars)

        def answered() -> Answer:
            return asking.answer(service, question, turns, body.lang)

        reply = Reply(f"chatcmpl-{current().id}", int(time.time()), asked.chars, str(request.base_url))
        if not body.stream:
            return JSONResponse(reply.whole(await result_of(answered, asking.checked)))
        # What goes wrong before there is a word to show has a status of its own: clients decide by it to try again.
        told = _told(answered, asking.checked)
        first = await anext(told)
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        sent = _events(reply, first, told, with_usage=with_usage)
        return StreamingResponse(sent, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @routes.get("/models")
    def models(service: Served) -> dict[str, Any]:
        return {"object": "list", "data": [_model(service)]}

    @routes.get("/models/{name:path}")
    def model(name: str, service: Served) -> dict[str, Any]:
        checked_model(name)
        return _model(service)

    return routes


def _model(service: Service) -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": int(service.built_at), "owned_by": MODEL}


@dataclass(frozen=True, slots=True)
class Reply:
    """What all the parts of one reply share."""

    id: str
    created: int
    chars: int  # of what was read
    base: str  # our own address

    def whole(self, answer: Answer) -> dict[str, Any]:
        """The reply in one piece."""
        text = self.text(answer)
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        more = {"usage": self.usage(text), "yuntu": answer.as_json(), "system_fingerprint": answer.index_version}
        return {**self._head("chat.completion"), "choices": [choice], **more}

    def chunk(self, delta: dict[str, str], finish: str | None = None, **more: Any) -> dict[str, Any]:
        """A piece of the reply."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head("chat.completion.chunk"), "choices": [choice], **more}

    def last(self, text: str) -> dict[str, Any]:
        """The piece that only counts."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage(text)}

    def text(self, answer: Answer) -> str:
        """What is read: the answer and its footnotes."""
        return footnoted(answer, Labels(answer.lang), self.base)

    def usage(self, text: str) -> dict[str, int]:
        """Characters: there are no tokens to pay for."""
        counts = {"prompt_tokens": self.chars, "completion_tokens": len(text)}
        return {**counts, "total_tokens": sum(counts.values())}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": MODEL}


async def _told(work: Callable[[], Answer], checked: Checked) -> AsyncGenerator[str | Answer, None]:
    """The sentences that are sure before the answer is whole, where somebody writes them one by one; the answer."""
    async with aclosing(stages_of(work, checked)) as steps:
        async for step in steps:
            if isinstance(step, Done):
                yield step.value
            elif step.name == SENTENCE:
                yield step.question


async def _events(
    reply: Reply, first: str | Answer, told: AsyncGenerator[str | Answer, None], *, with_usage: bool
) -> AsyncGenerator[str, None]:
    """The chunks; the last one with a choice holds the whole Answer, one more, if asked for, what it comes to."""
    more = {"usage": None} if with_usage else {}
    shown: list[str] = []
    yield _event(reply.chunk({"role": "assistant", "content": ""}, **more))
    try:
        async with aclosing(told):
            said = first
            while isinstance(said, str):
                gap = " " if shown and language_of(said) == "en" else ""
                shown.append(said)
                yield _event(reply.chunk({"content": gap + said}, **more))
                said = await anext(told)
    except Exception as e:
        yield _event(noted(e).as_openai())
        return
    text = reply.text(said)
    for line in _unsaid(text, shown).splitlines(keepends=True):
        yield _event(reply.chunk({"content": line}, **more))
    yield _event(reply.chunk({}, "stop", yuntu=said.as_json(), system_fingerprint=said.index_version, **more))
    if with_usage:
        yield _event(reply.last(text))
    yield "data: [DONE]\n\n"


def _unsaid(text: str, shown: Sequence[str]) -> str:
    """What of the text is still to be shown; all of it where it does not hold what was shown."""
    start = end = text.find(shown[0]) if shown else 0
    for sentence in shown:
        at = text.find(sentence, end)
        if at < 0:
            return f"\n\n{text}"
        end = at + len(sentence)
    before = text[:start].strip()
    return f"\n\n{before}{text[end:]}" if before else text[end:]


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"  # in ASCII: no client takes any of it for the end of a line
