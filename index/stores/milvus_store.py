"""Versions in a Milvus, for many servers: the passages to be searched, and beside them the files every server reads.

yuntu_<hex>          the passages of version v-<hex>: row, vector, words (our BM25 weights)
yuntu_<hex>_files    its files (milvus_files.py)
yuntu_current        an alias: the version in use
yuntu_writing        an alias: who writes (milvus_lock.py)

A version is made on one machine, as if it were served there, and then published. A server keeps the files in its own
folder: what is there already is not fetched, and a folder that servers share is filled once.
"""

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
from index.terms import Terms

CURRENT = "yuntu_current"
BATCH = 1000  # passages sent at once
SEEN_S = 60.0  # until what was written is found
_NEVER_EMPTY = {0: 1e-6}  # the words of a passage without any: the number of "", which no question holds
_SAMPLE = 16  # passages looked up after a version was written
_SPARSE_SINCE = (2, 4)
_DENSE_FILES = frozenset({"vectors.npy", "vectors.faiss"})


class MilvusStore:
    """A Store (store.py)."""

    look_every_s = 0.4  # that it does not answer is known within a second

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
        names = [v for name in self.milvus.collections() if (v := _version_of(name)) is not None]
        found = [(about["serial"], version) for version in names if (about := self._about(version)) is not None]
        return [version for _, version in sorted(found, reverse=True)]

    def manifest(self, version: str) -> Mapping[str, Any]:
        """See Store; what is needed of it to list and to fetch."""
        about = self._whole(version)
        if (number := about["manifest"]["format"]) != snapshot.FORMAT:
            raise IndexMismatch(
                f"索引 {version} 是格式 {number},本程序读格式 {snapshot.FORMAT} (other snapshot format)。",
                "请运行: yuntu rebuild",
            )
        return dict(about["manifest"])

    def open(self, version: str, *, thorough: bool = False) -> Snapshot:
        """See Store. Its files are fetched first, where they are not in the folder."""
        manifest, sparse = self.manifest(version), bool(self._whole(version)["sparse"])
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
        """See Store. Damaged files are fetched again."""
        version = self.current()
        try:
            return self.open(version, thorough=thorough)
        except IndexDamaged as e:
            say(f"{e.message}重新取来 (fetched again)")
        with publish.writer_lock(self.root):
            publish.put_aside(self.root, version)
        return self.open(version, thorough=True)

    def ready(self) -> None:
        """See Store."""
        self.milvus.ping()

    def publish(self, version: str, keep: int) -> None:
        """See Store."""
        with suppress(IndexMissing):  # it may have been made in another folder
            publish.prune(self.root, keep)
        if self.milvus.alias(CURRENT) == _passages(version) and self._about(version) is not None:
            return
        with milvus_lock.alone(self.milvus):
            self._remove_half_written()
            if self._about(version) is None:
                self._write(version)
            self._switch(version)
            for old in [v for v in self.versions() if v != version][keep:]:
                self._drop(old)

    def verify(self, version: str) -> None:
        """See Store: the passages are counted, and this machine's copy of the files is hashed."""
        manifest = self.manifest(version)
        self.milvus.load(_passages(version))
        self._compare(version, manifest)
        if (self.root / version / "manifest.json").exists():
            snapshot.verify(self.root, version, but=local.FILES)

    def roll_back(self, version: str) -> None:
        """See Store."""
        with milvus_lock.alone(self.milvus):
            self.verify(version)
            self._switch(version)

    def _about(self, version: str) -> dict[str, Any] | None:
        return milvus_files.about(self.milvus, _files(version))

    def _whole(self, version: str) -> dict[str, Any]:
        if (about := self._about(version)) is None:
            raise StoreUnfit(
                f"{self.milvus.address.shown} 里没有写完的版本 {version} (no such version, or half of one)。",
                "请运行: yuntu rebuild",
            )
        return about

    def _is_here(self, version: str, sparse: bool) -> bool:
        with suppress(YuntuError):
            snapshot.verify(self.root, version, hashes=False, but=local.FILES if sparse else _DENSE_FILES)
            return True
        return False

    def _write(self, version: str) -> None:
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
            "serial": 1 + max((self._whole(v)["serial"] for v in self.versions()), default=0),
            "sparse": sparse,
            "host": socket.gethostname(),
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "manifest": {key: opened.manifest[key] for key in ("format", "counts", "files")},
        }
        milvus_files.complete(self.milvus, _files(version), about)

    def _compare(self, version: str, manifest: Mapping[str, Any], opened: Snapshot | None = None) -> None:
        """What is found is what was written; after writing, it may take a while. Raises: StoreUnfit."""
        count = int(manifest["counts"]["passages"])
        until = time.monotonic() + (SEEN_S if opened is not None else 0)
        while wrong := self._wrong(version, count, opened):
            if time.monotonic() > until:
                raise StoreUnfit(
                    f"{self.milvus.address.shown} 的 {version} 不是写进去的那样 (not what was written): {wrong}。",
                    "请运行: yuntu rebuild",
                )
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

    def _remove_half_written(self) -> None:
        """What a writer that was killed has left. The caller is the only writer."""
        whole, own = set(self.versions()), self.milvus.alias(milvus_lock.WRITING)
        for name in self.milvus.collections():
            version = _version_of(name.removesuffix("_files"))
            if (version is not None and version not in whole) or (milvus_lock.is_lock(name) and name != own):
                self.milvus.drop(name)

    def _switch(self, version: str) -> None:
        self.milvus.give(CURRENT, _passages(version), taken=self.milvus.alias(CURRENT) is not None)

    def _drop(self, version: str) -> None:
        self.milvus.drop(_files(version))  # first: what is left of it is not whole
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
