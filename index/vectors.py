"""Passages → vectors of them and of their sentences, encoding only what no earlier work has left.

Earlier work is the version in use, and what a rebuild that was killed had encoded: it keeps shards in a folder of the
index, which the next one reads and a finished one removes.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import files
from index.encode import Encoder

Rows = npt.NDArray[Any]
Spans = tuple[tuple[int, int], ...]
SHARD = 1024  # passages encoded before they are kept: half a minute's work on two cores
_FOLDER = ".encoded"


@dataclass(frozen=True, slots=True)
class Encodable:
    """What is encoded for a passage, and where its sentences stand in that."""

    text: str
    sentences: Spans

    @property
    def key(self) -> bytes:
        """What the vectors are known by."""
        return hashlib.sha256(f"{self.sentences}\n{self.text}".encode("utf-8", "replace")).digest()


Known = Mapping[bytes, tuple[Rows, Rows]]  # key → the passage's row, the rows of its sentences


def encoded(
    passages: Sequence[Encodable], known: Known, root: Path, recipe: str, load_encoder: Callable[[], Encoder]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float16], list[bool]]:
    """The vectors of all passages and of all their sentences, in order, and which passages had to be encoded.

    Args:
        root: of the index; the caller holds the writer's lock.
        recipe: what else the vectors depend on; shards of another recipe are not read.
        load_encoder: called only when something has to be encoded; equal passages are encoded once.
    """
    folder = root / _FOLDER
    keys = [p.key for p in passages]
    fresh = [key not in known for key in keys]
    found = dict(known)
    missing = {key: p for key, p, new in zip(keys, passages, fresh, strict=True) if new}
    if missing:
        for key, vectors in _read_shards(folder, recipe):
            if missing.pop(key, None) is not None:
                found[key] = vectors
    if missing:
        encoder, items = load_encoder(), list(missing.items())
        for at in range(0, len(items), SHARD):
            shard = items[at : at + SHARD]
            rows, parts = encoder.encode_parts([p.text for _, p in shard], [p.sentences for _, p in shard])
            first = np.cumsum([0, *(len(p.sentences) for _, p in shard)])
            halves = parts.astype(np.float16)
            for n, (key, _) in enumerate(shard):
                found[key] = rows[n], halves[first[n] : first[n + 1]]
            if len(items) > SHARD:  # less is encoded again sooner than kept
                with contextlib.suppress(OSError):  # a disk that is full is told of when the version is written
                    _write_shard(folder, recipe, [key for key, _ in shard], rows, halves, first)
    return np.stack([found[key][0] for key in keys]), np.concatenate([found[key][1] for key in keys]), fresh


def forget(root: Path) -> None:
    """Removes the shards: the version that holds their vectors is in use."""
    with contextlib.suppress(OSError):  # they take room until the next rebuild, no more
        files.remove_tree(root / _FOLDER)


def _write_shard(
    folder: Path, recipe: str, keys: Sequence[bytes], rows: Rows, halves: Rows, first: npt.NDArray[np.int64]
) -> None:
    if not folder.is_dir():
        files.make_folder(folder)
    table = np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), -1)
    temporary = folder / "writing"
    with files.writing(temporary) as f:
        np.savez(f, recipe=np.array(recipe), keys=table, rows=rows, sentences=halves, first=first)
    files.rename(temporary, folder / f"{hashlib.sha256(table.tobytes()).hexdigest()[:16]}.npz")


def _read_shards(folder: Path, recipe: str) -> Iterator[tuple[bytes, tuple[Rows, Rows]]]:
    """What earlier work left; a shard that cannot be read is as none (np.load checks each array's CRC)."""
    for path in sorted(folder.glob("*.npz")):
        try:
            with np.load(path, allow_pickle=False) as f:
                if str(f["recipe"]) != recipe:
                    continue
                keys, rows, halves, first = (f[name] for name in ("keys", "rows", "sentences", "first"))
        except Exception:  # noqa: S112 zipfile and NumPy raise a dozen kinds for what is damaged
            continue
        for n, key in enumerate(keys):
            yield key.tobytes(), (rows[n], halves[first[n] : first[n + 1]])
