"""What POST /v1/chat/completions takes, and what of it is understood: OpenAI's names, our limits."""

from typing import Any, Literal

from pydantic import BaseModel

from web.api import Lang, Words
from web.problems import BadParameter, ModelMissing

MODEL = "yuntu"


class Part(BaseModel, extra="allow"):
    """A piece of a message; of a question only those of type `text` can be read."""

    type: str
    text: Words | None = None


class Message(BaseModel, extra="allow"):
    """One message. Only those of the user are read: what anybody else says changes no answer."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Words | list[Part] | None = None


class StreamOptions(BaseModel, extra="allow"):
    """How to stream."""

    include_usage: bool | None = None


class ChatBody(BaseModel, extra="allow"):
    """The request. Fields that are not named here, and how to sample, are ignored: there is nothing to sample."""

    model: Words
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    lang: Lang = "auto"
    n: int | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    tool_choice: Any = None
    function_call: Any = None
    response_format: Any = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    audio: Any = None
    modalities: list[str] | None = None


class Chat(BaseModel, frozen=True):
    """A request that can be answered: what is asked, and what was asked before it."""

    question: str
    turns: tuple[str, ...]  # oldest first
    chars: int  # of everything that was read


def chat_in(body: ChatBody) -> Chat:
    """What a request asks.

    Raises: ModelMissing, and BadParameter for what is not done here or cannot be read.
    """
    checked_model(body.model)
    for name, why in _NOT_DONE.items():
        if _asks_for(name, getattr(body, name)):
            raise BadParameter(name, why, "去掉这个参数再试 (leave it out)。")
    if not body.messages:
        raise BadParameter("messages", "messages 是空的 (no messages)。", _ASK, "invalid_value")
    asked = {n: _text_of(m, n) for n, m in enumerate(body.messages) if m.role == "user"}
    if not asked:
        raise BadParameter("messages", "没有用户的消息 (no message of role user)。", _ASK, "invalid_value")
    last = len(body.messages) - 1
    if last not in asked:
        raise BadParameter(
            f"messages[{last}].role",
            "最后一条不是用户的消息 (the last message is not the user's)。",
            _ASK,
            "invalid_value",
        )
    *turns, question = asked.values()
    return Chat(question=question, turns=tuple(turns), chars=sum(map(len, asked.values())))


def checked_model(name: str) -> str:
    """`name`, if it is a model that is served. Raises: ModelMissing."""
    if name != MODEL:
        raise ModelMissing(name, MODEL)
    return name


_ASK = '最后一条写要问的: {"role": "user", "content": "…"} (end with the question)。'
_NOT_DONE = {
    "n": "只给一个回答 (one answer only, n must be 1)。",
    "tools": "不调用工具 (tools are not called)。",
    "functions": "不调用函数 (functions are not called)。",
    "tool_choice": "不调用工具 (tools are not called)。",
    "function_call": "不调用函数 (functions are not called)。",
    "response_format": "只回答文字，结构在 yuntu 字段里 (text only; the structure is in the field yuntu)。",
    "logprobs": "没有 logprobs (there are none)。",
    "top_logprobs": "没有 logprobs (there are none)。",
    "audio": "只有文字 (text only)。",
    "modalities": "只有文字 (text only)。",
}
_HARMLESS: dict[str, tuple[Any, ...]] = {  # values that ask for nothing more than is done
    "n": (1,),
    "tool_choice": ("none",),
    "function_call": ("none",),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
}


def _asks_for(name: str, value: Any) -> bool:
    # 0 choices are not one either; an empty list, false and null ask for nothing
    return value not in _HARMLESS.get(name, ()) and (bool(value) or (name == "n" and value is not None))


def _text_of(message: Message, n: int) -> str:
    """The words of a user's message. Raises: BadParameter for a picture or anything else that is none."""
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    for m, part in enumerate(message.content):
        if part.type != "text":
            raise BadParameter(
                f"messages[{n}].content[{m}]",
                "只读得懂文字 (only text is understood)。",
                "去掉图片、声音和文件 (send text)。",
            )
    return "\n".join(part.text or "" for part in message.content)
