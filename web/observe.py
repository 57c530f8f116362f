"""Around every request: a number it is known by, one log line, its measures; and whatever fails is said decently."""

import logging
import re
import secrets
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.metrics import Metrics
from web.problems import problem_of, respond
from web.request_state import RequestState, enter

_LOG = logging.getLogger("yuntu.request")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Observe:
    """Middleware. A client's own X-Request-Id is taken over where it is a plain word."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, log_questions: bool = False) -> None:
        """`log_questions`: the words of a question go into its log line too."""
        self.app = app
        self._metrics = metrics
        self._log_questions = log_questions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  ASGI
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        state = RequestState(given if _ID.fullmatch(given) else secrets.token_hex(8))
        enter(state)
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = state.id
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as e:
            _LOG.error("crash", exc_info=e, extra={"id": state.id})
            if status == 0:
                problem = problem_of(e)
                await respond(Request(scope), problem)(scope, receive, noted)
        finally:
            seconds = time.monotonic() - state.began
            route = _route(scope)
            self._metrics.request(route, status, seconds)
            if "refused_by" in state.notes:
                self._metrics.turned_away(state.notes["refused_by"])
            if not self._log_questions:
                state.notes.pop("question", None)
            _LOG.info("request", extra=_line(scope, state, route, status, seconds))


def _route(scope: MutableMapping[str, Any]) -> str:
    """The route's pattern: a path may hold a question or anything else, and there is no end of paths."""
    route = getattr(scope.get("route"), "path", None)
    if route is None and scope["path"].startswith("/static/"):
        route = "/static"
    return f"{scope['method'] if scope['method'] in _METHODS else '?'} {route or '-'}"


def _line(
    scope: MutableMapping[str, Any], state: RequestState, route: str, status: int, seconds: float
) -> dict[str, Any]:
    client = scope["client"][0] if scope.get("client") else None
    # status 0: whoever asked was gone before an answer began
    return {
        "id": state.id,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "client": client,
        **state.notes,
    }
