"""`yuntu serve` as a process: it starts only where it may, follows the index, finishes what it began."""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from index.publish import switch
from index.settings import Settings
from index.snapshot import current_version
from tests.fakes import FakeEncoder
from tests.index.small import build, write_corpus
from tests.web.serving import Served, free_port
from web.keys import Keys
from web.serving import CannotServe, Door, listen, policy_of

pytestmark = pytest.mark.alone

QUESTION = "星澜云2025年的营收是多少？"


@pytest.fixture
def root(tmp_path: Path, fake_encoder: FakeEncoder) -> Path:
    rebuilt(tmp_path, 100)
    return tmp_path / "index"


def rebuilt(folder: Path, number: int) -> str:
    corpus = write_corpus(folder / "corpus", {"own.txt": f"2025年，星澜云的营收为{number}亿元。\n"})
    return build(corpus, folder / "index").version


def eventually(holds: object, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.05)


# --- where it may -----------------------------------------------------------------------------------------------------


def test_a_second_serve_on_the_port_is_told_so_at_once_and_the_first_goes_on(tmp_path: Path, root: Path) -> None:
    with Served(tmp_path, root) as first:
        (tmp_path / "second").mkdir()
        second = Served(tmp_path / "second", root, port=first.port)
        assert second.process.wait(20) == 1
        assert f"127.0.0.1:{first.port} 已被占用" in second.said
        assert "--port" in second.said
        assert "Traceback" not in second.said
        second.stop()
        assert first.ask(QUESTION).status_code == 200


def test_a_port_that_is_still_being_loaded_behind_is_taken_too() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(CannotServe, match="已被占用"):
        listen("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize("host", ["256.1.1.1", "no.such.host.invalid", "203.0.113.7"])
def test_an_address_that_is_none_of_ours_is_refused_with_what_to_do(host: str) -> None:
    with pytest.raises(CannotServe, match="--host"):
        listen(host, free_port())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "yuntu.example"])
def test_what_others_can_reach_needs_a_key_or_the_word_that_it_is_meant(tmp_path: Path, host: str) -> None:
    settings = Settings(keys=tmp_path / "keys.json")
    with pytest.raises(CannotServe, match=r"yuntu keys add.*--insecure"):
        policy_of(settings, Door(host, 8000))
    assert policy_of(settings, Door(host, 8000, insecure=True)).open
    Keys(settings.keys).add("team", "ask")
    assert not policy_of(settings, Door(host, 8000)).open


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_this_machine_alone_needs_none_unless_it_is_asked_for(tmp_path: Path, host: str) -> None:
    settings = Settings(keys=tmp_path / "keys.json")
    assert policy_of(settings, Door(host, 8000)).open
    with pytest.raises(CannotServe, match="yuntu keys add"):
        policy_of(settings.model_copy(update={"access": "keys"}), Door(host, 8000))


def test_behind_a_proxy_others_can_reach_this_machines_own_address_too(tmp_path: Path) -> None:
    settings = Settings(keys=tmp_path / "keys.json", proxies="127.0.0.1")
    with pytest.raises(CannotServe, match=r"yuntu keys add.*--insecure"):
        policy_of(settings, Door("127.0.0.1", 8000))
    assert policy_of(settings, Door("127.0.0.1", 8000, insecure=True)).open
    Keys(settings.keys).add("team", "ask")
    assert not policy_of(settings, Door("127.0.0.1", 8000)).open


def test_served_to_others_it_asks_for_the_key_and_takes_it_from_a_browser_too(tmp_path: Path, root: Path) -> None:
    refused = Served(tmp_path, root, "--host", "0.0.0.0")
    assert refused.process.wait(20) == 1
    assert "yuntu keys add" in refused.said
    refused.stop()
    secret = Keys(tmp_path / "keys.json").add("team", "ask")
    with Served(tmp_path, root, "--host", "0.0.0.0") as served:
        assert served.ask(QUESTION).status_code == 401
        assert served.ask(QUESTION, Authorization=f"Bearer {secret}").status_code == 200
        page = served.client.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 401
        assert page.headers["www-authenticate"].startswith("Basic")
        assert served.client.get("/", auth=("anyone", secret)).status_code == 200
        assert secret not in served.said


def test_a_damaged_current_version_gives_way_to_a_sound_one_and_that_is_said(tmp_path: Path, root: Path) -> None:
    first = current_version(root)
    second = rebuilt(tmp_path, 200)
    (root / second / "vectors.npy").write_bytes(b"")
    with Served(tmp_path, root) as served:
        assert served.ask(QUESTION).json()["index_version"] == first
        assert second in served.said
        assert f"改用完好的版本 {first}" in served.said


def test_without_a_sound_version_it_does_not_start(tmp_path: Path, root: Path) -> None:
    (root / current_version(root) / "vectors.npy").write_bytes(b"")
    served = Served(tmp_path, root)
    assert served.process.wait(20) == 1
    assert "yuntu rebuild" in served.said
    assert "Traceback" not in served.said
    served.stop()


# --- it follows the index ---------------------------------------------------------------------------------------------


def test_a_rebuild_is_served_within_seconds_without_a_restart(tmp_path: Path, root: Path) -> None:
    with Served(tmp_path, root) as served:
        second = rebuilt(tmp_path, 200)
        eventually(lambda: served.ask(QUESTION).json()["index_version"] == second)
        assert "200亿元" in served.ask(QUESTION).text
        switch(root, first := next(p.name for p in root.glob("v-*/") if p.name != second))
        served.signal(signal.SIGHUP)
        eventually(lambda: served.ask(QUESTION).json()["index_version"] == first)
        assert served.client.post("/admin/reload").json() == {"status": "unchanged", "index_version": first}


# --- it finishes what it began ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/ask", "/api/ask/stream"])
def test_told_to_stop_it_finishes_the_running_answers_and_takes_no_new_ones(
    tmp_path: Path, root: Path, path: str
) -> None:
    with Served(tmp_path, root, SLOW_S="2") as served:
        answers: list[httpx.Response] = []

        def ask() -> None:
            address = f"http://127.0.0.1:{served.port}{path}"
            answers.append(httpx.post(address, json={"question": "慢 " + QUESTION}, timeout=30))

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        served.signal(signal.SIGTERM)
        time.sleep(0.4)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{served.port}/healthz")
        for thread in threads:
            thread.join(20)
        assert [a.status_code for a in answers] == [200, 200]
        assert all("index_version" in a.text and "100亿元" in a.text for a in answers)
        assert served.process.wait(20) in (0, -signal.SIGTERM)
        assert "Traceback" not in served.said


def test_a_question_that_takes_too_long_gets_503_and_so_do_those_behind_it(tmp_path: Path, root: Path) -> None:
    with Served(tmp_path, root, SLOW_S="2", YUNTU_DEADLINE_S="0.5") as served:
        late = served.ask("慢 " + QUESTION)
        assert (late.status_code, late.json()["error"]["code"]) == (503, "deadline")
        assert late.headers["retry-after"]
        stream = served.client.post("/api/ask/stream", json={"question": "慢 再问 " + QUESTION})
        assert "event: error" in stream.text
        assert '"deadline"' in stream.text
        assert served.ask(QUESTION).status_code == 200


# --- several processes ------------------------------------------------------------------------------------------------


def maps(pid: int, name: str) -> bool:
    return name in Path(f"/proc/{pid}/maps").read_text()


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_workers_map_one_index_replace_each_other_and_follow_it(tmp_path: Path, root: Path) -> None:
    with Served(tmp_path, root, "--workers", "2") as served:
        pid = served.process.pid
        eventually(lambda: [maps(child, "vectors.npy") for child in children(pid)] == [True, True], 60)
        for _ in range(20):
            assert served.ask(QUESTION).status_code == 200
        told = served.client.get("/metrics").text
        counted = sum(float(line.split()[-1]) for line in told.splitlines() if line.startswith("yuntu_answers_total"))
        assert counted == 20  # of both
        killed = children(pid)[0]
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: len(children(pid)) == 2 and killed not in children(pid), 60)
        second = rebuilt(tmp_path, 200)
        with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", headers={"Connection": "close"}) as client:
            time.sleep(3)
            body = {"question": QUESTION}
            seen = {client.post("/api/ask", json=body).json()["index_version"] for _ in range(20)}
        assert seen == {second}
    assert served.process.returncode in (0, -signal.SIGTERM)


def test_workers_that_cannot_start_end_it_with_the_reason(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.build.fingerprint_of", lambda _: "another")
    rebuilt(tmp_path, 200)
    served = Served(tmp_path, root, "--workers", "2")
    assert served.process.wait(60) == 1
    assert "yuntu rebuild --full" in served.said
    assert "Traceback" not in served.said
    served.stop()


def test_workers_end_with_a_parent_that_was_killed_and_leave_the_port(tmp_path: Path, root: Path) -> None:
    with Served(tmp_path, root, "--workers", "2") as served:
        workers = children(served.process.pid)
        assert len(workers) == 2
        served.signal(signal.SIGKILL)
        eventually(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 30)
        listen("127.0.0.1", served.port).close()


def test_ctrl_c_is_how_it_is_stopped_at_a_terminal(tmp_path: Path, root: Path) -> None:
    with Served(tmp_path, root) as served:
        served.signal(signal.SIGINT)
        assert served.process.wait(20) == 0
        assert "Traceback" not in served.said
        assert "interrupted" not in served.said


def test_a_socket_is_given_back_when_it_stops(tmp_path: Path, root: Path) -> None:
    with Served(tmp_path, root) as served:
        port = served.port
    with socket.create_server(("127.0.0.1", port)):
        pass
