"""Around every request: a limit on the body, and headers that keep a browser from running anything but our files."""

import json
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # a question stands in our addresses: it must not travel to a source's site
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # after a rebuild or an upgrade nobody sees the old answer or the old script
}

# A client that is still sending when we answer and hang up sees a broken connection, not our 413. So up to this much
# of an oversized body is read and thrown away first.
_DRAIN_BYTES = 4 * 1024 * 1024


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
    """Answers 413 to a body over `max_bytes`, whether its length is declared or it comes in chunks."""

    def __init__(self, app: ASGIApp, max_bytes: int, max_question_chars: int) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_question_chars = max_question_chars

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  ASGI
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        size, chunks, more = 0, [], not (declared.isdigit() and int(declared) > _DRAIN_BYTES)
        too_large = not more
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            chunk = message.get("body", b"")
            size += len(chunk)
            too_large = size > self.max_bytes
            if not too_large:
                chunks.append(chunk)
            more = message.get("more_body", False) and size <= _DRAIN_BYTES
        if too_large:
            await self._refuse(send)
            return
        body, replayed = b"".join(chunks), False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()  # the next thing to hear is that the client has gone
            replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)

    async def _refuse(self, send: Send) -> None:
        error = {
            "code": "body_too_large",
            "message": f"请求超过 {self.max_bytes // 1024} KB，太长了 (the request is larger than "
            f"{self.max_bytes // 1024} KB)。",
            "hint": f"一个问题最多 {self.max_question_chars} 个字 (a question holds at most "
            f"{self.max_question_chars} characters)。",
        }
        content = json.dumps({"error": error}, ensure_ascii=False).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 413, "headers": [*headers, (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": content})
