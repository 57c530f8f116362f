"""How far an answer has come: told to whoever waits for it, and timed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STAGES = ("understand", "retrieve", "read", "compose")  # in their order; a question in parts goes through them again
SENTENCE = "sentence"  # told where a sentence of the answer is sure before the answer is whole
TIMED = ("understand", "retrieve", "read", "decide", "compose")  # … and what is timed of them

Listener = Callable[[str, str], None]  # a stage that begins, and the question it works on
_listener: ContextVar[Listener | None] = ContextVar("who waits for the answer", default=None)


class Stopwatch:
    """Seconds by stage, of TIMED."""

    def __init__(self, stage: str) -> None:
        self._seconds = dict.fromkeys(TIMED, 0.0)
        self._stage = stage
        self._since = time.perf_counter()

    def begin(self, stage: str) -> None:
        """The stage that ran so far ends here."""
        now = time.perf_counter()
        self._seconds[self._stage] += now - self._since
        self._stage, self._since = stage, now

    def milliseconds(self) -> dict[str, float]:
        """By stage, and in all, until now."""
        self.begin(self._stage)
        rounded = {stage: round(seconds * 1000, 1) for stage, seconds in self._seconds.items()}
        return {**rounded, "total": round(sum(self._seconds.values()) * 1000, 1)}


_watch: ContextVar[Stopwatch | None] = ContextVar("what times the answer", default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Within it, `listener` hears of every stage, in the thread that answers. What it raises ends the answering."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def timed(stage: str) -> Iterator[Stopwatch]:
    """Within it, stages are timed; `stage` is the one that runs first."""
    watch = Stopwatch(stage)
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)


def tell(stage: str, question: str = "") -> None:
    """Says that one of STAGES begins."""
    listener = _listener.get()
    if listener is not None:
        listener(stage, question)
    begin(stage)


def say(sentence: str) -> None:
    """A sentence of the answer is sure, while a language model still writes the next."""
    listener = _listener.get()
    if listener is not None:
        listener(SENTENCE, sentence)


def begin(stage: str) -> None:
    """One of TIMED begins, which nobody needs to hear of."""
    watch = _watch.get()
    if watch is not None:
        watch.begin(stage)
