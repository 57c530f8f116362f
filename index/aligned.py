"""Text whose every character remembers the stretch of the original it stands for."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace `text[start:end]` by `replacement` (usually nothing), in the name of a cleaning rule."""

    start: int
    end: int
    rule: str
    replacement: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """`text[i]` stands for `original[starts[i]:ends[i]]`; both arrays are non-decreasing."""

    text: str
    starts: IntArray  # (len(text),) character offsets in the original
    ends: IntArray  # (len(text),)

    @classmethod
    def of(cls, text: str) -> "Aligned":
        """The original itself, character by character."""
        positions = np.arange(len(text), dtype=np.int32)
        return cls(text, positions, positions + 1)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original stretch that `text[start:end]` came from; `end > start`."""
        return int(self.starts[start]), int(self.ends[end - 1])

    def runs(self, start: int, end: int) -> list[tuple[int, int]]:
        """Like `span`, in pieces: without what was dropped between the characters of `text[start:end]`."""
        breaks = np.flatnonzero(self.starts[start + 1 : end] > self.ends[start : end - 1]) + start + 1
        bounds = [start, *map(int, breaks), end]
        return [self.span(a, b) for a, b in pairwise(bounds)]

    def __getitem__(self, part: slice) -> "Aligned":
        return Aligned(self.text[part], self.starts[part], self.ends[part])

    def edited(self, edits: Iterable[Edit]) -> "Aligned":
        """Applies edits that do not overlap (a later one inside an earlier one is ignored), in order of their start.

        A replacement's characters all stand for the whole stretch that was replaced.
        """
        texts: list[str] = []
        starts: list[IntArray] = []
        ends: list[IntArray] = []
        done = 0
        for edit in sorted(edits, key=lambda e: (e.start, -e.end)):
            if edit.start < done or edit.end <= edit.start:
                continue
            texts += [self.text[done : edit.start], edit.replacement]
            starts.append(self.starts[done : edit.start])
            ends.append(self.ends[done : edit.start])
            if edit.replacement:
                a, b = self.span(edit.start, edit.end)
                starts.append(np.full(len(edit.replacement), a, np.int32))
                ends.append(np.full(len(edit.replacement), b, np.int32))
            done = edit.end
        texts.append(self.text[done:])
        starts.append(self.starts[done:])
        ends.append(self.ends[done:])
        return Aligned("".join(texts), np.concatenate(starts), np.concatenate(ends))
