"""rebuild: what is encoded again and what is not, and that the old index outlives every accident."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import index
from index import build as build_module
from index import publish, snapshot
from index.build import embedded_text, encodable, searched_terms, text_fingerprint
from index.errors import CorpusUnreadable, IndexBusy, IndexMismatch, IndexUnwritable
from index.snapshot import Snapshot, current_version, open_current, versions
from index.split import split
from index.values import Document, Passage, Sentence
from tests.fakes import FakeEncoder
from tests.index.small import TEXTS, CountingEncoder, build, write_corpus

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("fake_encoder")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "corpus")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "var" / "index"


def files_of(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def contents(opened: Snapshot) -> tuple[Any, ...]:
    return (
        dict(opened.documents),
        opened.passages[:],
        opened.search.vectors(np.arange(len(opened.passages))).tolist(),
        opened.sentence_vectors.tolist(),
        scores(opened, ["阿里云", "成本"]),
    )


def scores(opened: Snapshot, terms: list[str]) -> list[float]:
    everything = np.arange(len(opened.passages))
    vector = opened.search.vectors(everything[:1])[0]
    return opened.search.candidates(vector, terms, len(everything)).bm25.tolist()


# --- what a rebuild makes ---------------------------------------------------------------------------------------------


def test_every_passage_and_every_sentence_has_its_vector(corpus: Path, root: Path) -> None:
    done = build(corpus, root)
    opened = open_current(root)
    assert (done.version, done.documents, done.passages) == (opened.version, 3, len(opened.passages))
    assert (done.unchanged, done.reused, done.loaded.unreadable) == (False, 0, ())
    assert list(opened.documents) == ["cloud", "hant", "image"]
    assert {p.doc_id for p in opened.passages} == set(opened.documents)
    assert len(opened.passages) > 3
    assert opened.layout.sentence[-1] == len(opened.sentence_vectors)
    encoder = FakeEncoder()
    for n, p in enumerate(opened.passages):
        given = encodable(opened.documents[p.doc_id], p)
        rows, parts = encoder.encode_parts([given.text], [given.sentences])
        np.testing.assert_array_equal(opened.search.vectors(np.array([n])), rows.astype(np.float16))
        np.testing.assert_array_equal(opened.sentences_of(n), parts.astype(np.float16))
    by_term = scores(opened, ["文生图"])
    assert opened.passages[int(np.argmax(by_term))].doc_id == "image"


def test_the_manifest_tells_how_and_of_what_it_was_made(corpus: Path, root: Path) -> None:
    done = build(corpus, root)
    manifest = open_current(root).manifest
    assert manifest["counts"] == {
        "documents": 3,
        "passages": done.passages,
        "sentences": manifest["counts"]["sentences"],
        "figures": len(open_current(root).figures),
    }
    assert manifest["counts"]["figures"] > 0
    assert manifest["recipe"]["encoder"] == "fake"
    assert manifest["recipe"]["encoder_fingerprint"] == FakeEncoder.fingerprint
    assert manifest["recipe"]["tokenizer"].startswith("jieba")
    assert manifest["recipe"]["max_chars"] == 60
    assert manifest["sources"] == [str(corpus)]
    named = set(manifest["files"]) | {"manifest.json"}
    assert named == set(files_of(root / done.version))
    built = json.loads((root / f"{done.version}.built").read_text())
    assert set(built) == {"at", "host", "took_s", "serial"}


def test_an_index_of_another_format_is_replaced_and_nothing_of_it_taken_over(corpus: Path, root: Path) -> None:
    old = root / build(corpus, root).version
    raw = json.dumps({**json.loads((old / "manifest.json").read_bytes()), "format": snapshot.FORMAT - 1}).encode()
    version = "v-" + hashlib.sha256(raw).hexdigest()[:12]
    old.rename(root / version)
    (root / version / "manifest.json").write_bytes(raw)
    publish.switch(root, version)
    with pytest.raises(IndexMismatch, match="yuntu rebuild"):
        open_current(root)
    encoder = CountingEncoder()
    assert build(corpus, root, encoder).reused == 0
    assert encoder.encoded
    assert open_current(root).figures


def test_a_document_is_embedded_under_its_title_and_headings_once() -> None:
    document = Document("d", "年度报告", "")
    passage = Passage("d#0", "d", 0, 0, "阿里云居第一。\n", "阿里云居第一。\n", "市场 › 份额")
    assert embedded_text(document, passage) == "年度报告\n市场 › 份额\n阿里云居第一。"
    assert embedded_text(Document("d", "阿里云", ""), passage) == "市场 › 份额\n阿里云居第一。"
    assert embedded_text(Document("d", "年度報告", ""), passage) == "年度报告\n市场 › 份额\n阿里云居第一。"


def test_each_sentence_is_found_in_what_is_encoded_though_words_come_twice() -> None:
    texts = ["份额是三成。", "份额是三成。", "價格下降。"]
    sentences = tuple(Sentence("d", 0, 0, text, text) for text in texts)
    text = "".join(texts) + "\n"
    passage = Passage("d#0", "d", 0, 0, text, text, "份额是三成。", sentences)
    given = encodable(Document("d", "题", ""), passage)
    assert [given.text[a:b] for a, b in given.sentences] == ["份额是三成。", "份额是三成。", "价格下降。"]
    assert given.text == "题\n份额是三成。\n份额是三成。份额是三成。价格下降。"
    starts = [a for a, _ in given.sentences]
    assert starts == sorted(set(starts))
    assert starts[0] == given.text.rindex("\n") + 1  # in the passage, not in its heading


def test_title_and_headings_are_searched_with_every_passage() -> None:
    passage = Passage("d#0", "d", 0, 0, "居第一。", "居第一。", "市場份額")
    terms = searched_terms(Document("d", "阿里雲", ""), passage)
    assert {"第一", "阿里云", "市场", "份额"} <= set(terms)


def test_a_document_with_nothing_readable_is_kept_without_passages(corpus: Path, root: Path) -> None:
    (corpus / "junk.txt").write_text("免责声明：本文不是建议。\n", encoding="utf-8")
    build(corpus, root)
    opened = open_current(root)
    assert "junk" in opened.documents
    assert "junk" not in {p.doc_id for p in opened.passages}


# --- equal input, equal index -----------------------------------------------------------------------------------------


def test_a_second_rebuild_finds_nothing_to_do(corpus: Path, root: Path) -> None:
    first = build(corpus, root)
    before = files_of(root)
    encoder = CountingEncoder()
    second = build(corpus, root, encoder)
    assert (second.unchanged, second.version, second.reused) == (True, first.version, 3)
    assert (second.documents, second.passages) == (first.documents, first.passages)
    assert encoder.encoded == []
    assert {k: v for k, v in files_of(root).items() if k != ".lock"} == {
        k: v for k, v in before.items() if k != ".lock"
    }


def test_equal_input_gives_an_equal_version_in_another_folder(corpus: Path, root: Path, tmp_path: Path) -> None:
    first, second = build(corpus, root), build(corpus, tmp_path / "elsewhere")
    assert first.version == second.version
    assert files_of(root / first.version) == files_of(tmp_path / "elsewhere" / second.version)


def test_equal_input_gives_an_equal_version_in_another_process_with_another_hash_seed(
    corpus: Path, root: Path, tmp_path: Path
) -> None:
    here = build(corpus, root)
    done = in_a_process(corpus, tmp_path / "elsewhere", PYTHONHASHSEED="7")
    assert done.returncode == 0, done.stderr
    assert current_version(tmp_path / "elsewhere") == here.version


# --- what is encoded again --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "encoded_of"),
    [
        pytest.param({"image.txt": "商家改用别的工具做图了。\n"}, {"image"}, id="one-document-changed"),
        pytest.param({"new.txt": "一篇新的文章说，算力紧张的局面正在缓解。\n"}, {"new"}, id="one-document-more"),
        pytest.param({"hant.txt": None}, set(), id="one-document-less"),
        pytest.param({"hant.txt": None, "zz.txt": TEXTS["hant.txt"]}, set(), id="one-document-renamed"),
        pytest.param({"cloud.md": TEXTS["cloud.md"].replace("2025-07", "2025-08")}, set(), id="another-date"),
    ],
)
def test_only_what_changed_is_encoded_and_the_result_is_that_of_a_full_rebuild(
    corpus: Path, root: Path, tmp_path: Path, change: dict[str, str | None], encoded_of: set[str]
) -> None:
    build(corpus, root)
    for name, text in change.items():
        if text is None:
            (corpus / name).unlink()
        else:
            (corpus / name).write_text(text, encoding="utf-8")
    encoder = CountingEncoder()
    done = build(corpus, root, encoder)
    opened = open_current(root)
    changed = [p for p in opened.passages if p.doc_id in encoded_of]
    assert set(encoder.encoded) == {embedded_text(opened.documents[p.doc_id], p) for p in changed}
    assert (done.unchanged, done.reused) == (False, len(opened.documents) - len(encoded_of))

    full = build(corpus, tmp_path / "full", full=True)
    assert full.version == done.version
    assert contents(open_current(tmp_path / "full")) == contents(opened)


@settings(max_examples=4 if "CI" in os.environ else 8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from(list(TEXTS.values())), min_size=1), max_size=3))
def test_any_history_of_rebuilds_ends_where_a_full_one_does(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    corpus = folder / "corpus"
    for texts in [*history, {"last": TEXTS["hant.txt"], **(history[0] if history else {})}]:
        shutil.rmtree(corpus, ignore_errors=True)
        write_corpus(corpus, {f"{name}.md": text for name, text in texts.items()})
        done = build(corpus, folder / "index")
    assert build(corpus, folder / "full", full=True).version == done.version
    assert contents(open_current(folder / "full")) == contents(open_current(folder / "index"))


def test_a_passage_that_stands_twice_is_encoded_once(corpus: Path, root: Path) -> None:
    write_corpus(corpus, {"again.txt": TEXTS["hant.txt"]})
    encoder = CountingEncoder()
    build(corpus, root, encoder)
    opened = open_current(root)
    texts = [embedded_text(opened.documents[p.doc_id], p) for p in opened.passages]
    assert len(encoder.encoded) == len(set(texts)) < len(texts)
    assert set(encoder.encoded) == set(texts)


def test_full_encodes_everything_again_and_ends_at_the_same_version(corpus: Path, root: Path) -> None:
    first = CountingEncoder()
    version = build(corpus, root, first).version
    again = CountingEncoder()
    done = build(corpus, root, again, full=True)
    assert again.encoded == first.encoded != []
    assert (done.version, done.unchanged, done.reused) == (version, False, 0)
    assert versions(root) == [version]
    open_current(root)


def test_another_encoder_encodes_everything_again(corpus: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = CountingEncoder(), CountingEncoder()
    build(corpus, root, first)
    monkeypatch.setattr("index.build.fingerprint_of", lambda _: "another")
    build(corpus, root, second)
    assert second.encoded == first.encoded
    assert open_current(root).recipe.encoder_fingerprint == "another"


@pytest.mark.parametrize("what", ["embedded_text", "encodable"])
def test_vectors_of_texts_of_another_form_are_not_taken_over(
    corpus: Path, root: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    first, second = CountingEncoder(), CountingEncoder()
    build(corpus, root, first)
    same = getattr(build_module, what)
    monkeypatch.setattr(build_module, what, lambda *args: same(*args))
    build(corpus, root, second)
    assert second.encoded == first.encoded


@pytest.mark.parametrize("what", ["index.build.text_fingerprint", "index.tokenize.fingerprint"])
def test_after_an_edit_of_rules_or_words_an_unchanged_corpus_is_built_again_from_known_vectors(
    corpus: Path, root: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    before = build(corpus, root).version
    monkeypatch.setattr(what, lambda: "edited")
    encoder = CountingEncoder()
    done = build(corpus, root, encoder)
    assert not done.unchanged
    assert done.version != before
    assert encoder.encoded == []


def test_rules_that_cut_elsewhere_never_meet_vectors_of_the_old_cuts(
    corpus: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(corpus, root)
    monkeypatch.setattr(build_module, "split", lambda *args, max_chars: split(*args, max_chars=30))
    monkeypatch.setattr(build_module, "text_fingerprint", lambda: "edited")
    done = build(corpus, root)
    assert contents(open_current(root)) == contents(open_current(built_in_full(corpus, tmp_path / "full")))
    assert done.passages > 4


def built_in_full(corpus: Path, root: Path) -> Path:
    build(corpus, root, full=True)
    return root


def test_the_text_fingerprint_follows_every_file_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "index"
    shutil.copytree(Path(index.__path__[0]), package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(build_module, "files", lambda _: package)
    seen = {text_fingerprint()}
    for name in ("clean.py", "series.py", "fold.py", "periods.py", "lexicon/cleaning.toml"):
        with (package / name).open("a") as f:
            f.write("\n# edited\n")
        assert text_fingerprint() not in seen
        seen.add(text_fingerprint())


# --- what cannot be read ----------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_is_reported_and_the_rest_switched_in(corpus: Path, root: Path) -> None:
    (corpus / "bad.txt").write_bytes(b"\0\0")
    done = build(corpus, root)
    assert [Path(u.where).name for u in done.loaded.unreadable] == ["bad.txt"]
    assert len(open_current(root).documents) == 3


def test_strict_switches_nothing_when_a_file_cannot_be_read(corpus: Path, root: Path) -> None:
    before = build(corpus, root).version
    (corpus / "image.txt").write_text("改了。", encoding="utf-8")
    (corpus / "bad.txt").write_bytes(b"\0\0")
    with pytest.raises(CorpusUnreadable, match=r"bad\.txt .*binary.*--strict"):
        build(corpus, root, strict=True)
    assert versions(root) == [current_version(root)] == [before]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        pytest.param({"bad.txt": "\0"}, r"no readable document.*bad\.txt: .*binary", id="nothing-readable"),
        pytest.param({"junk.txt": "免责声明：本文不是建议。"}, "nothing left.*yuntu audit", id="nothing-left"),
    ],
)
def test_a_corpus_without_text_leaves_the_old_index(
    corpus: Path, root: Path, tmp_path: Path, texts: dict[str, str], said: str
) -> None:
    before = build(corpus, root).version
    with pytest.raises(CorpusUnreadable, match=said):
        build(write_corpus(tmp_path / "other", texts), root)
    assert open_current(root).version == before


# --- accidents --------------------------------------------------------------------------------------------------------


def survives(root: Path, before: str, corpus: Path) -> None:
    """The old version still opens; the next rebuild works and leaves nothing half done."""
    assert open_current(root).version == before
    done = build(corpus, root)
    assert current_version(root) == done.version != before
    assert sorted(p.name for p in root.iterdir()) == sorted(
        [".lock", "CURRENT", *(name for v in (before, done.version) for name in (v, f"{v}.built"))]
    )


@pytest.fixture
def before(corpus: Path, root: Path) -> str:
    """The version in use, and a corpus that has changed since."""
    version = build(corpus, root).version
    (corpus / "image.txt").write_text("商家改用别的工具做图了。\n", encoding="utf-8")
    return version


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("index.dense.faiss.write_index", RuntimeError("No space left on device")),  # as FAISS says it
        ("index.publish.write_rows", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))),
    ],
)
def test_a_full_disk_is_a_clear_error_and_the_old_version_stays(
    corpus: Path, root: Path, before: str, step: str, error: Exception
) -> None:
    """test_survival.py has the disk fail at every single change."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, raiser(error))
        with pytest.raises(IndexUnwritable, match=r"cannot write.*No space left on device"):
            build(corpus, root)
    survives(root, before, corpus)


def raiser(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), KeyboardInterrupt()])
def test_an_encoder_that_fails_leaves_the_old_version(
    corpus: Path, root: Path, before: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = CountingEncoder()
    monkeypatch.setattr(encoder, "encode_passages", raiser(error))
    with pytest.raises(type(error)):
        build(corpus, root, encoder)
    survives(root, before, corpus)


def test_ctrl_c_while_writing_leaves_the_old_version(corpus: Path, root: Path, before: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.publish.np.save", raiser(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            build(corpus, root)
    survives(root, before, corpus)


def in_a_process(corpus: Path, root: Path, patches: str = "", **environ: str) -> "subprocess.CompletedProcess[str]":
    """Rebuilds in a process of its own, after running `patches` there."""
    program = (
        "import sys\nfrom pathlib import Path\nimport index.build\n"
        "from tests.fakes import FakeEncoder\nfrom tests.index.small import build\n"
        "index.build.fingerprint_of = lambda _: FakeEncoder.fingerprint\n"
        f"{patches}\nbuild(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(corpus), str(root)],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_litter_goes_even_when_nothing_else_is_to_do(corpus: Path, root: Path) -> None:
    build(corpus, root)
    (root / ".writing" / "bm25").mkdir(parents=True)
    (root / ".CURRENT.new").touch()
    (root / ".removing-v-0123456789ab").mkdir()
    (root / "v-0123456789ab.built").touch()
    assert build(corpus, root).unchanged
    assert {p.name for p in root.iterdir()} == {".lock", "CURRENT", *versions(root), f"{current_version(root)}.built"}


def test_a_disk_that_really_takes_no_more_is_a_clear_error(corpus: Path, root: Path, before: str) -> None:
    faiss_file = (root / before / "vectors.faiss").stat().st_size
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({faiss_file - 1},) * 2)"
    done = in_a_process(corpus, root, limit)
    assert done.returncode == 1
    assert "IndexUnwritable" in done.stderr.splitlines()[-1]
    assert "cannot write" in done.stderr
    survives(root, before, corpus)


def test_two_rebuilds_at_once_are_one_too_many(corpus: Path, root: Path, before: str) -> None:
    with publish.writer_lock(root), pytest.raises(IndexBusy, match=f"process {os.getpid()}"):
        build(corpus, root)
    survives(root, before, corpus)


def test_a_damaged_index_is_rebuilt_without_its_vectors(
    corpus: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_VERIFY_AT_OPEN_BYTES", 0)  # as if it were large: opening alone would not notice
    version = build(corpus, root).version
    path = root / version / "vectors.faiss"
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 0xFF
    path.write_bytes(raw)
    encoder = CountingEncoder()
    done = build(corpus, root, encoder)
    assert (done.version, done.unchanged, done.reused) == (version, False, 0)
    assert encoder.encoded
    snapshot.verify(root, version)


def test_readers_of_an_old_version_finish_on_it_and_then_it_goes(corpus: Path, root: Path) -> None:
    build(corpus, root, keep_versions=1)
    reader = open_current(root)
    expected, old = contents(reader), reader.version
    for n in range(2):
        (corpus / "image.txt").write_text(f"商家第{n}次换了工具。\n", encoding="utf-8")
        build(corpus, root, keep_versions=1)
    assert contents(reader) == expected
    assert old in versions(root)
    del reader
    assert build(corpus, root, keep_versions=1).unchanged
    assert old not in versions(root)
