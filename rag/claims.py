"""A figure put forward and asked about (“甲以49.2%排第一,对吧?”): what the ledger says of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.data import lexicon
from index.dates import dates_in
from index.fold import fold_text
from index.quantities import Quantity, quantities_in
from index.snapshot import Snapshot
from rag.evidence import Scored
from rag.figure_answer import nearest
from rag.figure_rows import is_subject
from rag.fitting import Fit, Ledger, fits, kind_of_number
from rag.relation import same_number
from rag.statements import Statement
from rag.understand import Question

OTHERS = 1  # of whom the figure is, where it is not the one's it is said to be


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a claim holds, and the figures that say so."""

    holds: bool
    statements: tuple[Statement, ...]


def verdict_on(
    question: Question, ranked: Sequence[Scored], ledger: Ledger, snapshot: Snapshot, lang: str
) -> Verdict | None:
    """What the ledger says of the figure a question puts forward; None when it puts none forward or none is known."""
    claimed = claimed_in(question.folded)
    if claimed is None:
        return None
    open_question = replace(question, numbers=(), wants=question.wants - {"count", "rank"})
    kind = kind_of_number(claimed)
    alike = [f for f in fits(open_question, ranked, ledger) if kind_of_number(f.figure) == kind]
    own = [f for f in alike if _is_own(question, f)]
    same = [f for f in own if same_number(f.figure, claimed) and not _counts_otherwise(question, f)]
    if same:
        return Verdict(True, (nearest(same[0], snapshot, lang),))
    wide = replace(open_question, entities=(), words=tuple(w for w in question.words if w not in question.names))
    holders = [f for f in fits(wide, ranked, ledger) if kind_of_number(f.figure) == kind]
    others = [f for f in holders if same_number(f.figure, claimed) and not _is_own(question, f)][:OTHERS]
    found = [*own[:1], *others]
    if not found or (not own and not question.entities):
        return None
    return Verdict(False, tuple(nearest(f, snapshot, lang) for f in found))


def claimed_in(folded: str) -> Quantity | None:
    """The figure that a folded question puts forward, if it asks whether that is so."""
    if re.search(lexicon("rag", "question")["claim"]["asks"], folded) is None:
        return None
    dates = tuple((d.start, d.end) for d in dates_in(folded))
    return next((q for q in quantities_in(folded, dates) if q.kind != "duration"), None)


def _is_own(question: Question, fit: Fit) -> bool:
    return any(is_subject(fit.figure, forms) for forms in question.entities)


def _counts_otherwise(question: Question, fit: Fit) -> bool:
    """Whether the sentence of a figure names another way of counting than the question: by calls, not by revenue."""
    kinds = lexicon("rag", "question")["figures"]["kinds"]
    said = (
        f"{fold_text(fit.figure.attribute or '')} {fold_text(fit.figure.scope or '')} {fit.candidate.sentence.folded}"
    )
    asked = {k for k in kinds if k in question.folded}
    told = {k for k in kinds if k in said}
    return bool(asked and told) and not asked & told
