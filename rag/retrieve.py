"""Question → passages: dense and lexical scores on fixed scales, joined by a convex combination.

Min-max scaling over the candidates would give an empty lexical leg (an English question on Chinese pages) the same
weight as a full one. Here BM25 is divided by what a passage holding all of the question would score, so that its weight
falls with what it knows, and the cosine is placed on a fixed scale.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import numpy.typing as npt

from index.encode import Encoder
from index.fold import to_simplified
from index.snapshot import Snapshot
from index.stores.search import Candidates
from index.values import Hit
from rag.origin import source_of
from rag.understand import Question

LEXICAL_WEIGHT = 0.5  # chosen on cmrc_train, see docs/quality.md
CANDIDATES = 100  # of each leg
ONE_SOURCE = 0.6  # of the passages found: for what one source has beyond that, others are found beside it
NEARLY = 0.7  # … that score nearly as well


@dataclass(frozen=True, slots=True, eq=False)
class Retrieved:
    """The ranked passages and what the later steps need of the query."""

    hits: tuple[Hit, ...]  # best first
    rows: tuple[int, ...]  # their places in snapshot.passages
    query_vector: npt.NDArray[np.float32]  # (dim,)
    background: tuple[float, float]  # mean and deviation of the query's cosine to passages at large


def retrieve(
    question: Question,
    snapshot: Snapshot,
    encoder: Encoder,
    *,
    top_k: int,
    among: frozenset[str] | None = None,
    copies: Mapping[int, str] | None = None,
) -> Retrieved:
    """The `top_k` best passages for a question, and behind them a few of other sources where one has most of them.

    Args:
        among: only passages of these documents.
        copies: rows that stand word for word in another document, and which: found there, not here.
    """
    vector = encoder.encode_query(to_simplified(question.understood))
    own = None if among is None else snapshot.rows_of(among)
    found = snapshot.search.candidates(vector, question.terms, CANDIDATES, own)
    if copies:
        found_there = {n for n, original in copies.items() if among is None or original in among}
        kept = np.array([int(n) not in found_there for n in found.rows], bool)
        found = Candidates(found.rows[kept], found.cosine[kept], found.bm25[kept])
    return ranked(question, snapshot, vector, found, snapshot.at_large @ vector, top_k=top_k)


def ranked(
    question: Question,
    snapshot: Snapshot,
    vector: npt.NDArray[np.float32],
    found: Candidates,
    at_large: npt.NDArray[np.float32],
    *,
    top_k: int,
) -> Retrieved:
    """Fuses both legs over the candidates; `at_large` are the query's cosines to passages at large."""
    rows, dense, lexical = found.rows, found.cosine, found.bm25
    score = fuse(dense, lexical, snapshot.terms.ceiling(question.terms))
    best_first = [int(i) for i in np.lexsort((rows, -score))]
    order = _spread(best_first, score, [int(n) for n in rows], snapshot, top_k)
    hits = tuple(
        Hit(snapshot.passages[int(rows[i])], float(score[i]), float(dense[i]), float(lexical[i])) for i in order
    )
    background = float(at_large.mean()), float(at_large.std()) + 0.005
    return Retrieved(hits, tuple(int(rows[i]) for i in order), vector, background)


def _spread(
    best_first: Sequence[int], score: npt.NDArray[np.float64], rows: Sequence[int], snapshot: Snapshot, top_k: int
) -> list[int]:
    """The first `top_k`, and where one source has more than its share of them, as many of others beside them.

    Beside, not instead: what one source alone says, a figure by another count, must not make room.
    """

    def source(i: int) -> str:
        return source_of(snapshot.documents[snapshot.passages[rows[i]].doc_id])

    first = list(best_first[:top_k])
    if not first:
        return first
    loudest, _ = Counter(map(source, first)).most_common(1)[0]
    over = [i for i in first if source(i) == loudest][math.ceil(ONE_SOURCE * top_k) :]
    near = (i for i in best_first[top_k:] if over and score[i] >= NEARLY * score[over[0]] and source(i) != loudest)
    return first + list(islice(near, len(over)))


def joined(a: Sequence[Hit], b: Sequence[Hit]) -> list[Hit]:
    """The passages that one question found in two forms, by the mean of both scores, best first."""
    found = {h.passage.passage_id: replace(h, score=0.0) for h in (*a, *b)}
    for hit in (*a, *b):
        known = found[hit.passage.passage_id]
        found[hit.passage.passage_id] = replace(known, score=known.score + hit.score / 2)
    return sorted(found.values(), key=lambda h: -h.score)


def fuse(dense: npt.NDArray[np.float32], lexical: npt.NDArray[np.float32], ceiling: float) -> npt.NDArray[np.float64]:
    """Convex combination of both legs, each on its own fixed scale, 0..1."""
    share = lexical / max(ceiling, 1e-9)
    fused: npt.NDArray[np.float64] = LEXICAL_WEIGHT * share + (1 - LEXICAL_WEIGHT) * np.clip((dense - 0.7) / 0.3, 0, 1)
    return fused
