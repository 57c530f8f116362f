"""What the API's description says of errors: the same body for all, and what each status is for."""

from typing import Any

from pydantic import BaseModel


class What(BaseModel):
    """One error."""

    code: str
    message: str
    hint: str


class Error(BaseModel):
    """The body of every answer that is an error."""

    error: What


_WHEN = {
    400: "JSON 坏了,或问题是空的 (malformed JSON, or an empty question)",
    401: "没有钥匙,或钥匙不对 (no key, or a wrong one)",
    403: "来自别的网站 (from another site's page)",
    404: "没有这一篇 (no such document)",
    408: "请求发得太慢 (the request came too slowly)",
    410: "这个索引版本已不保留 (this index version is no longer kept)",
    413: "太长 (too long)",
    421: "主机名不是这里的 (not addressed to this host)",
    422: "参数不对 (a parameter is wrong)",
    429: "太密,看 Retry-After (too often, see Retry-After)",
    503: "人太多、来不及、或没有可用的索引 (too many at once, too late, or no index to answer from)",
    507: "意见没有写下 (feedback could not be kept)",
}
ANYWHERE = (400, 401, 403, 408, 413, 421, 422, 429, 503)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route."""
    return {status: {"model": Error, "description": _WHEN[status]} for status in statuses}


def also(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """… where it may answer in another kind than JSON."""
    return {200: {"content": {media_type: {} for media_type in media_types}}}
