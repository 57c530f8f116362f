"""Where in its file a stretch of a document stands: the page, the cells, the paragraphs it runs through."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from index.values import Place


@dataclass(frozen=True, slots=True)
class Location:
    """The places from `first` to `last`; one place when they are equal."""

    kind: str  # one of PLACE_KINDS
    first: str
    last: str


def location_of(places: Sequence[Place], start: int, end: int) -> Location | None:
    """Where `document.text[start:end]` stands; None in a format without places.

    Args:
        places: of the document, in order.
    """
    if not places:
        return None
    begins = [p.start for p in places]
    first = max(0, bisect_right(begins, start) - 1)
    last = max(first, bisect_left(begins, end) - 1)
    same = [p for p in places[first : last + 1] if p.kind == places[first].kind]
    return Location(places[first].kind, places[first].name, same[-1].name)
