"""A figure put forward and asked about (“甲以49.2%排第一,对吧?”): asked openly, and what the ledger says of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.aliases import entities_in, measures_in
from index.data import lexicon
from index.dates import dates_in
from index.fold import fold_text
from index.quantities import Quantity, quantities_in
from index.snapshot import Snapshot
from rag.asked_figure import is_about
from rag.evidence import Scored
from rag.figure_answer import nearest
from rag.figure_kinds import kind_of_number
from rag.figure_rows import is_subject
from rag.fitting import SURE, Fit, Ledger, fits
from rag.ledger import in_period, periods_of
from rag.relation import same_number
from rag.statements import Statement
from rag.understand import Question, understand

OTHERS = 1  # of whom the figure is, where it is not the one's it is said to be
_WANTS = {"rate": "percent", "times": "multiple", "money": "money"}  # what asks for each kind of number


@dataclass(frozen=True, slots=True)
class Claim:
    """A question that puts a figure forward, asked openly, and the figure."""

    question: Question
    figure: Quantity
    value: str  # as put, folded


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a claim holds, and the figures that say so."""

    holds: bool
    statements: tuple[Statement, ...]


def claim_in(question: Question) -> Claim | None:
    """The figure that a question puts forward and asks whether it is so; the question with 多少 in its place."""
    words = lexicon("rag", "question")["claim"]
    folded = fold_text(question.understood)
    asks = re.search(words["asks"], folded)
    figure = _figure_in(folded) if asks else None
    if asks is None or figure is None:
        return None
    kind = kind_of_number(figure)
    unit = "" if kind == "rate" else fold_text(figure.unit or "")
    # what only asks whether it is so goes; at the start of the question it may stand before the figure
    end = max(asks.start(), figure.end) if asks.start() > figure.start else len(folded)
    before = re.sub(words["opening"], "", folded[: figure.start])
    text = (
        f"{before}{'增长' if figure.kind == 'rate' and figure.unit is None else ''}多少{unit}{folded[figure.end : end]}"
    )
    opened = understand(text)
    wants = opened.wants - {*_WANTS.values(), "rank", "count"} | {_WANTS.get(kind, "count")}
    return Claim(replace(opened, asked=question.asked, wants=wants), figure, folded[figure.start : figure.end])


def _figure_in(folded: str) -> Quantity | None:
    """The figure put forward: of “从12.5%到9.8%” the last, else the first."""
    dates = tuple((d.start, d.end) for d in dates_in(folded))
    found = [q for q in quantities_in(folded, dates) if q.kind != "duration"]
    if found:
        return found[-1] if re.search(r"[从由自]\s?$", folded[: found[0].start]) else found[0]
    doubled = re.search(lexicon("rag", "question")["claim"]["doubled"], folded)
    return Quantity(doubled.start(), doubled.end(), 1.0, None, None, "rate") if doubled else None


def verdict_on(claim: Claim, ranked: Sequence[Scored], ledger: Ledger, snapshot: Snapshot, lang: str) -> Verdict | None:
    """What the ledger says of a claim: it holds, the figure is somebody else's, or theirs is another one.

    None where it cannot be sure: it has no figure of theirs, or a sentence about them writes the one put forward.
    """
    question, kind = claim.question, kind_of_number(claim.figure)
    borne = [
        Fit(f, c, c.score, 0.0)
        for c in ranked
        for f in ledger.at(c.sentence)
        if f.subject and kind_of_number(f) == kind and same_number(f, claim.figure)
    ]
    own = [f for f in borne if _is_own(question, f) and _may_measure(question, f) and _is_of_then(question, f)]
    if own:
        return Verdict(True, (nearest(own[0], snapshot, lang),))
    others = [f for f in borne if entities_in(fold_text(f.figure.subject or "")) and _may_measure(question, f)]
    theirs = [f for f in fits(question, ranked, ledger) if kind_of_number(f.figure) == kind and _is_own(question, f)]
    if not theirs or (not others and (theirs[0].score < SURE or _is_said(claim, ranked))):
        return None
    beside = [(t, o) for t in theirs for o in others if t.candidate.sentence == o.candidate.sentence]
    told = beside[0] if beside else (theirs[0], *others[:OTHERS])  # one table of shares tells of both
    return Verdict(False, tuple(nearest(f, snapshot, lang) for f in told))


def _is_said(claim: Claim, ranked: Sequence[Scored]) -> bool:
    """Whether a sentence about the one in question writes the figure, whosever it is."""
    pattern = re.compile(rf"(?<![\d.]){re.escape(claim.value)}")
    return any(pattern.search(c.sentence.folded) and is_about(claim.question.entities[:1], c) for c in ranked)


def _is_of_then(question: Question, fit: Fit) -> bool:
    """Whether a figure may be of the asked period: one that names no time may."""
    as_of = fit.figure.as_of
    return not (question.periods and periods_of(as_of)) or any(in_period(as_of, p) for p in question.periods)


def _may_measure(question: Question, fit: Fit) -> bool:
    """Whether a figure may be of what the question measures, and counted as it says."""
    said = f"{fold_text(fit.figure.attribute or '')} {fit.candidate.sentence.folded}"
    return not _counts_otherwise(question, fit) and all(
        any(form in said for form in forms) for forms in measures_in(question.folded)
    )


def _is_own(question: Question, fit: Fit) -> bool:
    """Whether a figure is of the one the claim is about: named first."""
    return any(is_subject(fit.figure, forms) for forms in question.entities[:1])


def _counts_otherwise(question: Question, fit: Fit) -> bool:
    """Whether the sentence of a figure names another way of counting than the question: by calls, not by revenue."""
    kinds = lexicon("rag", "question")["figures"]["kinds"]
    said = (
        f"{fold_text(fit.figure.attribute or '')} {fold_text(fit.figure.scope or '')} {fit.candidate.sentence.folded}"
    )
    asked = {k for k in kinds if k in question.folded}
    told = {k for k in kinds if k in said}
    return bool(asked and told) and not asked & told
