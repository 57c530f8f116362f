"""Versions of the index on disk: written beside the old one, checked, then switched to. Nothing is pickled.

<index>/CURRENT            name of the version in use
<index>/<version>/         manifest.json, documents.jsonl, passages.jsonl, figures.jsonl, passages.faiss,
                           sentences.npy, bm25/
<index>/<version>.built    when, where and how long: not part of the version, so that equal input gives an equal version
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from index.aliases import Groups
from index.bilingual import Translations
from index.errors import CorpusUnreadable, IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, YuntuError
from index.lexical import Lexical
from index.values import Document, Figure, Passage, Place, Removal, Sentence

FORMAT = 3
_FORMATS = (1, 2, FORMAT)  # those whose vectors a rebuild can take over; 1 had no figures, 2 no removals
_VERIFY_AT_OPEN_BYTES = 200_000_000
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an index was made; a query must be encoded and tokenized the same way."""

    encoder: str
    encoder_fingerprint: str
    tokenizer: str
    max_chars: int
    text: str = ""  # the code and word lists that make passages of documents; unknown in early versions
    form: str = ""  # the code that makes what is encoded of passages; the same


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One opened version, read only."""

    version: str
    manifest: dict[str, Any]
    documents: dict[str, Document]
    passages: tuple[Passage, ...]
    passage_vectors: Any  # faiss.Index, inner product over unit rows
    sentence_vectors: npt.NDArray[np.float16]  # (sentences, dim), in passage order
    first_sentence: npt.NDArray[np.int64]  # (passages + 1,): rows of passage n are first[n]:first[n + 1]
    lexical: Lexical
    figures: tuple[Figure, ...] = ()  # in document order, then reading order
    names: Groups = ()  # that the documents say are one
    translations: Translations = field(default_factory=dict)  # of English words, into words the passages write
    removals: dict[str, tuple[Removal, ...]] = field(default_factory=dict)  # doc_id → what cleaning left out or mended
    reprints: Groups = ()  # doc_ids that are one text, the original first

    @property
    def recipe(self) -> Recipe:
        """How it was made."""
        return Recipe(**self.manifest["recipe"])


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def corpus_hash(documents: Sequence[Document]) -> str:
    """One hash for everything the documents say, in order."""
    digest = hashlib.sha256()
    for d in documents:
        digest.update(document_hash(d).encode())
    return digest.hexdigest()


def document_hash(document: Document) -> str:
    """Content hash of a document: text and metadata."""
    return hashlib.sha256(json.dumps(asdict(document), ensure_ascii=False, sort_keys=True).encode()).hexdigest()


# --- writing -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def writer_lock(root: Path) -> Iterator[None]:
    """One writer at a time; what an earlier one left when it was killed is removed.

    Raises: IndexBusy, naming who holds the lock.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("a+") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            f.seek(0)
            raise IndexBusy(
                f"另一个 rebuild 正在写 {root} (process {f.read().strip() or '?'})。", "等它结束,或结束那个进程"
            ) from None
        f.truncate(0)
        f.write(str(os.getpid()))
        f.flush()
        _remove_leftovers(root)
        yield


def _remove_leftovers(root: Path) -> None:
    for folder in root.glob(".writing*"):
        shutil.rmtree(folder, ignore_errors=True)
    for file in root.glob(".CURRENT*"):
        file.unlink(missing_ok=True)


def write(
    root: Path,
    recipe: Recipe,
    documents: Sequence[Document],
    passages: Sequence[Passage],
    figures: Sequence[Figure],
    names: Groups,
    translations: Translations,
    removals: Mapping[str, Sequence[Removal]],
    reprints: Groups,
    passage_vectors: Vectors,
    sentence_vectors: npt.NDArray[np.float16],
    lexical: Lexical,
    sources: Sequence[str],
    took_s: float,
) -> str:
    """Writes a version beside the current one, opens and verifies it, then switches. Returns its name.

    The caller holds the writer's lock.
    Raises: CorpusUnreadable when the disk is full or forbids it; the current version is untouched then.
    """
    temporary = root / ".writing"
    try:
        temporary.mkdir()
        _write_lines(temporary / "documents.jsonl", (asdict(d) for d in documents))
        _write_lines(temporary / "passages.jsonl", map(_passage_row, passages))
        _write_lines(temporary / "figures.jsonl", (asdict(f) for f in figures))
        if names:
            _write_lines(temporary / "names.jsonl", ({"names": group} for group in names))
        if reprints:
            _write_lines(temporary / "reprints.jsonl", ({"documents": group} for group in reprints))
        _write_lines(
            temporary / "removals.jsonl",
            ({"doc_id": d, "removals": [list(astuple(r)) for r in own]} for d, own in removals.items()),
        )
        (temporary / "translations.json").write_text(json.dumps(translations, ensure_ascii=False), encoding="utf-8")
        vectors = faiss.IndexFlatIP(passage_vectors.shape[1])
        vectors.add(np.ascontiguousarray(passage_vectors, np.float32))
        faiss.write_index(vectors, str(temporary / "passages.faiss"))
        np.save(temporary / "sentences.npy", sentence_vectors.astype(np.float16))
        lexical.save(temporary / "bm25")
        listed = sorted(p for p in temporary.rglob("*") if p.is_file())
        manifest = {
            "format": FORMAT,
            "recipe": asdict(recipe),
            "sources": list(sources),
            "corpus": corpus_hash(documents),
            "counts": {
                "documents": len(documents),
                "passages": len(passages),
                "sentences": len(sentence_vectors),
                "figures": len(figures),
            },
            "files": {str(p.relative_to(temporary)): {"sha256": _sha256(p), "size": p.stat().st_size} for p in listed},
        }
        raw = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode()
        (temporary / "manifest.json").write_bytes(raw)
        for p in [temporary, *temporary.rglob("*")]:
            _fsync(p)
        version = _name_of(raw)
        if _is_sound(root, version):  # the same content again, perhaps in use: only its age changes
            os.utime(root / version / "manifest.json")
        else:
            shutil.rmtree(root / version, ignore_errors=True)
            temporary.rename(root / version)
        built = {"at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "host": socket.gethostname(), "took_s": round(took_s, 1)}
        (root / f"{version}.built").write_text(json.dumps(built), encoding="utf-8")
        open_version(root, version, thorough=True)
        switch(root, version)
    except (OSError, RuntimeError) as e:  # FAISS calls a full disk a RuntimeError
        why = e.strerror if isinstance(e, OSError) and e.strerror else e
        raise CorpusUnreadable(f"写不进 {root} (cannot write): {why}。", "请检查磁盘空间和权限,旧索引没有变") from e
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return version


def _is_sound(root: Path, version: str) -> bool:
    try:
        verify(root, version)
    except YuntuError:
        return False
    return True


def switch(root: Path, version: str) -> None:
    """Makes `version` the current one: write, fsync, rename, fsync the folder."""
    temporary = root / ".CURRENT.new"
    temporary.write_text(version + "\n", encoding="utf-8")
    _fsync(temporary)
    temporary.replace(root / "CURRENT")
    _fsync(root)


def prune(root: Path, keep: int) -> None:
    """Removes all but the current and the `keep` newest other versions."""
    current = current_version(root)
    others = [v for v in versions(root) if v != current]
    for version in others[keep:]:
        shutil.rmtree(root / version, ignore_errors=True)
        (root / f"{version}.built").unlink(missing_ok=True)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_lines(path: Path, rows: Any) -> None:
    with path.open("w", encoding="utf-8") as f:
        for row in rows:
            f.write(json.dumps(row, ensure_ascii=False) + "\n")


def _passage_row(p: Passage) -> dict[str, Any]:
    return {**asdict(p), "sentences": [[s.start, s.end, s.text, s.folded] for s in p.sentences]}


# --- reading -------------------------------------------------------------------------------------------------------


def versions(root: Path) -> list[str]:
    """Version names, newest first."""
    if not root.is_dir():
        return []
    folders = [p for p in root.iterdir() if p.name.startswith("v-") and (p / "manifest.json").is_file()]
    return [p.name for p in sorted(folders, key=lambda p: (p / "manifest.json").stat().st_mtime_ns, reverse=True)]


def current_version(root: Path) -> str:
    """The version CURRENT names. Raises: IndexMissing, or IndexDamaged when it names none."""
    try:
        name = (root / "CURRENT").read_bytes().decode("ascii", "replace").strip()
    except OSError:
        raise IndexMissing(root) from None
    if re.fullmatch(r"v-[0-9a-f]{12}", name) is None:
        raise IndexDamaged("CURRENT")
    return name


def _name_of(manifest: bytes) -> str:
    return "v-" + hashlib.sha256(manifest).hexdigest()[:12]


def manifest_of(root: Path, version: str, formats: Sequence[int] = (FORMAT,)) -> dict[str, Any]:
    """The manifest of a version. Raises: IndexDamaged, or IndexMismatch for another snapshot format than `formats`."""
    try:
        raw = (root / version / "manifest.json").read_bytes()
        if _name_of(raw) != version:
            raise IndexDamaged(f"{version}/manifest.json")
        manifest: dict[str, Any] = json.loads(raw)
        if manifest["format"] not in formats:
            raise IndexMismatch(
                f"索引 {version} 是格式 {manifest['format']},本程序读格式 {FORMAT} (other snapshot format)。",
                "请运行: yuntu rebuild",
            )
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise IndexDamaged(f"{version}/manifest.json") from e
    return manifest


def verify(root: Path, version: str, *, hashes: bool = True, formats: Sequence[int] = (FORMAT,)) -> None:
    """Every file is there and is what was written; without `hashes`, is as long as what was written.

    Raises: IndexDamaged naming the first that is not.
    """
    for name, expected in manifest_of(root, version, formats)["files"].items():
        path = root / version / name
        if not path.is_file() or path.stat().st_size != expected["size"]:
            raise IndexDamaged(f"{version}/{name}")
        if hashes and _sha256(path) != expected["sha256"]:
            raise IndexDamaged(f"{version}/{name}")


def open_current(root: Path) -> Snapshot:
    """The version in use. Raises: IndexMissing, IndexDamaged, IndexMismatch."""
    return open_version(root, current_version(root))


def open_version(root: Path, version: str, *, thorough: bool = False, any_format: bool = False) -> Snapshot:
    """Opens one version; its files are hashed first if asked for, or if they are few enough for that to be quick.

    Args:
        any_format: an older format will do: a rebuild takes over its vectors.
    """
    folder = root / version
    formats = _FORMATS if any_format else (FORMAT,)
    manifest = manifest_of(root, version, formats)
    small = sum(f["size"] for f in manifest["files"].values()) < _VERIFY_AT_OPEN_BYTES
    verify(root, version, hashes=thorough or small, formats=formats)
    try:
        documents = {row["doc_id"]: _document_of(row) for row in _rows(folder / "documents.jsonl")}
        passages = tuple(map(_passage_of, _rows(folder / "passages.jsonl")))
        first = np.cumsum([0, *(len(p.sentences) for p in passages)])
        return Snapshot(
            version=version,
            manifest=manifest,
            documents=documents,
            passages=passages,
            passage_vectors=faiss.read_index(str(folder / "passages.faiss"), faiss.IO_FLAG_MMAP),
            sentence_vectors=np.load(folder / "sentences.npy", mmap_mode="r", allow_pickle=False),
            first_sentence=first,
            lexical=Lexical.open(folder / "bm25", len(passages)),
            figures=tuple(map(_figure_of, _rows(folder / "figures.jsonl"))) if manifest["format"] > 1 else (),
            names=tuple(tuple(r["names"]) for r in _rows_if_any(folder / "names.jsonl")),
            removals={
                r["doc_id"]: tuple(Removal(*m) for m in r["removals"]) for r in _rows_if_any(folder / "removals.jsonl")
            },
            reprints=tuple(tuple(r["documents"]) for r in _rows_if_any(folder / "reprints.jsonl")),
            translations=json.loads((folder / "translations.json").read_text(encoding="utf-8"))
            if (folder / "translations.json").exists()
            else {},
        )
    except YuntuError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as e:
        raise IndexDamaged(f"{version}: {e}") from e


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as f:
        for line in f:
            yield json.loads(line)


def _rows_if_any(path: Path) -> Iterator[dict[str, Any]]:
    return _rows(path) if path.exists() else iter(())


def _document_of(row: dict[str, Any]) -> Document:
    lists = {name: tuple(row.get(name, ())) for name in ("keep", "examples")}
    places = tuple(Place(**p) for p in row.get("places", ()))
    marked = tuple(Removal(**m) for m in row.get("marked", ()))
    return Document(**{**row, **lists, "places": places, "marked": marked})


def _passage_of(row: dict[str, Any]) -> Passage:
    sentences = tuple(Sentence(row["doc_id"], *s) for s in row.pop("sentences"))
    return Passage(**row, sentences=sentences)


def _figure_of(row: dict[str, Any]) -> Figure:
    number = row["number"]
    return Figure(**{**row, "number": tuple(number) if isinstance(number, list) else number})
