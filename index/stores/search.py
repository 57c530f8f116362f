"""What retrieval asks of a store: the candidates of both legs, each with both scores. Ranking them is not a store's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Passages that one of the legs found, by their places in `Snapshot.passages`, ascending."""

    rows: Places
    cosine: Floats  # to the query, of every one of them
    bm25: Floats  # … 0 where no term of the query occurs


class Search(Protocol):
    """The passages of one version, searched. Threads share it."""

    def candidates(self, vector: Floats, terms: Sequence[str], most: int, among: Places | None = None) -> Candidates:
        """The `most` nearest to a unit vector (dim,), and the `most` best by BM25 of the terms.

        Args:
            terms: one that is repeated counts as often as it stands.
            among: found nowhere else; then also the best of these by BM25, `most` of them whatever they score: they
                may be few among many.
        Raises: StoreUnavailable.
        """
        ...

    def holding(self, terms: Sequence[str]) -> Places:
        """Every passage that holds all of these terms, ascending; others may be among them."""
        ...

    def vectors(self, rows: Places) -> Floats:
        """The vectors of some passages, (len(rows), dim)."""
        ...

    def check(self) -> None:
        """Raises: StoreUnavailable when it is known not to answer; asks nobody."""
        ...


def filled(found: Places, among: Places, most: int) -> Places:
    """What was found, and the first of `among` besides, up to `most`."""
    if len(found) >= most:
        return found
    others = np.setdiff1d(among, found, assume_unique=True)
    return np.concatenate([found, others[: most - len(found)]])
