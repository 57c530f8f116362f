"""Nobody's work goes on long after its deadline, by whatever door it came; an answer that is there is given."""

import time
from collections.abc import Sequence

import pytest
from starlette.testclient import TestClient

from index.values import Hit
from rag.progress import tell
from rag.values import Answer
from tests.web.fake_service import FakeService
from web.app import create_app

pytestmark = pytest.mark.alone

DEADLINE_S = 0.4
STEP_S = 0.1
TALK = [("POST", "/api/ask"), ("POST", "/api/ask/stream"), ("POST", "/ask"), ("GET", "/"), ("GET", "/api/search")]


class Slow(FakeService):
    """Takes ten seconds for what it is told to be slow at."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at

    def _work(self, what: str) -> None:
        for _ in range(100 if what == self._at else 0):
            tell("retrieve", "")
            time.sleep(STEP_S)

    def ask(self, question: str, turns: Sequence[str] = (), lang: str = "auto", top_k: int | None = None) -> Answer:
        self._work("answering")
        return super().ask(question, turns, lang, top_k)

    def search(self, query: str, top_k: int) -> list[Hit]:
        self._work("answering")
        return super().search(query, top_k)

    def suggestions(self, answer: Answer, turns: Sequence[str] = ()) -> list[str]:
        self._work("suggesting")
        return super().suggestions(answer, turns)


def asked(at: str, method: str, path: str) -> tuple[int, str]:
    """Status and body, which come soon after the deadline."""
    began = time.monotonic()
    client = TestClient(create_app(Slow(at), deadline_s=DEADLINE_S))
    question = "市场规模?"
    if method == "GET":
        response = client.get(path, params={"q": question}, headers={"Accept": "application/json"})
    else:
        response = client.post(path, json={"question": question})
    assert time.monotonic() - began < DEADLINE_S + 2
    return response.status_code, response.text


@pytest.mark.parametrize(("method", "path"), TALK)
def test_what_takes_too_long_is_given_up_at_every_door(method: str, path: str) -> None:
    status, text = asked("answering", method, path)
    assert status == (200 if path in ("/ask", "/api/ask/stream") else 503)  # a stream has begun by then
    assert '"deadline"' in text


@pytest.mark.parametrize(("method", "path"), [case for case in TALK if "search" not in case[1]])
def test_an_answer_is_not_lost_because_there_is_no_time_for_what_to_ask_next(method: str, path: str) -> None:
    status, text = asked("suggesting", method, path)
    assert status == 200
    assert "223" in text
    assert "deadline" not in text
