"""The HTTP door: `create_app(service)` puts routes, guards and error handlers together."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from index.cores import cores
from web.access import Access, Policy
from web.admission import Admission
from web.api import api_routes
from web.asking import Asking
from web.exports.routes import export_routes
from web.guard import BodyLimit, SecurityHeaders
from web.health import health_routes
from web.market import market_routes
from web.mcp_http import mcp_routes
from web.metrics import Metrics
from web.observe import Observe
from web.openai_api import openai_routes
from web.pages import page_routes
from web.problems import handle_problems
from web.render import STATIC
from web.service import Service
from web.versions import Versions

MAX_BODY_BYTES = 64 * 1024
LARGER = {"/v1/chat/completions": 1024 * 1024}  # chat clients send the whole conversation each time, our answers too
SPARE = 1  # answers begun beyond the cores: while one waits for the network's turn, another is written


def create_app(
    service: Service | Versions,
    *,
    reopen: Callable[[str], Service] | None = None,
    reload: Callable[[], dict[str, Any]] | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
    feedback: Path | None = None,
    queue: int = 32,
    deadline_s: float = 20.0,
    policy: Policy = Policy(),  # noqa: B008  frozen
    metrics: Metrics | None = None,
    log_questions: bool = False,
) -> FastAPI:
    """An application that serves `service`; handlers only translate, and run in threads of their own.

    Args:
        service: one index, or what is served now and may be another one by the next request.
        reopen: opens an older version of the index, for links that name one; None: such links are gone.
        reload: looks for a newer version and switches to it.
        lifespan: what runs beside the application.
        feedback: the file that feedback is added to; None: it is turned away.
        queue: questions that may wait; more are turned away with 503.
        deadline_s: seconds after which a question is given up, counted from when it came in.
        policy: who is let in.
        log_questions: the words of questions go into the log.
    """
    versions = service if isinstance(service, Versions) else Versions(service, reopen)
    metrics = metrics or Metrics()
    limit = versions.current.max_question_chars
    # FastAPI's own /docs page loads its scripts from elsewhere, so only the description itself is served.
    app = FastAPI(
        title="云图问答 Yuntu", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json", lifespan=lifespan
    )
    admission = Admission(cores() + SPARE, queue, metrics.line)
    asking = Asking(metrics, deadline_s)
    app.include_router(api_routes(versions, feedback, admission, asking))
    app.include_router(export_routes(versions, admission, asking))
    app.include_router(openai_routes(versions, admission, asking))
    app.include_router(mcp_routes(versions, admission, asking))
    app.include_router(page_routes(versions, admission, asking))
    app.include_router(market_routes(versions))
    app.include_router(health_routes(versions, metrics, reload))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    handle_problems(app)
    # 12 bytes are the most JSON needs for one character (two \u escapes)
    app.add_middleware(BodyLimit, max_bytes=max(MAX_BODY_BYTES, 12 * limit), max_question_chars=limit, larger=LARGER)
    app.add_middleware(Access, policy=policy)
    app.add_middleware(Observe, metrics=metrics, log_questions=log_questions)
    app.add_middleware(SecurityHeaders)  # added last, so it is outermost and covers what the others answer too
    return app
