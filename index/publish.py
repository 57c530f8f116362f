"""Writing versions: beside the current one, checked, then switched to. What was there stays until then."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.aliases import Groups
from index.bilingual import Translations
from index.dense import Dense
from index.errors import CorpusUnreadable, IndexBusy, YuntuError
from index.fold import fold_text
from index.lexical import Lexical
from index.rows import write_rows
from index.snapshot import FORMAT, Recipe, current_version, name_of, open_version, sha256_of, verify, versions
from index.tokenize import LATIN_WORD
from index.values import Document, Figure, Passage, Removal


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


def write(root: Path, content: Content, took_s: float) -> str:
    """Writes a version beside the current one, opens and verifies it, then switches. Returns its name.

    The caller holds the writer's lock.
    Raises: CorpusUnreadable when the disk is full or forbids it; the current version is untouched then.
    """
    temporary = root / ".writing"
    try:
        temporary.mkdir()
        _write_files(temporary, content)
        listed = sorted(p for p in temporary.rglob("*") if p.is_file())
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
            "files": {
                str(p.relative_to(temporary)): {"sha256": sha256_of(p), "size": p.stat().st_size} for p in listed
            },
        }
        raw = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode()
        (temporary / "manifest.json").write_bytes(raw)
        for p in [temporary, *temporary.rglob("*")]:
            _fsync(p)
        version = name_of(raw)
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


def _write_files(folder: Path, content: Content) -> None:
    parts = content.parts
    passages = [p for part in parts for p in part.passages]
    write_rows(folder / "documents.jsonl", (asdict(p.document) for p in parts))
    write_rows(folder / "passages.jsonl", map(_passage_row, passages))
    write_rows(folder / "figures.jsonl", (asdict(f) for p in parts for f in p.figures))
    write_rows(folder / "removals.jsonl", ([list(astuple(r)) for r in p.removals] for p in parts))
    np.savez(
        folder / "layout.npz",
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
        (folder / f"{name}.json").write_text(json.dumps(small, ensure_ascii=False), encoding="utf-8")
    Dense.build(content.passage_vectors).save(folder)
    np.save(folder / "sentences.npy", content.sentence_vectors)
    content.lexical.save(folder / "bm25")


def _starts(lengths: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.fromiter(accumulate(lengths, initial=0), np.int64)


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
