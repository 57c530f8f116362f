"""The files of a version in a Milvus: what every server reads besides searching, in parts, each a row."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from index import files, publish, snapshot
from index.errors import IndexBusy, IndexDamaged, IndexUnwritable, StoreUnfit, YuntuError
from index.stores.milvus import WRITING_S, Milvus
from index.stores.parts import LONGEST, parts_of, restore

_PART, _DATA, _VECTOR = "part", "data", "nothing"
_AT_ONCE = 64  # parts
_FIELDS = [
    (_PART, "VARCHAR", {"max_length": 256}),
    (_DATA, "VARCHAR", {"max_length": LONGEST}),
    (_VECTOR, "FLOAT_VECTOR", {"dim": 2}),  # a collection must have one
]


def write(milvus: Milvus, name: str, folder: Path, wanted: Sequence[str]) -> None:
    """Puts files of a folder into a new collection."""
    milvus.create(name, _FIELDS)
    for file in wanted:
        parts = (_row(f"{file}#{n}", data) for n, data in enumerate(parts_of(folder / file)))
        while batch := list(islice(parts, _AT_ONCE)):
            milvus.insert(name, batch)
    milvus.flush(name)
    milvus.index(name, {_VECTOR: ("FLAT", {})}, wait=False)
    milvus.load(name)


def fetch(
    milvus: Milvus, name: str, root: Path, version: str, wanted: Sequence[str], keep: int, is_there: Callable[[], bool]
) -> None:
    """Fills a version's folder under `root`, unless it is there. Another server may be doing so.

    What is the current version of the folder is the business of whoever rebuilds there.
    Raises: IndexBusy, IndexUnwritable, StoreUnfit, StoreUnavailable; nothing is half visible.
    """
    until = time.monotonic() + WRITING_S
    while not is_there():
        try:
            with publish.writer_lock(root):
                if not is_there():
                    _fill(milvus, name, root, version, wanted)
                    publish.prune(root, keep, version)
            with suppress(YuntuError):  # memory for what is read once
                milvus.release(name)
            return
        except IndexBusy:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _fill(milvus: Milvus, name: str, root: Path, version: str, wanted: Sequence[str]) -> None:
    started, folder = time.perf_counter(), root / publish.UNFINISHED
    try:
        files.make_folder(folder)
        for file in wanted:
            if not (folder / file).parent.is_dir():
                files.make_folder((folder / file).parent)
            with files.writing(folder / file) as f:
                restore(_file(milvus, name, file), f)
        snapshot.verify_folder(folder, version, wanted)
        publish.take(root, version, time.perf_counter() - started)
    except (ValueError, IndexDamaged) as e:
        raise StoreUnfit(
            f"{version} 的文件不是写进去的那样 (not what was written): {e}", "在重建的那台运行: yuntu rebuild"
        ) from e
    except OSError as e:
        raise IndexUnwritable(root, e) from e
    finally:
        with suppress(OSError):
            files.remove_tree(folder)


def _file(milvus: Milvus, name: str, file: str) -> Iterator[str]:
    first = 0
    while True:
        wanted = [f"{file}#{n}" for n in range(first, first + _AT_ONCE)]
        found = {r[_PART]: r[_DATA] for r in milvus.rows(name, wanted, [_PART, _DATA])}
        yield from (found[key] for key in wanted if key in found)
        if len(found) < _AT_ONCE:
            return
        first += _AT_ONCE


def are_whole(milvus: Milvus, name: str, wanted: Sequence[str]) -> bool:
    """Whether the first part of each file is there. (That each is what was written, its hash tells who fetches it.)"""
    if not milvus.has(name):
        return False
    found = milvus.rows(name, [f"{file}#0" for file in wanted], [_PART])
    return len(found) == len(wanted)


def _row(part: str, data: str) -> dict[str, Any]:
    return {_PART: part, _DATA: data, _VECTOR: [0.0, 0.0]}
