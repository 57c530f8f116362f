"""What is known of the request that is being answered: for its log line, its measures and its deadline."""

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class RequestState:
    """One request. The only value of the doors that changes: whoever learns something notes it."""

    id: str = "-"
    began: float = field(default_factory=time.monotonic)
    notes: dict[str, Any] = field(default_factory=dict)

    def note(self, **facts: Any) -> None:
        """Facts for the log line; never words of a question."""
        self.notes.update(facts)


_current: ContextVar[RequestState | None] = ContextVar("the request being answered", default=None)


def current() -> RequestState:
    """The request that is being answered; outside of one, a state nobody reads."""
    return _current.get() or RequestState()


def enter(state: RequestState) -> None:
    """From here on, in this task and the threads it starts, `state` is the current one."""
    _current.set(state)
