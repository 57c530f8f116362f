"""What goes wrong with a Milvus: nothing is half visible, the error says what to do, and it goes on by itself."""

import errno
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import (
    BadSettings,
    IndexBusy,
    IndexMismatch,
    IndexMissing,
    IndexUnwritable,
    StoreRefused,
    StoreUnavailable,
    StoreUnfit,
    YuntuError,
)
from index.settings import Settings
from index.snapshot import current_version
from index.stores import milvus_files, milvus_lock, milvus_store
from index.stores.milvus import Milvus
from index.stores.milvus_address import address_of
from index.stores.milvus_store import MilvusStore
from index.stores.parts import LONGEST, parts_of, restore
from index.stores.store import store_of
from rag.assistant import Assistant
from tests.conftest import ROOT
from tests.fakes import FakeEncoder
from tests.index.faults import failing
from tests.index.small import TEXTS, build, small_settings, write_corpus
from tests.index.stores.engines import Engine, RealServer, free_port

T = TypeVar("T")
pytestmark = pytest.mark.usefixtures("fake_encoder")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    started = Engine(tmp_path_factory.mktemp("milvus")).start()
    yield started
    started.end()


class Published:
    """A folder whose versions are published."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self.root = folder, folder / "index"
        self.settings = small_settings(self.root, store=engine.address, keep_versions=1)
        self.store = self.another()
        for alias in ("yuntu_current", "yuntu_writing"):
            if self.store.milvus.alias(alias) is not None:
                self.store.milvus.let_go(alias)
        for name in self.store.milvus.collections():
            self.store.milvus.drop(name)

    def another(self, folder: str = "") -> MilvusStore:
        """The same store by a connection of its own, on this machine or on another one."""
        root = self.folder / folder if folder else self.root
        store = store_of(self.settings.model_copy(update={"index": root}))
        assert isinstance(store, MilvusStore)
        return store

    def made(self, number: int) -> str:
        """A version in the folder alone."""
        corpus = write_corpus(self.folder / f"c{number}", {**TEXTS, "more.txt": f"星澜云的营收为{number}亿元。\n"})
        return build(corpus, self.root).version

    def published(self, number: int) -> str:
        version = self.made(number)
        self.store.publish(version, 1)
        return version


@pytest.fixture
def index(engine: Engine, tmp_path: Path) -> Iterator[Published]:
    made = Published(tmp_path, engine)
    yield made
    made.store.milvus.close()


def answered(ask: Callable[[], T], seconds: float = 10) -> T:
    """What a store says once it is there again: connections are tried anew twice a second."""
    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except StoreUnavailable:
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else is there to wait for."""
    monkeypatch.setattr(milvus_lock, "_SETTLE_S", 0.01)
    monkeypatch.setattr(milvus_lock, "_LETTING_GO_S", 1.0)


def is_whole(store: MilvusStore, version: str) -> None:
    """Every passage of a version is found, and it says what it should."""
    store.verify(version)
    opened = store.open(version, thorough=True)
    rows = np.arange(len(opened.passages))
    for row, vector in zip(rows.tolist(), opened.search.vectors(rows), strict=True):
        assert row in opened.search.candidates(vector, [], 3).rows


# --- addresses and answers


@pytest.mark.parametrize(
    ("written", "uri", "database"),
    [
        ("milvus://db.example:19531/market", "http://db.example:19531", "market"),
        ("milvus://db.example", "http://db.example:19530", ""),
        ("milvus+tls://db.example:443/", "https://db.example:443", ""),
        ("milvus://[::1]:19530", "http://[::1]:19530", ""),
        ("/data/yuntu.db", "/data/yuntu.db", ""),
    ],
)
def test_an_address(written: str, uri: str, database: str) -> None:
    read = address_of(written)
    assert (read.uri, read.database, read.shown, read.is_file) == (uri, database, written, written.endswith(".db"))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("http://db:19530", "milvus://"),
        ("milvus", "milvus://"),
        ("milvus://", "milvus://"),
        ("milvus://db:port", "milvus://"),
        ("milvus://db:99999", "milvus://"),
        ("milvus://db/a/b", "milvus://"),
        ("milvus://[::1", "milvus://"),
        ("milvus:root:secret@db", "YUNTU_STORE_TOKEN"),
        ("milvus://db?x=1", "milvus://"),
        ("milvus://root:secret@db", "YUNTU_STORE_TOKEN"),
    ],
)
def test_an_address_that_is_none_is_refused_and_tells_no_password(written: str, said: str) -> None:
    with pytest.raises(BadSettings, match=said) as refused:
        store_of(Settings(store=written))
    assert "secret" not in str(refused.value)


@pytest.mark.alone
def test_a_store_that_is_not_there_is_told_of_before_anything_is_encoded(tmp_path: Path) -> None:
    settings = small_settings(tmp_path / "index", store=f"milvus://127.0.0.1:{free_port()}")
    from index.build import rebuild

    start = time.monotonic()
    with pytest.raises(StoreUnavailable, match=r"没有回应.*YUNTU|检查地址"):
        rebuild([write_corpus(tmp_path / "c")], settings, lambda: pytest.fail("encoded"))
    assert time.monotonic() - start < 3
    assert not (tmp_path / "index" / "CURRENT").exists()


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (1, "<_InactiveRpcError status = StatusCode.UNAUTHENTICATED>", StoreRefused),
        (65535, "auth check failure, please check username and password are correct", StoreRefused),
        (1, "StatusCode.UNAVAILABLE: failed to connect to all addresses", StoreUnavailable),
        (2, "Fail connecting to server on db:19530, illegal connection params or server unavailable", StoreUnavailable),
        (1, "StatusCode.DEADLINE_EXCEEDED", StoreUnavailable),
        (100, "collection not found[database=default]", StoreUnfit),
        (503, "collection not fully loaded", StoreUnavailable),
        (800, "database not found[database=market]", StoreUnfit),
    ],
)
def test_what_pymilvus_raises_is_ours(code: int, text: str, kind: type[YuntuError]) -> None:
    from pymilvus import MilvusException

    milvus = Milvus(address_of("milvus://db"), "")
    milvus._client = object()

    def fails(_: Any) -> None:
        error = MilvusException(code, text)
        raise error from error  # as pymilvus does

    with pytest.raises(kind) as told:
        milvus.call(fails)
    assert "milvus://db" in str(told.value)


@pytest.mark.alone
def test_what_does_not_answer_is_asked_again_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    milvus = Milvus(address_of(f"milvus://127.0.0.1:{free_port()}"), "")
    with pytest.raises(StoreUnavailable):
        milvus.ping()
    asked: list[Any] = []
    start = time.monotonic()
    with pytest.raises(StoreUnavailable):
        milvus.call(asked.append)
    assert time.monotonic() - start < 0.1
    assert asked == []


def test_a_file_that_another_process_has_open_says_how_to_share_it(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.start()
    try:
        with pytest.raises(StoreUnfit, match="milvus-lite server"):
            Milvus(address_of(str(_as_file(tmp_path / "data"))), "").collections()
    finally:
        engine.end()


def _as_file(data: Path) -> Path:
    link = data.with_name("lite.db")
    link.symlink_to(data)
    return link


@pytest.mark.alone
def test_a_server_that_hangs_or_is_gone_is_known_within_a_second_and_found_again(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "engine").start()
    try:
        index = Published(tmp_path, engine)
        version = index.published(1)
        opened = index.store.open(version)
        vector = opened.search.vectors(np.array([0]))[0]

        def asked() -> list[int]:
            index.store.current()  # as whoever serves looks every look_every_s
            return opened.search.candidates(vector, ["营收"], 3).rows.tolist()

        before = asked()
        for fail, mend in (
            (engine.hang, lambda: engine.hang(on=False)),
            (engine.end, lambda: engine.start()),
        ):
            fail()
            start = time.monotonic()
            with pytest.raises(StoreUnavailable):
                asked()
            with pytest.raises(StoreUnavailable):
                opened.search.check()
            assert time.monotonic() - start + index.store.look_every_s < 1.2
            mend()
            assert answered(asked) == before
    finally:
        engine.end()


# --- what does not fit


def test_an_index_made_with_another_encoder_is_refused(index: Published) -> None:
    opened = index.another("elsewhere").open(index.published(1))
    other = FakeEncoder()
    other.fingerprint = "another"
    with pytest.raises(IndexMismatch, match="yuntu rebuild"):
        Assistant(opened, other, index.settings)


def test_a_version_of_another_format_is_refused(index: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    version = index.published(1)
    monkeypatch.setattr("index.snapshot.FORMAT", 99)
    with pytest.raises(IndexMismatch, match=r"99.*yuntu rebuild"):
        index.another("elsewhere").open(version)


def test_an_alias_that_points_at_something_else_is_told_of(index: Published) -> None:
    index.store.milvus.create("strangers", [("id", "INT64", {}), ("v", "FLOAT_VECTOR", {"dim": 2})])
    index.store.milvus.give("yuntu_current", "strangers", taken=False)
    with pytest.raises(StoreUnfit, match="strangers"):
        index.store.current()
    assert index.published(1) == index.store.current()
    assert "strangers" in index.store.milvus.collections()  # what is not ours stays


def test_passages_that_got_lost_are_noticed(index: Published) -> None:
    version = index.published(1)
    index.store.milvus.call(lambda c: c.delete(version.replace("v-", "yuntu_"), ids=[0]))
    with pytest.raises(StoreUnfit, match="yuntu rebuild"):
        index.store.verify(version)


def test_files_that_are_not_what_was_written_are_not_taken(index: Published) -> None:
    version = index.published(1)
    name = f"{version.replace('v-', 'yuntu_')}_files"
    part = {"part": "facts.json#0", "data": next(parts_of(Path(__file__))), "nothing": [0.0, 0.0]}
    index.store.milvus.call(lambda c: c.upsert(name, [part]))
    elsewhere = index.another("elsewhere")
    with pytest.raises(StoreUnfit, match=r"facts\.json.*yuntu rebuild"):
        elsewhere.open(version)
    assert not (elsewhere.root / version).exists()


# --- writing


class Cut(Exception):
    """The writer dies here."""


_CHANGES = ("create", "insert", "delete", "flush", "index", "load", "release", "drop", "give", "let_go")


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """[what was changed so far, the change at which the writer dies]."""
    count = [0, -1]
    for name in _CHANGES:
        real = getattr(Milvus, name)

        def counted(self: Milvus, *given: Any, real: Any = real, **named: Any) -> Any:
            if 0 <= count[1] <= count[0]:
                raise Cut
            count[0] += 1
            return real(self, *given, **named)

        monkeypatch.setattr(Milvus, name, counted)
    return count


def test_whatever_a_writer_does_last_a_whole_version_is_in_use(
    index: Published, changes: list[int], soak: bool
) -> None:
    """Cut off before every change to the store (here before every ninth); the process is gone, its lock is not."""
    older = index.published(1)
    version = index.made(2)
    changes[:] = [0, -1]
    index.store.publish(version, 1)
    needed = changes[0]
    assert needed > 10
    for at in range(0, needed, 1 if soak else 9):
        changes[:] = [0, -1]
        index.store.roll_back(older)
        index.store._drop(version)
        changes[:] = [0, at]
        with pytest.raises(Cut):
            index.store.publish(version, 1)
        changes[:] = [0, -1]
        used = index.store.current()
        assert used in (older, version)
        assert set(index.store.versions()) <= {older, version}
        is_whole(index.another("elsewhere"), used)
        index.store.publish(version, 1)
        assert index.store.versions() == [version, older]
        is_whole(index.another("elsewhere"), version)
    newest = index.published(3)
    hex_of = [v.removeprefix("v-") for v in (version, newest)]
    names = ["yuntu_versions", *(f"yuntu_{h}{f}" for h in hex_of for f in ("", "_files"))]
    assert sorted(index.store.milvus.collections()) == sorted(names)


def test_killed_while_it_is_written_to_it_loses_no_version_it_had(tmp_path: Path, soak: bool) -> None:
    engine = Engine(tmp_path / "engine").start()  # the server of the `milvus` wheel does not come back once killed
    try:
        index = Published(tmp_path, engine)
        had = index.published(0)
        chance = random.Random(5)
        for n in range(1, 21 if soak else 3):
            version = index.made(n)
            store, failed = index.another(), threading.Event()

            def write(store: MilvusStore = store, version: str = version, failed: threading.Event = failed) -> None:
                try:
                    store.publish(version, 1)
                except YuntuError:
                    failed.set()

            writer = threading.Thread(target=write)
            writer.start()
            time.sleep(chance.uniform(0.0, 1.2))
            engine.end()
            writer.join(60)
            engine.start()
            fresh = index.another(f"elsewhere-{n}")
            used = answered(fresh.current)
            assert used in ((had, version) if failed.is_set() else (version,))
            is_whole(fresh, used)
            index.another().publish(version, 1)
            had = version
    finally:
        engine.end()


def test_two_writers_of_different_machines_take_turns(index: Published) -> None:
    version = index.published(1)
    other = index.another("other-machine")
    with milvus_lock.alone(index.store.milvus):
        for act in (lambda: other.roll_back(version), lambda: other.publish(index.made(2), 1)):
            with pytest.raises(IndexBusy, match=rf"process {os.getpid()}, host .*已 \d+ 秒"):
                act()
        assert other.current() == version
    other.roll_back(version)


def test_of_two_who_find_a_writer_dead_one_takes_over(index: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    milvus = index.store.milvus
    dead = f"yuntu_lock_elsewhere_1_{int(time.time() - milvus_lock.STALE_S - 60)}_0a1b2c3d"
    milvus.create(dead, [("id", "INT64", {}), ("nothing", "FLOAT_VECTOR", {"dim": 2})])
    milvus.give(milvus_lock.WRITING, dead, taken=False)
    monkeypatch.setattr(milvus_lock, "_SETTLE_S", 1.0)
    met, real = threading.Barrier(2), milvus_lock.is_dead
    monkeypatch.setattr(milvus_lock, "is_dead", lambda *given: real(*given) and met.wait(30) >= 0)
    one_is_refused = threading.Event()

    def write(_: int) -> str:
        try:
            with milvus_lock.alone(milvus) as still:
                while not one_is_refused.wait(0.1):
                    still()  # a slow one may take over after we had settled: then it is us who is refused
                still()
                return "wrote"
        except IndexBusy:
            one_is_refused.set()
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(write, range(2), timeout=60)) == ["refused", "wrote"]
    assert milvus.collections() == []


def test_a_writer_whose_place_was_taken_stops(index: Published) -> None:
    milvus = index.store.milvus
    with milvus_lock.alone(milvus) as still:
        still()
        milvus.create("other", [("id", "INT64", {}), ("nothing", "FLOAT_VECTOR", {"dim": 2})])
        milvus.give(milvus_lock.WRITING, "other", taken=True)
        with pytest.raises(IndexBusy):
            still()
    assert milvus.alias(milvus_lock.WRITING) == "other"  # it is not ours to let go


def test_what_fails_for_a_moment_costs_no_version_and_leaves_no_lock(
    index: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, used = index.published(1), index.published(2)
    version = index.made(3)
    real = Milvus.load
    monkeypatch.setattr(Milvus, "load", lambda *_: (_ for _ in ()).throw(StoreUnfit("no memory for it")))
    with pytest.raises(StoreUnfit, match="no memory"):
        index.store.publish(version, 1)
    monkeypatch.setattr(Milvus, "load", real)
    monkeypatch.setattr(Milvus, "insert", lambda self, *_: self.call(_hiccup))
    with pytest.raises(StoreUnavailable):
        index.store.publish(version, 1)
    monkeypatch.undo()
    assert index.store.versions() == [used, older]
    assert index.store.milvus.alias(milvus_lock.WRITING) is None
    is_whole(index.another("elsewhere"), used)


def _hiccup(_: Any) -> None:
    from pymilvus import MilvusException

    raise MilvusException(1, "StatusCode.DEADLINE_EXCEEDED")


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the files, just loaded, will be released by another server: one number, counted down."""
    times = [0]
    load = Milvus.load

    def load_(self: Milvus, name: str) -> None:
        load(self, name)
        if name.endswith("_files") and times[0]:
            times[0] -= 1
            self.release(name)

    monkeypatch.setattr(Milvus, "load", load_)
    return times


def test_what_another_server_has_read_and_releases_is_loaded_again(index: Published, released: list[int]) -> None:
    version = index.published(1)
    released[0] = 3
    is_whole(index.another("elsewhere"), version)
    assert released == [0]


def test_what_is_never_loaded_is_an_error(index: Published, released: list[int]) -> None:
    version = index.published(1)
    released[0] = 1000
    with pytest.raises(StoreUnfit, match="released"):
        index.another("elsewhere").open(version)
    assert released[0] > 900


def test_programs_started_beside_a_connection_come_up(engine: Engine, tmp_path: Path) -> None:
    program = """if True:
        import subprocess, sys
        from index.settings import Settings
        from index.stores.store import store_of
        store_of(Settings(store=sys.argv[1], index=sys.argv[2])).milvus.ping()
        ends = [subprocess.Popen(["true"], preexec_fn=lambda: None).wait() for _ in range(150)]
        assert set(ends) == {0}, ends
    """
    environ = {name: value for name, value in os.environ.items() if name != "GRPC_ENABLE_FORK_SUPPORT"}
    command = [sys.executable, "-c", program, engine.address, tmp_path / "index"]
    subprocess.run(command, cwd=ROOT, env=environ, check=True, timeout=60)


@pytest.mark.parametrize("lost", ["a passage", "all passages", "the files"])
def test_a_version_that_was_damaged_is_written_again_by_the_next_rebuild(index: Published, lost: str) -> None:
    version = index.published(1)
    name = version.replace("v-", "yuntu_")
    if lost == "a passage":
        index.store.milvus.call(lambda c: c.delete(name, ids=[0]))
    else:
        if lost == "all passages":
            index.store.milvus.let_go("yuntu_current")
        index.store.milvus.drop(name if lost == "all passages" else f"{name}_files")
    with pytest.raises(StoreUnfit, match="yuntu rebuild"):
        index.store.verify(version)
    assert index.published(1) == version
    assert index.store.current() == version
    is_whole(index.another("elsewhere"), version)


def test_a_passage_that_is_gone_is_never_taken_for_one_that_does_not_fit(index: Published) -> None:
    version = index.published(1)
    opened = index.store.open(version)
    vector = opened.search.vectors(np.array([0]))[0]
    index.store.milvus.call(lambda c: c.delete(version.replace("v-", "yuntu_"), ids=[0]))
    for ask in (
        lambda: opened.search.vectors(np.array([0])),
        lambda: opened.search.candidates(vector, [], 1, np.array([0])),
    ):
        with pytest.raises(StoreUnfit, match="passages are missing"):
            ask()


def test_a_copy_that_was_damaged_is_fetched_again(index: Published) -> None:
    version = index.published(1)
    elsewhere = index.another("elsewhere")
    elsewhere.open(version)
    damaged = elsewhere.root / version / "passages.jsonl"
    raw = damaged.read_bytes()
    damaged.write_bytes(raw[:-2] + bytes([raw[-2] ^ 1]) + raw[-1:])
    assert elsewhere.open(version, thorough=True).version == version
    assert damaged.read_bytes() == raw


def test_a_disk_that_is_full_leaves_nothing_of_a_version(index: Published) -> None:
    version = index.published(1)
    elsewhere = index.another("elsewhere")
    with failing(12, errno.ENOSPC), pytest.raises(IndexUnwritable):
        elsewhere.open(version)
    assert not list(elsewhere.root.glob("*v-*"))
    assert not (elsewhere.root / ".writing").exists()
    assert elsewhere.open(version).version == version


@pytest.mark.parametrize(
    ("host", "pid", "age", "dead"),
    [
        ("here", 999_999_999, 1, True),
        ("here", os.getppid(), 10**6, False),
        ("here", os.getpid(), 60, True),
        ("elsewhere", 1, 60, False),
        ("elsewhere", 1, milvus_lock.STALE_S + 60, True),
    ],
    ids=["its-process-is-gone", "it-works-for-long", "it-had-our-number", "elsewhere", "elsewhere-and-old"],
)
def test_a_writer_that_is_gone_is_not_waited_for(host: str, pid: int, age: float, dead: bool) -> None:
    lock = f"yuntu_lock_{host}_{pid}_{int(time.time() - age)}_0a1b2c3d"
    assert milvus_lock.is_lock(lock)
    assert milvus_lock.is_dead(lock, "here") is dead
    assert f"process {pid}, host {host}" in milvus_lock.owner_of(lock)


def test_a_folder_that_servers_share_is_filled_once(index: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    version = index.published(1)
    filled: list[str] = []
    real = milvus_files._fill
    monkeypatch.setattr(milvus_files, "_fill", lambda *given: filled.append(version) or real(*given))
    stores = [index.another("shared") for _ in range(4)]
    threads = [threading.Thread(target=store.open, args=(version,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert filled == [version]
    assert [s.open(version).version for s in stores] == [version] * 4
    assert not (stores[0].root / "CURRENT").exists()  # which is for who rebuilds there


def test_fetching_a_version_leaves_what_is_rebuilt_in_the_folder_alone(index: Published) -> None:
    older, newer = index.published(1), index.published(2)
    elsewhere = index.another("elsewhere")
    build(write_corpus(index.folder / "own", TEXTS), elsewhere.root)
    own = current_version(elsewhere.root)
    for version in (newer, older):
        assert elsewhere.open(version).version == version
        assert current_version(elsewhere.root) == own


def test_a_machine_without_the_version_in_use_builds_it_again_by_itself(index: Published) -> None:
    """What was published and is unchanged is not encoded again, nor sent."""
    version = index.published(1)
    before = set(index.store.milvus.collections())
    index.store.milvus.let_go("yuntu_current")
    with pytest.raises(IndexMissing):
        index.store.current()
    index.store.publish(version, 1)
    assert index.store.current() == version
    assert set(index.store.milvus.collections()) == before


# --- files in parts


@given(st.binary(max_size=300_000) | st.integers(0, 2**32).map(lambda n: random.Random(n).randbytes(150_000)))
def test_a_file_in_parts_is_the_file(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    folder = tmp_path_factory.mktemp("parts")
    (folder / "a").write_bytes(raw)
    parts = list(parts_of(folder / "a"))
    assert parts
    assert all(len(p.encode()) <= LONGEST for p in parts)
    with (folder / "b").open("wb") as f:
        restore(parts, f)
    assert (folder / "b").read_bytes() == raw
    if len(parts) > 1:
        with (folder / "c").open("wb") as f, pytest.raises(ValueError, match=r"."):
            restore(parts[:-1], f)


# --- the real server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, soak: bool) -> Iterator[Engine]:
    if not soak:
        pytest.skip("the real server is started by make soak")
    engine = RealServer(tmp_path_factory.mktemp("guarded"), COMMON_SECURITY_AUTHORIZATIONENABLED="true").start()
    yield engine
    engine.end()


def test_wrong_credentials_are_refused_and_right_ones_are_not(guarded: Engine) -> None:
    for token, refused in (("", True), ("root:wrong", True), ("root:Milvus", False)):
        milvus = Milvus(address_of(guarded.address), token)
        if refused:
            with pytest.raises(StoreRefused, match="YUNTU_STORE_TOKEN"):
                answered(milvus.ping, 60)  # it listens before it answers
        else:
            answered(milvus.ping, 60)


def test_hosts_with_odd_names_lock_too(index: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "böse-host.local/../x")
    with milvus_lock.alone(index.store.milvus):
        assert milvus_lock.is_lock(str(index.store.milvus.alias(milvus_lock.WRITING)))
    assert milvus_store.CURRENT not in index.store.milvus.collections()


# --- what is not installed costs nothing


def test_nobody_who_searches_his_own_files_pays_for_milvus_or_ray() -> None:
    program = (
        "import sys, web.verbs, web.serving, index.build, rag.opening\n"
        "print({'pymilvus', 'milvus_lite', 'ray'} & {*sys.modules})"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout == "set()\n", ran.stderr


@pytest.mark.parametrize(("store", "missing"), [("milvus://127.0.0.1:1", "pymilvus"), ("x.db", "milvus_lite")])
def test_a_package_that_is_not_installed_is_named(store: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(BadSettings, match=r"pip install 'yuntu-qa\[milvus\]'"):
        store_of(Settings(store=store)).ready()
