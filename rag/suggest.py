"""Questions the corpus can answer, near to one that was asked: after a refusal, and to go on from an answer.

They are made of the ledger and of the questions that documents say they answer, and each is asked before it is shown.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from index.aliases import entities_in, measures_in, names_share
from index.data import lexicon
from index.fold import fold_text, to_simplified, to_traditional
from index.grammar import tagged_words
from index.snapshot import Snapshot
from index.values import Figure
from rag.figure_kinds import is_change
from rag.figure_rows import period_words
from rag.levels import is_name
from rag.values import Answer

MOST = 3
TRIED = 12  # candidates asked for one list
LONGEST = {"zh-Hans": 40, "en": 80}  # characters of a suggested question
SUBJECT, MEASURE, DOCUMENT, WORDS = 3.0, 2.0, 1.0, 2.0  # weights of what a candidate shares: set by hand
OWN = 0.5  # a question that the documents name themselves reads better than one that is made
_ODD = re.compile(r"[\[\](){}<>|/\\\"“”*#;；,，、。:：?？!！]|的")
_PERIOD = re.compile(r"\d{4}(?:H[12]|Q[1-4]|-\d\d){0,2}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that a sentence of the corpus should answer."""

    question: str
    lang: str
    folded: str
    doc_id: str
    start: int | None  # of the sentence; None: anywhere in the document


def candidates_of(snapshot: Snapshot) -> tuple[Candidate, ...]:
    """Every question that can be made, in corpus order, without repeats."""
    found: dict[str, Candidate] = {}
    for document in snapshot.documents.values():
        for q in document.examples:
            found.setdefault(
                _bare(q), Candidate(q, "en" if q.isascii() else "zh-Hans", fold_text(q), document.doc_id, None)
            )
    for f in snapshot.figures:
        for lang, make in (("zh-Hans", _asked), ("en", asked_in_english)):
            made = make(f)
            if made is not None and len(made) <= LONGEST[lang]:
                found.setdefault(_bare(made), Candidate(made, lang, fold_text(made), f.doc_id, f.start))
    return tuple(found.values())


def _bare(question: str) -> str:
    return re.sub(r"\W+", "", fold_text(question))


def _asked(figure: Figure) -> str | None:
    subject, attribute = (figure.subject or "").strip(), (figure.attribute or "").strip()
    if not subject or not attribute or _ODD.search(subject + attribute) or not entities_in(fold_text(subject)):
        return None
    if not _measures(fold_text(attribute)) or not is_name(subject) or not is_plain(attribute, figure):
        return None
    if figure.as_of and not _PERIOD.fullmatch(figure.as_of):
        return None
    period = period_words(figure.as_of) if figure.as_of else ""
    much = "了多少" if is_change(figure) else "是多少"
    whose = attribute if attribute.startswith(subject) else f"{subject}的{attribute}"
    return f"{period}{whose}{much}？"


def is_plain(attribute: str, figure: Figure) -> bool:
    """Whether an attribute reads as what is measured, not as a piece of a sentence (公布营收, 份额提高)."""
    tagged = tagged_words(fold_text(attribute))
    first, last = tagged[0], tagged[-1]
    if fold_text(attribute) in lexicon("rag", "suggest")["vague"]:
        return False
    opens = first[1] == "v" and not _measures(first[0]) and len(tagged) > 1
    ends = last[1] == "v" and not _measures(last[0]) and not is_change(figure)
    return not opens and not ends


def asked_in_english(figure: Figure) -> str | None:
    """… where the lexicon has English words for whose and what it is."""
    known = entities_in(fold_text(figure.subject or ""))
    name = next((form for form in known[0] if form.isascii()), None) if len(known) == 1 else None
    attribute = fold_text(figure.attribute or "")
    measures: dict[str, str] = lexicon("rag", "suggest")["english"]
    measure = next((english for chinese, english in measures.items() if attribute.endswith(chinese)), None)
    if name is None or measure is None or (figure.as_of and not _PERIOD.fullmatch(figure.as_of)):
        return None
    when = f" in {figure.as_of}" if figure.as_of else ""
    return f"What was {name.title()}'s {measure}{when}?"


def near_to(answer: Answer, candidates: Sequence[Candidate], asked_before: Sequence[str]) -> list[Candidate]:
    """The candidates, those nearest to what was asked first; what was asked or answered already is left out."""
    folded = fold_text(answer.understood_as)
    said = {(c.doc_id, c.start) for c in answer.citations} if not answer.refused else set()
    old = {fold_text(q) for q in (answer.question, answer.understood_as, *asked_before)}
    cited = {c.doc_id for c in answer.citations}
    entities, measures, pairs = set(entities_in(folded)), _measures(folded), _pairs(folded)

    def nearness(c: Candidate) -> float:
        own = _pairs(c.folded)
        return (
            SUBJECT * bool(entities & set(entities_in(c.folded)))
            + MEASURE * bool(measures & _measures(c.folded))
            + DOCUMENT * (c.doc_id in cited)
            + WORDS * len(pairs & own) / max(1, len(pairs | own))
            + OWN * (c.start is None)
        )

    language = "en" if answer.lang == "en" else "zh-Hans"
    open_ = [c for c in candidates if c.folded not in old and (c.doc_id, c.start) not in said]
    return sorted(open_, key=lambda c: (c.lang == language, nearness(c)), reverse=True)


def _measures(folded: str) -> set[tuple[str, ...]]:
    return {*measures_in(folded), *([("share",)] if names_share(folded) else [])}


def _pairs(folded: str) -> set[str]:
    bare = _bare(folded)
    return {bare[n : n + 2] for n in range(len(bare) - 1)}


def suggested(
    answer: Answer,
    candidates: Sequence[Candidate],
    ask: Callable[[Candidate], Answer],
    *,
    asked_before: Sequence[str] = (),
    budget_s: float,
) -> list[str]:
    """Up to MOST questions that the corpus answers, in the language of the answer, nearest first.

    Args:
        ask: answers a candidate; may remember what it answered.
        budget_s: no further candidate is asked after so many seconds.
    """
    until = time.monotonic() + budget_s
    found: list[str] = []
    taken: set[tuple[str, int]] = {(c.doc_id, c.start) for c in answer.citations} if not answer.refused else set()
    for candidate in near_to(answer, candidates, asked_before)[:TRIED]:
        if len(found) == MOST or (found and time.monotonic() > until):
            break
        told = ask(candidate)
        lead = next(((c.doc_id, c.start) for c in told.citations), None)
        if told.refused or lead is None or lead in taken or not _is_its_own(candidate, told):
            continue
        taken.add(lead)
        found.append(_in_script(candidate.question, answer.lang))
    return found


def _in_script(question: str, lang: str) -> str:
    if lang == "zh-Hant":
        return to_traditional(question)
    return to_simplified(question) if lang == "zh-Hans" else question


def _is_its_own(candidate: Candidate, told: Answer) -> bool:
    """Whether the answer says first what the question was made of, or among what it sets side by side."""
    cited = told.citations if told.kind == "conflict" else told.citations[:1]
    return any(c.doc_id == candidate.doc_id and candidate.start in (None, c.start) for c in cited)
