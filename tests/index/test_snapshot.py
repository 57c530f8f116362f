"""Versions on disk: no damaged one answers, the right ones are kept, and every refusal says what to do."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index import publish, snapshot
from index.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing
from index.publish import prune, switch
from index.snapshot import FORMAT, current_version, open_current, open_version, verify, versions
from tests.index.small import build, write_corpus

Damage = Callable[[bytes], bytes | None]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of one version; tests work on copies."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.build.fingerprint_of", lambda _: "fake-bigrams-1")
        build(write_corpus(folder / "corpus"), folder / "index")
    return folder / "index"


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "index")


def version_files(root: Path) -> list[Path]:
    return sorted(p for p in (root / current_version(root)).rglob("*") if p.is_file())


def flip(position: float) -> Callable[[bytes], bytes]:
    def damage(raw: bytes) -> bytes:
        at = int(position * (len(raw) - 1))
        return raw[:at] + bytes([raw[at] ^ 0x07]) + raw[at + 1 :]

    return damage


# --- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        *(pytest.param(flip(n / 8), id=f"a-bit-flipped-at-{n}-of-8") for n in range(9)),
        pytest.param(lambda raw: raw[:-1], id="one-byte-short"),
        pytest.param(lambda raw: raw[: len(raw) // 2], id="cut-in-half"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda raw: raw + b"\n", id="one-byte-more"),
        pytest.param(lambda _: None, id="missing"),
    ],
)
def test_no_file_of_a_version_can_be_damaged_unnoticed(root: Path, damage: Damage) -> None:
    files = version_files(root)
    assert {"manifest.json", "documents.jsonl", "passages.jsonl", "vectors.faiss", "sentences.npy"} < {
        p.name for p in files
    }
    for path in files:
        sound = path.read_bytes()
        damaged = damage(sound)
        path.unlink()
        if damaged is not None:
            path.write_bytes(damaged)
        name = path.relative_to(root).as_posix()
        for attempt in (lambda: verify(root, current_version(root)), lambda: open_current(root)):
            with pytest.raises(IndexDamaged, match=rf"{name}.*yuntu rebuild --full.*rollback"):
                attempt()
        path.write_bytes(sound)
    open_current(root)


def test_a_large_index_is_not_hashed_at_open_but_its_sizes_are_checked(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_VERIFY_AT_OPEN_BYTES", 0)
    path = root / current_version(root) / "sentences.npy"
    sound = path.read_bytes()
    path.write_bytes(flip(1)(sound))
    open_current(root)
    for attempt in (verify, lambda *at: open_version(*at, thorough=True)):
        with pytest.raises(IndexDamaged, match=r"sentences\.npy"):
            attempt(root, current_version(root))
    path.write_bytes(sound[:-1])
    with pytest.raises(IndexDamaged, match=r"sentences\.npy"):
        open_current(root)


# --- CURRENT ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", ["nothing", "folder", "versions"])
def test_without_current_there_is_no_index_and_the_command_that_makes_one_is_named(root: Path, left: str) -> None:
    if left == "versions":
        (root / "CURRENT").unlink()
    else:
        shutil.rmtree(root)
    if left == "folder":
        root.mkdir()
    with pytest.raises(IndexMissing, match=rf"{root.name}.*yuntu rebuild"):
        open_current(root)


@pytest.mark.parametrize(
    "name", [b"", b"\n", b"\xff\xfe", b"v-\0\0", b"v-ABCDEFABCDEF", b"../../etc", b"v-0123456789ab\nv-0123456789ab"]
)
def test_a_current_that_names_no_version_is_damage(root: Path, name: bytes) -> None:
    (root / "CURRENT").write_bytes(name)
    with pytest.raises(IndexDamaged, match=r"CURRENT.*yuntu rebuild"):
        open_current(root)


def test_a_current_that_names_a_version_that_is_gone_is_damage(root: Path) -> None:
    switch(root, "v-0123456789ab")
    with pytest.raises(IndexDamaged, match=r"v-0123456789ab/manifest\.json.*yuntu rebuild"):
        open_current(root)


# --- formats ----------------------------------------------------------------------------------------------------------


def with_manifest(root: Path, **changes: Any) -> str:
    """A sound version with another manifest, made current."""
    old = root / current_version(root)
    manifest = {**json.loads((old / "manifest.json").read_bytes()), **changes}
    raw = json.dumps(manifest).encode()
    version = "v-" + hashlib.sha256(raw).hexdigest()[:12]
    shutil.copytree(old, root / version)
    (root / version / "manifest.json").write_bytes(raw)
    switch(root, version)
    return version


@pytest.mark.parametrize("number", [FORMAT - 1, FORMAT + 1, "next", None])
def test_another_snapshot_format_is_one_clear_message_with_the_command(root: Path, number: Any) -> None:
    version = with_manifest(root, format=number)
    for attempt in (lambda: open_current(root), lambda: verify(root, version)):
        with pytest.raises(IndexMismatch, match=rf"{version}.*{number}.*{FORMAT}.*yuntu rebuild"):
            attempt()


# --- versions ---------------------------------------------------------------------------------------------------------


def aged(root: Path, count: int) -> list[str]:
    """`count` sound versions, oldest first; the last is the current one."""
    names = [current_version(root)]
    for n in range(1, count):
        names.append(with_manifest(root, sources=[str(n)]))
    for n, name in enumerate(names):
        os.utime(root / name / "manifest.json", (1e9 + n, 1e9 + n))
        (root / f"{name}.built").write_text("{}")
    return names


def test_versions_are_listed_newest_first_and_nothing_else_is_one(root: Path) -> None:
    names = aged(root, 4)
    (root / "v-unfinished").mkdir()
    (root / "notes").mkdir()
    assert versions(root) == names[::-1]
    assert versions(root / "nowhere") == []


@pytest.mark.parametrize(
    ("current", "keep", "kept"),
    [
        pytest.param(4, 3, [1, 2, 3, 4], id="the-three-before-it"),
        pytest.param(4, 1, [3, 4], id="the-one-before-it"),
        pytest.param(1, 1, [1, 4], id="after-a-rollback-the-newest-other"),
        pytest.param(0, 2, [0, 3, 4], id="however-old-the-current-one-is"),
        pytest.param(4, 9, [0, 1, 2, 3, 4], id="all-when-there-are-few"),
    ],
)
def test_pruning_keeps_the_current_version_and_the_newest_others(
    root: Path, current: int, keep: int, kept: list[int]
) -> None:
    names = aged(root, 5)
    switch(root, names[current])
    prune(root, keep)
    assert sorted(versions(root)) == sorted(names[n] for n in kept)
    assert sorted(p.stem for p in root.glob("*.built")) == sorted(names[n] for n in kept)
    assert open_current(root).version == names[current]


def test_switching_is_one_step_and_goes_both_ways(root: Path) -> None:
    first, second = aged(root, 2)
    switch(root, first)
    assert open_current(root).version == first
    switch(root, second)
    assert open_current(root).version == second
    assert not list(root.glob(".CURRENT*"))


def test_a_failed_switch_changes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = aged(root, 2)

    def fail(*_: Any) -> None:
        raise OSError("no")

    monkeypatch.setattr("index.files.os.replace", fail)
    with pytest.raises(OSError, match="no"):
        switch(root, first)
    assert current_version(root) == second


def test_the_writers_lock_is_given_up_when_its_holder_leaves(root: Path) -> None:
    with pytest.raises(ZeroDivisionError), publish.writer_lock(root):
        _ = 1 / 0
    with publish.writer_lock(root):
        pass


def test_a_second_writer_is_told_who_is_writing(root: Path) -> None:
    with (
        publish.writer_lock(root),
        pytest.raises(IndexBusy, match=rf"{root} .*process {os.getpid()}"),
        publish.writer_lock(root),
    ):
        pass


def test_the_current_version_survives_being_written_again(root: Path) -> None:
    """A full rebuild that ends at the version in use does not take it away on the way."""
    before = open_current(root)
    inode = (root / before.version / "vectors.faiss").stat().st_ino
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.build.fingerprint_of", lambda _: "fake-bigrams-1")
        done = build(Path(before.manifest["sources"][0]), root, full=True)
    assert done.version == before.version
    assert (root / before.version / "vectors.faiss").stat().st_ino == inode


def test_a_damaged_copy_of_the_version_is_replaced(root: Path) -> None:
    before = open_current(root)
    path = root / before.version / "vectors.faiss"
    path.write_bytes(b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.build.fingerprint_of", lambda _: "fake-bigrams-1")
        assert build(Path(before.manifest["sources"][0]), root).version == before.version
    verify(root, before.version)


# --- what is asked of one ---------------------------------------------------------------------------------------------


def test_each_documents_passages_and_figures_are_found_by_its_name(root: Path) -> None:
    opened = open_current(root)
    for doc_id in opened.documents:
        rows = list(opened.passages_of(doc_id))
        assert rows == [n for n, p in enumerate(opened.passages) if p.doc_id == doc_id]
        assert opened.rows_of([doc_id]).tolist() == rows
        assert list(opened.figures_of(doc_id)) == [f for f in opened.figures if f.doc_id == doc_id]
        assert opened.languages[doc_id] == opened.documents[doc_id].lang
    assert opened.rows_of([]).tolist() == []
    assert opened.rows_of(list(opened.documents)[::-1]).tolist() == list(range(len(opened.passages)))
    with pytest.raises(KeyError):
        opened.passages_of("nowhere")


def test_each_passage_has_a_vector_for_each_of_its_sentences(root: Path) -> None:
    opened = open_current(root)
    assert [len(opened.sentences_of(n)) for n in range(len(opened.passages))] == [
        len(p.sentences) for p in opened.passages
    ]
