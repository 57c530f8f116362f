"""Asking the engine on behalf of a request: until its deadline, counted, and noted for the log."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from index.errors import YuntuError
from rag.progress import told_to
from rag.values import Answer
from web.metrics import Metrics
from web.request_state import RequestState, current
from web.service import Service


class Late(YuntuError):
    """The deadline passed before there was an answer. Nobody gets a weaker answer instead."""

    code = "deadline"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"{seconds:g} 秒内没有答完 (not answered in time)。", "请过一会儿再试,或把问题改短 (try again in a moment)"
        )


class Asking:
    """How every door asks."""

    def __init__(self, metrics: Metrics, deadline_s: float) -> None:
        """`deadline_s`: from when the request came in, time in the queue included."""
        self._metrics = metrics
        self.deadline_s = deadline_s

    def answer(
        self, service: Service, question: str, turns: Sequence[str], lang: str, top_k: int | None = None
    ) -> Answer:
        """An answer, counted and noted. Raises: what asking does; Late, inside `within` or told through `checked`."""
        state = current()
        state.note(version=service.version, question=question)
        answer = service.ask(question, turns, lang, top_k)
        self._metrics.answer(answer)
        state.note(kind=answer.kind, mode=answer.mode, reason=answer.reason, stages=answer.timings_ms)
        return answer

    @staticmethod
    def further(service: Service, answer: Answer, turns: Sequence[str]) -> list[str]:
        """Questions to go on with; none where the deadline comes first: the answer is there all the same."""
        try:
            return service.suggestions(answer, turns)
        except Late:
            return []

    @contextlib.contextmanager
    def within(self) -> Iterator[None]:
        """Within it, work ends with Late where a stage would begin after the deadline."""
        with told_to(self.checked(lambda stage, question: None)):
            yield

    def checked(self, listener: Callable[[str, str], None]) -> Callable[[str, str], None]:
        """`listener`, once it is made sure that there is time left."""
        state: RequestState = current()

        def listen(stage: str, question: str) -> None:
            if time.monotonic() > state.began + self.deadline_s:
                raise Late(self.deadline_s)
            listener(stage, question)

        return listen
