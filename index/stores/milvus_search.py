"""The search of a Milvus: dense vectors, and our own BM25 weights as sparse ones: scores are the same everywhere.

What one leg found is scored by the other too, exactly: ranking, support and refusal need both of every candidate.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from index.errors import StoreUnfit
from index.lexical import Lexical
from index.stores.milvus import SOON_S, Milvus
from index.stores.search import Candidates, Floats, Places, filled
from index.terms import Terms

ROW, DENSE, WORDS = "row", "vector", "words"  # the fields of a passage
EXACT_UP_TO = 20_000  # passages, as on this machine (dense.py); beyond, a graph
GRAPH = {"M": 32, "efConstruction": 256}
_LOOKED_AT = 400  # nodes of the graph for a query: of the 100 nearest it finds 99
_MOST = 16_384  # what Milvus returns at most
_RANGES = 256  # stretches of rows that a filter names


class MilvusSearch:
    """A Search (search.py)."""

    def __init__(self, milvus: Milvus, collection: str, terms: Terms, lexical: Lexical | None) -> None:
        """`lexical`: the files of this machine, for a Milvus without sparse vectors."""
        self._milvus = milvus
        self._collection = collection
        self._terms = terms
        self._lexical = lexical

    def check(self) -> None:
        """See Search."""
        self._milvus.check()

    def candidates(self, vector: Floats, terms: Sequence[str], most: int, among: Places | None = None) -> Candidates:
        """See Search."""
        near = self._nearest(vector, most)
        best = self._best(terms, most, among)
        found = np.fromiter(best, np.int64, len(best))
        rows = np.fromiter(near, np.int64, len(near))
        if among is not None:
            rows, found = np.intersect1d(rows, among), filled(found, among, most)
        rows = np.union1d(rows, found)
        near = near | self._nearest(vector, within=_missing(rows, near))
        if lost := _missing(rows, near):  # every passage has a vector
            raise self._lost(lost)
        best = best | self._best(terms, within=_missing(rows, best))
        return Candidates(rows, _scores(rows, near), _scores(rows, best))

    def holding(self, terms: Sequence[str]) -> Places:
        """See Search: those that hold the rarest of them, up to 16,384."""
        if not terms:
            return np.arange(self._terms.passages)
        rarest = min(terms, key=self._terms.held_by)
        return np.sort(np.array(list(self._best([rarest], _MOST)), np.int64))

    def vectors(self, rows: Places) -> Floats:
        """See Search."""
        got = self._milvus.ask(
            self._collection,
            lambda client: client.get(
                self._collection, ids=[int(n) for n in rows], output_fields=[ROW, DENSE], timeout=SOON_S
            ),
        )
        by_row = {int(r[ROW]): r[DENSE] for r in got}
        if lost := [n for n in rows.tolist() if n not in by_row]:
            raise self._lost(lost)
        return np.array([by_row[n] for n in rows.tolist()], np.float32)

    def _lost(self, rows: Sequence[int]) -> StoreUnfit:
        return StoreUnfit(
            f"{self._milvus.address.shown} 的 {self._collection} 少了段落 (passages are missing): {list(rows)[:5]}。",
            "在重建的那台运行: yuntu rebuild",
        )

    def _nearest(self, vector: Floats, most: int = 0, within: Sequence[int] | None = None) -> dict[int, float]:
        return self._found(DENSE, vector.tolist(), {"ef": max(_LOOKED_AT, most)}, most, within)

    def _best(
        self, terms: Sequence[str], most: int = 0, among: Places | None = None, within: Sequence[int] | None = None
    ) -> dict[int, float]:
        """Rows and their BM25, best first; none that holds none of the terms."""
        if self._lexical is not None:
            return self._best_here(self._lexical, terms, most, among, within)
        numbers = Counter(self._terms.numbers[t] for t in terms if self._terms.holds(t))
        asked = {n: float(times) for n, times in numbers.items()}
        if not asked:
            return {}
        if among is None:
            return self._found(WORDS, asked, {}, most, within)
        if (ranges := _ranges(among)) is None:  # too many to name: far down the whole list, which is cut off somewhere
            deep = self._found(WORDS, asked, {}, _MOST)
            own = set(among.tolist())
            return dict([(n, s) for n, s in deep.items() if n in own][:most])
        return self._found(WORDS, asked, {}, most, filter=ranges)

    def _best_here(
        self,
        lexical: Lexical,
        terms: Sequence[str],
        most: int,
        among: Places | None,
        within: Sequence[int] | None,
    ) -> dict[int, float]:
        scores = lexical.scores(terms)
        if within is not None:
            rows = np.array(within, np.int64)
        else:
            own = np.arange(len(scores)) if among is None else among
            rows = own[lexical.best(scores[own], most)]
        return {int(n): float(scores[n]) for n in rows[np.argsort(-scores[rows], kind="stable")] if scores[n] > 0}

    def _found(
        self,
        field: str,
        query: list[float] | Mapping[int, float],
        params: Mapping[str, int],
        most: int = 0,
        within: Sequence[int] | None = None,
        filter: str = "",
    ) -> dict[int, float]:
        """Rows and their inner product with the query, best first; `within`: of these rows alone."""
        if within is not None:
            most, filter = len(within), f"{ROW} in {list(within)}"
        if not most or not self._terms.passages:
            return {}
        hits: Any = self._milvus.ask(
            self._collection,
            lambda client: client.search(
                self._collection,
                [query],
                anns_field=field,
                limit=min(most, _MOST),
                filter=filter,
                search_params={"metric_type": "IP", "params": dict(params)},
                output_fields=[ROW],
                timeout=SOON_S,
            ),
        )
        return {int(h[ROW]): float(h["distance"]) for h in hits[0]}


def _missing(rows: Places, known: Mapping[int, float]) -> list[int]:
    return [n for n in rows.tolist() if n not in known]


def _scores(rows: Places, known: Mapping[int, float]) -> Floats:
    return np.array([known.get(n, 0.0) for n in rows.tolist()], np.float32)


def _ranges(rows: Places) -> str | None:
    """A filter for ascending rows; None when it would be too long."""
    if not len(rows):
        return f"{ROW} < 0"
    cuts = np.flatnonzero(np.diff(rows) > 1) + 1
    if len(cuts) >= _RANGES:
        return None
    stretches = np.split(rows, cuts)
    return " or ".join(f"({ROW} >= {s[0]} and {ROW} <= {s[-1]})" for s in stretches)
