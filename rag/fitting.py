"""Which figures of the ledger a question asks for: subject, measure, period and kind of number must fit."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from index.aliases import entities_in, forms_of, measures_in, names_share
from index.data import lexicon
from index.fold import fold_text
from index.grammar import NAMED, is_measure, is_share, tagged_words
from index.periods import parts_in, periods_in, spans
from index.tokenize import words
from index.values import Figure, Sentence
from rag.asked_figure import WIDELY, WITHIN, asks_for_place, is_about, is_asked_for, is_named
from rag.evidence import Scored
from rag.figure_kinds import (
    asks_for_change,
    asks_for_start,
    counts_alike,
    how_often,
    is_change,
    is_start,
    kind_of_number,
)
from rag.ledger import in_period, periods_of
from rag.particulars import is_of_another_part
from rag.understand import Question, asks_for_amount, kind_of

_LEDGERS = 1024  # documents whose figures stay grouped
SURE = 4.0  # score of one whose subject and measure are both named
CLOSE = 2.0  # how far a figure may trail the one that fits best and stand beside it
_UNITS = {"percent": "rate", "multiple": "times", "money": "money"}
_LASTING = re.compile(r"年|个?多?月|周|天|星期|世纪|小时")


@dataclass(frozen=True, slots=True)
class Fit:
    """A figure that fits, the sentence that bears it and how well it fits."""

    figure: Figure
    candidate: Scored
    score: float
    named: float  # share of the question's words that its subject and measure hold


class Ledger:
    """The figures of an index by the sentence that bears each; a document is grouped when it is asked for."""

    def __init__(self, figures_of: Callable[[str], Sequence[Figure]]) -> None:
        """`figures_of`: those of a document, by its doc_id."""
        self._figures_of = figures_of
        self._document = lru_cache(maxsize=_LEDGERS)(self._grouped)

    def _grouped(self, doc_id: str) -> dict[int, list[Figure]]:
        found: dict[int, list[Figure]] = {}
        for f in self._figures_of(doc_id):
            found.setdefault(f.start, []).append(f)
        return found

    def at(self, sentence: Sentence) -> Sequence[Figure]:
        """The figures of a sentence."""
        return self._document(sentence.doc_id).get(sentence.start, ())


def is_about_figures(question: Question) -> bool:
    """Whether figures can answer: a measure, a share, a number or a change is named; not which companies or whom."""
    measured = bool(measures_in(question.folded)) or names_share(question.folded) or "rank" in question.wants
    if measured or question.numbers or asks_for_change(question) or any(map(is_measure, question.words)):
        return True
    return bool(question.wants & {"percent", "money", "multiple", "count"}) and not question.wants & {"list", "person"}


def fits(question: Question, ranked: Sequence[Scored], ledger: Ledger) -> list[Fit]:
    """The figures a question asks for, best first; those that do not say whose or what they are never fit."""
    if not ranked:
        return []
    best = ranked[0].score
    found = []
    for candidate in ranked:
        for figure in _figures(candidate, ledger):
            score = _fit(question, figure, candidate)
            if score is not None:
                named = _covered(question, _own(figure))
                found.append(Fit(figure, candidate, score + 0.25 * max(-8.0, candidate.score - best), named))
    asked = [f for f in found if _names_unit(question, f.figure)]  # 多少毫秒: nothing else will do
    return sorted(asked or found, key=lambda f: -f.score)


def alike(question: Question, ranked: Sequence[Scored], ledger: Ledger) -> list[Figure]:
    """The figures of the kind and measure that are asked for, whosever they are and whenever."""
    near = [c for c in ranked if c.score >= ranked[0].score - WIDELY]
    pairs = [(f, c) for c in near for f in _figures(c, ledger)]
    return [f for f, c in pairs if _shape(question, f) is not None and _measure(question, f, c) is not None]


def surely(question: Question, ranked: Sequence[Scored], ledger: Ledger) -> list[Fit]:
    """The figures that fit beyond doubt: whose, what and, where one is asked for, when are all named."""
    if not is_about_figures(question) or asks_for_place(question.folded):
        return []  # a share is no place
    sure = [
        f
        for f in fits(question, ranked, ledger)
        if (f.score >= SURE + 2 * bool(question.periods) or counts_alike(question, f.figure) is True)
        and f.candidate.score >= ranked[0].score - (WIDELY if _is_singled_out(question, f.figure) else WITHIN)
        and (not question.periods or periods_of(f.figure.as_of))
        and (_subject(question, f.figure, f.candidate) or 0.0) >= 1
        and all(n in f.candidate.context for n in question.names)  # an A round is no B round
    ]
    if asks_for_change(question):  # by how much it grew, not how much it is
        sure = [f for f in sure if is_change(f.figure)] or sure
    sure = [f for f in sure if not is_of_another_part(question, f.figure, f.candidate)]
    whole = [f for f in sure if is_wholly_named(question, f.figure)]  # 明达电脑, not any 电脑
    return whole or sure


def _is_singled_out(question: Question, figure: Figure) -> bool:
    """Whether a question names every word of whose and what a figure is, more than one, or what it is a share of."""
    asked = measures_in(question.folded)
    of = names_share(question.folded) and asked and is_share(fold_text(figure.attribute or ""))
    if of and all(any(form in fold_text(figure.attribute or "") for form in forms) for forms in asked):
        return True
    parts = [w for w in words(fold_text(figure.attribute or "")) if len(w) > 1]
    named = all(any(form in question.folded for form in forms_of(w)) for w in parts)
    return len(parts) > 1 and named and is_wholly_named(question, figure)


def telling(question: Question, ranked: Sequence[Scored], ledger: Ledger) -> list[Scored]:
    """The sentences that may state an asked figure: not those whose figures the ledger knows to be of another time or
    somebody else's.
    """
    if kind_of(question) != "fact" or not (is_asked_for(question) or asks_for_amount(question.folded)):
        return list(ranked)
    if asks_for_place(question.folded):
        return list(ranked)  # no figure tells it
    figures = [f for c in ranked for f in _figures(c, ledger) if f.subject]
    owners = {w for f in figures for w in _words_in(question, f.subject)}
    return [c for c in ranked if not _ruled_out(question, c, _figures(c, ledger), owners)]


def _figures(candidate: Scored, ledger: Ledger) -> Sequence[Figure]:
    return ledger.at(candidate.sentence)


def _ruled_out(question: Question, candidate: Scored, figures: Sequence[Figure], owners: set[str]) -> bool:
    shaped = [f for f in figures if _shape(question, f) is not None]
    if any(f.subject is None for f in shaped):
        return False  # it may be the one
    if not question.wants & {"percent", "multiple"} and not asks_for_change(question):  # a level
        levels = [f for f in shaped if kind_of_number(f) not in ("rate", "times")]
        if shaped and not levels and measures_in(question.folded):
            return True  # by how much it grew is none
        shaped = levels
    return bool(shaped) and all(
        is_of_another_time(question, f)
        or counts_alike(question, f) is False
        or _of_somebody_else(question, f, candidate, owners)
        for f in shaped
    )


def is_of_another_time(question: Question, figure: Figure) -> bool:
    """Whether a figure names a time, and none that is asked for."""
    if _is_of_another_part_of_year(question, figure):
        return True
    known = figure.as_of is not None and periods_of(figure.as_of) and not figure.as_of.startswith("较")
    return bool(question.periods and known) and _period(question, figure) is None


def is_elsewhere(question: Question, figure: Figure, candidate: Scored) -> bool:
    """Whether a figure is of somebody whom a question that names somebody else does not name.

    Known names are compared by their forms (_subject); others, such as 台积电, by their words.
    """
    subject = fold_text(figure.subject or "")
    if question.entities or not subject or subject not in candidate.sentence.folded or _words_in(question, subject):
        return False
    tokens = tagged_words(question.folded)
    return any(len(w) > 1 and NAMED.fullmatch(tag) and not w.isascii() for w, tag in tokens)


def _of_somebody_else(question: Question, figure: Figure, candidate: Scored, owners: set[str]) -> bool:
    """Whether a sentence names whose its figure is, another than the question's, whose own are in the ledger."""
    subject = fold_text(figure.subject or "")
    if question.wants & {"person", "name", "place", "rank"}:  # whose is what is asked
        return False
    named = entities_in(subject)
    if question.entities and named and not any(forms in question.entities for forms in named):
        said = _held_against().sub("", candidate.sentence.folded)
        return not is_named(question.entities, said)
    if question.entities and is_about(question.entities, candidate):
        return False
    if not subject or subject not in candidate.sentence.folded or _words_in(question, subject):
        return False
    return bool(owners) and not any(form in candidate.sentence.folded for w in owners for form in forms_of(w))


@cache
def _held_against() -> re.Pattern[str]:
    """What a sentence compares with, up to the end of the clause."""
    return re.compile(rf"(?:{lexicon('rag', 'question')['figures']['against']})[^,，。;；]*")


def _words_in(question: Question, subject: str | None) -> list[str]:
    """The words of a subject that the question names, in any form."""
    whole = fold_text(subject or "")
    named = [w for w in words(whole) if len(w) > 1 and any(f in question.folded for f in forms_of(w))]
    return named or ([whole] if len(whole) > 1 and whole in question.folded else [])


def is_wholly_named(question: Question, figure: Figure) -> bool:
    """Whether every word of a figure's subject stands in the question."""
    parts = [w for w in words(fold_text(figure.subject or "")) if len(w) > 1]
    if not parts:  # 新图: words of one character
        return bool(_words_in(question, figure.subject))
    return all(any(form in question.folded for form in forms_of(w)) for w in parts)


def is_of_another(question: Question, figure: Figure) -> bool:
    """Whether the ledger knows a figure to be of another time than is asked, counted otherwise, or no change."""
    level = asks_for_change(question) and not is_change(figure) and not question.wants & {"timeline", "multiple"}
    return level or is_of_another_time(question, figure) or counts_alike(question, figure) is False


def _own(figure: Figure) -> str:
    return f"{fold_text(figure.subject or '')} {fold_text(figure.attribute or '')}"


def _covered(question: Question, text: str) -> float:
    """The share of the question's words, in any form, that a text holds."""
    return sum(any(form in text for form in forms_of(w)) for w in question.words) / max(1, len(question.words))


def asks_more(question: Question, fit: Fit) -> bool:
    """Whether a question says more of the figure it asks for than the sentence and the scope of this one do."""
    said = f"{_own(fit.figure)} {fold_text(fit.figure.scope or '')} {fit.candidate.context}"
    return any(not any(form in said for form in forms_of(w)) for w in question.words if not periods_in(w))


def _names_unit(question: Question, figure: Figure) -> bool:
    if not figure.unit or kind_of_number(figure) in ("rate", "times", "money"):
        return False
    return any(re.search(rf"(?:多少|几){re.escape(u)}", question.folded) for u in forms_of(fold_text(figure.unit)))


def _fit(question: Question, figure: Figure, candidate: Scored) -> float | None:
    if not figure.subject or not figure.attribute:
        return None
    parts = (
        _subject(question, figure, candidate),
        _shape(question, figure),
        _measure(question, figure, candidate),
        _period(question, figure),
    )
    if None in parts or _is_left_behind(question, figure, candidate):
        return None
    own = _own(figure)
    named = sum((n in candidate.context) + (n in own) for n in question.names)
    near = _covered(question, f"{own} {candidate.sentence.folded}") + _covered(question, own)
    return sum(p for p in parts if p is not None) + 2 * near + named


def _is_left_behind(question: Question, figure: Figure, candidate: Scored) -> bool:
    """Whether a figure is only what a change started from, and that is not asked."""
    if question.wants & {"timeline", "compare", "conflict"} or (question.periods & periods_of(figure.as_of)):
        return False
    return not asks_for_start(question) and is_start(figure, candidate.sentence.folded)


def _subject(question: Question, figure: Figure, candidate: Scored) -> float | None:
    subject = fold_text(figure.subject or "")
    source = fold_text(f"{figure.said_by or ''} {figure.scope or ''}")
    whose = [forms for forms in question.entities if not is_named((forms,), source)]  # “IDC 说……” names who says so
    if whose:
        if is_named(whose, subject):
            return 2.0
        about = is_named(whose, candidate.sentence.folded) or is_about(whose, candidate)
        return 0.5 if about and not entities_in(subject) else None
    return float(min(2, len(_words_in(question, subject))))


def _shape(question: Question, figure: Figure) -> float | None:
    wanted = {_UNITS[w] for w in question.wants if w in _UNITS}
    kind = kind_of_number(figure)
    if _LASTING.fullmatch(kind) and not question.wants & {"date"} and not _names_unit(question, figure):
        return None
    if "conflict" in question.wants or "compare" in question.wants:  # only what is said in so many words
        wanted = {"money"} if re.search(lexicon("rag", "question")["figures"]["money"], question.folded) else set()
    if not wanted:
        return 0.0
    return 0.5 if kind in wanted else None


def _measure(question: Question, figure: Figure, candidate: Scored) -> float | None:
    attribute = fold_text(figure.attribute or "")
    change = is_change(figure)
    if change and not asks_for_change(question):
        return None
    if counts_alike(question, figure) is False:
        return None
    asked = measures_in(question.folded)
    penalty = -1.0 if asks_for_change(question) and not change and "timeline" not in question.wants else 0.0
    if any(n in re.findall(r"\d+(?:\.\d+)?", fold_text(figure.value)) for n in question.numbers):
        return 2.0  # the question names the number itself
    if names_share(question.folded) or "rank" in question.wants:
        if not is_share(attribute) and "占" not in attribute:
            return None
        said = f"{attribute} {fold_text(figure.scope or '')} {candidate.sentence.folded}"
        of = all(any(f in said for f in forms) for forms in asked)  # a share of what is asked
        return (2.5 if of else 0.5) + penalty
    if asked:
        own = measures_in(attribute)
        if any(forms in own for forms in asked):
            return 2.0 + penalty
        return (
            0.5 + penalty if not own and any(f in candidate.sentence.folded for forms in asked for f in forms) else None
        )
    shared = {w for w in words(attribute) if len(w) > 1 and any(form in question.folded for form in forms_of(w))}
    shared |= {w for w in question.words if len(w) > 1 and w in attribute}  # 用户数, 用户数量
    shared |= how_often(attribute) & how_often(question.folded)
    return 1.0 + 0.5 * len(shared) + penalty if shared else None


def _part_of_year(as_of: str | None) -> frozenset[str]:
    """Q3 of 2025Q3, Q1-Q3 of 2025Q1 至 2025Q3, the part that the words of the text name."""
    if as_of and re.fullmatch(r"(\d{4})(?:Q1 至 \1Q3|-01 至 \1-09)", as_of):
        return frozenset({"Q1-Q3"})
    return frozenset(re.findall(r"(?<=\d{4})[HQ]\d", as_of or "")) or parts_in(fold_text(as_of or ""))


def _is_of_another_part_of_year(question: Question, figure: Figure) -> bool:
    """Whether a quarter, half or nine months is asked for and a figure is of another one: no 四季度 of the third."""
    asked, told = question.quarters, _part_of_year(figure.as_of)
    halves = {"H1": {"Q1", "Q2"}, "H2": {"Q3", "Q4"}}
    wider = asked.union(*(halves.get(p, set()) for p in asked), (h for h, qs in halves.items() if qs & asked))
    return bool(asked and told) and not wider & told and not question.wants & {"timeline", "compare", "conflict"}


def _period(question: Question, figure: Figure) -> float | None:
    if _is_of_another_part_of_year(question, figure):
        return None
    if not question.periods or not periods_of(figure.as_of):
        return 0.0
    if "timeline" in question.wants and len(question.periods) > 1:
        return 1.0 if any(spans(question.periods, p) for p in periods_of(figure.as_of)) else None
    told = periods_of(figure.as_of)
    years = lexicon("rag", "question")["figures"]["whole_year"]
    if not question.periods & told and all(len(p) > 4 for p in told) and re.search(years, question.folded):
        return None  # a quarter is no 全年
    if question.periods & told and " 至 " not in (figure.as_of or ""):
        return 2.0
    if all(len(p) > 4 for p in question.periods) and all(len(p) == 4 for p in told):
        return None  # nor a year one of its quarters
    return 1.0 if any(in_period(figure.as_of, p) for p in question.periods) else None
