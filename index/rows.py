"""JSON lines that are decoded one by one as they are asked for: an index opens at once, whatever its size."""

import json
import mmap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from index import files

T = TypeVar("T")
REMEMBERED = 4096  # rows that stay decoded


def write_rows(path: Path, rows: Iterable[Any]) -> None:
    """Writes a line a row, and beside it (`.npy`) where each line starts."""
    starts = [0]
    with files.writing(path) as f:
        for row in rows:
            starts.append(starts[-1] + f.write(json.dumps(row, ensure_ascii=False).encode() + b"\n"))
    with files.writing(path.with_suffix(".npy")) as f:
        np.save(f, np.array(starts, np.int64))


class Rows(Sequence[T], Generic[T]):
    """What `write_rows` wrote. Threads may share it."""

    def __init__(self, path: Path, decode: Callable[[Any], T], remembered: int = REMEMBERED) -> None:
        """Raises: OSError or ValueError when the file is not there or not what it was."""
        starts = np.load(path.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
        self._starts: npt.NDArray[np.int64] = np.asarray(starts)  # still mapped, without a memmap's cost for each slice
        with path.open("rb") as f:
            self._data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) if len(self._starts) > 1 else b""
        if int(self._starts[-1]) != len(self._data):
            raise ValueError(f"{path.name} has {len(self._data)} bytes, expected {self._starts[-1]}")
        self._decode = decode
        self._row = lru_cache(maxsize=remembered)(self._decoded)

    def _decoded(self, n: int) -> T:
        return self._decode(json.loads(self._data[self._starts[n] : self._starts[n + 1]]))

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, n: int) -> T: ...
    @overload
    def __getitem__(self, n: slice) -> "tuple[T, ...]": ...
    def __getitem__(self, n: "int | slice") -> "T | tuple[T, ...]":
        if isinstance(n, slice):
            return tuple(self._row(i) for i in range(*n.indices(len(self))))
        if not -len(self) <= n < len(self):
            raise IndexError(n)
        return self._row(n % len(self))

    def __iter__(self) -> Iterator[T]:
        return map(self._decoded, range(len(self)))  # a walk over all would only push out what is in use


class ByName(Mapping[str, T], Generic[T]):
    """Rows by the name of each."""

    def __init__(self, names: Mapping[str, int], rows: Sequence[T]) -> None:
        """`names`: name → place in `rows`."""
        self._names = names
        self._rows = rows

    def __getitem__(self, name: str) -> T:
        return self._rows[self._names[name]]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
