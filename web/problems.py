"""What went wrong → a status and {"error": {"code", "message", "hint"}}, or the same on a page. Never a stack trace."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from index.errors import (
    BadQuestion,
    DocumentMissing,
    EncoderUnavailable,
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    IndexUnverified,
    StoreRefused,
    StoreUnavailable,
    StoreUnfit,
    YuntuError,
)
from web.admission import Busy
from web.asking import Late
from web.feedback import FeedbackLost
from web.keys import KeysUnreadable
from web.render import page
from web.request_state import current
from web.versions import VersionGone

_LOG = logging.getLogger("yuntu.problem")
RETRY_S = "1"
OPENAI = "/v1/"  # below it, errors have the shape of OpenAI's
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class QuestionTooLong(BadQuestion):
    """Longer than the door lets in."""

    code = "question_too_long"

    def __init__(self, chars: int, limit: int) -> None:
        super().__init__(
            f"问题有 {chars} 个字，最多 {limit} 个 (question too long: {chars} characters, at most {limit})。",
            "请缩短问题，一次问一件事 (shorten it and ask one thing at a time)。",
        )


class QuestionEmpty(BadQuestion):
    """Nothing but white space."""

    def __init__(self) -> None:
        super().__init__("问题是空的 (the question is empty)。", "请写下想问的内容 (write what you want to know)。")


class BadParameter(BadQuestion):
    """One field of a request holds what cannot be read, or asks for what is not done here."""

    def __init__(self, param: str, message: str, hint: str, code: str = "unsupported_parameter") -> None:
        super().__init__(f"{param}: {message}", hint)
        self.param = param
        self.code = code


class ModelMissing(YuntuError):
    """A request names a model that is not ours."""

    code = "model_not_found"
    param = "model"

    def __init__(self, name: str, ours: str) -> None:
        super().__init__(f"没有模型 {name[:40]!r} (no such model)。", f"模型名写 {ours} (the model is {ours})。")


class ChartMissing(YuntuError):
    """No chart with that id: the board changes with the index."""

    code = "chart_missing"

    def __init__(self) -> None:
        super().__init__(
            "没有这张图 (no such chart)。", "图随索引而变，请回到 /market (charts change with the index: see /market)。"
        )


class FontMissing(YuntuError):
    """The server cannot write Chinese into a picture."""

    code = "font_missing"

    def __init__(self) -> None:
        super().__init__(
            "服务器没有中文字体，画不出 PNG (the server has no Chinese font)。",
            "请运行: apt-get install fonts-noto-cjk，再重启；SVG 不受影响 (then restart; SVG works without)。",
        )


STATUS: dict[type[YuntuError], int] = {  # the first that fits; any other YuntuError is 500
    QuestionTooLong: 413,
    BadQuestion: 400,
    DocumentMissing: 404,
    ModelMissing: 404,
    VersionGone: 410,
    FeedbackLost: 507,
    ChartMissing: 404,
    FontMissing: 503,
    IndexMissing: 503,
    IndexDamaged: 503,
    IndexMismatch: 503,
    IndexBusy: 503,
    Busy: 503,
    Late: 503,
    EncoderUnavailable: 503,
    IndexUnverified: 503,
    StoreUnavailable: 503,
    StoreRefused: 503,
    StoreUnfit: 503,
    KeysUnreadable: 503,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One error as it goes out."""

    status: int
    code: str
    message: str
    hint: str = ""
    param: str | None = None  # the field that is wrong, where it is one

    def as_json(self) -> dict[str, dict[str, str]]:
        """The JSON body."""
        return {"error": {"code": self.code, "message": self.message, "hint": self.hint}}

    def as_openai(self) -> dict[str, dict[str, str | None]]:
        """The JSON body in the shape that OpenAI's clients read; they show `message` alone, so the hint is in it."""
        kind = "server_error" if self.status >= 500 else _OPENAI_TYPES.get(self.status, "invalid_request_error")
        message = f"{self.message} {self.hint}".strip()
        error = {"message": message, "type": kind, "param": self.param, "code": self.code, "hint": self.hint}
        return {"error": error}


def checked_question(question: str, limit: int) -> str:
    """`question` as it is, if it may be asked.

    Raises: QuestionEmpty, QuestionTooLong.
    """
    if not question.strip():
        raise QuestionEmpty
    if len(question) > limit:
        raise QuestionTooLong(len(question), limit)
    return question


def handle_problems(app: FastAPI) -> None:
    """Registers the handlers below, none of which takes a thread; what nobody expected is seen to by web.observe."""
    app.add_exception_handler(YuntuError, _yuntu)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def problem_of(error: Exception) -> Problem:
    """What is said of an error; of one that nobody expected, only that there was one."""
    if not isinstance(error, YuntuError):
        hint = "细节在服务器日志里 (details are in the server's log)。"
        return Problem(500, "internal_error", "服务内部出错 (internal error)。", hint)
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)
    return Problem(status, error.code, error.message, error.hint, getattr(error, "param", None))


def noted(error: Exception) -> Problem:
    """The same, noted for the log: where an error has no handler, being told inside what was well received."""
    problem = problem_of(error)
    current().note(refused_by=problem.code)
    if problem.status == 500:
        _LOG.error("crash", exc_info=error, extra={"id": current().id})
    return problem


async def _yuntu(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    current().note(refused_by=problem.code)
    return respond(
        request, problem, {"Retry-After": RETRY_S} if isinstance(error, (Busy, Late, StoreUnavailable)) else None
    )


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        hint = '请发送 JSON 对象，例如 {"question": "…"} (send a JSON object)'
        return respond(request, Problem(400, "bad_json", "请求不是合法的 JSON (malformed JSON)。", hint))
    if request.url.path.startswith(OPENAI):
        return respond(request, _invalid_openai(first["loc"], first["msg"]))
    where = ".".join(str(part) for part in first["loc"])  # the input itself is not repeated: it may be long or hostile
    hint = 'POST 时用 Content-Type: application/json，例如 {"question": "…"}' if request.method == "POST" else ""
    return respond(request, Problem(422, "bad_request", f"参数不对 (bad parameter): {where}: {first['msg']}。", hint))


def _invalid_openai(where: Sequence[str | int], why: str) -> Problem:
    """The same where OpenAI's clients look: 400, and the field as one writes it, without which kind of it was tried."""
    field = ""
    for part in where[1:]:  # the first says that it is the body
        if isinstance(part, str) and not part.isidentifier():
            break
        field += f"[{part}]" if isinstance(part, int) else f".{part}" if field else part
    hint = '例如 {"model": "yuntu", "messages": [{"role": "user", "content": "…"}]}'
    return Problem(400, "invalid_value", f"参数不对 (bad parameter): {field or 'body'}: {why}。", hint, field or None)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message, hint = {
        400: ("看不懂这个请求 (bad request)。", "请求正文应是 UTF-8 的 JSON (the body should be JSON in UTF-8)。"),
        404: ("没有这个地址 (no such page)。", "请检查网址 (check the address)。"),
        405: ("这个地址不接受这种请求方法 (method not allowed)。", ""),
    }.get(error.status_code, (f"请求没有成功 (HTTP {error.status_code})。", ""))
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return respond(request, Problem(error.status_code, code, message, hint), error.headers)


def respond(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as JSON, or as a page for a person."""
    if request.url.path.startswith(OPENAI):
        return JSONResponse(problem.as_openai(), problem.status, headers)
    if wants_page(request):
        lang = request.query_params.get("lang", "")
        return page(request, "error.html", lang, problem.status, headers, problem=problem)
    return JSONResponse(problem.as_json(), problem.status, headers)


def wants_page(request: Request) -> bool:
    """Whether the one who asks is a person in a browser, to whom JSON says little."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
