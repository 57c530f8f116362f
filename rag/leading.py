"""The few words an answer begins with: the reader's, or a figure of the ledger that is surely the asked one."""

import re
from collections.abc import Sequence

from index.aliases import measures_in
from index.dates import dates_in
from index.fold import fold_text
from index.quantities import quantities_in
from index.snapshot import Snapshot
from index.values import Document, Figure, Sentence
from rag.asked_figure import asks_for_place, is_asked_for, may_lead
from rag.evidence import Scored
from rag.figure_kinds import asks_for_change, is_change
from rag.figure_rows import Row, row_of, sentences_above, shared_unit
from rag.fitting import CLOSE, Fit, Ledger, fits, is_elsewhere, is_of_another, surely
from rag.particulars import is_of_another_part
from rag.reading import agreeing
from rag.statements import Statement, in_script, lead_of
from rag.understand import Question

SHORT_CHARS = 38  # of the answer that leads
SURE = -3.0  # log probability of the span below which it does not lead: the reader wavers between many
AGREEING = 2  # further sources named beside it


def lead(
    question: Question, ranked: Sequence[Scored], said: Statement, snapshot: Snapshot, ledger: Ledger, lang: str
) -> Statement | None:
    """The answer in a few words, where what is `said` does not begin with them, and who else says so.

    A figure brings the period and the 口径 that its words leave out, and the sentence they stand in.
    """
    best = ranked[0]
    document = snapshot.documents[best.sentence.doc_id]
    span = lead_of(best.sentence, best.span, SHORT_CHARS) if best.span and best.span.score >= SURE else None
    if span is None or not may_lead(question, span, best.sentence.text):
        return _known(question, best, snapshot, ledger, lang)
    told = [f for f in ledger.at(best.sentence) if f.value in span]
    fitting = [
        f
        for f in told
        if not is_of_another(question, f)
        and not is_elsewhere(question, f, best)
        and not is_of_another_part(question, f, best)
    ]
    known = _known(question, best, snapshot, ledger, lang) if told else None
    if told and (not fitting or (known and known.figure not in told)):
        return known  # the ledger knows better
    figure = _asked_of(question, fitting, best, ledger)
    row = row_of(figure, best.sentence, sentences_above(best, snapshot), document, lang) if figure else None
    shared = any(f.value == span and shared_unit(f.value, f.number, f.unit) for f in told)
    if shared or (is_asked_for(question) and _tells_of_several(span)):
        if row and row.what:
            return _told(row, best, document)
        if row is None or shared:
            return None  # which of them answers, or of what unit?
    text = in_script(span, lang, document.lang)
    added = [cell for cell in (row.period, row.scope) if cell and cell not in text] if row else []
    if row and added:
        text = f"{text}({';'.join(added)})"
        return Statement(text, best.sentence, document, leads=True, bearing=row.statement.bearing, figure=figure)
    if text in said.text[:SHORT_CHARS]:
        return None
    others: dict[str, tuple[Sentence, Document]] = {}
    for c in agreeing(ranked):  # cited beside it only where the whole span stands there too
        if c.sentence.doc_id != best.sentence.doc_id and fold_text(span) in c.sentence.folded:
            others.setdefault(c.sentence.doc_id, (c.sentence, snapshot.documents[c.sentence.doc_id]))
    beside = tuple(others.values())[:AGREEING]
    return Statement(text, best.sentence, document, leads=True, agreeing=beside, figure=figure)


def _asked_of(question: Question, told: Sequence[Figure], best: Scored, ledger: Ledger) -> Figure | None:
    """Of the figures that the leading words tell the one that is asked for, where one is."""
    own = [f for f in told if f.subject]
    if len(own) > 1:
        own = [f.figure for f in fits(question, [best], ledger) if f.figure in own][:1]
    return own[0] if own and is_asked_for(question) and not asks_for_place(question.folded) else None


def _known(question: Question, best: Scored, snapshot: Snapshot, ledger: Ledger, lang: str) -> Statement | None:
    """The one figure of a sentence of several that surely fits: “18.6%(乙公司占比；2025年上半年)”."""
    if not is_asked_for(question) or not _tells_of_several(best.sentence.text):
        return None
    sure = _certain(question, best, ledger)
    if not sure or any(f.score > sure[0].score - CLOSE for f in sure[1:]):
        return None
    document = snapshot.documents[best.sentence.doc_id]
    figure = sure[0].figure
    another = rf"[+-]?[\d.]+(?:[百千万亿]*{re.escape(figure.unit or '')}|/)"  # 20%/35% are two
    if re.search(rf"{re.escape(figure.value)}\s?(?:每|/(?!{another}))", best.sentence.text):
        return None  # 5元/百万token: no price without its unit
    row = row_of(figure, best.sentence, sentences_above(best, snapshot), document, lang)
    return _told(row, best, document) if row.what else None


def _certain(question: Question, best: Scored, ledger: Ledger) -> list[Fit]:
    """The figures of a sentence that surely fit, of the asked measure, and a change where one is asked for."""
    asked, change = measures_in(question.folded), asks_for_change(question)
    return [
        f
        for f in surely(question, [best], ledger)
        if is_change(f.figure) == change and all(m in measures_in(fold_text(f.figure.attribute or "")) for m in asked)
    ]


def _told(row: Row, best: Scored, document: Document) -> Statement:
    cells = "；".join(cell for cell in (row.what, row.period, row.scope) if cell)
    own = row.statement
    return Statement(
        f"{row.value}({cells})", best.sentence, document, leads=True, bearing=own.bearing, figure=own.figure
    )


def _tells_of_several(lead: str) -> bool:
    """Whether a few words hold more than one quantity: “11.8%至1,269亿元”."""
    folded = fold_text(lead)
    return len(quantities_in(folded, tuple((d.start, d.end) for d in dates_in(folded)))) > 1
