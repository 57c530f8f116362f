"""So many questions are worked on, so many wait; the others are told at once to come back, and nobody gets less."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import httpx
import pytest
from fastapi import FastAPI

from rag.values import Answer
from tests.web.fake_service import FakeService
from web import app as app_module
from web.admission import SHORTEST_WAIT_S, Admission, Busy
from web.app import SPARE, create_app

pytestmark = pytest.mark.alone

QUEUE = 2
PLACES = 1 + SPARE + QUEUE


class Gated(FakeService):
    """Answers when the gate is opened, and counts how many work at once."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.at_once = self.most = 0
        self._lock = threading.Lock()

    def ask(self, question: str, turns: Sequence[str] = (), lang: str = "auto", top_k: int | None = None) -> Answer:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.gate.wait(10)
        with self._lock:
            self.at_once -= 1
        return super().ask(question, turns, lang, top_k)


@pytest.fixture
def service() -> Gated:
    return Gated()


@pytest.fixture
def app(service: Gated, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setattr(app_module, "cores", lambda: 1)
    return create_app(service, queue=QUEUE)


def together(app: FastAPI, talk: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def run() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=20) as client:
            await talk(client)

    asyncio.run(run())


def test_more_than_there_are_places_for_are_turned_away_and_the_others_answered(app: FastAPI, service: Gated) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        asked = [asyncio.create_task(client.post("/api/ask", json={"question": f"份额{n}"})) for n in range(3 * PLACES)]
        while sum(t.done() for t in asked) < 2 * PLACES:
            await asyncio.sleep(0.01)
        refused = [t.result() for t in asked if t.done()]
        assert {r.status_code for r in refused} == {503}
        assert {r.json()["error"]["code"] for r in refused} == {"busy"}
        assert {r.headers["retry-after"] for r in refused} == {"1"}
        while service.at_once < 1 + SPARE:  # a thread begins when it can
            await asyncio.sleep(0.01)
        service.gate.set()
        answers = await asyncio.gather(*asked)
        assert Counter(r.status_code for r in answers) == {200: PLACES, 503: 2 * PLACES}
        assert service.most == 1 + SPARE
        assert (await client.post("/api/ask", json={"question": "份额"})).status_code == 200

    together(app, talk)


@pytest.mark.parametrize("path", ["/api/ask", "/api/ask/stream", "/ask"])
def test_a_turn_ends_with_its_response_also_when_it_fails(app: FastAPI, service: Gated, path: str) -> None:
    service.gate.set()

    async def talk(client: httpx.AsyncClient) -> None:
        for _ in range(3 * PLACES):
            assert (await client.post(path, json={"question": "没有索引"})).status_code in (200, 503)
        last = await client.post(path, json={"question": "份额"})
        assert last.status_code == 200
        assert "busy" not in last.text

    together(app, talk)


def test_pages_that_need_no_answer_do_not_wait(app: FastAPI, service: Gated) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        asked = [asyncio.create_task(client.get("/", params={"q": f"份额{n}"})) for n in range(20)]
        await asyncio.sleep(0.2)
        for path in ("/", "/documents", "/healthz", "/readyz"):
            assert (await client.get(path)).status_code == 200
        page = next(t.result() for t in asked if t.done())
        assert page.status_code == 503
        service.gate.set()
        assert Counter(r.status_code for r in await asyncio.gather(*asked)) == {200: PLACES, 503: 20 - PLACES}

    together(app, talk)


def test_who_would_wait_too_long_for_an_answer_in_time_is_turned_away_sooner(service: Gated) -> None:
    async def talk() -> None:
        line = Admission(running=1, waiting=5, within_s=0.5)

        async def turn(seconds: float) -> float:
            began = time.monotonic()
            try:
                async with line.turn():
                    await asyncio.sleep(seconds)
            except Busy:
                return time.monotonic() - began
            return 0.0

        assert await turn(0.3) == 0  # now it is known what a turn takes
        assert await turn(0.3) == 0
        waited = await asyncio.gather(turn(1), turn(0), turn(0))
        assert waited[0] == 0
        assert all(SHORTEST_WAIT_S <= seconds < 0.5 for seconds in waited[1:])
        assert await turn(0) == 0  # who was turned away holds no place

    asyncio.run(talk())


def test_who_hangs_up_keeps_the_turn_until_the_work_has_ended(app: FastAPI, service: Gated) -> None:
    """Else many who ask and leave would put more to work than there are places."""

    async def talk() -> None:
        scope = {"type": "http", "method": "POST", "path": "/api/ask/stream", "raw_path": b"/api/ask/stream"}
        scope |= {"query_string": b"", "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]}
        scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "http", "http_version": "1.1"}
        body = [{"type": "http.request", "body": b'{"question": "share"}', "more_body": False}]

        async def hang_up() -> None:
            events = [*body]

            async def receive() -> dict[str, object]:
                if events:
                    return events.pop()
                await asyncio.sleep(0.05)
                return {"type": "http.disconnect"}

            async def send(message: object) -> None:
                pass

            await app(dict(scope), receive, send)

        left = [asyncio.create_task(hang_up()) for _ in range(3 * PLACES)]
        await asyncio.sleep(0.5)
        assert service.most <= 1 + SPARE
        service.gate.set()
        await asyncio.gather(*left)
        assert service.most <= 1 + SPARE

    asyncio.run(talk())
