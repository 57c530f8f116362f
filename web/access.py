"""Who may come in: addressed to us, from our own page, with a key where keys are asked for, and not too often."""

import base64
import binascii
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from web.addresses import host_of, is_allowed, is_embedded_elsewhere, is_from_here, is_same_origin, one_client
from web.keys import Keys, KeysUnreadable
from web.problems import Problem, respond
from web.rates import Rate
from web.request_state import current

PUBLIC = ("/healthz", "/readyz")
ADMIN = ("/admin/", "/metrics")
PROGRAMS = ("/api/", "/v1/", "/mcp", *ADMIN)  # who calls these is no browser, and is not asked for a password
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
GUESSES_A_MINUTE = 10  # wrong keys from one address; then it waits, with the right one too
_LOG = logging.getLogger("yuntu.access")


@dataclass(frozen=True, slots=True)
class Policy:
    """What is asked of a request. The default lets everybody in: for tests, and behind a door of one's own."""

    keys: Keys | None = None  # None: there are none
    open: bool = False  # who asks needs none; whoever administers from elsewhere does
    proxied: bool = False  # others' requests come through proxies of this machine too: nobody is known to sit at it
    hosts: frozenset[str] | None = None  # names we are known by, beside this machine's own; None: not checked
    rate: int = 0  # requests a minute for one key, or one address without a key; 0: as many as they like


class Access:
    """Middleware: lets a request through, or answers what stands against it."""

    def __init__(self, app: ASGIApp, policy: Policy) -> None:
        self.app = app
        self._policy = policy
        self._of_addresses, self._of_keys = Rate(policy.rate), Rate(policy.rate)
        self._guesses = Rate(GUESSES_A_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  ASGI
        if scope["type"] == "http" and (refusal := self._refusal(scope)) is not None:
            problem, headers = refusal
            current().note(refused_by=problem.code)
            await respond(Request(scope), problem, headers)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[Problem, Mapping[str, str]] | None:
        headers, path = Headers(scope=scope), scope["path"]
        if "transfer-encoding" in headers and ("content-length" in headers or scope["http_version"] == "1.0"):
            return _TWO_LENGTHS, {"Connection": "close"}
        client = scope["client"][0] if scope.get("client") else None
        if self._policy.hosts is not None:
            host = host_of(headers)
            if host is None or not is_allowed(host, self._policy.hosts):
                return _WRONG_HOST, {}
        if is_embedded_elsewhere(headers) or (scope["method"] not in SAFE_METHODS and not is_same_origin(headers)):
            return _CROSS_ORIGIN, {}
        if path in PUBLIC:
            return None
        addressed_here = self._policy.hosts is None or _is_here(headers)
        here = addressed_here and not self._policy.proxied and is_from_here(client, headers)
        administers = path.startswith(ADMIN)
        if administers and here:
            return None
        if (self._policy.open or self._policy.keys is None) and not administers:
            return None if here else self._too_often(self._of_addresses, one_client(client))
        return self._without_key(headers, client, administers, browser=not path.startswith(PROGRAMS))

    def _without_key(
        self, headers: Headers, client: str | None, administers: bool, *, browser: bool
    ) -> tuple[Problem, Mapping[str, str]] | None:
        address = one_client(client)
        if seconds := self._guesses.wait_s(address):
            return _wait(seconds)
        secret = secret_in(headers)
        try:
            key = self._policy.keys.find(secret) if secret and self._policy.keys is not None else None
        except KeysUnreadable as e:  # the file is damaged: nobody comes in, and the log says why
            _LOG.error("keys", extra={"why": e.message})
            return _NOBODY, {}
        if key is None:
            if secret:
                self._guesses.count(address)
            challenge = 'Basic realm="Yuntu", charset="UTF-8"' if browser else 'Bearer realm="Yuntu"'
            return _NO_KEY, {"WWW-Authenticate": challenge}
        if administers and not key.allows("admin"):
            return _NOT_ADMIN, {}
        current().note(key=key.name)
        return self._too_often(self._of_keys, key.name)

    def _too_often(self, rate: Rate, who: str) -> tuple[Problem, Mapping[str, str]] | None:
        if not self._policy.rate:
            return None
        if seconds := rate.wait_s(who):
            return _wait(seconds)
        rate.count(who)
        return None


def _wait(seconds: float) -> tuple[Problem, Mapping[str, str]]:
    return _TOO_OFTEN, {"Retry-After": str(math.ceil(seconds))}


def secret_in(headers: Headers) -> str | None:
    """The key a request brings: as a bearer token, or as the password (or the name) a browser asks for."""
    found = headers.getlist("authorization")
    if len(found) != 1:
        return None
    scheme, _, rest = found[0].partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return password or name or None


def _is_here(headers: Headers) -> bool:
    host = host_of(headers)
    return host is not None and is_allowed(host, ())


# A proxy before us may believe the other one, and take the rest of the body for somebody else's request.
_TWO_LENGTHS = Problem(
    400,
    "two_lengths",
    "请求说了两种长度 (both Content-Length and Transfer-Encoding)。",
    "请只留一种 (send one of them)。",
)
_NOBODY = Problem(  # without the path of the file: whoever reads this has no key
    503,
    KeysUnreadable.code,
    "钥匙文件读不了 (the keys cannot be read)。",
    "请管理员看日志 (see the server's log)。",
)
_WRONG_HOST = Problem(
    421,
    "wrong_host",
    "请求里的主机名不是这里的 (not addressed to this host)。",
    "要用别的主机名访问,请在服务器上设 YUNTU_HOSTS (name it in YUNTU_HOSTS)。",
)
_CROSS_ORIGIN = Problem(
    403,
    "cross_origin",
    "请求来自别的网站 (the request comes from another site)。",
    "请在本站的页面里问,或不带 Origin 直接调用接口 (ask on our own page, or call the API without Origin)。",
)
_NO_KEY = Problem(
    401,
    "key_needed",
    "需要钥匙 (a key is needed)。",
    "Authorization: Bearer 钥匙;浏览器里填作密码。管理员用 yuntu keys add 发钥匙 (made with yuntu keys add)。",
)
_NOT_ADMIN = Problem(403, "admin_needed", "这把钥匙不能做管理 (no admin key)。", "yuntu keys add NAME --scope admin")
_TOO_OFTEN = Problem(
    429, "too_often", "问得太密了 (too many requests)。", "请按 Retry-After 的秒数等一等 (wait as Retry-After says)。"
)
