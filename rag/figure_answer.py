"""Questions that several figures answer: conflicts, comparisons and timelines as small tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.aliases import names_share
from index.fold import fold_text
from index.snapshot import Snapshot
from index.values import Figure
from rag.asked_figure import is_about
from rag.copies import originals_first
from rag.evidence import Scored
from rag.figure_kinds import is_change, kind_of_number
from rag.figure_rows import Row, as_written, is_subject, row_of, sentences_above
from rag.fitting import (
    CLOSE,
    SURE,
    Fit,
    Ledger,
    asks_more,
    fits,
    is_about_figures,
    is_of_another_time,
    is_wholly_named,
    surely,
)
from rag.ledger import periods_of
from rag.lists import asked_rank
from rag.relation import counts_otherwise, relation, relations, same_measure, same_number, same_subject
from rag.statements import Statement, is_borne_out
from rag.understand import Question

ROWS = 6  # of a table
PER_SIDE = 2  # rows for each side of a comparison
PAIRED = 3 * CLOSE  # how far a figure may trail the best of its side and still be what the other side is compared with
NEAR_BEST = 14.0  # log odds: how far below the best sentence one may be whose figure is still looked at


@dataclass(frozen=True, slots=True)
class FigureTable:
    """Figures side by side."""

    kind: str  # conflict, compare, timeline or list
    rows: tuple[Row, ...]
    relations: tuple[str, ...]  # what tells them apart, of rag.relation.RELATIONS
    newest: Row | None = None  # the one with the latest period, where periods differ
    arithmetic: str | None = None  # “30万亿 ÷ 1200亿 = 250”


def table_for(
    question: Question, kind: str, ranked: Sequence[Scored], ledger: Ledger, snapshot: Snapshot, lang: str
) -> FigureTable | None:
    """The figures a conflict, comparison or timeline question is about; None when there are not enough."""
    ranking = "rank" in question.wants or names_share(question.folded)
    if not (ranking if kind == "list" else is_about_figures(question)):
        return None
    near = [c for c in ranked if c.score >= ranked[0].score - NEAR_BEST] if ranked else []
    found = fits(question, near, ledger)
    if kind == "timeline":  # levels, not by how much they changed
        found = [f for f in found if not is_change(f.figure) and periods_of(f.figure.as_of)]
        found = [f for f in found if _rate(f) == _rate(found[0])]
    found = _of_what_is_named(question, found, near)
    if not found:
        return None
    return _table(kind, _chosen(question, kind, found), snapshot, lang)


def _table(kind: str, chosen: Sequence[Fit], snapshot: Snapshot, lang: str) -> FigureTable | None:
    if len(chosen) < 2:
        return None
    if kind == "conflict":
        order = originals_first([f.candidate.sentence for f in chosen], snapshot)
        chosen = [chosen[n] for n in order]
    pairs = [(f.figure, _row(f, snapshot, lang)) for f in chosen[:ROWS]]
    sound = [(f, r) for f, r in pairs if is_borne_out(r.statement.text, *(s for s, _ in r.statement.sources))]
    if len(sound) < 2:
        return None
    figures, rows = [f for f, _ in sound], [r for _, r in sound]
    return FigureTable(
        kind,
        tuple(rows),
        tuple(relations(figures)),
        _newest(rows, figures),
        _ratio(figures) if _divisible(kind, figures) else None,
    )


def several_counts(
    question: Question, ranked: Sequence[Scored], ledger: Ledger, snapshot: Snapshot, lang: str
) -> FigureTable | None:
    """A figure asked for in so few words that several ways of counting fit: all of them, the closest first.

    Asked for a company's share, its share of calls alone would pass for its share of revenue. None where the question
    says which one it means (whose report, what is counted), or the corpus counts in one way only.
    """
    sure = [] if question.sources else surely(question, ranked, ledger)
    if not sure or not (question.entities or is_wholly_named(question, sure[0].figure)) or asks_more(question, sure[0]):
        return None
    first = sure[0]
    near = [c for c in ranked if c.score >= ranked[0].score - NEAR_BEST]
    beside = [
        f
        for f in fits(question, near, ledger)
        if f.score >= first.score - CLOSE and counts_otherwise(first.figure, f.figure) and _names(question, f)
    ]
    return _table("conflict", _distinct([first, *beside]), snapshot, lang)


def _of_what_is_named(question: Question, found: Sequence[Fit], near: Sequence[Scored]) -> list[Fit]:
    """Those that tell of the Latin names in the question, where sentences near it hold them: MMLU is no MMMU."""

    def told(f: Fit) -> str:
        return f"{fold_text(f.figure.attribute or '')} {f.candidate.sentence.folded}"

    said = [*map(told, found), *(c.sentence.folded for c in near)]
    named = [n for n in question.names if any(n in text for text in said)]
    return [f for f in found if not named or any(n in told(f) for n in named)]


def _names(question: Question, fit: Fit) -> bool:
    return all(n in fit.candidate.context for n in question.names)


def _chosen(question: Question, kind: str, found: Sequence[Fit]) -> list[Fit]:
    if kind == "compare":
        return _sides(question, found)
    if kind == "list":
        return _ranked(found, asked_rank(question.folded) or ROWS)
    return _series(found) if kind == "timeline" else _conflicting(found)


def _conflicting(found: Sequence[Fit]) -> list[Fit]:
    chosen = _distinct(found)
    return chosen + [f for f in _elsewhere(chosen, found) if all(_differ(f.figure, k.figure) for k in chosen)]


def _series(found: Sequence[Fit]) -> list[Fit]:
    """The figures of one subject for one measure, in order of period; the subject that fits best and has two."""
    chosen = _distinct(found, 2 * CLOSE)
    for first in chosen:
        own = [f for f in chosen if same_subject(f.figure, first.figure) and same_measure(f.figure, first.figure)]
        if len(series := _in_time(own)) > 1:
            return series
    return []


def _ranked(found: Sequence[Fit], most: int) -> list[Fit]:
    """The figures of one measure, time and scope for different subjects, the greatest first."""
    for first in found:
        a = first.figure
        own = [f for f in found if f.figure.doc_id == a.doc_id and relation(f.figure, a) in (None, "contradiction")]
        best = _one_each([f for f in own if f.figure.as_of == a.as_of])
        if len(best) > 1:
            return sorted(best, key=lambda f: _least(f.figure), reverse=True)[:most]
    return []


def _least(figure: Figure) -> float:
    return figure.number[0] if isinstance(figure.number, tuple) else figure.number


def _row(fit: Fit, snapshot: Snapshot, lang: str) -> Row:
    sentence = fit.candidate.sentence
    return row_of(
        fit.figure, sentence, sentences_above(fit.candidate, snapshot), snapshot.documents[sentence.doc_id], lang
    )


def _distinct(found: Sequence[Fit], within: float = CLOSE) -> list[Fit]:
    """Those close to the best, without reprints: of what says the same, the one that says more of what is asked."""
    kept: list[Fit] = []
    for f in found:
        behind = found[0].score - f.score
        same = next((n for n, k in enumerate(kept) if not _differ(f.figure, k.figure)), None)
        if same is None and behind <= within:
            kept.append(f)
        elif (
            same is not None
            and behind <= 2 * within
            and (f.named, bool(f.figure.as_of))
            > (
                kept[same].named,
                bool(kept[same].figure.as_of),
            )
        ):
            kept[same] = f
    return kept


def _differ(a: Figure, b: Figure) -> bool:
    return relation(a, b) is not None or not same_subject(a, b) or not same_number(a, b)


def _elsewhere(chosen: Sequence[Fit], found: Sequence[Fit]) -> list[Fit]:
    """The best figure of each other document that is not too far off: sources word one thing differently."""
    documents = {f.figure.doc_id for f in chosen}
    added: dict[str, Fit] = {}
    for f in found:
        near = f.score >= chosen[0].score - 2 * CLOSE
        if near and f.figure.doc_id not in documents and kind_of_number(f.figure) == kind_of_number(chosen[0].figure):
            added.setdefault(f.figure.doc_id, f)
    return list(added.values())


def _rate(fit: Fit) -> bool:
    return kind_of_number(fit.figure) in ("rate", "times")


def _sides(question: Question, found: Sequence[Fit]) -> list[Fit]:
    """The best figures of each thing compared, of one kind where all have it; none when only one of them has any."""
    if len(question.entities) < 2:
        named = [f for f in found if is_wholly_named(question, f.figure)]  # names that no list holds
        if len(each := _one_each(named)) > 1:
            return each
        return [f for f in _distinct(found) if kind_of_number(f.figure) == kind_of_number(found[0].figure)]
    sides = [_distinct([f for f in found if _is_of(f, forms, question)], PAIRED) for forms in question.entities]
    if paired := _paired(sides):
        return paired
    chosen: list[Fit] = []
    for side in sides:
        chosen += [f for f in side if f.score >= side[0].score - CLOSE and f not in chosen][:PER_SIDE]
    return _of_one_kind(question, chosen) if sum(map(bool, sides)) > 1 else []


def _paired(sides: Sequence[Sequence[Fit]]) -> list[Fit]:
    """The figures of every side that one count gives at one time: what can be compared; empty for none.

    Side by side with 35.8% of one company's revenue stands the other's 14.8% of it, not its 70% of something else.
    """
    groups: list[list[Fit]] = []
    for first in sides[0]:
        group = [first]
        for side in sides[1:]:
            group += [f for f in side if f not in group and _counted_alike(first.figure, f.figure)][:1]
        if len(group) == len(sides):
            groups.append(group)
    groups.sort(key=lambda group: -sum(f.score for f in group))
    return [f for group in groups[:PER_SIDE] for f in group]


def _counted_alike(a: Figure, b: Figure) -> bool:
    return a.unit == b.unit and relation(a, b) in (None, "contradiction")


def _one_each(named: Sequence[Fit]) -> list[Fit]:
    """The best figure of each subject, all of the kind of the best; empty for none."""
    best: list[Fit] = []
    for f in named:
        other = all(not same_subject(f.figure, k.figure) for k in best)
        if other and kind_of_number(f.figure) == kind_of_number(named[0].figure):
            best.append(f)
    return best


def _is_of(fit: Fit, forms: tuple[str, ...], question: Question) -> bool:
    """Whether a figure is of one of the things compared: by its subject, or by what stands above it."""
    if any(is_subject(fit.figure, other) for other in question.entities):
        return is_subject(fit.figure, forms)
    return is_about((forms,), fit.candidate)


def _of_one_kind(question: Question, chosen: Sequence[Fit]) -> list[Fit]:
    """Figures of the kind of number that every side has, if there is one: a percentage is not set beside a price."""
    for kind in dict.fromkeys(kind_of_number(f.figure) for f in sorted(chosen, key=lambda f: -f.score)):
        same = [f for f in chosen if kind_of_number(f.figure) == kind]
        if all(any(_is_of(f, forms, question) for f in same) for forms in question.entities):
            return same
    return list(chosen)


def _in_time(found: Sequence[Fit]) -> list[Fit]:
    dated = [f for f in found if periods_of(f.figure.as_of)]
    return sorted(dated, key=lambda f: (min(periods_of(f.figure.as_of)), f.figure.as_of or ""))


def _newest(rows: Sequence[Row], figures: Sequence[Figure]) -> Row | None:
    told = [(f, r) for f, r in zip(figures, rows, strict=True) if "预测" not in (f.scope or "")]  # no forecast is news
    dated = [(max(periods_of(f.as_of)), r) for f, r in told if periods_of(f.as_of)]
    if len({p for p, _ in dated}) < 2:
        return None
    latest = max(p for p, _ in dated)
    newest = [r for p, r in dated if p == latest]
    return newest[0] if len(newest) == 1 else None


def _divisible(kind: str, figures: Sequence[Figure]) -> bool:
    """Whether the last by the first says something: of a series that counts one way, of two that can be compared."""
    told = set(relations(figures))
    return not told - {"period"} if kind == "timeline" else kind == "compare" and len(figures) == 2 and not told


def _ratio(figures: Sequence[Figure]) -> str | None:
    """The last by the first, shown as the division it is."""
    first, last = figures[0], figures[-1]
    if isinstance(first.number, tuple) or isinstance(last.number, tuple) or not first.number:
        return None
    if kind_of_number(first) != kind_of_number(last) or first.number == last.number:
        return None
    shown = [as_written(f.value, None, f.number, f.unit) for f in (last, first)]
    return f"{' ÷ '.join(shown)} = {last.number / first.number:.4g}"


def other_periods(question: Question, ranked: Sequence[Scored], ledger: Ledger) -> list[Fit]:
    """The figures asked for, of other periods only, where there is none of the asked one: best first, else empty.

    Asked for 2024 with 2025H1 in the corpus: that is said, not passed off. A figure without a period may be the asked
    one, so then there is nothing to say.
    """
    if not question.periods or not is_about_figures(question):
        return []
    anytime = fits(replace(question, periods=frozenset(), quarters=frozenset()), ranked, ledger)
    sure = [f for f in anytime if f.score >= SURE and f.score >= anytime[0].score - CLOSE]
    if any(not f.figure.as_of or not is_of_another_time(question, f.figure) for f in sure):
        return []
    return sure


def nearest(fit: Fit, snapshot: Snapshot, lang: str) -> Statement:
    """A figure as a refusal names it: value, whose, what and when in one line."""
    row = _row(fit, snapshot, lang)
    told = "，".join(cell for cell in (row.what, row.period, row.scope) if cell)
    return replace(row.statement, text=f"{row.value}（{told}）" if told else row.value)
