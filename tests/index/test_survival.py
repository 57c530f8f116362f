"""The index on disk outlives every accident: what opens is a whole version, and the next rebuild leaves no traces."""

import errno
import fcntl
import os
import random
import re
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import publish, snapshot, vectors
from index.dense import Dense
from index.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, IndexUnwritable
from index.publish import prune, roll_back, switch, writer_lock
from index.snapshot import Snapshot, current_version, open_current, open_sound, open_version, problem_of, versions
from tests.index.faults import changing, dying, end_of, failing, in_a_child
from tests.index.small import build, write_corpus
from tests.index.test_build import contents
from tests.index.test_snapshot import with_manifest

pytestmark = pytest.mark.usefixtures("fake_encoder")
KEPT = 1  # versions beside the current one


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the English dictionary, which takes a second; each passage in a shard of its own."""
    monkeypatch.setattr("index.build.translations", lambda *_: {})
    monkeypatch.setattr(vectors, "SHARD", 1)


class Index:
    """An index that is rebuilt over and over from a corpus that changes each time."""

    def __init__(self, folder: Path) -> None:
        self.corpus = write_corpus(folder / "corpus")
        self.root = folder / "index"
        self._edits = 0
        with changing():
            self.rebuild()

    def edit(self) -> None:
        self._edits += 1
        text = "".join(
            f"{who}第{self._edits}次换了做图的工具，单张成本是{self._edits}元，模特图仍要人工修改，时间少了一半。\n\n"
            for who in ("一家商家", "另一家商家")
        )
        (self.corpus / "image.txt").write_text(text, encoding="utf-8")

    def rebuild(self) -> str:
        return build(self.corpus, self.root, keep_versions=KEPT).version

    def opens_whole(self) -> str:
        """Every byte of the version in use is as it was written, and it answers."""
        opened = open_version(self.root, current_version(self.root), thorough=True)
        answers(opened)
        return opened.version

    def is_tidy(self) -> None:
        """There is nothing but versions, all of them sound, and not too many."""
        there = versions(self.root)
        assert len(there) <= KEPT + 1
        assert {p.name for p in self.root.iterdir()} == {".lock", "CURRENT", *there, *(f"{v}.built" for v in there)}
        assert [problem_of(self.root, v) for v in there] == [""] * len(there)


def answers(opened: Snapshot) -> None:
    first = opened.search.vectors(np.array([0]))[0]
    found = opened.search.candidates(first, ["阿里云"], 1)
    assert "阿里云" in opened.passages[int(found.rows[found.bm25.argmax()])].text
    assert found.rows[found.cosine.argmax()] == 0
    assert [opened.documents[p.doc_id].doc_id for p in opened.passages[:1]] == ["cloud"]


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path)


def changes_of_a_rebuild(index: Index) -> list[str]:
    """Of one that keeps shards on the way and removes an old version."""
    for _ in range(2):
        index.edit()
        with changing() as disk:
            index.rebuild()
    assert disk.changes.count("mkdir") == 3  # for the version, for BM25, for the shards
    assert disk.changes.count("rename") == 4  # two shards, the new version, the old one
    return disk.changes


# --- kill -9 ----------------------------------------------------------------------------------------------------------


def test_killed_at_any_change_to_the_disk_the_index_opens_and_the_next_rebuild_tidies_up(
    index: Index, soak: bool
) -> None:
    total = len(changes_of_a_rebuild(index))
    for at in range(1, total + 1, 1 if soak else 4):
        before = index.opens_whole()
        index.edit()
        assert end_of(in_a_child(index.rebuild, dying(at))) == -signal.SIGKILL, f"no change {at} of {total}"
        left = index.opens_whole()
        with changing():
            after = index.rebuild()
        assert left in (before, after)
        assert index.opens_whole() == after != before
        index.is_tidy()


def test_killed_at_any_moment_the_index_opens_and_the_next_rebuild_tidies_up(index: Index, soak: bool) -> None:
    chance = random.Random(20)
    changes_of_a_rebuild(index)
    whole_s, writing_s, seen = 0.0, 0.0, set()
    for n in range(-1, 200 if soak else 20):
        before = index.opens_whole()
        index.edit()
        told, tell = os.pipe()
        began = time.perf_counter()
        child = in_a_child(index.rebuild, lambda change, _, tell=tell: change == 1 and os.write(tell, b"!"))
        if n < 0:  # the first one is timed
            os.read(told, 1)
            wrote = time.perf_counter()
            assert end_of(child) == 0
            whole_s, writing_s = time.perf_counter() - began, time.perf_counter() - wrote
        else:
            if n % 2:
                os.read(told, 1)
            time.sleep(chance.uniform(0, writing_s if n % 2 else whole_s))
            os.kill(child, signal.SIGKILL)
            end_of(child)
        os.close(told)
        os.close(tell)
        left = index.opens_whole()
        with changing():
            after = index.rebuild()
        assert left in (before, after)
        seen.add(left == after)
        assert index.opens_whole() == after
        index.is_tidy()
    assert seen == {True, False}


# --- a disk that fails ------------------------------------------------------------------------------------------------

SAID = {
    errno.ENOSPC: r"磁盘满了.*腾出空间",
    errno.EIO: r"磁盘读写出错.*检查磁盘",
    errno.EROFS: r"文件夹只能读.*改权限",
}


def test_whatever_change_fails_the_index_stays_whole_and_the_error_says_what_to_do(index: Index, soak: bool) -> None:
    total = len(changes_of_a_rebuild(index))
    kinds = [(number, for_good) for number in SAID for for_good in (False, True)]
    cases = [(at, kind) for at in range(1, total + 1) for kind in kinds]
    outcomes = set()
    for at, (number, for_good) in cases if soak else cases[::11]:
        before = index.opens_whole()
        index.edit()
        error = None
        with failing(at, number, for_good=for_good):
            try:
                index.rebuild()
            except IndexUnwritable as e:
                error = e
        if error is None:  # it was one of the changes that tidy up: the next rebuild makes up for it
            outcomes.add("done")
        else:
            assert re.search(rf"{index.root} \(cannot write\).*{SAID[number]}.*(yuntu rebuild|--index)", str(error))
            assert os.strerror(number) in error.message
            switched = current_version(index.root) != before
            assert ("已经换上" in error.hint, "旧索引没有变" in error.hint) == (switched, not switched), f"change {at}"
            outcomes.add("switched" if switched else "as it was")
        left = index.opens_whole()
        with changing():
            after = index.rebuild()
        assert left in (before, after)
        assert index.opens_whole() == after != before
        index.is_tidy()
    assert outcomes >= {"done", "as it was"}
    assert not soak or "switched" in outcomes


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))], ids=["python", "mmap"]
)
def test_when_memory_is_what_lacks_the_disk_is_not_blamed(
    index: Index, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def lacking(*_: Any, **__: Any) -> Any:
        raise error

    before = current_version(index.root)
    index.edit()
    monkeypatch.setattr(publish, "write_rows", lacking)
    with pytest.raises(IndexUnwritable, match=r"内存不够.*关掉别的程序.*旧索引没有变") as raised:
        index.rebuild()
    assert "磁盘" not in str(raised.value)
    assert index.opens_whole() == before


def test_a_version_that_does_not_read_back_as_it_was_written_is_not_switched_to(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = current_version(index.root)
    real = snapshot.sha256_of
    index.edit()
    monkeypatch.setattr(snapshot, "sha256_of", lambda path: "0" if path.name == "vectors.faiss" else real(path))
    with pytest.raises(IndexUnwritable, match=r"vectors\.faiss.*旧索引没有变"):
        index.rebuild()
    monkeypatch.setattr(snapshot, "sha256_of", real)
    assert versions(index.root) == [index.opens_whole()] == [before]


def test_a_folder_that_is_read_only_can_be_read_and_says_so_when_written_to(index: Index) -> None:
    def as_anybody() -> None:
        os.chdir(index.root)
        if os.geteuid() == 0:  # nothing is read-only for root
            os.setuid(65534)
        here = Path()
        answers(open_current(here))
        for attempt in (index_writes, lambda: roll_back(here, current_version(here))):
            with pytest.raises(IndexUnwritable, match=r"文件夹只能读.*--index.*旧索引没有变"):
                attempt()

    def index_writes() -> None:
        with writer_lock(Path()):
            raise AssertionError

    (index.root / ".lock").unlink()
    index.root.chmod(0o555)
    try:
        assert end_of(in_a_child(as_anybody)) == 0
    finally:
        index.root.chmod(0o755)


# --- damage -----------------------------------------------------------------------------------------------------------


def damaged(raw: bytes, chance: random.Random) -> bytes:
    """One byte another, or the end missing."""
    at = chance.randrange(len(raw))
    if chance.random() < 0.7:
        return raw[:at] + bytes([raw[at] ^ chance.randrange(1, 256)]) + raw[at + 1 :]
    return raw[:at]


def test_a_damaged_file_is_never_read_and_the_newest_sound_version_steps_in(
    index: Index, soak: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = open_current(index.root)
    index.edit()
    with changing():
        index.rebuild()
    newer = open_current(index.root)
    right = {v.version: contents(v) for v in (older, newer)}
    read: list[str] = []
    real = Dense.open
    monkeypatch.setattr(Dense, "open", lambda folder: read.append(folder.name) or real(folder))
    there = sorted(
        p for p in index.root.rglob("*") if p.is_file() and p.name != ".lock" and older.version not in str(p)
    )
    chance, hit = random.Random(4), set()
    for n in range(1000 if soak else 100):
        path = there[n % len(there)]
        sound = path.read_bytes()
        path.write_bytes(damaged(sound, chance))
        said: list[str] = []
        read.clear()
        refused = ""
        try:
            opened = open_current(index.root)
        except IndexDamaged as e:
            refused = e.message
        else:
            assert contents(opened) == right[newer.version]
        assert not refused or path.name in refused or path.name == "CURRENT"
        assert refused or path.name == "CURRENT" or path.suffix == ".built", path
        assert bool(refused) == (newer.version not in read), "a damaged file was read"
        used = open_sound(index.root, said.append)
        assert contents(used) == right[used.version]
        assert bool(said) == bool(refused)
        if path.parent != index.root:
            assert used.version == older.version
        for line in said:
            assert used.version in line
            assert path.name in line or path.name == "CURRENT"
            assert re.search("yuntu rebuild.*yuntu index verify", line)
        hit.add(path)
        path.write_bytes(sound)
    assert hit == set(there)
    assert contents(open_current(index.root)) == right[newer.version]


@pytest.mark.parametrize("current", [None, b"", b"\xff\0", b"v-0123456789ab\n"], ids=["no", "empty", "odd", "nowhere"])
def test_without_a_current_that_names_a_version_the_newest_sound_one_is_used(
    index: Index, current: bytes | None
) -> None:
    index.edit()
    newest = index.rebuild()
    (index.root / "CURRENT").unlink()
    if current is not None:
        (index.root / "CURRENT").write_bytes(current)
    said: list[str] = []
    assert open_sound(index.root, said.append).version == newest
    assert len(said) == 1
    assert "CURRENT" in said[0] or "v-0123456789ab" in said[0]
    with changing():
        index.rebuild()
    assert index.opens_whole() == newest
    index.is_tidy()


def test_with_no_version_sound_what_is_wrong_with_the_current_one_is_said(index: Index) -> None:
    index.edit()
    index.rebuild()
    for version in versions(index.root):
        (index.root / version / "sentences.npy").write_bytes(b"")
    with pytest.raises(IndexDamaged, match=rf"{current_version(index.root)}/sentences\.npy"):
        open_sound(index.root, pytest.fail)


def test_where_there_is_no_version_at_all_there_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="yuntu rebuild"):
        open_sound(tmp_path, pytest.fail)


def test_a_version_of_an_older_format_is_not_passed_over_in_silence(index: Index) -> None:
    version = with_manifest(index.root, format=snapshot.FORMAT - 1)
    with pytest.raises(IndexMismatch, match=rf"{version}.*yuntu rebuild"):
        open_sound(index.root, pytest.fail)


def test_a_damaged_version_can_not_be_rolled_back_to(index: Index) -> None:
    first = current_version(index.root)
    index.edit()
    second = index.rebuild()
    (index.root / first / "facts.json").write_bytes(b"{}")
    with pytest.raises(IndexDamaged, match=r"facts\.json"):
        roll_back(index.root, first)
    assert current_version(index.root) == second
    roll_back(index.root, second)
    assert [bool(problem_of(index.root, v)) for v in (first, second)] == [True, False]


# --- side by side -----------------------------------------------------------------------------------------------------


def test_a_second_rebuild_is_told_at_once_who_writes_and_since_when_and_the_first_one_finishes(index: Index) -> None:
    before = current_version(index.root)
    waits, go = os.pipe()
    told, tell = os.pipe()

    def pause(n: int, _: str) -> None:
        if n == 20:
            os.write(tell, b"!")
            os.read(waits, 1)

    index.edit()
    child = in_a_child(index.rebuild, pause)
    os.read(told, 1)
    with pytest.raises(IndexBusy, match=rf"process {child}, host .+, 已 \d+ 秒.*旧索引照常可用"):
        index.rebuild()
    assert index.opens_whole() == before
    os.write(go, b"!")
    assert end_of(child) == 0
    assert index.opens_whole() != before
    index.is_tidy()
    for handle in (waits, go, told, tell):
        os.close(handle)


@pytest.mark.parametrize(
    ("ago_s", "said"),
    [(5, "已 5 秒"), (300, "已 5 分钟"), (7500, "已 2 小时 5 分钟"), (-86400, "已 0 秒")],
    ids=["seconds", "minutes", "hours", "the-clock-was-set-back"],
)
def test_how_long_a_writer_has_been_at_it_is_told(
    index: Index, monkeypatch: pytest.MonkeyPatch, ago_s: int, said: str
) -> None:
    now = time.time()
    with writer_lock(index.root):
        monkeypatch.setattr("index.locks.time.time", lambda: now + ago_s + 0.5)
        with pytest.raises(IndexBusy, match=said), writer_lock(index.root):
            pass


def test_opening_never_fails_while_versions_come_and_go_beside(index: Index, soak: bool) -> None:
    def rebuilds() -> None:
        for n in range(30 if soak else 12):
            if n % 3 == 2:
                write_corpus(index.corpus)  # back to what it was: the same version comes again
            else:
                index.edit()
            index.rebuild()
            prune(index.root, 0)

    child = in_a_child(rebuilds)
    seen, opened = set(), 0
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        for one in (open_current(index.root), open_sound(index.root, pytest.fail)):
            answers(one)
            seen.add(one.version)
            opened += 1
    assert os.waitstatus_to_exitcode(ended[1]) == 0
    assert opened > 10
    assert len(seen) > 3


def test_a_version_that_is_open_is_not_removed_before_it_is_closed(index: Index) -> None:
    reader = open_current(index.root)
    expected = contents(reader)
    for _ in range(3):
        index.edit()
        index.rebuild()
    assert reader.version in versions(index.root)
    assert contents(reader) == expected == contents(open_version(index.root, reader.version))
    del reader
    index.edit()
    index.rebuild()
    index.is_tidy()


def test_without_locks_readers_go_on_with_what_they_have_mapped(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: Any) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    index.edit()
    index.rebuild()
    monkeypatch.setattr(fcntl, "flock", unsupported)
    reader = open_current(index.root)
    expected = contents(reader)
    switch(index.root, versions(index.root)[1])
    prune(index.root, 0)
    assert reader.version not in versions(index.root)
    assert contents(reader) == expected
    with pytest.raises(IndexUnwritable, match="not supported"), writer_lock(index.root):  # nothing keeps a second out
        pass


def test_a_reader_that_has_read_the_name_of_a_version_that_goes_takes_the_next(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = current_version(index.root)
    seen: list[str] = []

    def late(root: Path, version: str, **options: Any) -> Snapshot:
        seen.append(version)
        if len(seen) == 1:
            index.edit()
            index.rebuild()
            prune(root, 0)
        return open_version(root, version, **options)

    monkeypatch.setattr(snapshot, "open_version", late)
    assert open_current(index.root).version == current_version(index.root) != first == seen[0]
    assert first not in versions(index.root)


# --- the clock --------------------------------------------------------------------------------------------------------


def test_the_newest_version_is_the_one_written_last_whatever_the_clock_says(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [current_version(index.root)]
    for n, year in enumerate((2090, 1970, 2050)):
        late = time.time() + (year - 2025) * 3.15e7
        monkeypatch.setattr("index.publish.time.strftime", lambda _, year=year: f"{year}-01-01T00:00:00")
        os.utime(index.root / made[-1] / "manifest.json", (late, late))
        index.edit()
        made.append(index.rebuild())
        assert versions(index.root)[:2] == [made[-1], made[-2]], n
    assert current_version(index.root) == made[-1]
    assert set(versions(index.root)) == set(made[-KEPT - 1 :])
