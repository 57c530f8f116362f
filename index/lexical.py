"""The lexical leg: BM25 over our own terms, with what the scores alone do not tell (rarity, upper bounds)."""

import math
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt

K1 = 1.2
B = 0.75


class Lexical:
    """A BM25 index over passages, each given as its terms."""

    def __init__(self, retriever: bm25s.BM25, size: int) -> None:
        self._retriever = retriever
        self._size = size  # passages

    @classmethod
    def build(cls, passages: Sequence[Sequence[str]]) -> "Lexical":
        """Indexes the passages' terms. Term numbers follow the sorted vocabulary, so equal input gives equal files."""
        vocabulary = {term: n for n, term in enumerate(sorted({t for terms in passages for t in terms} | {""}))}
        ids = [[vocabulary[t] for t in terms] for terms in passages]
        retriever = bm25s.BM25(k1=K1, b=B, method="lucene")
        retriever.index((ids, vocabulary), create_empty_token=False, show_progress=False)
        return cls(retriever, len(passages))

    def save(self, folder: Path) -> None:
        """Writes NumPy arrays and JSON; nothing pickled."""
        self._retriever.save(folder, show_progress=False)

    @classmethod
    def open(cls, folder: Path, size: int) -> "Lexical":
        """Maps what `save` wrote."""
        return cls(bm25s.BM25.load(folder, mmap=True, show_progress=False), size)

    def scores(self, terms: Sequence[str]) -> npt.NDArray[np.float32]:
        """BM25 of every passage, (passages,), 0 where no term occurs. Repeated terms count as often as they stand."""
        known = [t for t in terms if t in self._retriever.vocab_dict]
        if not known or not self._size:
            return np.zeros(self._size, np.float32)
        return np.asarray(self._retriever.get_scores(known), np.float32)

    def holds(self, term: str) -> bool:
        """Whether a passage has a term."""
        return term in self._retriever.vocab_dict

    def vocabulary(self) -> list[str]:
        """Every term of the passages."""
        return [t for t in self._retriever.vocab_dict if t]

    def idf(self, term: str) -> float:
        """Rarity of a term, > 0; a term no passage holds is as rare as can be."""
        n = self._retriever.vocab_dict.get(term)
        indptr = self._retriever.scores["indptr"]
        df = int(indptr[n + 1] - indptr[n]) if n is not None else 0
        return math.log(1 + (self._size - df + 0.5) / (df + 0.5))

    def ceiling(self, terms: Sequence[str]) -> float:
        """What a passage holding every term very often would score: the sum of rarities (Lucene's BM25 has no k1+1)."""
        return sum(self.idf(t) for t in terms)
