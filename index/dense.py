"""The dense leg: vectors → the nearest passages. Exact while that is quick, then FAISS's inverted lists in 8 bits.

Vectors are kept in float16 beside, so that what the lists find is scored exactly, and a rebuild takes them over.
"""

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

EXACT_UP_TO = 20_000  # passages: 2 ms a query
RECALL = 0.99  # of the ten nearest, on vectors of the corpus itself; sets how many lists are looked into
_TRIED = 100  # vectors that are asked for to measure it
_PER_LIST = 64  # vectors of each list that k-means sees
_SEED = 1234
Floats = npt.NDArray[np.float32]


class Dense:
    """The passages' vectors and an index over them. One OpenMP thread a request: requests are what runs at once."""

    def __init__(self, vectors: npt.NDArray[np.float16], index: Any) -> None:
        self._vectors = vectors
        self._index = index

    @classmethod
    def build(cls, vectors: npt.NDArray[np.float32]) -> "Dense":
        """Indexes unit rows (passages, dim). The same rows give the same index."""
        halves = vectors.astype(np.float16)
        rows = halves.astype(np.float32)  # as they are stored: a rebuild that takes them over gives the same files
        if len(rows) <= EXACT_UP_TO:
            index = faiss.IndexFlatIP(rows.shape[1])
            index.add(rows)
        else:
            index = _inverted_lists(rows)
        return cls(halves, index)

    def save(self, folder: Path) -> None:
        """Writes vectors.npy and vectors.faiss."""
        np.save(folder / "vectors.npy", self._vectors)
        faiss.write_index(self._index, str(folder / "vectors.faiss"))

    @classmethod
    def open(cls, folder: Path) -> "Dense":
        """Maps what `save` wrote. Raises: OSError, ValueError or RuntimeError when it cannot."""
        vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        return cls(vectors, faiss.read_index(str(folder / "vectors.faiss"), faiss.IO_FLAG_MMAP))

    def __len__(self) -> int:
        return len(self._vectors)

    def nearest(self, vector: Floats, most: int) -> npt.NDArray[np.int64]:
        """Rows of the `most` passages nearest to a unit vector (dim,), nearest first."""
        faiss.omp_set_num_threads(1)  # of the calling thread
        _, found = self._index.search(vector[None, :], min(most, len(self)))
        rows: npt.NDArray[np.int64] = found[0][found[0] >= 0]
        return rows

    def rows(self, rows: npt.NDArray[np.int64]) -> Floats:
        """The vectors of some passages, (len(rows), dim) float32."""
        return np.asarray(self._vectors[rows], np.float32)


def _inverted_lists(rows: Floats) -> Any:
    """Lists around the means of k-means, their vectors in 8 bits; as many are looked into as RECALL takes."""
    lists = 1 << int(np.log2(4 * np.sqrt(len(rows))))
    sample = np.random.default_rng(_SEED).permutation(len(rows))[: lists * _PER_LIST]
    index: Any = faiss.index_factory(rows.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.niter = _SEED, 10
    index.train(rows[np.sort(sample)])
    index.add(rows)
    asked = rows[np.sort(sample[:_TRIED])]
    exact = np.argsort(-(asked @ rows.T), axis=1, kind="stable")[:, :10]
    for looked_into in (4, 8, 16, 32, 64, 128, 256, 512):
        index.nprobe = min(looked_into, lists)
        _, found = index.search(asked, 100)
        if np.mean([np.isin(e, f).mean() for e, f in zip(exact, found, strict=True)]) >= RECALL:
            break
    return index
