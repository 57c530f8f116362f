"""The index is exchanged while it is served: each answer is of one version, and only a sound one comes in."""

import contextlib
import errno
import json
import logging
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from index import snapshot
from index.errors import IndexDamaged, IndexMismatch
from index.publish import switch
from index.settings import Settings
from index.stores.store import Folder
from rag.assistant import Assistant
from tests.fakes import FakeEncoder
from tests.index.small import build, write_corpus
from web.app import create_app
from web.metrics import Metrics
from web.reload import Reload
from web.versions import OPEN, Versions

QUESTION = "星澜云2025年的营收是多少？"


def corpus(folder: Path, number: int) -> Path:
    return write_corpus(folder / "corpus", {"own.txt": f"2025年，星澜云的营收为{number}亿元。\n"})


def says(number: int) -> str:
    return f"{number}亿元"


class Served:
    """An index being served and followed, and a client."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "index"
        self.first = self.rebuilt(100)
        settings = Settings.from_env({}).model_copy(update={"index": self.root, "threshold": 0.0})
        assistant = Assistant(snapshot.open_current(self.root), FakeEncoder(), settings)
        self.metrics = Metrics()
        over = assistant.over
        self.versions = Versions(assistant, lambda v: over(snapshot.open_version(self.root, v)))
        self.reload = Reload(Folder(self.root), over, self.versions, self.metrics)
        app = create_app(self.versions, reload=self.reload.now, metrics=self.metrics)
        self.client = TestClient(app, client=("127.0.0.1", 1))

    def rebuilt(self, number: int) -> str:
        return build(corpus(self.folder, number), self.root).version

    def answer(self) -> tuple[str, str]:
        """The version that answers, and what it says."""
        answer = self.client.post("/api/ask", json={"question": QUESTION}).json()
        return answer["index_version"], answer["text"]


def damage(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))


@contextlib.contextmanager
def watched(served: Served) -> Iterator[None]:
    """The thread looks a hundred times a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Folder, "look_every_s", 0.01)
        thread = threading.Thread(target=served.reload.watch, daemon=True)
        thread.start()
        try:
            yield
            assert thread.is_alive()
        finally:
            served.reload.stop()
            thread.join(5)


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def served(tmp_path: Path, fake_encoder: FakeEncoder) -> Served:
    return Served(tmp_path)


def test_a_new_version_is_served_from_the_next_request_on(served: Served) -> None:
    assert served.answer()[0] == served.first
    second = served.rebuilt(200)
    assert served.answer()[0] == served.first  # nobody has looked yet
    assert served.client.post("/admin/reload").json() == {"status": "reloaded", "index_version": second}
    version, text = served.answer()
    assert version == second
    assert says(200) in text
    assert says(100) not in text
    assert served.client.post("/admin/reload").json() == {"status": "unchanged", "index_version": second}


def test_a_rollback_is_followed_too(served: Served) -> None:
    second = served.rebuilt(200)
    served.reload.now()
    switch(served.root, served.first)
    served.reload.now()
    assert served.answer()[0] == served.first
    assert served.versions.at(second).version == second  # links to it still work


def test_a_thread_sees_it_within_seconds_and_at_once_when_it_is_told_to(served: Served) -> None:
    thread = threading.Thread(target=served.reload.watch, daemon=True)
    thread.start()
    second = served.rebuilt(200)
    served.reload.soon()
    for _ in range(200):
        if served.versions.name == second:
            break
        threading.Event().wait(0.05)
    assert served.answer()[0] == second
    served.reload.stop()
    thread.join(5)
    assert not thread.is_alive()


def test_a_request_finishes_on_the_version_it_took(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    ask = Assistant.ask

    def slowly(self: Assistant, *asked: object) -> object:
        begun.set()
        go_on.wait(10)
        return ask(self, *asked)  # type: ignore[arg-type]

    monkeypatch.setattr(Assistant, "ask", slowly)
    answers: list[tuple[str, str]] = []
    thread = threading.Thread(target=lambda: answers.append(served.answer()))
    thread.start()
    begun.wait(10)
    second = served.rebuilt(200)
    served.reload.now()
    go_on.set()
    thread.join(10)
    assert answers[0][0] == served.first
    assert says(100) in answers[0][1]
    assert served.answer()[0] == second


def test_a_damaged_version_is_refused_loudly_and_once(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    second = served.rebuilt(200)
    damage(served.root / second / "vectors.npy")
    refused = served.client.post("/admin/reload")
    assert refused.status_code == 503
    assert "vectors.npy" in refused.json()["error"]["message"]
    assert served.answer()[0] == served.first
    assert served.client.get("/readyz").json()["index_version"] == served.first
    assert 'yuntu_index_swaps_total{outcome="failed"} 1.0' in served.client.get("/metrics").text
    opened: list[str] = []
    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.ERROR, "yuntu.index"):
        patch.setattr(snapshot, "open_version", lambda root, version, **_: opened.append(version))
        with watched(served):
            time.sleep(0.3)
    assert opened == []  # it was tried, and CURRENT names it still


def test_a_version_of_another_format_or_encoder_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.build.fingerprint_of", lambda _: "another")
    served.rebuilt(200)
    with pytest.raises(IndexMismatch, match="yuntu rebuild"):
        served.reload.now()
    assert served.answer()[0] == served.first
    monkeypatch.setattr(snapshot, "FORMAT", snapshot.FORMAT + 1)
    with pytest.raises(IndexMismatch, match="yuntu rebuild"):
        served.reload.now()
    assert served.answer()[0] == served.first


@pytest.mark.parametrize(
    "damage", [None, b"", b"v-000000000000\n", b"\xff"], ids=["lost", "empty", "nowhere", "garbled"]
)
def test_a_current_that_names_nothing_changes_nothing(served: Served, damage: bytes | None) -> None:
    (served.root / "CURRENT").unlink()
    if damage is not None:
        (served.root / "CURRENT").write_bytes(damage)
    assert served.client.post("/admin/reload").status_code == 503
    assert served.answer()[0] == served.first
    third = served.rebuilt(300)
    served.reload.now()
    assert served.answer()[0] == third


def test_what_stays_wrong_for_hours_is_said_once_and_followed_again_when_it_is_mended(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("yuntu").propagate = True  # `serve` turns that off
    with caplog.at_level(logging.ERROR, "yuntu.index"), watched(served):
        current = served.root / "CURRENT"
        current.write_bytes(b"")
        eventually(lambda: len(caplog.records) == 1)
        current.write_bytes(b"v-000000000000\n")
        eventually(lambda: len(caplog.records) == 2)
        current.unlink()
        eventually(lambda: len(caplog.records) == 3)
        time.sleep(0.3)
        assert len(caplog.records) == 3
        third = served.rebuilt(300)
        eventually(lambda: served.versions.name == third)
        current.unlink()
        eventually(lambda: len(caplog.records) == 4)  # after a sound look it is news again


def test_a_version_that_was_refused_is_served_once_it_has_been_built_anew(served: Served) -> None:
    """Equal input gives a version of the same name."""
    second = served.rebuilt(200)
    damage(served.root / second / "vectors.npy")
    with watched(served):
        eventually(lambda: 'outcome="failed"} 1.0' in served.client.get("/metrics").text)
        assert served.answer()[0] == served.first
        assert served.rebuilt(200) == second
        eventually(lambda: served.versions.name == second)
    assert says(200) in served.answer()[1]


def test_the_only_version_is_served_again_once_it_has_been_built_anew(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_VERIFY_AT_OPEN_BYTES", 0)
    served.versions.swap(served.versions.current.over(snapshot.open_version(served.root, served.first)))
    damage(served.root / served.first / "vectors.npy")
    served.reload.settle()
    assert served.client.post("/api/ask", json={"question": QUESTION}).status_code == 503
    with watched(served):
        time.sleep(0.1)
        assert served.client.get("/readyz").status_code == 503
        assert served.rebuilt(100) == served.first
        eventually(lambda: served.client.get("/readyz").status_code == 200)
    assert served.answer()[0] == served.first


def test_what_only_lacked_memory_or_files_is_tried_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    second = served.rebuilt(200)
    monkeypatch.setattr("web.reload.AGAIN_S", 0.05)
    really, tries = snapshot.open_version, []

    def scarce(root: Path, version: str, **more: bool) -> snapshot.Snapshot:
        tries.append(version)
        if len(tries) < 3:
            raise OSError(errno.EMFILE, "Too many open files")
        return really(root, version, **more)

    monkeypatch.setattr(snapshot, "open_version", scarce)
    with watched(served):
        eventually(lambda: served.versions.name == second)
    assert len(tries) == 3


@pytest.mark.parametrize("step", ["warm_up", "verify"])
def test_a_crash_while_settling_is_said_and_the_index_is_served_on(
    step: str, served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("yuntu").propagate = True
    monkeypatch.setattr(Assistant, step, lambda *_: (_ for _ in ()).throw(RuntimeError("secret")))
    with caplog.at_level(logging.ERROR, "yuntu.index"):
        served.reload.settle()
    assert [r.getMessage() for r in caplog.records] == [{"warm_up": "not warmed up", "verify": "not verified"}[step]]
    assert served.answer()[0] == served.first


def test_what_is_measured_of_the_index_is_of_the_one_in_use_also_where_nobody_looks(served: Served) -> None:
    """Several processes tell the sum: one that was not asked lately must not still name the old version."""
    served.client.get("/metrics")
    second = served.rebuilt(200)
    served.reload.now()
    told = served.metrics.exposed().decode()
    assert f'yuntu_index_info{{version="{served.first}"}} 0.0' in told
    assert f'yuntu_index_info{{version="{second}"}} 1.0' in told


def test_what_turns_out_to_be_damaged_gives_way_to_the_newest_sound_version(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large index is hashed after it is opened."""
    monkeypatch.setattr(snapshot, "_VERIFY_AT_OPEN_BYTES", 0)
    second = served.rebuilt(200)
    opened = snapshot.open_version(served.root, second)
    assistant = served.versions.current.over(opened)
    served.versions.swap(assistant)
    assert served.client.get("/readyz").json()["error"]["code"] == "index_unverified"
    damage(served.root / second / "vectors.npy")
    with pytest.raises(IndexDamaged):
        assistant.verify(served.root)
    assert served.client.post("/api/ask", json={"question": QUESTION}).status_code == 503
    served.reload.settle()
    assert served.answer()[0] == served.first
    assert served.client.get("/readyz").status_code == 200


def test_versions_that_were_served_are_let_go(served: Served) -> None:
    """No collection of cycles is waited for: an index is large, and its version cannot be removed while it is held."""
    past = []
    for number in range(2, 4 + OPEN):
        past.append(weakref.ref(served.versions.current))
        served.answer()
        served.rebuilt(100 * number)
        served.reload.now()
    alive = [ref() is not None for ref in past]
    assert alive == [False] * (len(past) - OPEN) + [True] * OPEN


def test_a_link_to_a_version_that_was_served_is_answered_by_it(served: Served) -> None:
    served.answer()
    second = served.rebuilt(200)
    served.reload.now()
    page = served.client.get("/", params={"q": QUESTION, "v": served.first}).text
    assert f'data-version="{served.first}"' in page
    assert f'data-version="{second}"' in served.client.get("/", params={"q": QUESTION, "v": second}).text


def test_a_removed_index_folder_changes_nothing_for_who_is_served(served: Served) -> None:
    shutil.rmtree(served.root)
    assert served.client.post("/admin/reload").status_code == 503
    version, text = served.answer()
    assert version == served.first
    assert says(100) in text
    assert json.loads(served.client.get("/api/documents").text)["index_version"] == served.first
