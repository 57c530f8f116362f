"""Candidate questions with their answers, made of the ledger for a person to review: the start of an own evaluation.

They do not depend on what the assistant answers: picking those it gets right would flatter it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise, zip_longest
from typing import Any

from index.aliases import entities_in, measures_in
from index.data import lexicon
from index.fold import fold_text, to_traditional
from index.grammar import tagged_words
from index.snapshot import Snapshot
from index.values import Figure
from rag.askable import head_of, is_askable, is_taken_for, whose_what, wordings
from rag.board import Chart, board
from rag.figure_kinds import is_change
from rag.figure_rows import period_words
from rag.ledger import in_period
from rag.levels import Point, is_name
from rag.suggest import asked_in_english

# The kinds in turns, so that every part of a file has some of each; a kind that has no more is passed over.
TURNS = ("fact", "compare", "fact", "other_period", "conflict", "fact", "english", "other_subject", "fact", "timeline")
TRADITIONAL = 4  # every so many Chinese questions, one is in traditional characters
LONGEST = 60  # characters of a question
POOL = 300  # figures that questions are made of, at least; five times as many as questions
OTHERS = 2  # of whom the same is asked


@dataclass(frozen=True, slots=True)
class Made:
    """A question, and what the ledger says to it."""

    question: str
    type: str
    lang: str
    gold: tuple[tuple[str, ...], ...]  # one wording of each has to be said; empty: the corpus does not say
    evidence: tuple[tuple[str, str], ...]  # doc_id and the sentence that it was made of
    subject: str
    measure: str
    reason: str | None = None  # to refuse


def as_row(made: Made, number: int) -> dict[str, Any]:
    """A line of a question file (rag.evaluate), marked as not yet reviewed."""
    row: dict[str, Any] = {
        "id": f"q{number:03}",
        "question": made.question,
        "lang": made.lang,
        "type": made.type,
        "answerable": bool(made.gold),
        "gold": [list(group) for group in made.gold],
        "docs": list(dict.fromkeys(doc_id for doc_id, _ in made.evidence)) if made.gold else [],
        "evidence": [{"doc": doc_id, "quote": quote} for doc_id, quote in made.evidence],
    }
    return {**row, **({"reason": made.reason} if made.reason else {}), "review": True}


def questions_from(snapshot: Snapshot, count: int) -> list[Made]:
    """Up to `count` questions, about as many documents, subjects and measures as there are; the same every time."""
    maker = _Maker(snapshot, max(POOL, 5 * count))
    charts = board(snapshot.figures, snapshot.documents, snapshot.reprints)
    pools: dict[str, list[Made]] = {
        "fact": maker.kind(maker.fact(f) for f in maker.usable),
        "english": maker.kind(maker.in_english(f) for f in maker.usable),
        "compare": maker.kind(m for c in charts for m in maker.compared(c)),
        "timeline": maker.kind(m for c in charts for m in maker.changed(c)),
        "conflict": maker.kind(m for c in charts for m in maker.disputed(c)),
        "other_period": maker.kind(m for f in maker.usable for m in maker.of_other_periods(f)),
        "other_subject": maker.kind(m for f in maker.usable for m in maker.of_others(f)),
    }
    found: list[Made] = []
    used: Counter[tuple[str, str]] = Counter()
    asked: set[str] = set()
    while len(found) < count and any(pools.values()):
        for kind in TURNS:
            pool = pools[kind]
            if not pool or len(found) == count:
                continue
            best = min(pool, key=lambda m: [used[key] for key in _told_of(m)])
            pools[kind] = [m for m in pool if m is not best]
            if best.question not in asked:
                asked.add(best.question)
                used.update(_told_of(best))
                found.append(best)
    return _in_both_scripts(found)


def _told_of(made: Made) -> tuple[tuple[str, str], ...]:
    """What should not come again soon, the sentence first."""
    doc_id, quote = made.evidence[0]
    return (f"{made.type}:quote", quote), ("doc", doc_id), ("subject", made.subject), ("measure", made.measure)


def _in_both_scripts(made: Sequence[Made]) -> list[Made]:
    chinese = [m for m in made if m.lang != "en"]
    turned = {id(m) for m in chinese[TRADITIONAL - 1 :: TRADITIONAL]}
    return [replace(m, question=to_traditional(m.question), lang="zh-Hant") if id(m) in turned else m for m in made]


class _Maker:
    """What is asked of one version of an index."""

    def __init__(self, snapshot: Snapshot, most: int) -> None:
        self._documents = snapshot.documents
        self._figures = snapshot.figures
        self._sentences = [s.folded for p in snapshot.passages for s in p.sentences]
        self._words: dict[str, Any] = lexicon("rag", "suggest")["evaluation"]
        units = frozenset(fold_text(f.unit).rstrip("s") for f in snapshot.figures if f.unit)
        self._of: dict[object, list[Figure]] = {}
        for f in snapshot.figures:
            for key in _subjects_of(f):
                self._of.setdefault(key, []).append(f)
        turns = in_turns(snapshot.figures)
        self.usable = list(islice((f for f in turns if is_askable(f, snapshot.documents[f.doc_id], units)), most))
        self._known = list(dict.fromkeys(f.subject for f in self.usable if f.subject and _is_known(f.subject)))
        self._absent = self._nowhere()
        self._turn = 0

    def kind(self, made: Iterable[Made | None]) -> list[Made]:
        """Those that can be asked."""
        return [m for m in made if m is not None and len(m.question) <= LONGEST * (2 if m.lang == "en" else 1)]

    def _same(self, f: Figure) -> list[Figure]:
        """The figures of the same subject, this one too."""
        return list({g.figure_id: g for key in _subjects_of(f) for g in self._of[key]}.values())

    def _asked(self, f: Figure, whose: str | None = None, as_of: str | None = None) -> str:
        much = self._words["change"] if is_change(f) else self._words["level"]
        period = as_of or f.as_of
        return (
            f"{period_words(period) if period else ''}{whose_what(whose or f.subject or '', f.attribute or '')}{much}"
        )

    def fact(self, f: Figure) -> Made | None:
        """Whose, what and when; with who says so where others say otherwise, and nothing where that does not help."""
        others = [g for g in self._same(f) if is_taken_for(g, f)]
        asked = self._asked(f)
        if others:
            source = f.said_by if f.said_by in (f.scope or "").split(";") else None
            if not source or not f.as_of or any(g.said_by == source for g in others):
                return None
            asked = self._words["by_source"].format(source=source, question=asked)
        return self._made(asked, "fact", [f])

    def in_english(self, f: Figure) -> Made | None:
        """The same in English, where English words say all that the Chinese ones do."""
        subject, attribute = fold_text(f.subject or ""), fold_text(f.attribute or "")
        whole = any(subject in forms for forms in entities_in(subject))
        asked = asked_in_english(f) if whole and attribute in lexicon("rag", "suggest")["english"] else None
        if asked is None or is_change(f) or any(is_taken_for(g, f) for g in self._same(f)):
            return None
        return replace(self._made(asked, "english", [f]), lang="en")

    def compared(self, chart: Chart) -> Iterator[Made]:
        """Two of those that a chart sets side by side."""
        if chart.kind not in ("shares", "compare"):
            return
        points = [p for p in chart.points if is_name(p.subject)]
        for one, other in pairwise(points):
            whose = self._words["both"].format(one=one.subject, other=other.subject)
            period = period_words(chart.period) if chart.period else ""
            yield self._made(
                f"{period}{whose_what(whose, chart.measure)}{self._words['respectively']}",
                "compare",
                [one.figure, other.figure],
            )

    def changed(self, chart: Chart) -> Iterator[Made]:
        """What a figure was first and last."""
        if chart.kind != "timeline":
            return
        series: dict[str, list[Point]] = {}
        for p in chart.points:
            series.setdefault(p.subject, []).append(p)
        for subject, points in series.items():
            first, last = points[0].figure, points[-1].figure
            if len(points) > 1 and first.as_of and last.as_of:
                asked = self._worded("timeline").format(
                    whose=whose_what(subject, chart.measure),
                    first=period_words(first.as_of),
                    last=period_words(last.as_of),
                )
                yield self._made(asked, "timeline", [first, last])

    def disputed(self, chart: Chart) -> Iterator[Made]:
        """What several say of one thing, all of it."""
        if chart.kind != "conflict":
            return
        figures = [p.figure for p in chart.points]
        subject = chart.subject or chart.points[0].subject
        period = period_words(chart.period) if chart.period else ""
        yield self._made(
            self._worded("conflict").format(period=period, whose=whose_what(subject, chart.measure)),
            "conflict",
            figures,
        )

    def of_other_periods(self, f: Figure) -> Iterator[Made]:
        """The same of a year of which neither the ledger nor any sentence that names the subject says anything."""
        if not f.as_of or "旬" in f.as_of:
            return
        own = self._same(f)
        for step in (-1, 1, -2):
            year = str(int(f.as_of[:4]) + step)
            as_of = f"{year}{f.as_of[4:]}"
            if any(in_period(g.as_of, year) for g in own) or self._is_said(f.subject or "", year):
                continue
            asked = self._made(self._asked(f, as_of=as_of), "other_period", [f])
            yield replace(asked, gold=(), reason="other_period")

    def of_others(self, f: Figure) -> Iterator[Made]:
        """The same of somebody of whom no document says it."""
        common = measures_in(fold_text(f.attribute or ""))  # what one alone has, nobody would ask of another
        if not common or not _is_known(f.subject or ""):
            return
        measure = head_of(f)
        self._turn += 1
        names = [
            n for pair in zip_longest(*(_turned(x, self._turn) for x in (self._absent, self._known))) for n in pair
        ]
        others = (n for n in names if n in self._absent or (n and not self._is_said(n, measure)))
        for name in islice(others, OTHERS):
            asked = self._made(self._asked(f, whose=name), "other_subject", [f])
            reason = "not_in_corpus" if name in self._absent else "other_subject"
            yield replace(asked, gold=(), subject=name, reason=reason)

    def _is_said(self, subject: str, word: str) -> bool:
        """Whether a sentence holds both, the subject in any form."""
        forms = {subject, *(form for group in entities_in(fold_text(subject)) for form in group)}
        folded = [fold_text(form) for form in forms]
        return any(word in s and any(form in s for form in folded) for s in self._sentences)

    def _nowhere(self) -> list[str]:
        """Names of the lexicon that no document holds; people are left out."""
        text = "\n".join(self._sentences)
        return [
            group[0]
            for group in lexicon("index", "aliases")["entities"]
            if not any(fold_text(form) in text for form in group) and not _is_person(group[0])
        ]

    def _worded(self, kind: str) -> str:
        """The wordings of a kind in turns."""
        wordings: list[str] = self._words[kind]
        self._turn += 1
        return wordings[self._turn % len(wordings)]

    def _made(self, question: str, kind: str, figures: Sequence[Figure]) -> Made:
        gold = tuple(dict.fromkeys(wordings(f) for f in figures))
        evidence = tuple(dict.fromkeys((f.doc_id, self._documents[f.doc_id].text[f.start : f.end]) for f in figures))
        return Made(question, kind, "zh-Hans", gold, evidence, figures[0].subject or "", head_of(figures[0]))


def in_turns(figures: Iterable[Figure]) -> Iterator[Figure]:
    """The first of every document, then the second of every one …"""
    documents: dict[str, list[Figure]] = {}
    for f in figures:
        documents.setdefault(f.doc_id, []).append(f)
    return (f for row in zip_longest(*documents.values()) for f in row if f is not None)


def _turned(names: list[str], by: int) -> list[str]:
    """Begun further on, so that each has its turn at being first."""
    first = by % max(1, len(names))
    return [*names[first:], *names[:first]]


def _subjects_of(figure: Figure) -> list[object]:
    """What a figure's subject is found by: its words and the names in it."""
    folded = fold_text(figure.subject or "")
    return [folded, *entities_in(folded)] if folded else []


def _is_known(subject: str) -> bool:
    folded = fold_text(subject)
    return any(folded in forms for forms in entities_in(folded))


def _is_person(name: str) -> bool:
    return any(tag.startswith("nr") for _, tag in tagged_words(fold_text(name)))
