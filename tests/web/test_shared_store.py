"""Several `yuntu serve` over one store: versions roll through them under load; a store that is down is told of."""

import itertools
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from index.stores.milvus_store import MilvusStore
from index.stores.store import store_of
from tests.index.small import build, small_settings, write_corpus
from tests.index.stores.engines import Engine
from tests.web.serving import Served

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.usefixtures("fake_encoder")]
QUESTION = "星澜云2025年的营收是多少？"
SERVERS, CLIENTS = 3, 6


class Cluster:
    """A store, and servers that have nothing but its address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = Engine(folder / "engine").start()
        self.settings = small_settings(folder / "builder", store=self.engine.address)
        store = store_of(self.settings)
        assert isinstance(store, MilvusStore)
        self.store = store
        self.says = {self.published(100): "100亿元"}
        environ = {"YUNTU_STORE": self.engine.address, "YUNTU_LOG": "off"}
        self.servers = []
        for n in range(SERVERS):
            own = folder / f"server-{n}"
            own.mkdir()
            self.servers.append(Served(own, own / "index", **environ))
        for server in self.servers:
            server.ready()

    def published(self, number: int) -> str:
        corpus = write_corpus(self.folder / f"c{number}", {"own.txt": f"2025年，星澜云的营收为{number}亿元。\n"})
        version = build(corpus, self.settings.index).version
        self.store.publish(version, 3)
        return version

    def stop(self) -> None:
        for server in self.servers:
            server.stop()
        self.store.milvus.close()
        self.engine.end()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with pytest.MonkeyPatch.context() as patch:
        from tests.fakes import FakeEncoder

        patch.setattr("index.build.fingerprint_of", lambda _: FakeEncoder.fingerprint)
        started = Cluster(tmp_path_factory.mktemp("cluster"))
        yield started
        started.stop()


def eventually(holds: object, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("how", ["gone", "hanging"])
def test_a_store_that_is_down_is_told_of_within_a_second_and_found_again_without_a_restart(
    cluster: Cluster, how: str
) -> None:
    fail, mend = {
        "gone": (cluster.engine.end, cluster.engine.start),
        "hanging": (cluster.engine.hang, lambda: cluster.engine.hang(on=False)),
    }[how]
    fail()
    start = time.monotonic()
    for server in cluster.servers:
        eventually(lambda server=server: server.client.get("/readyz").status_code == 503, 5)
    took = time.monotonic() - start
    for server in cluster.servers:
        start = time.monotonic()
        got = server.client.post("/api/ask", json={"question": "星澜云去年的营收是多少？"})
        assert time.monotonic() - start < 1
        assert (got.status_code, got.json()["error"]["code"]) == (503, "store_unavailable")
        assert got.headers["retry-after"]
        assert server.client.get("/healthz").status_code == 200
    mend()
    for server in cluster.servers:
        eventually(lambda server=server: server.client.get("/readyz").status_code == 200)
        assert server.client.post("/api/ask", json={"question": QUESTION}).status_code == 200
    assert took < 1.5  # a second, and some for a busy machine
    print(f"{how}: known after {took:.2f} s")


def test_versions_roll_through_all_servers_under_load_and_no_answer_mixes_them(cluster: Cluster, soak: bool) -> None:
    seen: Counter[tuple[int, str, str]] = Counter()
    stop = threading.Event()

    def client(first: int) -> None:
        with httpx.Client(timeout=30) as http:
            for n in itertools.count(first):  # round robin, each question its own: nothing is remembered
                if stop.is_set():
                    return
                url = f"http://127.0.0.1:{cluster.servers[n % SERVERS].port}/api/ask"
                got = http.post(url, json={"question": f"{QUESTION}{'？' * (n % 40)}"})
                body = got.json()
                said = re.search(r"\d+亿元", body.get("text", ""))
                seen[got.status_code, body.get("index_version", ""), said.group() if said else ""] += 1

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for number in range(200, 2200 if soak else 500, 100):
        version = cluster.published(number)
        cluster.says[version] = f"{number}亿元"
        for server in cluster.servers:
            ready = server.client.get
            eventually(lambda ready=ready, version=version: ready("/readyz").json().get("index_version") == version)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert {status for status, _, _ in seen} == {200}, seen
    assert all(cluster.says[version] == said for _, version, said in seen), seen
    assert len({version for _, version, _ in seen}) == len(cluster.says)
    print(f"{sum(seen.values())} answers over {len(cluster.says)} versions and {SERVERS} servers")
