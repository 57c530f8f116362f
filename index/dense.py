"""The dense leg: vectors → the nearest passages. Exact while that is quick; then by codes, the best of them exactly.

Codes are 4 bits for two numbers, all of them looked at (FAISS's fast scan): inverted lists were tried first, but
questions lie apart from passages, and a quarter of the lists had to be looked into. Vectors are kept in float16 beside.
"""

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from index import files

EXACT_UP_TO = 20_000  # passages: 3 ms a query
RESCORED = 2000  # best by their codes, then weighed exactly: of the 100 nearest of 100,000, 98 are among them
_AT_A_TIME = 250  # vectors in a third of a megabyte: a core's own cache
_NUMBERS = 2  # of a vector for each code
_SAMPLE = 20_000  # vectors that the codes are learned from
_SEED = 1234
# Every float16 as float32: looking them up takes a third of the time of converting them.
_AS_FLOAT32 = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
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
            index = _codes(rows)
        return cls(halves, index)

    def save(self, folder: Path) -> None:
        """Writes vectors.npy and vectors.faiss."""
        with files.writing(folder / "vectors.npy") as f:
            np.save(f, self._vectors)
        with files.writing(folder / "vectors.faiss") as f:
            faiss.write_index(self._index, faiss.PyCallbackIOWriter(f.write))  # type: ignore[attr-defined]

    @classmethod
    def open(cls, folder: Path) -> "Dense":
        """Maps what `save` wrote. Raises: OSError, ValueError or RuntimeError when it cannot."""
        vectors = np.asarray(np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False))
        return cls(vectors, faiss.read_index(str(folder / "vectors.faiss"), faiss.IO_FLAG_MMAP))

    def __len__(self) -> int:
        return len(self._vectors)

    def nearest(self, vector: Floats, most: int) -> npt.NDArray[np.int64]:
        """Rows of the `most` passages nearest to a unit vector (dim,), nearest first."""
        faiss.omp_set_num_threads(1)  # of the calling thread
        exact = len(self) <= EXACT_UP_TO
        _, found = self._index.search(vector[None, :], min(most if exact else max(most, RESCORED), len(self)))
        rows: npt.NDArray[np.int64] = found[0][found[0] >= 0]
        if exact:
            return rows
        rows = np.sort(rows)  # near one another in the file
        order = np.argsort(-self._similarities(rows, vector), kind="stable")[:most]
        return rows[order]

    def _similarities(self, rows: npt.NDArray[np.int64], vector: Floats) -> Floats:
        """Of the vectors of some passages with one vector, (len(rows),), a few at a time in the same memory.

        All at once take two to four times as long: new memory costs more than the sums.
        """
        found = np.empty(len(rows), dtype=np.float32)
        some = np.empty((min(_AT_A_TIME, len(rows)), vector.shape[0]), dtype=np.float32)
        for at in range(0, len(rows), _AT_A_TIME):
            halves = self._vectors[rows[at : at + _AT_A_TIME]].view(np.uint16)
            _AS_FLOAT32.take(halves, out=some[: len(halves)], mode="clip")  # "raise" would copy; none is out of range
            np.dot(some[: len(halves)], vector, out=found[at : at + len(halves)])
        return found

    def rows(self, rows: npt.NDArray[np.int64]) -> Floats:
        """The vectors of some passages, (len(rows), dim) float32."""
        found: Floats = _AS_FLOAT32[self._vectors[rows].view(np.uint16)]
        return found


def _codes(rows: Floats) -> Any:
    """Every vector as codes, learned by k-means from some of them."""
    sample = np.random.default_rng(_SEED).permutation(len(rows))[:_SAMPLE]
    index: Any = faiss.IndexPQFastScan(rows.shape[1], rows.shape[1] // _NUMBERS, 4, faiss.METRIC_INNER_PRODUCT)
    index.pq.cp.seed = _SEED
    index.train(rows[np.sort(sample)])
    index.add(rows)
    return index
