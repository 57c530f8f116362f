"""MCP over HTTP at /mcp: each request stands alone, so there are no sessions to keep, and none to exhaust."""

from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from web.admission import Admission
from web.asking import Asking
from web.versions import Versions

if TYPE_CHECKING:
    from mcp.server import Server


def mcp_routes(versions: Versions, admission: Admission, asking: Asking) -> APIRouter:
    """`POST /mcp`. Not in our own description: the protocol has its own."""
    routes = APIRouter()

    @cache
    def server() -> "Server[Any]":
        from web.mcp_server import build  # takes a second, which whoever asks first waits for

        built = build(versions, admission, asking)
        built.streamable_http_app()  # makes the manager that names what is beneath
        return built.session_manager.app

    @routes.post("/mcp", include_in_schema=False)
    async def mcp() -> Response:
        return _Exchange(await run_in_threadpool(server))

    return routes


class _Exchange(Response):
    """The response to one message, written by the protocol's own implementation."""

    def __init__(self, server: "Server[Any]") -> None:
        super().__init__()
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        # Host and Origin were looked at on the way in (web.access), and the body's size (web.guard).
        manager = StreamableHTTPSessionManager(self._server, stateless=True, json_response=True)
        async with manager.run():
            await manager.handle_request(scope, receive, send)
