"""The lexical leg: BM25 over our own terms."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt

from index import files
from index.terms import Terms, Vocabulary, mapped, save

K1 = 1.2
B = 0.75
_ARRAYS = ("data", "indices", "indptr")  # of BM25's sparse matrix: a score for each passage that holds a term


def _bm25() -> bm25s.BM25:
    return bm25s.BM25(k1=K1, b=B, method="lucene")


class Lexical:
    """A BM25 index over passages, each given as its terms."""

    def __init__(self, retriever: bm25s.BM25, terms: Terms) -> None:
        self._retriever = retriever
        self.terms = terms
        self._size = terms.passages

    @classmethod
    def build(cls, passages: Sequence[Sequence[str]]) -> "Lexical":
        """Indexes the passages' terms. Term numbers follow the sorted vocabulary, so equal input gives equal files."""
        terms = sorted({*chain.from_iterable(passages), ""}, key=lambda t: t.encode("utf-8", "surrogatepass"))
        numbers = {term: n for n, term in enumerate(terms)}
        ids = [[numbers[t] for t in own] for own in passages]
        retriever = _bm25()
        retriever.index((ids, numbers), create_empty_token=False, show_progress=False)
        held_by = np.diff(retriever.scores["indptr"]).astype(np.int32)
        return cls(retriever, Terms(Vocabulary.of(terms), held_by, len(passages)))

    def save(self, folder: Path) -> None:
        """Writes NumPy arrays into a folder; nothing pickled."""
        if not folder.is_dir():
            files.make_folder(folder)
        for name in _ARRAYS:
            save(folder / f"{name}.npy", self._retriever.scores[name])
        self.terms.save(folder)

    @classmethod
    def open(cls, folder: Path, terms: Terms) -> "Lexical":
        """Maps what `save` wrote, but for the terms."""
        retriever = _bm25()
        retriever.scores = {name: mapped(folder / f"{name}.npy") for name in _ARRAYS} | {"num_docs": terms.passages}
        retriever.nonoccurrence_array = None  # which this kind of BM25 has not
        return cls(retriever, terms)

    def scores(self, terms: Sequence[str]) -> npt.NDArray[np.float32]:
        """BM25 of every passage, (passages,), 0 where no term occurs. Repeated terms count as often as they stand."""
        known = [self.terms.numbers[t] for t in terms if self.terms.holds(t)]
        if not known or not self._size:
            return np.zeros(self._size, np.float32)
        return np.asarray(self._retriever.get_scores_from_ids(known), np.float32)

    def best(self, scores: npt.NDArray[np.float32], most: int) -> npt.NDArray[np.int64]:
        """Rows of the `most` highest of `scores` above 0, in no order."""
        if most < len(scores):
            rows: npt.NDArray[np.int64] = np.argpartition(-scores, most)[:most]
            return rows[scores[rows] > 0]
        return np.flatnonzero(scores > 0)

    def holding(self, terms: Sequence[str]) -> npt.NDArray[np.int64]:
        """Rows of the passages that hold all of these terms."""
        found: npt.NDArray[np.int64] | None = None
        for n in {self.terms.numbers.get(t) for t in terms}:
            own = self._holders(n) if n is not None else np.empty(0, np.int64)
            found = own if found is None else np.intersect1d(found, own)
        return np.arange(self._size) if found is None else np.sort(found)

    def by_passage(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The matrix turned round: where each passage's terms begin, (passages + 1,); their numbers; their scores."""
        data, terms_of, indptr = (np.asarray(self._retriever.scores[name]) for name in _ARRAYS)
        order = np.argsort(terms_of, kind="stable")
        numbers = np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))
        starts = np.searchsorted(terms_of[order], np.arange(self._size + 1))
        return starts.astype(np.int64), numbers[order], data[order].astype(np.float32)

    def some_of(self, row: int, most: int = 8) -> list[str]:
        """Terms that one passage holds, for a look at whether it is found by them."""
        indices, indptr = (np.asarray(self._retriever.scores[name]) for name in _ARRAYS[1:])
        numbers = np.searchsorted(indptr, np.flatnonzero(indices == row)[:most], side="right") - 1
        return [self.terms.numbers.term(int(n)) for n in numbers]

    def _holders(self, n: int) -> npt.NDArray[np.int64]:
        indptr, indices = (self._retriever.scores[name] for name in ("indptr", "indices"))
        return np.asarray(indices[indptr[n] : indptr[n + 1]], np.int64)
