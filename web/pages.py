"""The pages, and the two fragments that chat.js puts into them: /ask (one turn) and /panel/… (a source)."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from index.audit import findings, rule_counts
from web.api import AskBody, Lang
from web.labels import DEFAULT_LANG
from web.problems import checked_question
from web.render import MAX_TURNS, page, recent_turns, source_view
from web.service import Service

DOCUMENTS_A_PAGE = 200
PANEL_CHARS = 4000  # the panel shows so many characters on either side of the citation; the page shows them all

Offset = Annotated[int | None, Query()]


def page_routes(service: Service) -> APIRouter:
    """`/`, `/documents`, `/documents/{doc_id}` and the fragments."""
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/", methods=["GET", "HEAD"])
    def chat(q: str = "", turn: Annotated[list[str], Query()] = [], lang: Lang = "auto") -> HTMLResponse:  # noqa: B006
        answer, limit = None, service.max_question_chars
        turns = recent_turns(turn, limit)
        if q.strip():
            answer = service.ask(checked_question(q, limit), turns, lang)
        shown = lang if lang != "auto" else answer.lang if answer else DEFAULT_LANG
        return page(
            "chat.html",
            shown,
            answer=answer,
            turns=turns,
            carried=recent_turns([*turns, q], limit),
            lang=lang,
            examples=service.examples(),
            max_chars=limit,
            max_turns=MAX_TURNS,
            version=service.version,
        )

    @routes.post("/ask")
    def ask(body: AskBody) -> HTMLResponse:
        question = checked_question(body.question, service.max_question_chars)
        answer = service.ask(question, [turn.question for turn in body.history], body.lang, body.top_k)
        return page("turn.html", answer.lang, answer=answer)

    @routes.api_route("/documents", methods=["GET", "HEAD"])
    def documents(page_number: Annotated[int, Query(alias="page", ge=1)] = 1, lang: Lang = "auto") -> HTMLResponse:
        found = service.documents()
        last = max(1, -(-len(found) // DOCUMENTS_A_PAGE))
        number = min(page_number, last)
        shown = found[(number - 1) * DOCUMENTS_A_PAGE : number * DOCUMENTS_A_PAGE]
        return page(
            "documents.html", lang, documents=shown, total=len(found), number=number, last=last, version=service.version
        )

    @routes.api_route("/documents/{doc_id:path}", methods=["GET", "HEAD"])
    def document(doc_id: str, start: Offset = None, end: Offset = None, lang: Lang = "auto") -> Response:
        if not doc_id:
            return RedirectResponse("/documents")
        found = service.document(doc_id)
        view = source_view(found, service.dropped(doc_id), start, end)
        return page("document.html", lang, document=found, view=view, version=service.version)

    @routes.api_route("/audit", methods=["GET", "HEAD"])
    def audit(lang: Lang = "auto") -> HTMLResponse:
        rows = [(d, rule_counts(d, service.dropped(d.doc_id))) for d in service.documents()]
        return page("audit.html", lang, rows=rows, reprints=service.reprints(), version=service.version)

    @routes.api_route("/audit/{doc_id:path}", methods=["GET", "HEAD"])
    def audited(doc_id: str, lang: Lang = "auto") -> HTMLResponse:
        found = service.document(doc_id)
        return page(
            "audited.html",
            lang,
            document=found,
            findings=findings(found, sorted(service.dropped(doc_id), key=lambda r: (r.start, r.end))),
            version=service.version,
        )

    @routes.get("/panel/{doc_id:path}")
    def panel(doc_id: str, start: int, end: int, lang: Lang = "auto") -> HTMLResponse:
        found = service.document(doc_id)
        view = source_view(found, service.dropped(doc_id), start, end, around=PANEL_CHARS)
        return page("panel.html", lang, document=found, view=view, start=start, end=end)

    return routes
