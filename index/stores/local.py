"""The search of this machine: FAISS and bm25s over the files of a version, both legs exact or as good as (dense.py)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index.dense import Dense
from index.lexical import Lexical
from index.stores.search import Candidates, Floats, Places, filled
from index.terms import Terms

FILES = frozenset({"vectors.npy", "vectors.faiss", *(f"bm25/{name}.npy" for name in ("data", "indices", "indptr"))})


class LocalSearch:
    """A Search (search.py). FILES are those of a version that nothing else reads."""

    def __init__(self, dense: Dense, lexical: Lexical) -> None:
        self.dense = dense
        self.lexical = lexical

    @classmethod
    def open(cls, folder: Path, terms: Terms) -> "LocalSearch":
        """Maps the files of a version. Raises: OSError, ValueError or RuntimeError when it cannot."""
        return cls(Dense.open(folder), Lexical.open(folder / "bm25", terms))

    def candidates(self, vector: Floats, terms: Sequence[str], most: int, among: Places | None = None) -> Candidates:
        """See Search."""
        scores = self.lexical.scores(terms)
        rows = np.union1d(self.dense.nearest(vector, most), self.lexical.best(scores, most))
        if among is not None:
            best = among[self.lexical.best(scores[among], most)]
            rows = np.union1d(np.intersect1d(rows, among), filled(best, among, most))
        return Candidates(rows, self.dense.rows(rows) @ vector, scores[rows])

    def holding(self, terms: Sequence[str]) -> Places:
        """See Search; no others are among them."""
        return self.lexical.holding(terms)

    def vectors(self, rows: Places) -> Floats:
        """See Search."""
        return self.dense.rows(rows)

    def check(self) -> None:
        """See Search; files are always there."""
