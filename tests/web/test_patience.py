"""Who is slow is given so much time and no more; who is not slow does not notice them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.web.fake_service import FakeService
from tests.web.wire import Server, Wire, replies
from web.guard import BodyLimit
from web.patience import PatientProtocol, patient

pytestmark = pytest.mark.alone

HEAD_S, READ_S, BODY_S, A_CLIENT = 0.4, 0.6, 0.5, 12
MB = 1 << 20
GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
ENDED: list[str] = []


async def _big(request: Request) -> Response:
    return PlainTextResponse("x" * (int(request.query_params["mb"]) * MB))


async def _long(request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        try:
            for _ in range(int(request.query_params["mb"]) * 16):
                yield b"x" * (MB // 16)
        finally:
            ENDED.append(request.url.query)

    return StreamingResponse(parts())


async def _thinking(request: Request) -> Response:
    await asyncio.sleep(3 * HEAD_S)
    return PlainTextResponse("thought")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    routes = [
        Route("/healthz", lambda request: PlainTextResponse("ok")),
        Route("/big", _big),
        Route("/long", _long),
        Route("/thinking", _thinking),
    ]
    server = Server(app=Starlette(routes=routes), http=patient(head_s=HEAD_S, read_s=READ_S, a_client=A_CLIENT))
    yield server.port
    server.stop()


def wire(port: int, number: int) -> Wire:
    """A connection from an address of its own: what is open from one is not counted for another."""
    return Wire(port, f"127.0.3.{number}")


def ask_for(target: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


def closed_after(one: Wire) -> float:
    began = time.monotonic()
    assert one.is_closed(10)
    return time.monotonic() - began


# --- heads


@pytest.mark.parametrize(
    "said", [b"", b"G", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: "], ids=["nothing", "a letter", "half"]
)
def test_a_head_that_does_not_end_is_given_up(said: bytes, port: int) -> None:
    with wire(port, 1) as one:
        one.send(said)
        assert HEAD_S / 2 < closed_after(one) < 3 * HEAD_S
        assert one.received == b""


def test_bytes_that_trickle_in_buy_no_time(port: int) -> None:
    with wire(port, 2) as one:
        began = time.monotonic()
        one.send(b"GET / HTTP/1.1\r\nX-A: ", *(0.05, b"a") * int(3 * HEAD_S / 0.05))
        assert closed_after(one) < 0.1  # by then it was closed already
        assert time.monotonic() - began < 5 * HEAD_S


def test_after_an_answer_the_time_for_the_next_head_begins_anew(port: int) -> None:
    with wire(port, 3) as one:
        for _ in range(4):
            one.send(HEAD_S * 0.6, GET)
        assert [r.status for r in one.answers(4)] == [200] * 4
        assert HEAD_S / 2 < closed_after(one) < 3 * HEAD_S


def test_an_answer_may_take_longer_than_a_head(port: int) -> None:
    with wire(port, 4) as one:
        one.send(ask_for("/thinking"))
        assert [r.body for r in one.answers(1)] == [b"thought"]


# --- bodies


@pytest.fixture(scope="module")
def door() -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.app.BodyLimit", partial(BodyLimit, patience_s=BODY_S))
        server = Server(FakeService(), http=patient(head_s=HEAD_S))
    yield server.port
    server.stop()


@pytest.mark.parametrize("pieces", [(b"{",), (b"{", *(0.05, b" ") * 20)], ids=["stops", "trickles"])
def test_a_body_that_does_not_come_is_answered_408_and_given_up(pieces: tuple[bytes | float, ...], door: int) -> None:
    with wire(door, 5) as one:
        head = (
            b"POST /api/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        )
        one.send(head, *pieces)
        [answer] = one.answers(1)
        assert answer.status == 408
        assert json.loads(answer.body)["error"]["code"] == "body_too_slow"
        assert answer.headers["connection"] == "close"
        assert one.is_closed()


def test_a_slow_body_in_time_is_answered(door: int) -> None:
    body = json.dumps({"question": "a"}).encode()
    with wire(door, 6) as one:
        head = "POST /api/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        one.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:5], BODY_S / 2, body[5:])
        assert [r.status for r in one.answers(1)] == [200]


# --- readers


@pytest.mark.parametrize("target", ["/big?mb=32", "/long?mb=32&a"], ids=["whole", "in parts"])
@pytest.mark.parametrize("last", [(), ("Connection: close",)], ids=["keep-alive", "close"])
def test_who_does_not_read_is_dropped(target: str, last: tuple[str, ...], port: int) -> None:
    with wire(port, 7) as one:
        one.send(ask_for(target, *last), 2 * READ_S + 0.4)  # the system takes some for it at first
        one.is_closed()
        assert len(one.received) < 32 * MB


def test_who_is_dropped_ends_the_work(port: int) -> None:
    with wire(port, 8) as one:
        one.send(ask_for("/long?mb=32&ends"), 2 * READ_S + 0.4)
    assert "mb=32&ends" in ENDED


@pytest.mark.parametrize("target", ["/big?mb=8", "/long?mb=8&b"], ids=["whole", "in parts"])
@pytest.mark.parametrize("last", [(), ("Connection: close",)], ids=["keep-alive", "close"])
def test_a_long_answer_is_not_cut_for_who_reads_slowly(
    target: str, last: tuple[str, ...], port: int, soak: bool
) -> None:
    """Three times as long as a reader may do nothing at all, and much longer than a head may take."""
    with Wire(port, "127.0.3.9", takes_bytes=MB // 16) as one:
        one.send(ask_for(target, *last))
        seconds, read = (9.0 if soak else 2.5) * READ_S, 0
        began = time.monotonic()
        while read < 8 * MB:
            data = one.socket.recv(MB // 16)
            assert data, f"cut after {read} bytes"
            read += len(data)
            time.sleep(max(0.0, began + seconds * read / (8 * MB) - time.monotonic()))
        assert time.monotonic() - began > READ_S


# --- everybody else


def test_slow_ones_delay_nobody(port: int, soak: bool) -> None:
    def took() -> float:
        with wire(port, 20) as one:
            began = time.monotonic()
            for _ in range(20):
                one.send(GET)
                one.answers(len(replies(one.received)) + 1)
            return time.monotonic() - began

    alone = took()
    slow = [wire(port, 30 + n // (A_CLIENT - 2)) for n in range(800 if soak else 100)]
    for one in slow:
        one.send(b"GET / HTTP/1.1\r\nX-A: ")
    among = took()
    for one in slow:
        one.socket.close()
    assert among < alone + 1.0


def test_connections_of_one_address_are_counted_and_others_come_in(port: int) -> None:
    held = [wire(port, 10) for _ in range(A_CLIENT)]
    with wire(port, 10) as more:
        more.send(GET)
        assert more.answers(1) == []
        assert more.is_closed()
    with wire(port, 11) as other:
        other.send(GET)
        assert [r.status for r in other.answers(1)] == [200]
    held.pop().socket.close()
    time.sleep(0.1)
    with wire(port, 10) as again:
        again.send(GET)
        assert [r.status for r in again.answers(1)] == [200]
    for one in held:
        one.socket.close()


def test_counts_are_forgotten_with_their_connections(port: int) -> None:
    from web import patience

    with wire(port, 12):
        time.sleep(0.1)
        assert patience._open["127.0.3.12"] == 1
    time.sleep(0.1)
    assert "127.0.3.12" not in patience._open


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    with wire(port, 13) as one:
        one.send(GET + ask_for("/thinking") + GET)
        assert [r.body for r in one.answers(3)] == [b"ok", b"thought", b"ok"]


def test_a_connection_serves_many_requests(port: int) -> None:
    with wire(port, 14) as one:
        for _ in range(200):
            one.send(GET)
        assert [r.status for r in one.answers(200)] == [200] * 200


def test_what_is_not_said_stays_as_it_was() -> None:
    made = patient(head_s=1.0)
    assert (made.head_s, made.read_s, made.a_client) == (1.0, PatientProtocol.read_s, PatientProtocol.a_client)
