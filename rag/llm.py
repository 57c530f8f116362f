"""An OpenAI-compatible server as a stream of text, within limits of time and size, and at no address we did not check.

Whatever goes wrong is a ModelFailed with the reason: the caller has an answer without it.
"""

import codecs
import json
import logging
import queue
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from index.errors import BadSettings
from index.fetch import is_public
from index.settings import Settings

if TYPE_CHECKING:
    import httpx

CONNECT_S = 3.0
FIRST = 0.6  # of the time there is: the first words must have come by then
MAX_BYTES = 1_000_000  # of a reply: an answer of a few sentences takes a hundredth of it
MAX_LINE = 100_000
MAX_TOKENS = 800
_LOG = logging.getLogger("yuntu.llm")

Message = dict[str, str]


class ModelFailed(Exception):
    """The model gave no text that can be used; `reason` is one of rag.values.NOTICES."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(why)
        self.reason = reason


@dataclass(frozen=True)
class LanguageModel:
    """One model of one server."""

    base_url: str
    name: str
    key: SecretStr
    timeout_s: float
    allow_private: bool

    def pieces(self, messages: Sequence[Message]) -> Iterator[str]:
        """The reply as it comes. Raises: ModelFailed.

        A thread reads, so that the time there is holds for all of it, looking up the name too.
        """
        heard: queue.SimpleQueue[str | ModelFailed | None] = queue.SimpleQueue()
        stop = threading.Event()

        def read() -> None:
            try:
                for piece in self._read(messages):
                    heard.put(piece)
                    if stop.is_set():
                        return
                heard.put(None)
            except ModelFailed as e:
                heard.put(e)
            except Exception as e:  # the kind alone: its words may hold what was sent
                heard.put(ModelFailed("llm_unreachable", type(e).__name__))

        began = time.monotonic()
        threading.Thread(target=read, daemon=True).start()
        until = began + FIRST * self.timeout_s
        try:
            while True:
                try:
                    got = heard.get(timeout=max(0.001, until - time.monotonic()))
                except queue.Empty:
                    raise self._failed("llm_timeout", "too slow") from None
                if got is None:
                    return
                if isinstance(got, ModelFailed):
                    raise self._failed(got.reason, str(got))
                if got:
                    until = began + self.timeout_s
                yield got
                if time.monotonic() > until:
                    raise self._failed("llm_timeout", "too slow")
        finally:
            stop.set()

    @staticmethod
    def _failed(reason: str, why: str) -> ModelFailed:
        _LOG.warning("%s: %s", reason, why)
        return ModelFailed(reason, why)

    @cached_property
    def _client(self) -> "httpx.Client":
        import httpx  # here: `serve` without an LLM need not wait for it

        # no proxy of the environment: it would look the name up itself, after we have checked it
        return httpx.Client(
            trust_env=False, follow_redirects=False, timeout=httpx.Timeout(self.timeout_s, connect=CONNECT_S)
        )

    def _read(self, messages: Sequence[Message]) -> Iterator[str]:
        parts = urlsplit(self.base_url)
        host, address = parts.hostname or "", self._address(parts)
        port = f":{parts.port}" if parts.port else ""
        where = f"[{address}]" if ":" in address else address
        headers = {"Host": parts.netloc.rpartition("@")[2], "Accept-Encoding": "identity"}
        if key := self.key.get_secret_value():
            headers["Authorization"] = f"Bearer {key}"
        with self._client.stream(
            "POST",
            f"{parts.scheme}://{where}{port}{parts.path.rstrip('/')}/chat/completions",
            json={
                "model": self.name,
                "messages": list(messages),
                "stream": True,
                "temperature": 0,
                "max_tokens": MAX_TOKENS,
            },
            headers=headers,
            extensions={"sni_hostname": host},  # its certificate is for the name
        ) as response:
            if response.status_code != 200:
                raise ModelFailed("llm_status", f"HTTP {response.status_code}")
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise ModelFailed("llm_bad_output", "compressed, though that was not asked for")
            kind = response.headers.get("content-type", "").lower()
            if "html" in kind:
                raise ModelFailed("llm_bad_output", "HTML")
            if "json" in kind:  # a server that does not stream
                yield _content(_loaded("".join(_lines(response.iter_raw()))), "message")[0]
                return
            yield from _streamed(_lines(response.iter_raw()))

    def _address(self, parts: SplitResult) -> str:
        """The address of the server, looked up once, and connected to as it was checked."""
        try:
            found = socket.getaddrinfo(parts.hostname, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise ModelFailed("llm_unreachable", "unknown host") from None
        addresses = [str(entry[4][0]) for entry in found]
        if not self.allow_private and not all(map(is_public, addresses)):
            raise ModelFailed("llm_private", "a private address; set YUNTU_LLM_ALLOW_PRIVATE=1 if it is meant")
        return addresses[0]


def load_model(settings: Settings) -> LanguageModel | None:
    """The model that the settings name; None without one. Raises: BadSettings."""
    if not settings.llm_base_url:
        return None
    try:
        parts = urlsplit(settings.llm_base_url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or parts.username or parts.query:
        raise BadSettings(
            "YUNTU_LLM_BASE_URL 不是 http 或 https 的网址 (not an http or https address)。",
            "例如: https://api.example.com/v1 ;钥匙放在 YUNTU_LLM_API_KEY",
        )
    if not settings.llm_model:
        raise BadSettings("设了 YUNTU_LLM_BASE_URL,没有设 YUNTU_LLM_MODEL (which model?)。", "请设 YUNTU_LLM_MODEL")
    if not settings.llm_allow_private and _is_inside(parts.hostname or ""):
        raise BadSettings(
            f"YUNTU_LLM_BASE_URL 在本机或内网: {parts.hostname} (a private address)。",
            "确实要用 (Ollama、vLLM 等),请设 YUNTU_LLM_ALLOW_PRIVATE=1",
        )
    return LanguageModel(
        settings.llm_base_url,
        settings.llm_model,
        settings.llm_api_key,
        settings.llm_timeout_s,
        settings.llm_allow_private,
    )


def _is_inside(host: str) -> bool:
    """Whether a host is plainly this machine or inside the network; names are looked up when they are used."""
    try:
        return not is_public(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """The lines of a body as they come, the last one too."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest, size = "", 0
    for chunk in chunks:
        size += len(chunk)
        rest += decoder.decode(chunk)
        if size > MAX_BYTES:
            raise ModelFailed("llm_bad_output", "endless")
        *whole, rest = rest.split("\n")
        if len(rest) > MAX_LINE:
            raise ModelFailed("llm_bad_output", "an endless line")
        yield from whole
    yield rest + decoder.decode(b"", final=True)


def _streamed(lines: Iterator[str]) -> Iterator[str]:
    ended = False
    for line in lines:
        if not line.startswith("data:"):
            if line.strip() and not line.startswith((":", "event:", "id:", "retry:")):
                raise ModelFailed("llm_bad_output", "not an event stream")
            continue
        data = line[5:].strip()
        if data == "[DONE]":
            return
        text, ends = _content(_loaded(data), "delta")
        ended = ended or ends
        yield text
    if not ended:
        raise ModelFailed("llm_bad_output", "broken off")


def _loaded(data: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise ModelFailed("llm_bad_output", "bad JSON") from None


def _content(reply: Any, part: str) -> tuple[str, bool]:
    """The text of one reply or one piece of it, and whether it is the last. Raises: ModelFailed for another shape."""
    if not isinstance(reply, dict) or reply.get("error") or not isinstance(reply.get("choices"), list):
        raise ModelFailed("llm_bad_output", "not a completion")
    if not reply["choices"]:  # usage
        return "", False
    choice = reply["choices"][0]
    said = choice.get(part) if isinstance(choice, dict) else None
    if not isinstance(said, dict):
        raise ModelFailed("llm_bad_output", "not a completion")
    if choice.get("finish_reason") == "content_filter" or said.get("refusal"):
        raise ModelFailed("llm_refused", "the model refuses")
    text = said.get("content") or ""
    if not isinstance(text, str):
        raise ModelFailed("llm_bad_output", "not a completion")
    return text, choice.get("finish_reason") is not None
