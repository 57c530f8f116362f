"""The ledger of figures, asked: which figures are of this subject, attribute, period or document."""

import re
from collections.abc import Iterable
from typing import Any

from index.aliases import forms_of
from index.fold import fold_text
from index.periods import compatible
from index.values import Document, Figure

FIELDS = (
    "doc",
    "start",
    "end",
    "quote",
    "subject",
    "attribute",
    "value",
    "number",
    "unit",
    "hedge",
    "as_of",
    "scope",
    "said_by",
)
_PERIOD = re.compile(r"\d{4}(?:-\d\d|H[12]|Q[1-4])?")


def matching(
    figures: Iterable[Figure],
    *,
    subject: str | None = None,
    attribute: str | None = None,
    period: str | None = None,
    doc: str | None = None,
) -> list[Figure]:
    """The figures that fit all that is given: a name in any of its forms, either script, any case; a part will do."""
    return [
        f
        for f in figures
        if _holds(f.subject, subject)
        and _holds(f.attribute, attribute)
        and (not doc or f.doc_id == doc or f.doc_id.startswith(doc))
        and (not period or in_period(f.as_of, period))
    ]


def _holds(text: str | None, asked: str | None) -> bool:
    if not asked or not asked.strip():
        return True
    folded = fold_text(text or "")
    return any(form in folded for form in forms_of(fold_text(asked.strip())))


def periods_of(as_of: str | None) -> frozenset[str]:
    """The periods that a figure's `as_of` names, days as their month."""
    return frozenset(_PERIOD.findall(as_of or ""))


def in_period(as_of: str | None, period: str) -> bool:
    """Whether a figure is of a period, or of one within it or around it."""
    asked = periods_of(period.upper())
    if not asked:
        return period in (as_of or "")
    return any(compatible(a, s) for a in asked for s in periods_of(as_of))


def as_row(figure: Figure, document: Document) -> dict[str, Any]:
    """A figure with the words that bear it, in the order of FIELDS."""
    row = {name: getattr(figure, name, None) for name in FIELDS}
    return {**row, "doc": figure.doc_id, "quote": document.text[figure.start : figure.end]}
