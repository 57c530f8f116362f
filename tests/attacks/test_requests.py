"""No request gets through, none brings the server down: each in tests/attacks/requests.py, to a real server."""

import json
import logging
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.requests import ATTACKS, QUESTION, Attack, row_of
from tests.web.fake_service import FakeService
from tests.web.wire import Server, Wire
from web.access import Policy
from web.guard import BodyLimit
from web.keys import Keys
from web.patience import patient

pytestmark = pytest.mark.alone

DOCS = Path(__file__).parents[2] / "docs" / "attacks.md"
LEAKS = re.compile(rb"Traceback|site-packages|root:x:|secret detail|/web/\w+\.py|yt_[\w-]{20}")


class Doors:
    """Two servers, one that asks for keys and one that does not, and the keys."""

    def __init__(self, folder: Path) -> None:
        keys = Keys(folder / "keys.json")
        self.values: dict[str, Any] = {
            "ask": keys.add("ask", "ask"),
            "admin": keys.add("admin", "admin"),
            "revoked": keys.add("revoked", "ask"),
            "old": keys.add("old", "ask"),
        }
        keys.revoke("revoked")
        keys.rotate("old", grace_s=0.0)
        http = patient(head_s=0.8, read_s=1.0)
        self.servers = {
            door: Server(FakeService(), http=http, policy=Policy(keys=held, hosts=frozenset()))
            for door, held in (("open", None), ("keys", keys))
        }

    def wire(self, attack: Attack) -> Wire:
        """A connection of this attack's own address: what one guesses is not held against another."""
        number = ATTACKS.index(attack)
        return Wire(self.servers[attack.door].port, source=f"127.0.{1 + number // 200}.{1 + number % 200}")


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.app.BodyLimit", partial(BodyLimit, patience_s=0.8))
        made = Doors(tmp_path_factory.mktemp("doors"))
    yield made
    for server in made.servers.values():
        server.stop()


def test_there_are_a_hundred_attacks_of_every_family_with_names_of_their_own() -> None:
    assert len(ATTACKS) >= 100
    assert len({a.name for a in ATTACKS}) == len(ATTACKS)
    assert min(Counter(a.family for a in ATTACKS).values()) >= 5


def test_the_table_in_the_docs_is_the_list() -> None:
    section = DOCS.read_text(encoding="utf-8").split("## 请求\n", 1)[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert rows == [row_of(a) for a in ATTACKS]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_no_request_gets_through(attack: Attack, doors: Doors, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    logging.getLogger("yuntu").propagate = True  # `serve` turns that off
    values = {**doors.values, "port": doors.servers[attack.door].port}
    statuses: list[int] = []
    for _ in range(attack.times):
        with doors.wire(attack) as wire:
            wire.send(*attack.sent(**values))
            answers = wire.answers(len(attack.expected) // attack.times)
            statuses += [answer.status for answer in answers]
            assert not attack.closes or wire.is_closed()
            assert LEAKS.search(wire.received) is None
            assert [word for word in attack.absent if word in wire.received.decode("utf-8", "replace")] == []
    assert tuple(statuses) == attack.expected
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
    with doors.wire(attack) as wire:
        assert wire.ask("GET /healthz HTTP/1.1").status == 200


def test_who_guessed_waits_with_the_right_key_too_and_others_do_not(doors: Doors) -> None:
    guessing = next(a for a in ATTACKS if a.name == "猜钥匙")
    for source, expected in (("127.0.9.1", 429), ("127.0.9.2", 200)):
        for _ in range(11 if expected == 429 else 0):
            with Wire(doors.servers["keys"].port, source) as wire:
                wire.send(*guessing.sent(port=0))
                wire.answers(1)
        with Wire(doors.servers["keys"].port, source) as wire:
            answer = wire.ask("GET /api/documents HTTP/1.1", f"Authorization: Bearer {doors.values['ask']}")
        assert answer.status == expected
        assert (int(answer.headers.get("retry-after", "0")) in range(1, 61)) == (expected == 429)


def test_with_the_right_key_everything_opens(doors: Doors) -> None:
    for line, key in (
        ("GET /api/documents HTTP/1.1", "ask"),
        ("GET /metrics HTTP/1.1", "admin"),
        ("POST /admin/reload HTTP/1.1", "admin"),
    ):
        with Wire(doors.servers["keys"].port) as wire:
            lines = [line, f"Authorization: Bearer {doors.values[key]}", "Via: 1.1 x", "Content-Length: 0"]
            assert wire.ask(*lines).status == 200


def test_our_own_page_may_ask_and_a_link_from_elsewhere_may_lead_here(doors: Doors) -> None:
    port = doors.servers["open"].port
    for name in ("127.0.0.1", "localhost", "[::1]", "LOCALHOST."):
        host, origin = f"Host: {name}:{port}", f"Origin: http://{name}:{port}"
        with Wire(port) as wire:
            own = ["POST /api/ask HTTP/1.1", "Content-Type: application/json", host, origin]
            assert wire.ask(*own, "Sec-Fetch-Site: same-origin", body=QUESTION).status == 200
    with Wire(port) as wire:
        followed = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate")
        assert wire.ask("GET /?q=a HTTP/1.1", *followed).status == 200


def test_who_hangs_up_on_an_answer_gives_its_turn_back(doors: Doors, soak: bool) -> None:
    slow = json.dumps({"question": "慢"}).encode()
    port = doors.servers["open"].port
    head = "POST /api/ask/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    for _ in range(300 if soak else 30):
        with Wire(port) as wire:
            wire.send(f"{head}Content-Length: {len(slow)}\r\n\r\n".encode() + slow)
            if _ % 2:
                wire.socket.recv(10)
    deadline = time.monotonic() + 10
    while True:  # those that run end where their next stage would begin
        with Wire(port) as wire:
            answer = wire.ask("POST /api/ask HTTP/1.1", "Content-Type: application/json", body=QUESTION)
        if answer.status == 200 or time.monotonic() > deadline:
            break
        assert answer.status == 503
    assert answer.status == 200


def test_a_server_full_of_slow_heads_answers_others(doors: Doors) -> None:
    port = doors.servers["open"].port
    held = [socket.create_connection(("127.0.0.1", port), source_address=("127.0.8.1", 0)) for _ in range(200)]
    for one in held:
        one.sendall(b"GET / HTTP/1.1\r\nX-A: ")
    began = time.monotonic()
    with Wire(port) as wire:
        assert wire.ask("GET /healthz HTTP/1.1").status == 200
    assert time.monotonic() - began < 0.5
    for one in held:
        one.settimeout(3)
        assert one.recv(1) == b""  # given up by the server
        one.close()
