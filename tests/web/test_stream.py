"""An answer as it comes: stages, then the answer; one error event where it fails; who hangs up ends the work."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from rag.progress import STAGES, tell
from tests.web.fake_service import FakeService
from web.app import create_app
from web.stream import Done, Stage, stages_of

pytestmark = pytest.mark.alone


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(FakeService()), raise_server_exceptions=False) as client:
        yield client


def events(client: TestClient, path: str, question: str) -> list[tuple[str, object]]:
    response = client.post(path, json={"question": question})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in response.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_the_api_streams_stages_then_the_text_then_the_answer_then_what_may_be_asked_next(client: TestClient) -> None:
    told = events(client, "/api/ask/stream", "市场规模是多少？")
    names = [name for name, _ in told]
    stages = [data["stage"] for name, data in told if name == "stage"]  # type: ignore[index]
    assert stages == list(STAGES)
    assert names[: len(stages)] == ["stage"] * len(stages)
    assert names[-2:] == ["answer", "suggestions"]
    answer = client.post("/api/ask", json={"question": "市场规模是多少？"}).json()
    assert told[-2][1] == answer
    assert "".join(data["text"] for name, data in told if name == "text") == answer["text"]  # type: ignore[index]


def test_the_page_gets_the_turn_and_what_may_be_asked_next_as_markup(client: TestClient) -> None:
    told = events(client, "/ask", "市场规模是多少？")
    assert [name for name, _ in told if name != "stage"] == ["turn", "more"]
    assert 'data-asked="市场规模是多少？"' in str(told[-2][1])
    assert "对比两家机构" in str(told[-1][1])
    assert str(events(client, "/ask", "没有建议")[-1][1]).strip() == ""


@pytest.mark.parametrize("path", ["/ask", "/api/ask/stream"])
@pytest.mark.parametrize(
    ("question", "code"), [("没有索引", "index_missing"), ("坏索引", "index_damaged"), ("崩溃", "internal_error")]
)
def test_a_failing_answer_ends_in_one_error_without_its_details(
    client: TestClient, path: str, question: str, code: str
) -> None:
    name, data = events(client, path, question)[-1]
    assert name == "error"
    assert data["error"]["code"] == code  # type: ignore[index]
    assert "secret" not in str(data)


def collect(work: Callable[[], object]) -> list[object]:
    async def run() -> list[object]:
        return [step async for step in stages_of(work)]

    return asyncio.run(run())


def test_what_the_work_says_and_returns_comes_in_order_and_what_it_raises_is_raised() -> None:
    def work() -> str:
        tell("understand", "问")
        tell("compose")
        return "答"

    assert collect(work) == [Stage("understand", "问"), Stage("compose", ""), Done("答")]

    def fails() -> None:
        tell("understand", "问")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        collect(fails)


def test_who_hangs_up_ends_the_work_at_its_next_stage() -> None:
    at: list[str] = []
    go_on, ended = threading.Event(), threading.Event()

    def work() -> None:
        try:
            tell("understand")
            go_on.wait(5)
            tell("retrieve")
            at.append("retrieved")
        finally:
            ended.set()

    async def leave() -> None:
        steps = stages_of(work)
        async for _ in steps:
            break
        await steps.aclose()
        go_on.set()
        deadline = time.monotonic() + 5
        while not ended.is_set() and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    asyncio.run(leave())
    assert ended.is_set()
    assert at == []
