"""The pages, and what chat.js puts into them: POST /ask (an answer as it comes) and GET /panel/… (a source)."""

from collections.abc import AsyncGenerator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from index.audit import findings, rule_counts
from rag.values import Answer
from web.admission import Admission
from web.api import AskBody, Lang, checked_body
from web.asking import Asking
from web.labels import DEFAULT_LANG
from web.problems import checked_question
from web.render import MAX_TURNS, fragment, page, part, recent_turns, script_of, source_view
from web.service import Service
from web.stream import event, result_of, streamed
from web.versions import VersionGone, Versions

DOCUMENTS_A_PAGE = 200
PANEL_CHARS = 4000  # the panel shows so many characters on either side of the citation; the page shows them all

Asked = Annotated[str, Query(max_length=200)]
Offset = Annotated[int | None, Query()]
Version = Annotated[str | None, Query(alias="v", max_length=80)]
Script = Annotated[Literal["original", "zh-Hans", "zh-Hant"], Query(alias="script")]


def page_routes(versions: Versions, admission: Admission, asking: Asking) -> APIRouter:
    """`/`, `/documents`, `/documents/{doc_id}`, `/coverage`, `/audit` and the fragments."""
    routes = APIRouter(include_in_schema=False)
    max_chars = versions.current.max_question_chars
    Served = Annotated[Service, Depends(versions.taken)]  # noqa: N806  a type
    Body = Annotated[AskBody, Depends(checked_body(max_chars))]  # noqa: N806

    @routes.api_route("/", methods=["GET", "HEAD"], dependencies=[Depends(admission.if_asked)])
    def chat(
        request: Request,
        service: Served,
        q: str = "",
        turn: Annotated[list[str], Query()] = [],  # noqa: B006
        lang: Lang = "auto",
        version: Version = None,
    ) -> HTMLResponse:
        answer, served = None, service
        turns = recent_turns(turn, max_chars)
        gone = False
        suggestions: list[str] = []
        if q.strip():
            try:
                served = versions.at(version, service)
            except VersionGone:  # answered by the index there is, and that is said
                gone = True
            with asking.within():
                answer = asking.answer(served, checked_question(q, max_chars), turns, lang)
                suggestions = asking.further(served, answer, turns)
        shown = lang if lang != "auto" else answer.lang if answer else DEFAULT_LANG
        return page(
            request,
            "chat.html",
            shown,
            answer=answer,
            suggestions=suggestions,
            turns=turns,
            carried=recent_turns([*turns, q], max_chars),
            lang=lang,
            examples=service.examples(),
            max_chars=max_chars,
            max_turns=MAX_TURNS,
            version=service.version,
            asked_version=version if gone else None,
            old_version=served.version if served is not service else None,
        )

    @routes.post("/ask", dependencies=[Depends(admission.always)])
    async def ask(request: Request, body: Body, service: Served) -> EventSourceResponse:
        async def shown(answer: Answer) -> AsyncGenerator[ServerSentEvent, None]:
            about = {"answer": answer, "turns": body.turns, "lang": body.lang, "base": str(request.base_url)}
            yield event("turn", fragment("turn.html", answer.lang, suggestions=[], **about))
            suggestions = await result_of(lambda: asking.further(service, answer, body.turns), asking.checked)
            turns = [*body.turns, answer.question]
            yield event(
                "more",
                fragment(
                    "more.html", answer.lang, suggestions=suggestions, carried=turns, lang=body.lang, answer=answer
                ),
            )

        return streamed(
            lambda: asking.answer(service, body.question, body.turns, body.lang, body.top_k), shown, asking.checked
        )

    @routes.api_route("/documents", methods=["GET", "HEAD"])
    def documents(
        request: Request,
        service: Served,
        page_number: Annotated[int, Query(alias="page", ge=1)] = 1,
        lang: Lang = "auto",
    ) -> HTMLResponse:
        found = service.documents()
        number, last, shown = part(found, page_number, DOCUMENTS_A_PAGE)
        return page(
            request,
            "documents.html",
            lang,
            documents=shown,
            total=len(found),
            number=number,
            last=last,
            query="" if lang in ("auto", DEFAULT_LANG) else f"lang={lang}&",
            version=service.version,
        )

    @routes.api_route("/documents/{doc_id:path}", methods=["GET", "HEAD"])
    def document(
        request: Request,
        doc_id: str,
        service: Served,
        start: Offset = None,
        end: Offset = None,
        lang: Lang = "auto",
        version: Version = None,
        script: Script = "original",
    ) -> Response:
        if not doc_id:
            return RedirectResponse("/documents")
        served = versions.at(version, service)
        found = served.document(doc_id)
        figures = served.figures(subject=None, attribute=None, period=None, doc=doc_id)
        own = [f for f in figures if f["doc"] == doc_id]
        view = source_view(found, served.dropped(doc_id), start, end, figures=own)
        return page(
            request,
            "document.html",
            lang,
            document=found,
            view=view,
            figures=own,
            script=script,
            read=script_of(script),
            version=served.version,
            old_version=served.version if served is not service else None,
        )

    @routes.api_route("/coverage", methods=["GET", "HEAD"])
    def coverage(request: Request, service: Served, subject: Asked = "", lang: Lang = "auto") -> HTMLResponse:
        return page(
            request,
            "coverage.html",
            lang,
            found=service.coverage(subject or None),
            subject=subject,
            version=service.version,
        )

    @routes.api_route("/audit", methods=["GET", "HEAD"])
    def audit(request: Request, service: Served, lang: Lang = "auto") -> HTMLResponse:
        rows = [(d, rule_counts(d, service.dropped(d.doc_id))) for d in service.documents()]
        return page(request, "audit.html", lang, rows=rows, reprints=service.reprints(), version=service.version)

    @routes.api_route("/audit/{doc_id:path}", methods=["GET", "HEAD"])
    def audited(request: Request, doc_id: str, service: Served, lang: Lang = "auto") -> HTMLResponse:
        found = service.document(doc_id)
        return page(
            request,
            "audited.html",
            lang,
            document=found,
            findings=findings(found, sorted(service.dropped(doc_id), key=lambda r: (r.start, r.end))),
            version=service.version,
        )

    @routes.get("/panel/{doc_id:path}")
    def panel(
        doc_id: str,
        start: int,
        end: int,
        service: Served,
        lang: Lang = "auto",
        version: Version = None,
        script: Script = "original",
    ) -> HTMLResponse:
        served = versions.at(version, service)
        found = served.document(doc_id)
        view = source_view(found, served.dropped(doc_id), start, end, around=PANEL_CHARS)
        return HTMLResponse(
            fragment(
                "panel.html",
                lang,
                document=found,
                view=view,
                start=start,
                end=end,
                version=version,
                script=script,
                read=script_of(script),
            )
        )

    return routes
