"""Ranked sentences → what the answer says, by kind of question."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from index.anaphor import points_back
from index.snapshot import Snapshot
from index.values import Sentence
from rag.asked_figure import WIDELY, WITHIN, is_about, is_asked_for, stating
from rag.copies import originals_first
from rag.evidence import Scored
from rag.fitting import (
    Fit,
    Ledger,
    fits,
    is_about_figures,
    surely,
)
from rag.leading import lead
from rag.lists import Section, asked_count, section_of
from rag.origin import source_of
from rag.reader.read import Span
from rag.statements import Statement, focus, in_script, same_content
from rag.understand import Question, kind_of

# How many sentences an answer of each kind may hold, and how far (in log odds) the last may trail the first.
LIMITS = {
    "fact": (2, 2.0),
    "list": (4, 3.0),
    "explain": (4, 3.0),
    "compare": (4, 4.0),
    "conflict": (4, 5.0),
    "refusal": (2, 1.5),
}
LEAD_CHARS, LONG_CHARS = 90, 130  # of one statement, in a short and in a long answer
ABOVE_CHARS = 60  # of the sentence that the best one points back at
ONE_SOURCE = 2  # sentences of one source in an answer of three or more, while another source has one to add
FIGURES = 3  # sentences that each state a figure the question fits
FIGURE_CHARS = 118  # of one that states a figure: its period and scope come with it
LIST_CHARS = 380  # of all items together
NEW_WORDS = 2.0  # log odds that a further sentence gains when it holds all of the question that is still missing
NEXT_TO = 1.5  # … when it goes on where the last one stopped, or the question wants an explanation and it stands beside
OTHER_SOURCE = 1.5  # … when it comes from a document not cited yet, where sources are to be compared
SECTION_TRAIL = 3.0  # how far the best sentence of a list may trail the best of all
ENUMERATED = 2  # ideographic commas that make a sentence a list of its own

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def choose(
    question: Question, ranked: Sequence[Scored], snapshot: Snapshot, ledger: Ledger, lang: str, *, refused: bool
) -> tuple[str, list[Statement]]:
    """The kind of the answer and its statements, in the order they are said."""
    kind = "refusal" if refused else kind_of(question)
    kind = "compare" if kind == "timeline" else kind  # no figures to order: what is said of it, side by side
    if not ranked:
        return kind, []
    order = originals_first([c.sentence for c in ranked], snapshot)
    ranked = [replace(ranked[n], score=ranked[place].score) for place, n in enumerate(order)]
    if kind == "list" and (section := _list_for(question, ranked, snapshot)) is not None:
        width = LIST_CHARS // len(section.items)
        return kind, [_statement(s, question, width, lang, snapshot) for s in section.items]
    exact = stating(question, ranked) if kind in ("fact", "compare", "conflict") else []
    known: Fit | None = None
    if kind == "fact" and is_asked_for(question):
        # where the best sentence states none of the figures that surely fit, it tells of somebody else
        sure = surely(question, ranked, ledger)
        if sure and not (exact and any(f.candidate.sentence is exact[0].sentence for f in sure)):
            known = sure[0]
        if sure:  # other figures are somebody else's: beside a short answer they would be taken for it
            stated = {(f.figure.doc_id, f.figure.start) for f in sure}
            exact = [
                c
                for c in (exact or ranked)
                if (c.sentence.doc_id, c.sentence.start) in stated or not ledger.at(c.sentence)
            ]
    if known is not None:
        ranked = [known.candidate]
    elif exact:
        # what states the figure leads, and beside it a short answer has no other figure to be taken for it
        ranked = exact if kind in ("fact", "conflict") else [*exact, *(c for c in ranked if c not in exact)]
    elif kind in ("compare", "conflict") and is_about_figures(question) and (found := fits(question, ranked, ledger)):
        first = found[0].candidate  # one figure is not enough to set side by side: it leads
        ranked = [replace(first, score=ranked[0].score), *(c for c in ranked if c is not first)]
        kind = "fact" if kind == "compare" and len(question.entities) < 2 and question.periods else kind
    elif kind in ("fact", "list") and question.entities:
        about = [c for c in ranked if c.score >= ranked[0].score - WITHIN and is_about(question.entities, c)]
        ranked = about or ranked
    picked = _picked(question, ranked, kind, snapshot)
    above = _pointed_at(question, picked[0], ranked) if kind == "fact" else None
    if above is not None:
        picked = [above, picked[0]]
    if kind == "conflict" and len({n for c in picked for n in _NUMBER.findall(c.sentence.folded)}) < 2:
        kind = "compare"  # nothing that could contradict
    if kind == "list" and picked[0].sentence.text.count("、") < ENUMERATED:  # its items, in the order of the page
        documents = list(dict.fromkeys(c.sentence.doc_id for c in picked))
        picked.sort(key=lambda c: (documents.index(c.sentence.doc_id), c.sentence.start))
    elif kind == "explain":  # what stands together is read together
        home = [c for c in picked if c.row == picked[0].row]
        picked = sorted(home, key=lambda c: c.place) + [c for c in picked if c.row != picked[0].row]
    width = LEAD_CHARS if kind in ("fact", "refusal") else LONG_CHARS
    if is_asked_for(question) and kind != "refusal":
        width = max(width, FIGURE_CHARS)
    said = [
        _statement(c.sentence, question, ABOVE_CHARS if c is above else width, lang, snapshot, c.span) for c in picked
    ]
    leads = kind in ("fact", "explain")
    answer = lead(question, ranked, said[above is not None], snapshot, ledger, lang) if leads else None
    if answer is None and kind == "fact" and is_asked_for(question):
        stated_by = {(f.figure.doc_id, f.figure.start): f.figure for f in reversed(surely(question, ranked, ledger))}
        said = [replace(s, figure=stated_by.get((s.sentence.doc_id, s.sentence.start))) for s in said]
    return kind, [answer, *said] if answer else said


def _statement(
    sentence: Sentence, question: Question, width: int, lang: str, snapshot: Snapshot, span: Span | None = None
) -> Statement:
    document = snapshot.documents[sentence.doc_id]
    return Statement(in_script(focus(sentence, question, width, span), lang, document.lang), sentence, document)


def _picked(question: Question, ranked: Sequence[Scored], kind: str, snapshot: Snapshot) -> list[Scored]:
    """Greedily: the best sentence, then those that add what the question names and the ones before them lack.

    A source that has said enough waits until the others have nothing to add: one page, or many of one publisher, does
    not fill an answer.
    """
    most, trail = LIMITS[kind]
    if kind in ("fact", "conflict") and is_asked_for(question):  # other figures that fit as well stand beside it
        most, trail = max(most, FIGURES), WIDELY
    best = ranked[0]
    pool = [c for c in ranked[1:40] if c.score >= best.score - trail]
    picked = [best]
    while pool and len(picked) < most:
        said = " ".join(p.sentence.folded for p in picked)
        missing = [w for w in question.words if w not in said]

        def gain(c: Scored, missing: list[str] = missing) -> float:
            new = sum(w in c.sentence.folded for w in missing) / len(missing) if missing else 0.0
            other = kind == "conflict" and all(c.sentence.doc_id != p.sentence.doc_id for p in picked)
            return (
                c.score + NEW_WORDS * new + OTHER_SOURCE * other + NEXT_TO * any(_goes_on(p, c, kind) for p in picked)
            )

        told = Counter(source_of(snapshot.documents[p.sentence.doc_id]) for p in picked)
        full = {source for source, n in told.items() if n >= ONE_SOURCE}
        others = [c for c in pool if full and source_of(snapshot.documents[c.sentence.doc_id]) not in full]
        following = max(others or pool, key=gain)
        pool.remove(following)
        if not any(same_content(following.sentence.folded, p.sentence.folded) for p in picked):
            picked.append(following)
    return picked


def _pointed_at(question: Question, best: Scored, ranked: Sequence[Scored]) -> Scored | None:
    """The sentence above one that only points back at it (“这一计划……”, “……同年辞职”): what it points at is said there.

    None where the best sentence itself names what the question asks about.
    """
    if not points_back(best.sentence.folded):
        return None
    above = next((c for c in ranked if c.row == best.row and c.place == best.place - 1), None)
    missing = [w for w in question.words if w not in best.sentence.folded]
    return above if above is not None and any(w in above.sentence.folded for w in missing) else None


def _goes_on(picked: Scored, candidate: Scored, kind: str) -> bool:
    """Whether the candidate belongs with a picked sentence: the rest of it, or beside it in an explanation."""
    if candidate.row != picked.row:
        return False
    rest = candidate.place == picked.place + 1 and picked.sentence.text[-1:] in ",，、:：;；"
    return rest or (kind == "explain" and abs(candidate.place - picked.place) == 1)


def _list_for(question: Question, ranked: Sequence[Scored], snapshot: Snapshot) -> Section | None:
    """The list the question asks for, if the page has one; a sentence that enumerates is its own answer."""
    count = asked_count(question.folded)
    best = ranked[0]
    seen: set[int] = set()
    for candidate in ranked[:12]:
        if candidate.row in seen or candidate.score < best.score - SECTION_TRAIL:
            continue
        seen.add(candidate.row)
        section = section_of(candidate.row, snapshot)
        if len(section.items) < 2 or len(section.items) > 8:
            continue
        if len(section.items) == count or (
            count is None and candidate is best and best.sentence.text.count("、") < ENUMERATED
        ):
            return section
    return None
