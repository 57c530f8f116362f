"""The terms of the passages: which there are and how rare each is. The same, whatever store searches for them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import files

_REMEMBERED = 8192  # terms looked up lately


def save(path: Path, array: npt.NDArray[Any]) -> None:
    """Writes a NumPy file."""
    with files.writing(path) as f:
        np.save(f, array)


def mapped(path: Path) -> npt.NDArray[Any]:
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
        save(folder / "terms.npy", self._text)
        save(folder / "term_starts.npy", self._starts)

    @classmethod
    def open(cls, folder: Path) -> "Vocabulary":
        """Maps what `save` wrote."""
        return cls(mapped(folder / "terms.npy"), mapped(folder / "term_starts.npy"))

    def _term(self, n: int) -> bytes:
        return self._text[self._starts[n] : self._starts[n + 1]].tobytes()

    def term(self, number: int) -> str:
        """The term of a number."""
        return self._term(number).decode("utf-8", "surrogatepass")

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
            yield self.term(n)

    def __len__(self) -> int:
        return len(self._starts) - 1


class Terms:
    """The vocabulary of a version and how many of its passages hold each term."""

    def __init__(self, vocabulary: Vocabulary, held_by: npt.NDArray[np.int32], passages: int) -> None:
        """`held_by`: (terms,) passages that hold each."""
        self.numbers = vocabulary
        self._held_by = held_by
        self.passages = passages

    def save(self, folder: Path) -> None:
        """Writes three NumPy files."""
        self.numbers.save(folder)
        save(folder / "held_by.npy", self._held_by)

    @classmethod
    def open(cls, folder: Path, passages: int) -> "Terms":
        """Maps what `save` wrote."""
        return cls(Vocabulary.open(folder), mapped(folder / "held_by.npy"), passages)

    def holds(self, term: str) -> bool:
        """Whether a passage has a term."""
        return term in self.numbers

    def vocabulary(self) -> list[str]:
        """Every term of the passages."""
        return [t for t in self.numbers if t]

    def held_by(self, term: str) -> int:
        """How many passages hold a term."""
        n = self.numbers.get(term)
        return int(self._held_by[n]) if n is not None else 0

    def idf(self, term: str) -> float:
        """Rarity of a term, > 0; a term no passage holds is as rare as can be."""
        df = self.held_by(term)
        return math.log(1 + (self.passages - df + 0.5) / (df + 0.5))

    def ceiling(self, terms: Sequence[str]) -> float:
        """What a passage holding every term very often would score: the sum of rarities (Lucene's BM25 has no k1+1)."""
        return sum(self.idf(t) for t in terms)
