"""The door for chat clients: POST /v1/chat/completions and GET /v1/models, as OpenAI's clients expect them."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from rag.values import Answer
from web.admission import Admission
from web.asking import Asking
from web.labels import Labels
from web.openai_schema import MODEL, ChatBody, chat_in, checked_model
from web.problems import checked_question
from web.quoting import footnoted
from web.render import recent_turns
from web.request_state import current
from web.service import Service
from web.versions import Versions


def openai_routes(versions: Versions, admission: Admission, asking: Asking) -> APIRouter:
    """`/v1/…`. Not in our own description: its shapes, those of errors too, are OpenAI's."""
    routes = APIRouter(prefix="/v1", include_in_schema=False)
    max_chars = versions.current.max_question_chars
    Served = Annotated[Service, Depends(versions.taken)]  # noqa: N806  a type

    # One handler for both: the text is checked as a whole before any of it is shown, so that what goes wrong still has
    # a status of its own when it is streamed, which is what clients look at before they try again.
    @routes.post("/chat/completions", dependencies=[Depends(admission.always)])
    def chat(body: ChatBody, request: Request, service: Served) -> Response:
        asked = chat_in(body)
        question = checked_question(asked.question, max_chars)
        with asking.within():
            answer = asking.answer(service, question, recent_turns(asked.turns, max_chars), body.lang)
        text = footnoted(answer, Labels(answer.lang), str(request.base_url))
        usage = {
            "prompt_tokens": asked.chars,
            "completion_tokens": len(text),
            "total_tokens": asked.chars + len(text),
        }
        head = {
            "id": f"chatcmpl-{current().id}",
            "created": int(time.time()),
            "model": MODEL,
            "system_fingerprint": answer.index_version,
        }
        if not body.stream:
            return JSONResponse(_whole(head, answer, text, usage))
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        sent = _events(_chunks(head, answer, text, usage if with_usage else None))
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


def _whole(head: dict[str, Any], answer: Answer, text: str, usage: dict[str, int]) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": usage, "yuntu": answer.as_json()}


def _chunks(head: dict[str, Any], answer: Answer, text: str, usage: dict[str, int] | None) -> Iterator[dict[str, Any]]:
    """The answer line by line; the last chunk with a choice holds the whole Answer; one more, if asked for, `usage`."""

    def chunk(delta: dict[str, str], finish: str | None = None, **more: Any) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**head, **kind, "choices": [choice], **more}

    kind = {"object": "chat.completion.chunk", **({} if usage is None else {"usage": None})}
    yield chunk({"role": "assistant", "content": ""})
    for line in text.splitlines(keepends=True):
        yield chunk({"content": line})
    yield chunk({}, "stop", yuntu=answer.as_json())
    if usage is not None:
        yield {**head, **kind, "choices": [], "usage": usage}


async def _events(chunks: Iterator[dict[str, Any]]) -> AsyncIterator[str]:
    for chunk in chunks:
        yield f"data: {json.dumps(chunk)}\n\n"  # in ASCII: no client takes any of it for the end of a line
    yield "data: [DONE]\n\n"
