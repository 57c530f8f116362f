"""Versions in a Milvus, for many servers: the passages to be searched, and beside them the files every server reads.

yuntu_<hex>          the passages of version v-<hex>: row, vector, words (our BM25 weights)
yuntu_<hex>_files    its files (milvus_files.py)
yuntu_versions       a row for each version that is whole, written when all else was found
yuntu_current        an alias: the version in use
yuntu_writing        an alias: who writes (milvus_lock.py)

A version is made on one machine, as if it were served there, and then published. A server keeps the files in its own
folder: what is there already is not fetched, and a folder that servers share is filled once.
"""

import json
import re
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from index import publish, snapshot
from index.errors import IndexDamaged, IndexMismatch, IndexMissing, StoreUnfit, YuntuError
from index.lexical import Lexical
from index.snapshot import Snapshot
from index.stores import local, milvus_files, milvus_lock
from index.stores.local import LocalSearch
from index.stores.milvus import Milvus
from index.stores.milvus_search import DENSE, EXACT_UP_TO, GRAPH, ROW, WORDS, MilvusSearch
from index.stores.parts import LONGEST
from index.terms import Terms

CURRENT = "yuntu_current"
VERSIONS = "yuntu_versions"
_KEY, _ABOUT, _VECTOR = "version", "about", "nothing"
_FIELDS = [
    (_KEY, "VARCHAR", {"max_length": 64}),
    (_ABOUT, "VARCHAR", {"max_length": LONGEST}),
    (_VECTOR, "FLOAT_VECTOR", {"dim": 2}),  # a collection must have one
]
BATCH = 1000  # passages sent at once
SEEN_S = 60.0  # until what was written is found
_NEVER_EMPTY = {0: 1e-6}  # the words of a passage without any: the number of "", which no question holds
_SAMPLE = 16  # passages looked up after a version was written
_SPARSE_SINCE = (2, 4)
_DENSE_FILES = frozenset({"vectors.npy", "vectors.faiss"})


class MilvusStore:
    """A Store (store.py)."""

    look_every_s = 0.4  # that it does not answer is known within a second
    is_remote = True

    def __init__(self, root: Path, milvus: Milvus, keep: int) -> None:
        """`keep`: other versions whose files stay in the folder."""
        self.root = root
        self.milvus = milvus
        self._keep = keep

    def current(self) -> str:
        """See Store. Asks even when the store was down a moment ago."""
        self.milvus.ping()
        if (found := self.milvus.alias(CURRENT)) is None:
            raise IndexMissing(self.milvus.address.shown)
        if (version := _version_of(found)) is None:
            raise StoreUnfit(f"{CURRENT} 指着别的东西 (points at something else): {found}", "请运行: yuntu rebuild")
        return version

    def mark(self) -> object:
        """See Store."""
        with suppress(YuntuError):
            self.milvus.ping()
            return self.milvus.alias(CURRENT)
        return None

    def versions(self) -> list[str]:
        """See Store."""
        found = [(about["serial"], version) for version, about in self._whole().items()]
        return [version for _, version in sorted(found, reverse=True)]

    def manifest(self, version: str) -> Mapping[str, Any]:
        """See Store; what is needed of it to list and to fetch."""
        about = self._about(version)
        if (number := about["manifest"]["format"]) != snapshot.FORMAT:
            raise IndexMismatch(
                f"索引 {version} 是格式 {number},本程序读格式 {snapshot.FORMAT} (other snapshot format)。",
                "请运行: yuntu rebuild",
            )
        return dict(about["manifest"])

    def open(self, version: str, *, thorough: bool = False) -> Snapshot:
        """See Store. Its files are fetched first where they are not in the folder, and again where they are damaged."""
        try:
            return self._open(version, thorough)
        except IndexDamaged:
            with publish.writer_lock(self.root):
                publish.put_aside(self.root, version)
            return self._open(version, True)

    def _open(self, version: str, thorough: bool) -> Snapshot:
        manifest, sparse = self.manifest(version), bool(self._about(version)["sparse"])
        milvus_files.fetch(
            self.milvus,
            _files(version),
            self.root,
            version,
            _read_by_servers(manifest, sparse),
            self._keep,
            lambda: self._is_here(version, sparse),
        )
        self.milvus.load(_passages(version))

        def search_of(terms: Terms) -> MilvusSearch:
            lexical = None if sparse else Lexical.open(self.root / version / "bm25", terms)
            return MilvusSearch(self.milvus, _passages(version), terms, lexical)

        return snapshot.open_version(self.root, version, thorough=thorough, search_of=search_of)

    def open_sound(self, say: Callable[[str], None], *, thorough: bool = False) -> Snapshot:
        """See Store. The store has what is damaged here."""
        return self.open(self.current(), thorough=thorough)

    def ready(self) -> None:
        """See Store."""
        self.milvus.ping()

    def publish(self, version: str, keep: int) -> None:
        """See Store."""
        publish.prune(self.root, keep)
        sound = self._is_sound(version)
        if sound and self.milvus.alias(CURRENT) == _passages(version):
            return
        with milvus_lock.alone(self.milvus) as still:
            if not sound:
                still()
                self._drop(version)
            self._remove_half_written(still)
            if not sound:
                self._write(version, still)
            still()
            self._switch(version)
            others = [v for v in self.versions() if v != version]
            for old in others[keep:]:
                still()
                self._drop(old)
            for old in others[1:keep]:  # who rolls back to them loads them; the last one may be answering still
                self.milvus.release(_passages(old))

    def verify(self, version: str) -> None:
        """See Store: the passages are counted, and this machine's copy of the files is hashed."""
        manifest, sparse = self.manifest(version), bool(self._about(version)["sparse"])
        if not self.milvus.has(_passages(version)):
            raise self._unfit(version, "集合没有了 (the collection is gone)")
        self.milvus.load(_passages(version))
        self._compare(version, manifest)
        if not milvus_files.are_whole(self.milvus, _files(version), _read_by_servers(manifest, sparse)):
            raise self._unfit(version, "缺文件 (files missing)")
        here = self.root / version
        if (here / "manifest.json").exists():
            snapshot.verify(self.root, version, but=[n for n in local.FILES if not (here / n).exists()])

    def roll_back(self, version: str) -> None:
        """See Store."""
        with milvus_lock.alone(self.milvus) as still:
            self.verify(version)
            still()
            self._switch(version)

    def _whole(self) -> dict[str, dict[str, Any]]:
        """What the whole versions say of themselves."""
        if not self.milvus.has(VERSIONS):
            return {}
        return {r[_KEY]: json.loads(r[_ABOUT]) for r in self.milvus.rows(VERSIONS, None, [_KEY, _ABOUT])}

    def _about(self, version: str) -> dict[str, Any]:
        if (about := self._whole().get(version)) is None:
            raise StoreUnfit(
                f"{self.milvus.address.shown} 里没有写完的版本 {version} (no such version, or half of one)。",
                "在重建的那台运行: yuntu rebuild",
            )
        return about

    def _is_sound(self, version: str) -> bool:
        """Whether a version stands there as it was written. Raises: StoreUnavailable and the like."""
        if version not in self._whole():
            return False
        try:
            self.verify(version)
        except (StoreUnfit, IndexMismatch):
            return False
        return True

    def _unfit(self, version: str, wrong: str) -> StoreUnfit:
        return StoreUnfit(
            f"{self.milvus.address.shown} 的 {version} 不是写进去的那样 (not what was written): {wrong}。",
            "在重建的那台运行: yuntu rebuild",
        )

    def _is_here(self, version: str, sparse: bool) -> bool:
        with suppress(YuntuError):
            snapshot.verify(self.root, version, hashes=False, but=local.FILES if sparse else _DENSE_FILES)
            return True
        return False

    def _write(self, version: str, still: Callable[[], None]) -> None:
        """Passages, files, and after everything was found the word that it is whole."""
        name, sparse = _passages(version), self._has_sparse()
        opened = snapshot.open_version(self.root, version)
        count = len(opened.passages)
        search = opened.search
        assert isinstance(search, LocalSearch)
        fields = [(ROW, "INT64", {}), (DENSE, "FLOAT_VECTOR", {"dim": opened.at_large.shape[1]})]
        self.milvus.create(name, [*fields, (WORDS, "SPARSE_FLOAT_VECTOR", {})] if sparse else fields)
        starts, numbers, scores = search.lexical.by_passage()
        for first in range(0, count, BATCH):
            rows = np.arange(first, min(first + BATCH, count))
            batch: list[dict[str, Any]] = []
            for n, vector in zip(rows.tolist(), search.vectors(rows), strict=True):
                own = slice(starts[n], starts[n + 1])
                words = dict(zip(numbers[own].tolist(), scores[own].tolist(), strict=True))
                batch.append({ROW: n, DENSE: vector, **({WORDS: words or _NEVER_EMPTY} if sparse else {})})
            self.milvus.insert(name, batch)
        self.milvus.flush(name)
        dense = ("FLAT", {}) if count <= EXACT_UP_TO else ("HNSW", GRAPH)
        self.milvus.index(name, {DENSE: dense} | ({WORDS: ("SPARSE_INVERTED_INDEX", {})} if sparse else {}))
        self.milvus.load(name)
        wanted = _read_by_servers(opened.manifest, sparse)
        milvus_files.write(self.milvus, _files(version), self.root / version, wanted)
        self._compare(version, opened.manifest, opened)
        about = {
            "serial": 1 + max((about["serial"] for about in self._whole().values()), default=0),
            "sparse": sparse,
            "host": socket.gethostname(),
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "manifest": {key: opened.manifest[key] for key in ("format", "counts", "files")},
        }
        still()
        if not self.milvus.has(VERSIONS):
            self.milvus.create(VERSIONS, _FIELDS)
            self.milvus.index(VERSIONS, {_VECTOR: ("FLAT", {})}, wait=False)
            self.milvus.load(VERSIONS)
        self.milvus.insert(VERSIONS, [{_KEY: version, _ABOUT: json.dumps(about), _VECTOR: [0.0, 0.0]}])
        self.milvus.flush(VERSIONS)
        self.milvus.release(_files(version))  # memory for what is read once by each server

    def _compare(self, version: str, manifest: Mapping[str, Any], opened: Snapshot | None = None) -> None:
        """What is found is what was written; after writing, it may take a while. Raises: StoreUnfit."""
        count = int(manifest["counts"]["passages"])
        until = time.monotonic() + (SEEN_S if opened is not None else 0)
        while wrong := self._wrong(version, count, opened):
            if time.monotonic() > until:
                raise self._unfit(version, wrong)
            time.sleep(0.5)

    def _wrong(self, version: str, count: int, opened: Snapshot | None) -> str:
        if (there := self.milvus.count(_passages(version))) != count:
            return f"{there} 段,应有 {count} (passages)"
        if opened is None:
            return ""
        ours = opened.search
        assert isinstance(ours, LocalSearch)
        lexical = None if self._has_sparse() else ours.lexical
        theirs = MilvusSearch(self.milvus, _passages(version), opened.terms, lexical)
        for n in np.linspace(0, count - 1, min(count, _SAMPLE)).astype(int):
            alone = np.array([n])
            terms = ours.lexical.some_of(int(n))
            a, b = (s.candidates(ours.vectors(alone)[0], terms, 1, alone) for s in (ours, theirs))
            if not (np.allclose(a.cosine, b.cosine, atol=1e-3) and np.allclose(a.bm25, b.bm25, atol=1e-2)):
                return f"第 {n} 段 (passage)"
        return ""

    def _remove_half_written(self, still: Callable[[], None]) -> None:
        """What a writer that was killed has left. The caller is the only writer."""
        whole, own, used = self._whole(), self.milvus.alias(milvus_lock.WRITING), self.milvus.alias(CURRENT)
        for name in self.milvus.collections():
            version = _version_of(name.removesuffix("_files"))
            half = version is not None and version not in whole and name.removesuffix("_files") != used
            if half or (milvus_lock.is_lock(name) and name != own):
                still()
                self.milvus.drop(name)

    def _switch(self, version: str) -> None:
        self.milvus.give(CURRENT, _passages(version), taken=self.milvus.alias(CURRENT) is not None)

    def _drop(self, version: str) -> None:
        if version in self._whole():  # first: what is left of it is not whole
            self.milvus.delete(VERSIONS, version)
            self.milvus.flush(VERSIONS)
        if self.milvus.alias(CURRENT) == _passages(version):  # it was found to be damaged
            self.milvus.let_go(CURRENT)
        self.milvus.drop(_files(version))
        self.milvus.drop(_passages(version))

    def _has_sparse(self) -> bool:
        number = re.search(r"(\d+)\.(\d+)", self.milvus.version())
        return number is None or (int(number[1]), int(number[2])) >= _SPARSE_SINCE


def _passages(version: str) -> str:
    return version.replace("v-", "yuntu_")


def _files(version: str) -> str:
    return f"{_passages(version)}_files"


def _version_of(collection: str) -> str | None:
    found = re.fullmatch(r"yuntu_([0-9a-f]{12})", collection)
    return f"v-{found[1]}" if found else None


def _read_by_servers(manifest: Mapping[str, Any], sparse: bool) -> list[str]:
    skipped = local.FILES if sparse else _DENSE_FILES
    return ["manifest.json", *(name for name in manifest["files"] if name not in skipped)]
