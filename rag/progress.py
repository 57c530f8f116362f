"""How far an answer has come, told to whoever waits for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STAGES = ("understand", "retrieve", "read", "compose")  # in their order; a question in parts goes through them again

Listener = Callable[[str, str], None]  # a stage that begins, and the question it works on
_listener: ContextVar[Listener | None] = ContextVar("who waits for the answer", default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Within it, `listener` hears of every stage, in the thread that answers. What it raises ends the answering."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(stage: str, question: str = "") -> None:
    """Says that one of STAGES begins."""
    listener = _listener.get()
    if listener is not None:
        listener(stage, question)
