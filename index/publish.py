"""Writing versions: beside the current one, checked, then switched to. What was there stays until then."""

import contextlib
import hashlib
import json
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import files
from index.aliases import Groups
from index.bilingual import Translations
from index.dense import Dense
from index.errors import IndexDamaged, IndexUnwritable, YuntuError
from index.fold import fold_text
from index.lexical import Lexical
from index.locks import alone, unless_held
from index.rows import write_rows
from index.snapshot import (
    FORMAT,
    Recipe,
    current_version,
    name_of,
    open_version,
    problem_of,
    serial_of,
    sha256_of,
    verify,
    versions,
)
from index.tokenize import LATIN_WORD
from index.values import Document, Figure, Passage, Removal

UNFINISHED = ".writing"
_REMOVING = ".removing-"


@dataclass(frozen=True, slots=True)
class Part:
    """What one document gives an index."""

    document: Document
    passages: tuple[Passage, ...]
    figures: tuple[Figure, ...]
    removals: tuple[Removal, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What goes into a version."""

    recipe: Recipe
    sources: tuple[str, ...]  # the paths it was read from
    parts: Sequence[Part]
    names: Groups
    reprints: Groups
    translations: Translations
    passage_vectors: npt.NDArray[np.float32]
    sentence_vectors: npt.NDArray[np.float16]
    lexical: Lexical


def corpus_hash(documents: Sequence[Document]) -> str:
    """One hash for everything the documents say, in order."""
    digest = hashlib.sha256()
    for d in documents:
        digest.update(document_hash(d).encode())
    return digest.hexdigest()


def document_hash(document: Document) -> str:
    """Content hash of a document: text and metadata."""
    return hashlib.sha256(json.dumps(asdict(document), ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def writer_lock(root: Path) -> Iterator[None]:
    """One writer at a time; what an earlier one left when it was killed is removed.

    Raises: IndexBusy, naming who holds the lock and since when; IndexUnwritable.
    """
    with alone(root):
        try:
            _remove_leftovers(root)
        except OSError as e:
            raise IndexUnwritable(root, e) from e
        yield


def _remove_leftovers(root: Path) -> None:
    for folder in [root / UNFINISHED, *root.glob(f"{_REMOVING}*")]:
        files.remove_tree(folder)
    files.remove_unfinished(root)
    for built in root.glob("v-*.built"):
        if not built.with_suffix("").exists():
            files.remove(built)


def write(root: Path, content: Content, took_s: float) -> str:
    """Writes a version beside the current one, opens and verifies it, then switches. Returns its name.

    The caller holds the writer's lock.
    Raises: IndexUnwritable when disk, permissions or memory do not allow it; the current version is untouched then.
    """
    version, there_before = "", versions(root)
    try:
        raw = _written(root / UNFINISHED, content)
        version = name_of(raw)
        take(root, version, took_s)
        open_version(root, version, thorough=True)
        switch(root, version)
    except (OSError, MemoryError, RuntimeError, IndexDamaged) as e:  # FAISS says RuntimeError
        if version in there_before or not version:
            raise IndexUnwritable(root, e) from e
        if _is_current(root, version):
            left = f"新版本 {version} 已经换上,但断电之后可能不在 (switched, but may not last)"
            raise IndexUnwritable(root, e, left) from e
        _discard(root, version)
        raise IndexUnwritable(root, e) from e
    finally:
        with contextlib.suppress(OSError):
            files.remove_tree(root / UNFINISHED)
    return version


def take(root: Path, version: str, took_s: float) -> None:
    """Gives what stands in UNFINISHED its name. The caller holds the writer's lock."""
    _date(root, version, took_s)
    if problem_of(root, version):  # else it is the same content again, perhaps in use: only its age changes
        put_aside(root, version)
        files.rename(root / UNFINISHED, root / version)


def _written(folder: Path, content: Content) -> bytes:
    """Writes all files of a version into a new folder. Returns its manifest."""
    files.make_folder(folder)
    _write_files(folder, content)
    listed = sorted(p for p in folder.rglob("*") if p.is_file())
    documents = [p.document for p in content.parts]
    manifest = {
        "format": FORMAT,
        "recipe": asdict(content.recipe),
        "sources": list(content.sources),
        "corpus": corpus_hash(documents),
        "counts": {
            "documents": len(documents),
            "passages": sum(len(p.passages) for p in content.parts),
            "sentences": len(content.sentence_vectors),
            "figures": sum(len(p.figures) for p in content.parts),
        },
        "files": {str(p.relative_to(folder)): {"sha256": sha256_of(p), "size": p.stat().st_size} for p in listed},
    }
    raw = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode()
    with files.writing(folder / "manifest.json") as f:
        f.write(raw)
    for inner in {p.parent for p in listed} | {folder}:
        files.fsync_folder(inner)
    return raw


def _date(root: Path, version: str, took_s: float) -> None:
    """Makes a version the newest. What is newest follows the serial: a clock may be set back."""
    built = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "host": socket.gethostname(),
        "took_s": round(took_s, 1),
        "serial": 1 + max((serial_of(root, v) for v in versions(root)), default=0),
    }
    files.write_whole(root / f"{version}.built", json.dumps(built).encode())


def _is_current(root: Path, version: str) -> bool:
    try:
        return current_version(root) == version
    except YuntuError:
        return False


def _write_files(folder: Path, content: Content) -> None:
    parts = content.parts
    passages = [p for part in parts for p in part.passages]
    write_rows(folder / "documents.jsonl", (asdict(p.document) for p in parts))
    write_rows(folder / "passages.jsonl", map(_passage_row, passages))
    write_rows(folder / "figures.jsonl", (asdict(f) for p in parts for f in p.figures))
    write_rows(folder / "removals.jsonl", ([list(astuple(r)) for r in p.removals] for p in parts))
    with files.writing(folder / "layout.npz") as f:
        np.savez(
            f,
            passage=_starts(len(p.passages) for p in parts),
            sentence=_starts(len(p.sentences) for p in passages),
            figure=_starts(len(p.figures) for p in parts),
        )
    if content.names:
        _write_lines(folder / "names.jsonl", ({"names": group} for group in content.names))
    if content.reprints:
        _write_lines(folder / "reprints.jsonl", ({"documents": group} for group in content.reprints))
    latin = {m.group().lower(): m.group() for p in passages for m in LATIN_WORD.finditer(p.text)}
    facts = {
        "documents": [[p.document.doc_id, p.document.lang] for p in parts],
        "latin": latin,
        "subjects": sorted({fold_text(f.subject) for p in parts for f in p.figures if f.subject}),
    }
    for name, small in (("facts", facts), ("translations", content.translations)):
        with files.writing(folder / f"{name}.json") as f:
            f.write(json.dumps(small, ensure_ascii=False).encode())
    Dense.build(content.passage_vectors).save(folder)
    with files.writing(folder / "sentences.npy") as f:
        np.save(f, content.sentence_vectors)
    content.lexical.save(folder / "bm25")


def _starts(lengths: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.fromiter(accumulate(lengths, initial=0), np.int64)


def switch(root: Path, version: str) -> None:
    """Makes `version` the current one: write, fsync, rename, fsync the folder."""
    files.write_whole(root / "CURRENT", f"{version}\n".encode())


def roll_back(root: Path, version: str) -> None:
    """Makes another version the current one, when it is sound.

    Raises: IndexBusy, IndexDamaged, IndexMismatch, IndexUnwritable.
    """
    with writer_lock(root):
        verify(root, version)
        try:
            switch(root, version)
        except OSError as e:
            raise IndexUnwritable(root, e) from e


def prune(root: Path, keep: int, used: str = "") -> None:
    """Removes all but the current one, `used`, and the `keep` newest other versions; none that somebody has open."""
    kept = {used}
    with contextlib.suppress(YuntuError):
        kept.add(current_version(root))
    others = [v for v in versions(root) if v not in kept]
    for version in others[keep:]:
        _discard(root, version)


def _discard(root: Path, version: str) -> None:
    """Removes a version that nobody has open; what cannot go now stays for the next writer."""
    with contextlib.suppress(OSError):
        with unless_held(root / version / "manifest.json"):
            aside = put_aside(root, version)
        files.remove_tree(aside)
        files.remove(root / f"{version}.built")


def put_aside(root: Path, version: str) -> Path:
    """Takes the name from a version, in one step: what is being removed looks like none. The next writer removes it."""
    aside = root / f"{_REMOVING}{version}"
    if (root / version).exists():
        files.remove_tree(aside)
        files.rename(root / version, aside)
    return aside


def _write_lines(path: Path, rows: Any) -> None:
    with files.writing(path) as f:
        for row in rows:
            f.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _passage_row(p: Passage) -> dict[str, Any]:
    return {**asdict(p), "sentences": [[s.start, s.end, s.text, s.folded] for s in p.sentences]}
