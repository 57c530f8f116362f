"""The JSON routes: request → service → the same values as JSON."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, Field

from index.values import Document, Hit
from rag.ledger import FIELDS
from web.problems import checked_question
from web.service import Service
from web.spreadsheet import as_csv

Lang = Literal["auto", "zh-Hans", "zh-Hant", "en"]
TopK = Annotated[int, Field(ge=1, le=50)]


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
    """What POST /api/ask and POST /ask take."""

    question: Words
    history: list[Turn] = []
    lang: Lang = "auto"
    top_k: TopK | None = None


class SearchBody(BaseModel):
    """What POST /api/search takes."""

    query: Words
    top_k: TopK = 10


def api_routes(service: Service) -> APIRouter:
    """`/api/…` and the two health checks."""
    routes = APIRouter()

    @routes.post("/api/ask")
    def ask(body: AskBody) -> dict[str, Any]:
        question = checked_question(body.question, service.max_question_chars)
        return service.ask(question, [turn.question for turn in body.history], body.lang, body.top_k).as_json()

    @routes.get("/api/search")
    def search_by_address(q: str, top_k: Annotated[int, Query(ge=1, le=50)] = 10) -> dict[str, Any]:
        return search(SearchBody(query=q, top_k=top_k))

    @routes.post("/api/search")
    def search(body: SearchBody) -> dict[str, Any]:
        query = checked_question(body.query, service.max_question_chars)
        hits = service.search(query, body.top_k)
        return {"query": query, "index_version": service.version, "hits": [_hit(hit) for hit in hits]}

    @routes.get("/api/documents")
    def documents() -> dict[str, Any]:
        found = service.documents()
        return {"index_version": service.version, "documents": [_fields(document) for document in found]}

    @routes.get("/api/documents/{doc_id:path}")
    def document(doc_id: str) -> dict[str, Any]:
        found = service.document(doc_id)
        dropped = sorted(service.dropped(doc_id), key=lambda span: (span.start, span.end))
        return {**_fields(found), "text": found.text, "dropped": [asdict(span) for span in dropped]}

    @routes.get("/api/figures")
    def figures(
        subject: str | None = None,
        attribute: str | None = None,
        period: str | None = None,
        document: str | None = None,
        format: Literal["json", "csv"] = "json",
    ) -> Any:
        rows = service.figures(subject=subject, attribute=attribute, period=period, doc=document)
        if format == "csv":
            return Response(as_csv(rows, FIELDS), media_type="text/csv; charset=utf-8")
        return {"index_version": service.version, "figures": rows}

    @routes.api_route("/healthz", methods=["GET", "HEAD"], include_in_schema=False)
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @routes.api_route("/readyz", methods=["GET", "HEAD"], include_in_schema=False)
    def readyz() -> dict[str, str]:
        return {"status": "ready", "index_version": service.version}

    return routes


def _fields(document: Document) -> dict[str, Any]:
    fields = asdict(document)
    del fields["text"]
    return {**fields, "chars": len(document.text)}


def _hit(hit: Hit) -> dict[str, Any]:
    names = ("passage_id", "doc_id", "start", "end", "heading", "text")
    passage = {name: getattr(hit.passage, name) for name in names}
    return {"passage": passage, "score": hit.score, "dense": hit.dense, "lexical": hit.lexical}
