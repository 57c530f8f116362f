"""Sentences → windows: what the reader reads at once, and the way back from its characters to the sentences."""

from bisect import bisect_right
from dataclasses import dataclass

from index.fold import to_simplified
from index.values import Document, Passage

WINDOW_CHARS = 240  # what the reader was trained on; longer ones cost more and fit no more evidence
HEADING_CHARS = 60


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive sentences of one passage, as the reader sees them."""

    row: int  # of the passage in the snapshot
    first: int  # place of its first sentence in the passage
    starts: tuple[int, ...]  # where each sentence begins in `text`
    heading: str  # title and headings above, simplified
    text: str  # the sentences, simplified: as many characters as their readable texts

    def __contains__(self, place: int) -> bool:
        return self.first <= place < self.first + len(self.starts)

    def locate(self, start: int, end: int) -> tuple[int, int, int]:
        """Characters `start..end` of `text` → (place of the sentence, start, end in that sentence's readable text).

        A span that runs over several sentences is cut at the end of the first.
        """
        n = bisect_right(self.starts, start) - 1
        limit = self.starts[n + 1] if n + 1 < len(self.starts) else len(self.text)
        return self.first + n, start - self.starts[n], min(end, limit) - self.starts[n]


def window_around(
    document: Document, passage: Passage, row: int, place: int, *, max_chars: int = WINDOW_CHARS, before: float = 0.5
) -> Window:
    """The sentences around one, within `max_chars` (that one whole, however long).

    Args:
        place: of the sentence that must be in it.
        before: how much of the room left over goes to what stands above it; what one side cannot use the other gets.
    """
    lengths = [len(s.text) for s in passage.sentences]
    first = last = place
    room = max_chars - lengths[place]
    above, below = sum(lengths[:place]), sum(lengths[place + 1 :])
    share = max(room * before, room - below) if above + below > room else room
    while first > 0 and lengths[first - 1] <= min(share, room):
        first -= 1
        share -= lengths[first]
        room -= lengths[first]
    while last + 1 < len(lengths) and lengths[last + 1] <= room:
        last += 1
        room -= lengths[last]
    return window_of(document, passage, row, first, last + 1)


def window_of(document: Document, passage: Passage, row: int, first: int, end: int) -> Window:
    """The sentences `first..end` of a passage."""
    texts = [s.text for s in passage.sentences[first:end]]
    starts, length = [], 0
    for text in texts:
        starts.append(length)
        length += len(text)
    heading = " ".join(part for part in (document.title, passage.heading) if part)
    return Window(row, first, tuple(starts), to_simplified(heading[:HEADING_CHARS]), to_simplified("".join(texts)))
