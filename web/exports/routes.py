"""GET /api/export: a question, with those before it, as a file."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from web.admission import Admission
from web.api import Lang
from web.asking import Asking
from web.description import ANYWHERE, also, errors
from web.exports.conversation import asked_through
from web.exports.forms import MEDIA_TYPES, Form, exported
from web.problems import checked_question
from web.render import recent_turns
from web.service import Service
from web.versions import Versions


def export_routes(versions: Versions, admission: Admission, asking: Asking) -> APIRouter:
    """The download that the page's links lead to."""
    routes = APIRouter(responses=errors(*ANYWHERE))
    max_chars = versions.current.max_question_chars
    Served = Annotated[Service, Depends(versions.taken)]  # noqa: N806  a type

    @routes.get(
        "/api/export",
        dependencies=[Depends(admission.always)],
        response_class=Response,
        responses=also(*MEDIA_TYPES.values()) | errors(410),
    )
    def export(
        request: Request,
        service: Served,
        q: str,
        turn: Annotated[list[str], Query()] = [],  # noqa: B006
        lang: Lang = "auto",
        version: Annotated[str | None, Query(alias="v", max_length=80)] = None,
        form: Annotated[Form, Query(alias="format")] = "docx",
    ) -> Response:
        question = checked_question(q, max_chars)
        served = versions.at(version, service)
        with asking.within():
            answers = asked_through(
                lambda one, before: asking.answer(served, one, before, lang), question, recent_turns(turn, max_chars)
            )
        file = exported(answers, form, str(request.base_url))
        return Response(file.content, media_type=file.media_type, headers=file.headers)

    return routes
