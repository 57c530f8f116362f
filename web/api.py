"""The JSON routes: request → service → the same values as JSON."""

import datetime
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from index.values import Document, Hit
from rag.ledger import FIELDS
from rag.values import Answer
from web import feedback
from web.admission import Admission
from web.asking import Asking
from web.description import ANYWHERE, also, errors
from web.exports.conversation import asked_through
from web.exports.forms import CSV, DOCX, JSON, MEDIA_TYPES, XLSX, attached, exported, preferred
from web.problems import checked_question
from web.render import MAX_TURNS, recent_turns
from web.service import Service
from web.spreadsheet import as_csv, as_xlsx
from web.stream import event, result_of, streamed
from web.versions import Versions

Lang = Literal["auto", "zh-Hans", "zh-Hant", "en"]
TopK = Annotated[int, Field(ge=1, le=50)]
Accept = Annotated[str, Header(include_in_schema=False)]


def _encodable(text: str) -> str:
    """`text`, unless it holds half a surrogate pair: JSON can spell one, and no answer could repeat it in UTF-8."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("half a surrogate pair")
    return text


Words = Annotated[str, AfterValidator(_encodable)]


class Turn(BaseModel):
    """An earlier question of the conversation."""

    question: Words


class AskBody(BaseModel):
    """What POST /api/ask, /api/ask/stream and /ask take."""

    question: Words
    history: list[Turn] = []
    lang: Lang = "auto"
    top_k: TopK | None = None

    @property
    def turns(self) -> list[str]:
        """The earlier questions."""
        return [turn.question for turn in self.history]


class SearchBody(BaseModel):
    """What POST /api/search takes."""

    query: Words
    top_k: TopK = 10


class FeedbackBody(BaseModel):
    """What POST /api/feedback takes: an answer is known by its question and index version."""

    verdict: Literal["up", "down"]
    question: Words
    history: list[Turn] = []
    lang: Lang = "auto"
    index_version: Annotated[Words, Field(max_length=80)] = ""
    note: Annotated[Words, Field(max_length=2000)] = ""


def checked_body(max_chars: int) -> Callable[[AskBody], Awaitable[AskBody]]:
    """A dependency: the body of a question that may be asked; what may not is turned away before anything streams."""

    async def checked(body: AskBody) -> AskBody:
        checked_question(body.question, max_chars)
        return body

    return checked


def api_routes(versions: Versions, feedback_file: Path | None, admission: Admission, asking: Asking) -> APIRouter:
    """`/api/…`. `feedback_file`: None turns feedback away."""
    routes = APIRouter(responses=errors(*ANYWHERE))
    max_chars = versions.current.max_question_chars
    Served = Annotated[Service, Depends(versions.taken)]  # noqa: N806  a type
    Asked = Annotated[AskBody, Depends(checked_body(max_chars))]  # noqa: N806

    @routes.post(
        "/api/ask", dependencies=[Depends(admission.always)], responses=also("text/markdown", DOCX), response_model=None
    )
    def ask(request: Request, body: Asked, service: Served, accept: Accept = "") -> dict[str, Any] | Response:
        def answered(question: str, turns: Sequence[str]) -> Answer:
            return asking.answer(service, question, turns, body.lang, body.top_k)

        wanted = preferred(accept, [JSON, "text/markdown", DOCX])
        with asking.within():
            if wanted == JSON:
                return answered(body.question, body.turns).as_json()
            answers = asked_through(answered, body.question, recent_turns(body.turns, max_chars))
        form = next(form for form, kind in MEDIA_TYPES.items() if kind == wanted)
        file = exported(answers, form, str(request.base_url))
        return Response(file.content, media_type=file.media_type)

    @routes.post(
        "/api/ask/stream",
        dependencies=[Depends(admission.always)],
        response_class=StreamingResponse,
        responses=also("text/event-stream"),
    )
    async def ask_stream(body: Asked, service: Served) -> EventSourceResponse:
        async def shown(answer: Answer) -> AsyncGenerator[ServerSentEvent, None]:
            for line in answer.text.splitlines(keepends=True):
                yield event("text", {"text": line})
            yield event("answer", answer.as_json())
            suggestions = await result_of(lambda: asking.further(service, answer, body.turns), asking.checked)
            yield event("suggestions", {"questions": suggestions})

        return streamed(
            lambda: asking.answer(service, body.question, body.turns, body.lang, body.top_k), shown, asking.checked
        )

    @routes.post("/api/feedback", status_code=201, responses=errors(507))
    def give_feedback(body: FeedbackBody) -> dict[str, str]:
        if feedback_file is None:
            raise feedback.FeedbackLost("这里不收意见 (feedback is not kept here)。")
        checked_question(body.question, max_chars)
        at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        turns = [turn.question for turn in body.history][-MAX_TURNS:]
        feedback.write(feedback_file, {"at": at, **body.model_dump(exclude={"history"}), "turns": turns})
        return {"status": "kept"}

    @routes.get("/api/search", dependencies=[Depends(admission.always)])
    def search_by_address(q: str, service: Served, top_k: Annotated[int, Query(ge=1, le=50)] = 10) -> dict[str, Any]:
        return search(SearchBody(query=q, top_k=top_k), service)

    @routes.post("/api/search", dependencies=[Depends(admission.always)])
    def search(body: SearchBody, service: Served) -> dict[str, Any]:
        query = checked_question(body.query, max_chars)
        with asking.within():
            hits = service.search(query, body.top_k)
        return {"query": query, "index_version": service.version, "hits": [_hit(hit) for hit in hits]}

    @routes.get("/api/documents")
    def documents(service: Served) -> dict[str, Any]:
        found = service.documents()
        return {"index_version": service.version, "documents": [_fields(document) for document in found]}

    @routes.get("/api/documents/{doc_id:path}", responses=errors(404))
    def document(doc_id: str, service: Served) -> dict[str, Any]:
        found = service.document(doc_id)
        dropped = sorted(service.dropped(doc_id), key=lambda span: (span.start, span.end))
        return {**_fields(found), "text": found.text, "dropped": [asdict(span) for span in dropped]}

    @routes.get("/api/figures", responses=also(CSV, XLSX))
    def figures(
        service: Served,
        subject: str | None = None,
        attribute: str | None = None,
        period: str | None = None,
        document: str | None = None,
        format: Literal["json", "csv", "xlsx"] | None = None,
        accept: Accept = "",
    ) -> Any:
        rows = service.figures(subject=subject, attribute=attribute, period=period, doc=document)
        kind = {"json": JSON, "csv": CSV, "xlsx": XLSX}[format] if format else preferred(accept, [JSON, CSV, XLSX])
        if kind == CSV:
            return Response(as_csv(rows, FIELDS), media_type="text/csv; charset=utf-8")
        if kind == XLSX:
            return Response(as_xlsx(rows, FIELDS), media_type=XLSX, headers=attached("figures.xlsx"))
        return {"index_version": service.version, "figures": rows}

    return routes


def _fields(document: Document) -> dict[str, Any]:
    fields = asdict(document)
    del fields["text"]
    return {**fields, "chars": len(document.text)}


def _hit(hit: Hit) -> dict[str, Any]:
    names = ("passage_id", "doc_id", "start", "end", "heading", "text")
    passage = {name: getattr(hit.passage, name) for name in names}
    return {"passage": passage, "score": hit.score, "dense": hit.dense, "lexical": hit.lexical}
