"""The HTTP door: `create_app(service)` puts routes, guards and error handlers together."""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from index.cores import cores
from web.admission import Admission
from web.api import api_routes
from web.guard import BodyLimit, SecurityHeaders
from web.market import market_routes
from web.pages import page_routes
from web.problems import handle_problems
from web.render import STATIC
from web.service import Service
from web.versions import Versions

MAX_BODY_BYTES = 64 * 1024
SPARE = 1  # answers begun beyond the cores: while one waits for the network's turn, another is written


def create_app(
    service: Service,
    *,
    reopen: Callable[[str], Service] | None = None,
    feedback: Path | None = None,
    queue: int = 32,
) -> FastAPI:
    """An application that serves `service`; handlers only translate, and run in threads of their own.

    Args:
        reopen: opens an older version of the index, for links that name one; None: such links are gone.
        feedback: the file that feedback is added to; None: it is turned away.
        queue: questions that may wait; more are turned away with 503.
    """
    limit = service.max_question_chars
    # FastAPI's own /docs page loads its scripts from elsewhere, so only the description itself is served.
    app = FastAPI(title="云图问答 Yuntu", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    admission = Admission(cores() + SPARE, queue)
    app.include_router(api_routes(service, feedback, admission))
    app.include_router(page_routes(Versions(service, reopen), admission))
    app.include_router(market_routes(service))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    handle_problems(app)
    # 12 bytes are the most JSON needs for one character (two \u escapes)
    app.add_middleware(BodyLimit, max_bytes=max(MAX_BODY_BYTES, 12 * limit), max_question_chars=limit)
    app.add_middleware(SecurityHeaders)  # added last, so it is outermost and covers the 413 too
    return app
