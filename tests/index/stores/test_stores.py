"""One suite for every store: what is written is found, switched to, counted and forgotten alike."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from index import snapshot
from index.errors import IndexMissing, YuntuError
from index.settings import Settings
from index.snapshot import Snapshot, open_version
from index.stores.milvus import Milvus
from index.stores.milvus_address import address_of
from index.stores.milvus_store import MilvusStore
from index.stores.store import Folder, Store, store_of
from rag.assistant import Assistant
from tests.fakes import FakeEncoder
from tests.index.small import TEXTS, build, small_settings, write_corpus
from tests.index.stores.engines import Engine, RealServer

pytestmark = pytest.mark.usefixtures("fake_encoder")
KINDS = ["files", "milvus-lite-file", "milvus-lite-grpc", "milvus"]
QUESTIONS = ["阿里云排第几？", "百度智能云居第几？", "退货率下降了多少？", "誰沒有揭露預測數字？", "月球上有几家店？"]


@pytest.fixture(scope="module", params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """YUNTU_STORE; the real server in `make soak` alone."""
    folder = tmp_path_factory.mktemp("store")
    if request.param == "files":
        yield ""
    elif request.param == "milvus-lite-file":
        yield str(folder / "lite.db")
    else:
        if request.param == "milvus" and not request.config.getoption("--soak"):
            pytest.skip("the real server is started by make soak")
        engine = (RealServer if request.param == "milvus" else Engine)(folder).start()
        yield engine.address
        engine.end()


class Index:
    """A folder that is rebuilt, and where its versions are published."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.root = folder, folder / "index"
        self.settings = small_settings(self.root, store=address, keep_versions=1)
        self.store = store_of(self.settings)

    def rebuilt(self, number: int = 0) -> str:
        """A version that says so."""
        more = {"more.txt": f"星澜云的营收为{number}亿元。\n"} if number else {}
        corpus = write_corpus(self.folder / f"corpus-{number}", {**TEXTS, **more})
        version = build(corpus, self.root).version
        self.store.publish(version, 1)
        return version

    def elsewhere(self) -> Store:
        """The same store on a machine that has nothing of it. The files of this one are everywhere."""
        if isinstance(self.store, Folder):
            return self.store
        fresh = self.folder / "elsewhere"
        shutil.rmtree(fresh, ignore_errors=True)
        return store_of(self.settings.model_copy(update={"index": fresh}))


@contextmanager
def emptied(made: Index) -> Iterator[Index]:
    if isinstance(made.store, MilvusStore):
        _empty(made.store.milvus)
    yield made
    if isinstance(made.store, MilvusStore):
        _empty(made.store.milvus)
        if not made.store.milvus.address.is_file:
            made.store.milvus.close()


@pytest.fixture
def index(address: str, tmp_path: Path) -> Iterator[Index]:
    with emptied(Index(tmp_path, address)) as made:
        yield made


def _empty(milvus: Milvus) -> None:
    """Leaves nothing for the next test."""
    for alias in ("yuntu_current", "yuntu_writing"):
        if milvus.alias(alias) is not None:
            milvus.let_go(alias)
    for name in milvus.collections():
        milvus.drop(name)


@pytest.fixture(scope="module")
def pair(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Snapshot, Snapshot]]:
    """A version searched by this machine's files, and by the store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.encode.load_encoder", lambda *_, **__: FakeEncoder())
        patch.setattr("index.build.fingerprint_of", lambda _: FakeEncoder.fingerprint)
        with emptied(Index(tmp_path_factory.mktemp("pair"), address)) as index:
            version = index.rebuilt()
            yield open_version(index.root, version), index.elsewhere().open(version)


Pair = tuple[Snapshot, Snapshot]


# --- search


@pytest.mark.parametrize("most", [1, 3, 100])
@pytest.mark.parametrize("terms", [[], ["阿里", "里云"], ["阿里", "阿里", "没有这个"], ["没有这个"]])
def test_both_legs_find_what_this_machine_finds(pair: Pair, terms: list[str], most: int) -> None:
    here, there = pair
    for row in range(len(here.passages)):
        vector = here.search.vectors(np.array([row]))[0]
        for among in (None, np.array([0, 2], np.int64), np.array([], np.int64)):
            a, b = (one.search.candidates(vector, terms, most, among) for one in (here, there))
            if most == 100:  # else equal scores at the end may be either's
                assert a.rows.tolist() == b.rows.tolist()
                np.testing.assert_allclose(a.bm25, b.bm25, atol=1e-5)
            assert b.rows.tolist() == sorted(set(b.rows.tolist()))
            assert a.cosine.max(initial=0) == pytest.approx(b.cosine.max(initial=0), abs=1e-5)
            assert a.bm25.max(initial=0) == pytest.approx(b.bm25.max(initial=0), abs=1e-5)


def test_who_holds_all_terms_is_among_those_found(pair: Pair) -> None:
    here, there = pair
    for terms in ([], ["阿里"], ["阿里", "里云"], ["阿里", "没有这个"]):
        wanted = set(here.search.holding(terms).tolist())
        assert wanted <= set(there.search.holding(terms).tolist())


def test_vectors_come_in_the_order_asked_for(pair: Pair) -> None:
    here, there = pair
    rows = np.arange(len(here.passages))[::-1]
    np.testing.assert_array_equal(here.search.vectors(rows), there.search.vectors(rows))


def test_answers_refusals_and_citations_are_the_same(pair: Pair) -> None:
    here, there = pair
    settings = Settings(threshold=0.0)
    ours, theirs = (Assistant(one, FakeEncoder(), settings) for one in (here, there))
    for question in QUESTIONS:
        a, b = ours.ask(question), theirs.ask(question)
        assert (a.text, a.refused, a.reason, a.citations) == (b.text, b.refused, b.reason, b.citations)
    assert not all(ours.ask(q).refused for q in QUESTIONS)


def test_everything_but_searching_is_read_from_files_that_are_the_same(pair: Pair) -> None:
    here, there = pair
    assert dict(here.documents) == dict(there.documents)
    assert here.passages[:] == there.passages[:]
    assert tuple(here.figures) == tuple(there.figures)
    assert here.terms.vocabulary() == there.terms.vocabulary()
    assert (here.version, here.manifest) == (there.version, there.manifest)


# --- versions


def test_nothing_is_there_before_the_first_version(index: Index) -> None:
    assert index.store.versions() == []
    with pytest.raises(IndexMissing, match="yuntu rebuild"):
        index.store.current()


def test_the_last_published_version_is_the_one_in_use_and_the_oldest_are_forgotten(index: Index) -> None:
    made = [index.rebuilt(n) for n in (1, 2, 3)]
    assert len(set(made)) == 3
    store = index.elsewhere()
    assert store.current() == made[2]
    assert store.versions() == [made[2], made[1]]
    assert store.manifest(made[2])["counts"]["passages"] == len(store.open(made[2]).passages)
    for version in store.versions():
        store.verify(version)


def test_publishing_again_changes_nothing(index: Index) -> None:
    version, mark = index.rebuilt(1), index.store.mark()
    index.store.publish(version, 1)
    assert (index.store.current(), index.store.versions()) == (version, [version])
    assert index.store.mark() == mark


def test_an_older_version_is_used_again_and_what_was_open_stays(index: Index) -> None:
    first, second = index.rebuilt(1), index.rebuilt(2)
    store = index.elsewhere()
    opened = store.open(store.current())
    store.roll_back(first)
    assert store.current() == first
    vector = opened.search.vectors(np.array([0]))[0]
    assert opened.search.candidates(vector, ["阿里"], 3).rows.tolist()
    assert opened.version == second
    sound = store.open_sound(pytest.fail)
    assert sound.version == first
    assert any("1亿元" in p.text for p in sound.passages)


def test_what_is_no_version_cannot_be_opened(index: Index) -> None:
    index.rebuilt(1)
    for wrong in (lambda s: s.open("v-000000000000"), lambda s: s.roll_back("v-000000000000")):
        with pytest.raises(YuntuError):
            wrong(index.store)
    assert index.store.current() == index.rebuilt(1)


def test_files_that_are_damaged_are_not_served(index: Index) -> None:
    older, version = index.rebuilt(1), index.rebuilt(2)
    store = index.elsewhere()
    root = store.root
    store.open(version)
    said: list[str] = []
    damaged = root / version / "passages.jsonl"
    damaged.write_bytes(b"[" * damaged.stat().st_size)
    opened = store.open_sound(said.append, thorough=True)
    assert opened.version == (older if isinstance(store, Folder) else version)  # a Milvus has the files still
    assert said or not isinstance(store, Folder)
    assert all(p.text for p in opened.passages)


def test_a_milvus_has_the_address_that_the_setting_names(address: str) -> None:
    if address:
        assert address_of(address).shown == address
    else:
        assert isinstance(store_of(small_settings(Path("x"))), Folder)
        assert snapshot.versions(Path("x")) == []
