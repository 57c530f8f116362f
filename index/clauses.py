"""A sentence → its clauses, with their quantities and dates; brackets that hold a figure are clauses of their own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.data import lexicon
from index.dates import Date
from index.quantities import Quantity

_CLAUSE = re.compile(r"(?<=[\u4e00-\u9fff])[ \u3000]+(?=[\u4e00-\u9fff])|[，;；。！？!?:：]|,(?!\d{3}(?!\d))|——|-{2,}")
_BRACKET = re.compile(r"[（(](?P<inner>[^（）()]*)[)）]")
_ASIDE = re.compile(  # datelines, remarks, quotation marks, and words that only repeat the time
    r"^\s*[〔【\[][^〕】\]]{2,20}[〕】\]]|^.{0,8}(?:记者|编辑|实习)[^,，。]{2,12}(?:报导|报道|讯|电)|[（(][^（）()]*[)）]?|[“”\"「」]|(?<=\|)(?:期间|全年|同期)|(?:在|于)?(?:该|本|这一|当)(?:季度?|年度?|月|财年|期)"
)


@dataclass(slots=True)
class Clause:
    """A stretch between commas: `sentence.folded[start:start + len(text)]`."""

    text: str
    start: int
    quantities: list[Quantity]
    dates: list[Date]
    inner: bool = False  # in brackets


def clauses_of(
    folded: str,
    quantities: list[Quantity],
    dates: list[Date],
    hidden: list[tuple[int, int]],
    titles: list[tuple[int, int]],
) -> list[Clause]:
    """The clauses in order; brackets that hold a quantity are clauses of their own, after the one they stand in."""
    inner = [
        m.span("inner") for m in _BRACKET.finditer(folded) if any(m.start() < q.start < m.end() for q in quantities)
    ]

    def inside(at: int, stretches: Sequence[tuple[int, int]]) -> bool:
        return any(a <= at < b for a, b in stretches)

    cuts = [m.span() for m in _CLAUSE.finditer(folded) if not inside(m.start(), [*titles, *hidden])]
    outer = [c for c in cuts if not any(m.start() < c[0] < m.end() for m in _BRACKET.finditer(folded))]
    bounds = list(zip([0, *(b for _, b in outer)], [*(a for a, _ in outer), len(folded)], strict=True))
    found: list[Clause] = []
    for start, end in bounds:
        mine = [(a, b) for a, b in inner if start <= a < end]
        found.append(
            Clause(
                folded[start:end],
                start,
                [q for q in quantities if start <= q.start < end and not inside(q.start, mine)],
                [d for d in dates if start <= d.start < end and not inside(d.start, mine)],
            )
        )
        for a, b in mine:
            parts = [m.span() for m in _CLAUSE.finditer(folded, a, b)]
            for c, d in zip([a, *(y for _, y in parts)], [*(x for x, _ in parts), b], strict=True):
                found.append(
                    Clause(
                        folded[c:d],
                        c,
                        [q for q in quantities if c <= q.start < d],
                        [t for t in dates if c <= t.start < d],
                        inner=True,
                    )
                )
    return found


def without_asides(folded: str, start: int, end: int, hidden: Sequence[tuple[int, int]], dates: Sequence[Date]) -> str:
    """A stretch without sources, dates (“|” in their place) and bracketed remarks."""
    text = list(folded[start:end])
    for a, b in hidden:
        for i in range(max(a, start), min(b, end)):
            text[i - start] = "\0"
    for d in dates:
        a, b = d.start, d.end
        if a >= end or b <= start:
            continue
        if folded[:a].endswith(("在", "于", "自", "从", "到", "至", "较")) and a - 1 >= start:
            text[a - 1 - start] = "\0"
        for i in range(max(a, start), min(b, end)):
            text[i - start] = "\0"
        text[max(a, start) - start] = "|"
    plain = "".join(text).replace("\0", "")
    return _ASIDE.sub("", plain)


def blanked(clause: Clause, folded: str, hidden: Sequence[tuple[int, int]], dates: Sequence[Date]) -> str:
    """A clause without sources, dates and bracketed remarks."""
    return without_asides(folded, clause.start, clause.start + len(clause.text), hidden, dates).replace("|", "")


def hedged(folded: str, quantity: Quantity) -> int:
    """How many characters of hedge stand right before a quantity."""
    hedge = lexicon("index", "figures")["quantity"]["hedge_before"]
    m = re.search(rf"(?:{hedge})\s?$", folded[: quantity.start])
    return len(m.group()) if m and quantity.hedge and quantity.hedge.startswith(m.group().strip()) else 0
