"""What the corpus holds and what it does not: who × what × when, counted from the ledger of figures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from index.aliases import forms_of, share_word
from index.fold import fold_text
from index.grammar import is_share, measure_of
from index.values import Figure
from rag.ledger import periods_of

MANY = 2  # others that hold a measure before its absence is worth a word


@dataclass(frozen=True, slots=True)
class Cell:
    """The figures of one subject and one measure: how many of each period (`""`: the text names none)."""

    subject: str
    measure: str
    periods: tuple[tuple[str, int], ...]  # in order of time


@dataclass(frozen=True, slots=True)
class Coverage:
    """Who × what × when, the best covered first, and what is missing beside it."""

    subjects: tuple[str, ...]
    measures: tuple[str, ...]
    cells: tuple[Cell, ...]  # those that hold something
    missing: tuple[tuple[str, str], ...]  # (subject, measure) that others of the list hold


def coverage(figures: Iterable[Figure], *, subject: str | None = None, most: int = 20) -> Coverage:
    """Counts the ledger.

    Args:
        subject: only subjects that hold this name, in any of its forms.
        most: so many subjects and measures, those with the most figures.
    """
    counts: dict[tuple[str, str], Counter[str]] = {}
    names: dict[str, str] = {}
    for f in figures:
        attribute = fold_text(f.attribute or "")
        measure = share_word() if is_share(attribute) else measure_of(attribute)
        if not f.subject or not measure:
            continue
        key = min(forms_of(fold_text(f.subject)), default=fold_text(f.subject))
        names.setdefault(key, f.subject)
        periods = periods_of(f.as_of) or {""}
        for period in periods:
            counts.setdefault((key, measure), Counter())[period] += 1
    if subject:
        wanted = forms_of(fold_text(subject.strip()))
        counts = {k: v for k, v in counts.items() if any(w in fold_text(names[k[0]]) or w == k[0] for w in wanted)}
    subjects = _top(((who, c) for (who, _), c in counts.items()), most)
    measures = _top(((what, c) for (_, what), c in counts.items()), most)
    cells = tuple(
        Cell(names[who], what, tuple(sorted(counts[who, what].items())))
        for who in subjects
        for what in measures
        if (who, what) in counts
    )
    held = Counter(what for who, what in counts if who in subjects)
    missing = tuple(
        (names[who], what) for who in subjects for what in measures if (who, what) not in counts and held[what] >= MANY
    )
    return Coverage(tuple(names[who] for who in subjects), tuple(measures), cells, missing)


def _top(found: Iterable[tuple[str, Counter[str]]], most: int) -> Sequence[str]:
    totals: Counter[str] = Counter()
    for name, counted in found:
        totals[name] += sum(counted.values())
    return [name for name, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:most]]
