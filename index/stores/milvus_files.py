"""The files of a version in a Milvus: what every server reads besides searching, in parts, each a row.

The last row written says that the version is whole.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from index import files, publish, snapshot
from index.errors import IndexBusy, IndexDamaged, IndexUnwritable, StoreUnfit, YuntuError
from index.stores.milvus import WRITING_S, Milvus
from index.stores.parts import LONGEST, parts_of, restore

COMPLETE = "complete"
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
    milvus.index(name, {_VECTOR: ("FLAT", {})})
    milvus.load(name)


def complete(milvus: Milvus, name: str, about: Mapping[str, Any]) -> None:
    """From here on the version is whole."""
    milvus.insert(name, [_row(COMPLETE, json.dumps(about))])
    milvus.flush(name)


def about(milvus: Milvus, name: str) -> dict[str, Any] | None:
    """What `complete` said; None where the version is not whole, or is none."""
    if not milvus.has(name):
        return None
    try:
        milvus.load(name)
        return dict(json.loads(_rows(milvus, name, [COMPLETE])[COMPLETE]))
    except (StoreUnfit, KeyError, ValueError):  # no index yet, no such row
        return None


def fetch(
    milvus: Milvus, name: str, root: Path, version: str, wanted: Sequence[str], keep: int, is_there: Callable[[], bool]
) -> None:
    """Fills a version's folder under `root`, unless it is there. Another server may be doing so.

    Raises: IndexBusy, IndexUnwritable, StoreUnfit, StoreUnavailable; nothing is half visible.
    """
    until = time.monotonic() + WRITING_S
    while not is_there():
        try:
            with publish.writer_lock(root):
                if not is_there():
                    _fill(milvus, name, root, version, wanted, keep)
            return
        except IndexBusy:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _fill(milvus: Milvus, name: str, root: Path, version: str, wanted: Sequence[str], keep: int) -> None:
    started, folder = time.perf_counter(), root / publish.UNFINISHED
    try:
        files.make_folder(folder)
        for file in wanted:
            if not (folder / file).parent.is_dir():
                files.make_folder((folder / file).parent)
            with files.writing(folder / file) as f:
                restore(_file(milvus, name, file), f)
        publish.take(root, version, time.perf_counter() - started)
        present = snapshot.manifest_of(root, version)["files"]
        snapshot.verify(root, version, but=set(present) - set(wanted))
        publish.switch(root, version)
        publish.prune(root, keep)
    except (ValueError, IndexDamaged) as e:
        with suppress(YuntuError, OSError):
            publish.put_aside(root, version)
        raise StoreUnfit(
            f"{version} 的文件取不全 (its files are not what was written): {e}", "请运行: yuntu rebuild"
        ) from e
    except OSError as e:
        raise IndexUnwritable(root, e) from e


def _file(milvus: Milvus, name: str, file: str) -> Iterator[str]:
    first = 0
    while True:
        wanted = [f"{file}#{n}" for n in range(first, first + _AT_ONCE)]
        found = _rows(milvus, name, wanted)
        yield from (found[key] for key in wanted if key in found)
        if len(found) < _AT_ONCE:
            return
        first += _AT_ONCE


def _rows(milvus: Milvus, name: str, keys: Sequence[str]) -> dict[str, str]:
    asked = {"output_fields": [_PART, _DATA], "consistency_level": "Strong", "timeout": WRITING_S}
    return {r[_PART]: r[_DATA] for r in milvus.ask(name, lambda c: c.get(name, ids=list(keys), **asked))}


def _row(part: str, data: str) -> dict[str, Any]:
    return {_PART: part, _DATA: data, _VECTOR: [0.0, 0.0]}
