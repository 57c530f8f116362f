"""Around every request: a limit on the body, and headers that keep a browser from running anything but our files."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.problems import Problem, respond

PATIENCE_S = 10.0
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # a question stands in our addresses: it must not travel to a source's site
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Cache-Control": "no-cache",  # after a rebuild or an upgrade nobody sees the old answer or the old script
}

# A client that is still sending when we answer and hang up sees a broken connection, not our 413. So up to this much
# of an oversized body is read and thrown away first.
_DRAIN_BYTES = 4 * 1024 * 1024


class _TooLarge(Exception):
    """More than a request may hold."""


class SecurityHeaders:
    """Adds SECURITY_HEADERS to every response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  ASGI
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BodyLimit:
    """Answers 413 to a body over `max_bytes`, declared or in chunks, and 408 to one that is too slow."""

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int,
        max_question_chars: int,
        patience_s: float = PATIENCE_S,
        larger: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """`patience_s`: a body that takes longer to arrive is not waited for; `larger`: path → bytes it may send."""
        self.app = app
        self.max_bytes = max_bytes
        self.larger = larger
        self.max_question_chars = max_question_chars
        self.patience_s = patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  ASGI
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        max_bytes = self.larger.get(scope["path"], self.max_bytes)
        try:
            body = await asyncio.wait_for(self._body(scope, receive, max_bytes), self.patience_s)
        except asyncio.TimeoutError:
            await self._refuse(_TOO_SLOW, scope, receive, send)
            return
        except _TooLarge:
            await self._refuse(self._too_large(max_bytes), scope, receive, send)
            return
        if body is None:
            return
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()  # the next thing to hear is that the client has gone
            replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)

    async def _body(self, scope: Scope, receive: Receive, max_bytes: int) -> bytes | None:
        """The whole body; None when the client has gone. Raises: _TooLarge."""
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > _DRAIN_BYTES:
            raise _TooLarge
        size, chunks, more = 0, [], True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunk = message.get("body", b"")
            size += len(chunk)
            if size <= max_bytes:
                chunks.append(chunk)
            more = message.get("more_body", False) and size <= _DRAIN_BYTES
        if size > max_bytes:
            raise _TooLarge
        return b"".join(chunks)

    async def _refuse(self, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(Request(scope), problem, {"Connection": "close"})(scope, receive, send)

    def _too_large(self, max_bytes: int) -> Problem:
        kb = max_bytes // 1024
        return Problem(
            413,
            "body_too_large",
            f"请求超过 {kb} KB，太长了 (the request is larger than {kb} KB)。",
            f"一个问题最多 {self.max_question_chars} 个字 (a question holds at most {self.max_question_chars} "
            "characters)。",
        )


_TOO_SLOW = Problem(
    408,
    "body_too_slow",
    "请求发得太慢，没有等到 (the request did not arrive in time)。",
    "请检查网络后再试。",
)
