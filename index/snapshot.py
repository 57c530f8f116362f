"""Versions of the index on disk: written beside the old one, checked, then switched to. Nothing is pickled.

<index>/CURRENT            name of the version in use
<index>/<version>/         manifest.json, documents.jsonl, passages.jsonl, figures.jsonl, vectors.faiss,
                           sentences.npy, bm25/
<index>/<version>.built    when, where, how long, and as which: not part of the version, so that equal input gives an
                           equal version
<index>/.lock              who is writing (locks.py)

Whoever has opened a version holds its manifest.json: it is not removed meanwhile.
"""

import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.aliases import Groups
from index.bilingual import Translations
from index.errors import IndexDamaged, IndexMismatch, IndexMissing, YuntuError
from index.locks import Held
from index.rows import ByName, Rows
from index.stores import local
from index.stores.local import LocalSearch
from index.stores.search import Search
from index.terms import Terms
from index.values import Document, Figure, Passage, Place, Removal, Sentence

FORMAT = 6
_OUR_TROUBLE = (errno.ENOMEM, errno.EMFILE, errno.ENFILE)  # no memory, no more files: the index may be sound
_VERIFY_AT_OPEN_BYTES = 200_000_000
_DOCUMENTS_DECODED = 256  # kept; they are long
AT_LARGE = 256  # passages that show what an unrelated cosine looks like in a corpus


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an index was made; a query must be encoded and tokenized the same way."""

    encoder: str
    encoder_fingerprint: str
    precision: str
    tokenizer: str
    max_chars: int
    text: str  # the code and word lists that make passages of documents
    form: str  # the code that makes what is encoded of passages


@dataclass(frozen=True)
class Layout:
    """Where each document and passage begins in the rows below it."""

    passage: npt.NDArray[np.int64]  # (documents + 1,): passages of document n are passage[n]:passage[n + 1]
    sentence: npt.NDArray[np.int64]  # (passages + 1,)
    figure: npt.NDArray[np.int64]  # (documents + 1,)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One opened version, read only. Documents, passages and figures are in corpus order, then reading order."""

    version: str
    manifest: dict[str, Any]
    documents: Mapping[str, Document]
    passages: Sequence[Passage]
    search: Search
    terms: Terms
    sentence_vectors: npt.NDArray[np.float16]  # (sentences, dim)
    layout: Layout
    languages: Mapping[str, str]  # doc_id → language
    figures: Sequence[Figure] = ()
    names: Groups = ()  # that the documents say are one
    translations: Translations = field(default_factory=dict)  # of English words, into words the passages write
    removals: Mapping[str, Sequence[Removal]] = field(default_factory=dict)  # doc_id → what cleaning left out or mended
    reprints: Groups = ()  # doc_ids that are one text, the original first
    latin: Mapping[str, str] = field(default_factory=dict)  # Latin words of the passages, folded → as written
    subjects: Sequence[str] = ()  # of the figures, folded, each once
    held: Held | None = None  # as long as it is open, the version is not removed
    verified: bool = True  # every file was hashed when it was opened
    built_at: float = 0.0  # seconds since 1970
    elsewhere: frozenset[str] = frozenset()  # files of the version that are not read: another machine searches

    @property
    def recipe(self) -> Recipe:
        """How it was made."""
        return Recipe(**self.manifest["recipe"])

    @cached_property
    def _place(self) -> dict[str, int]:
        return {doc_id: n for n, doc_id in enumerate(self.documents)}

    @cached_property
    def at_large(self) -> npt.NDArray[np.float32]:
        """The vectors of passages at large, (at most 512, dim): what an unrelated cosine looks like here."""
        return self.search.vectors(np.arange(0, len(self.passages), max(1, len(self.passages) // AT_LARGE)))

    def passages_of(self, doc_id: str) -> range:
        """The rows of a document's passages."""
        n = self._place[doc_id]
        return range(int(self.layout.passage[n]), int(self.layout.passage[n + 1]))

    def rows_of(self, doc_ids: Iterable[str]) -> npt.NDArray[np.int64]:
        """The rows of the passages of some documents, ascending."""
        own = np.zeros(len(self.documents), bool)
        own[[self._place[d] for d in doc_ids]] = True
        rows: npt.NDArray[np.int64] = np.flatnonzero(np.repeat(own, np.diff(self.layout.passage)))
        return rows

    def figures_of(self, doc_id: str) -> Sequence[Figure]:
        """The figures of a document."""
        n = self._place[doc_id]
        return self.figures[int(self.layout.figure[n]) : int(self.layout.figure[n + 1])]

    def sentences_of(self, row: int) -> npt.NDArray[np.float32]:
        """The vectors of a passage's sentences, (sentences, dim)."""
        first, last = self.layout.sentence[row : row + 2]
        return np.asarray(self.sentence_vectors[first:last], np.float32)


def sha256_of(path: Path) -> str:
    """Of a file of an index."""
    digest = hashlib.sha256()
    with path.open("rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def versions(root: Path) -> list[str]:
    """Version names, newest first, whatever the clock said when they were written."""
    aged = [
        (serial_of(root, manifest.parent.name), stat.st_mtime_ns, manifest.parent.name)
        for manifest in root.glob("v-*/manifest.json")
        if (stat := _stat(manifest)) is not None
    ]
    return [name for _, _, name in sorted(aged, reverse=True)]


def serial_of(root: Path, version: str) -> int:
    """Which one a version is, counted from 1; 0 where that is not written."""
    try:
        serial = json.loads((root / f"{version}.built").read_bytes())["serial"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return serial if isinstance(serial, int) else 0


def _stat(path: Path) -> os.stat_result | None:
    """None when it has just been removed."""
    try:
        return path.stat()
    except OSError:
        return None


def current_version(root: Path) -> str:
    """The version CURRENT names. Raises: IndexMissing, or IndexDamaged when it names none."""
    try:
        name = (root / "CURRENT").read_bytes().decode("ascii", "replace").strip()
    except OSError:
        raise IndexMissing(root) from None
    if re.fullmatch(r"v-[0-9a-f]{12}", name) is None:
        raise IndexDamaged("CURRENT")
    return name


def name_of(manifest: bytes) -> str:
    """The version a manifest makes."""
    return "v-" + hashlib.sha256(manifest).hexdigest()[:12]


def manifest_of(root: Path, version: str) -> dict[str, Any]:
    """The manifest of a version. Raises: IndexDamaged, or IndexMismatch for another snapshot format."""
    try:
        raw = (root / version / "manifest.json").read_bytes()
        if name_of(raw) != version:
            raise IndexDamaged(f"{version}/manifest.json")
        manifest: dict[str, Any] = json.loads(raw)
        if manifest["format"] != FORMAT:
            raise IndexMismatch(
                f"索引 {version} 是格式 {manifest['format']},本程序读格式 {FORMAT} (other snapshot format)。",
                "请运行: yuntu rebuild",
            )
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise IndexDamaged(f"{version}/manifest.json") from e
    return manifest


def verify_folder(folder: Path, version: str, present: Collection[str]) -> None:
    """Some files of a version, before they bear its name, are what was written. Raises: IndexDamaged."""
    raw = (folder / "manifest.json").read_bytes()
    if name_of(raw) != version:
        raise IndexDamaged(f"{version}/manifest.json")
    for name, expected in json.loads(raw)["files"].items():
        if name in present and sha256_of(folder / name) != expected["sha256"]:
            raise IndexDamaged(f"{version}/{name}")


def verify(root: Path, version: str, *, hashes: bool = True, but: Collection[str] = ()) -> None:
    """Every file is there and is what was written; without `hashes`, is as long as what was written.

    Args:
        but: files that are not read here (Snapshot.elsewhere).
    Raises: IndexDamaged naming the first that is not.
    """
    for name, expected in manifest_of(root, version)["files"].items():
        if name in but:
            continue
        path = root / version / name
        try:
            sound = path.stat().st_size == expected["size"] and (not hashes or sha256_of(path) == expected["sha256"])
        except OSError as e:
            if e.errno in _OUR_TROUBLE:
                raise
            sound = False
        if not sound:
            raise IndexDamaged(f"{version}/{name}")


def problem_of(root: Path, version: str) -> str:
    """What is wrong with a version, in words: every file is looked at. Empty when it is sound."""
    try:
        verify(root, version)
    except YuntuError as e:
        return e.message
    return ""


def open_current(root: Path, *, thorough: bool = False) -> Snapshot:
    """The version in use; hashed first if asked for. Raises: IndexMissing, IndexDamaged, IndexMismatch."""
    failed = ""
    while True:
        version = current_version(root)
        try:
            return open_version(root, version, thorough=thorough)
        except IndexDamaged:
            if version == failed:  # else it may have been replaced and removed since its name was read
                raise
            failed = version


def open_sound(root: Path, say: Callable[[str], None], *, thorough: bool = False) -> Snapshot:
    """The version in use; when that is damaged or none is named, the newest that is sound, after saying so.

    Raises: IndexMissing when there is no version; IndexMismatch for a current one of another format; what is wrong
        with the current one when no other is sound.
    """
    try:
        return open_current(root, thorough=thorough)
    except (IndexMissing, IndexDamaged) as e:
        names = versions(root)
        if not names:
            raise
        trouble = e if isinstance(e, IndexDamaged) else IndexDamaged("CURRENT")
    for version in names:
        try:
            opened = open_version(root, version, thorough=True)
        except (IndexDamaged, IndexMismatch):
            continue
        say(
            f"{trouble.message}改用完好的版本 {version} (using another version, which is sound)。"
            "请运行: yuntu rebuild 建好新的;yuntu index verify 看哪些版本完好"
        )
        return opened
    raise trouble


def is_large(manifest: Mapping[str, Any]) -> bool:
    """Whether hashing a version's files takes so long that opening it does not wait for that: a second for 400 MB."""
    size: int = sum(f["size"] for f in manifest["files"].values())
    return size >= _VERIFY_AT_OPEN_BYTES


def open_version(
    root: Path, version: str, *, thorough: bool = False, search_of: Callable[[Terms], Search] | None = None
) -> Snapshot:
    """Opens one version; its files are hashed first if asked for, or if they are few enough for that to be quick.

    Args:
        search_of: what searches it, given its terms, where that is not this machine: then its files for searching
            are not looked at.
    Raises: IndexDamaged, IndexMismatch.
    """
    try:
        held = Held(root / version / "manifest.json")
    except OSError as e:
        if e.errno in _OUR_TROUBLE:
            raise
        raise IndexDamaged(f"{version}/manifest.json") from e
    try:
        return _opened(root, version, held, thorough, search_of)
    except BaseException:
        held.close()
        raise


def _opened(
    root: Path, version: str, held: Held, thorough: bool, search_of: Callable[[Terms], Search] | None
) -> Snapshot:
    folder = root / version
    manifest = manifest_of(root, version)
    elsewhere = local.FILES if search_of is not None else frozenset()
    verify(root, version, hashes=thorough or not is_large(manifest), but=elsewhere)
    try:
        facts = _json(folder / "facts.json")
        languages = dict(facts["documents"])
        place = {doc_id: n for n, doc_id in enumerate(languages)}
        passages = Rows(folder / "passages.jsonl", _passage_of)
        with np.load(folder / "layout.npz", allow_pickle=False) as layout:
            starts = Layout(layout["passage"], layout["sentence"], layout["figure"])
        terms = Terms.open(folder / "bm25", len(passages))
        search = LocalSearch.open(folder, terms) if search_of is None else search_of(terms)
        return Snapshot(
            version=version,
            manifest=manifest,
            documents=ByName(place, Rows(folder / "documents.jsonl", _document_of, _DOCUMENTS_DECODED)),
            passages=passages,
            search=search,
            terms=terms,
            sentence_vectors=np.load(folder / "sentences.npy", mmap_mode="r", allow_pickle=False),
            layout=starts,
            languages=languages,
            figures=Rows(folder / "figures.jsonl", _figure_of),
            names=tuple(tuple(r["names"]) for r in _lines_if_any(folder / "names.jsonl")),
            translations=_json(folder / "translations.json"),
            removals=ByName(place, Rows(folder / "removals.jsonl", _removals_of, _DOCUMENTS_DECODED)),
            reprints=tuple(tuple(r["documents"]) for r in _lines_if_any(folder / "reprints.jsonl")),
            latin=facts["latin"],
            subjects=facts["subjects"],
            held=held,
            verified=thorough or not is_large(manifest),
            built_at=(folder / "manifest.json").stat().st_mtime,
            elsewhere=elsewhere,
        )
    except YuntuError:
        raise
    except (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError) as e:
        if isinstance(e, OSError) and e.errno in _OUR_TROUBLE:
            raise
        raise IndexDamaged(f"{version}: {e}") from e


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _lines_if_any(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        with path.open(encoding="utf-8") as f:
            yield from map(json.loads, f)


def _removals_of(row: list[list[Any]]) -> tuple[Removal, ...]:
    return tuple(Removal(*r) for r in row)


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
