"""The lexical leg: BM25 over our own terms, with what the scores alone do not tell (rarity, upper bounds)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt

from index import files

K1 = 1.2
B = 0.75
_REMEMBERED = 8192  # terms looked up lately
_ARRAYS = ("data", "indices", "indptr")  # of BM25's sparse matrix: a score for each passage that holds a term


def _bm25() -> bm25s.BM25:
    return bm25s.BM25(k1=K1, b=B, method="lucene")


def _save(path: Path, array: npt.NDArray[Any]) -> None:
    with files.writing(path) as f:
        np.save(f, array)


def _mapped(path: Path) -> npt.NDArray[Any]:
    """As a plain array: a memmap makes a memmap of every slice, which takes longer than looking."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


class Vocabulary(Mapping[str, int]):
    """Terms → their numbers, which follow the sorted terms: looked up in the mapped file by halving.

    A dictionary of a million passages' terms would take seconds to load and a gigabyte.
    """

    def __init__(self, text: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> None:
        self._text = text  # the terms in UTF-8, one behind the other
        self._starts = starts  # (terms + 1,)
        self._found = lru_cache(maxsize=_REMEMBERED)(self._find)

    @classmethod
    def of(cls, terms: Sequence[str]) -> "Vocabulary":
        """Of terms sorted by their UTF-8."""
        raw = [t.encode("utf-8", "surrogatepass") for t in terms]
        return cls(np.frombuffer(b"".join(raw), np.uint8), np.cumsum([0, *map(len, raw)], dtype=np.int64))

    def save(self, folder: Path) -> None:
        """Writes two NumPy files."""
        _save(folder / "terms.npy", self._text)
        _save(folder / "term_starts.npy", self._starts)

    @classmethod
    def open(cls, folder: Path) -> "Vocabulary":
        """Maps what `save` wrote."""
        return cls(_mapped(folder / "terms.npy"), _mapped(folder / "term_starts.npy"))

    def _term(self, n: int) -> bytes:
        return self._text[self._starts[n] : self._starts[n + 1]].tobytes()

    def _find(self, term: str) -> int | None:
        wanted = term.encode("utf-8", "surrogatepass")
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._term(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self._term(low) == wanted else None

    def __getitem__(self, term: str) -> int:
        if (n := self._found(term)) is None:
            raise KeyError(term)
        return n

    def __contains__(self, term: object) -> bool:
        return isinstance(term, str) and self._found(term) is not None

    def __iter__(self) -> Iterator[str]:
        for n in range(len(self)):
            yield self._term(n).decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self._starts) - 1


class Lexical:
    """A BM25 index over passages, each given as its terms."""

    def __init__(self, retriever: bm25s.BM25, vocabulary: Vocabulary, size: int) -> None:
        self._retriever = retriever
        self._vocabulary = vocabulary
        self._size = size  # passages

    @classmethod
    def build(cls, passages: Sequence[Sequence[str]]) -> "Lexical":
        """Indexes the passages' terms. Term numbers follow the sorted vocabulary, so equal input gives equal files."""
        terms = sorted({*chain.from_iterable(passages), ""}, key=lambda t: t.encode("utf-8", "surrogatepass"))
        numbers = {term: n for n, term in enumerate(terms)}
        ids = [[numbers[t] for t in own] for own in passages]
        retriever = _bm25()
        retriever.index((ids, numbers), create_empty_token=False, show_progress=False)
        return cls(retriever, Vocabulary.of(terms), len(passages))

    def save(self, folder: Path) -> None:
        """Writes NumPy arrays into a folder; nothing pickled."""
        if not folder.is_dir():
            files.make_folder(folder)
        for name in _ARRAYS:
            _save(folder / f"{name}.npy", self._retriever.scores[name])
        self._vocabulary.save(folder)

    @classmethod
    def open(cls, folder: Path, size: int) -> "Lexical":
        """Maps what `save` wrote."""
        retriever = _bm25()
        retriever.scores = {name: _mapped(folder / f"{name}.npy") for name in _ARRAYS} | {"num_docs": size}
        retriever.nonoccurrence_array = None  # which this kind of BM25 has not
        return cls(retriever, Vocabulary.open(folder), size)

    def scores(self, terms: Sequence[str]) -> npt.NDArray[np.float32]:
        """BM25 of every passage, (passages,), 0 where no term occurs. Repeated terms count as often as they stand."""
        known = [self._vocabulary[t] for t in terms if t in self._vocabulary]
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
        indptr, indices = (self._retriever.scores[name] for name in ("indptr", "indices"))
        for n in {self._vocabulary.get(t) for t in terms}:
            own = np.asarray(indices[indptr[n] : indptr[n + 1]] if n is not None else [], np.int64)
            found = own if found is None else np.intersect1d(found, own)
        return np.arange(self._size) if found is None else np.sort(found)

    def holds(self, term: str) -> bool:
        """Whether a passage has a term."""
        return term in self._vocabulary

    def vocabulary(self) -> list[str]:
        """Every term of the passages."""
        return [t for t in self._vocabulary if t]

    def idf(self, term: str) -> float:
        """Rarity of a term, > 0; a term no passage holds is as rare as can be."""
        n = self._vocabulary.get(term)
        indptr = self._retriever.scores["indptr"]
        df = int(indptr[n + 1] - indptr[n]) if n is not None else 0
        return math.log(1 + (self._size - df + 0.5) / (df + 0.5))

    def ceiling(self, terms: Sequence[str]) -> float:
        """What a passage holding every term very often would score: the sum of rarities (Lucene's BM25 has no k1+1)."""
        return sum(self.idf(t) for t in terms)
