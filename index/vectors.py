"""Passages → vectors of them and of their sentences, encoding only what no earlier work has left.

Earlier work is the version in use, and what a rebuild that was killed had encoded: it keeps shards in a folder of the
index, which the next one reads and a finished one removes.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index import files
from index.encode import Encoder
from index.engines.engine import Engine
from index.engines.local import HERE
from index.shards import Encodable, Rows

SHARD = 256  # passages encoded before they are kept, and at once by one worker: some seconds of one core
_FOLDER = ".encoded"


Known = Mapping[bytes, tuple[Rows, Rows]]  # key → the passage's row, the rows of its sentences


def encoded(
    passages: Sequence[Encodable],
    known: Known,
    root: Path,
    recipe: str,
    load_encoder: Callable[[], Encoder],
    engine: Engine = HERE,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float16], list[bool]]:
    """The vectors of all passages and of all their sentences, in order, and which passages had to be encoded.

    Args:
        root: of the index; the caller holds the writer's lock.
        recipe: what else the vectors depend on; shards of another recipe are not read.
        load_encoder: called only when something has to be encoded; equal passages are encoded once.
        engine: where that is done.
    """
    folder = root / _FOLDER
    keys = [p.key for p in passages]
    fresh = [key not in known for key in keys]
    found = dict(known)
    missing = {key: p for key, p, new in zip(keys, passages, fresh, strict=True) if new}
    if missing:
        items = list(missing.items())
        # Cut before it is known what is there already: whoever goes on encodes the shards that are left as they were.
        cut = [items[at : at + SHARD] for at in range(0, len(items), SHARD)]
        found.update((key, vectors) for key, vectors in _read_shards(folder, recipe) if key in missing)
        todo = [shard for every in cut if (shard := [item for item in every if item[0] not in found])]
        keep = sum(map(len, todo)) > SHARD  # less is encoded again sooner than kept
        if todo:
            done = engine.encoded([[p for _, p in shard] for shard in todo], load_encoder)
            with contextlib.closing(done):
                for n, rows, halves in done:
                    keys_of = [key for key, _ in todo[n]]
                    first = np.cumsum([0, *(len(p.sentences) for _, p in todo[n])])
                    for i, key in enumerate(keys_of):
                        found[key] = rows[i], halves[first[i] : first[i + 1]]
                    if keep:
                        with contextlib.suppress(OSError):  # a full disk is told of when the version is written
                            _write_shard(folder, recipe, keys_of, rows, halves, first)
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
