"""What a question names besides whom, when and how much: the region, product or business of which a figure must be.

“中国电信的安全业务收入” is not the 产业数字化收入 that stands beside it, though company, measure and kind are the same.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from index.aliases import entity_spans, forms_of, measures_in, names_share
from index.data import lexicon
from index.fold import fold_text
from index.grammar import is_measure, tagged_words
from index.periods import periods_in
from index.quantities import quantities_in
from index.sources import is_research
from index.values import Figure
from rag.evidence import Scored
from rag.figure_kinds import is_change
from rag.understand import Question

_NAMING = re.compile(r"n|vn|j|l|an|b|eng|x")
_NOUN = re.compile(r"n|j|eng|x|vn")
_TIME = re.compile(r"\d|年|季|月|半年|[去今明前]年|期")
NAME_CHARS = 8


@cache
def _general() -> re.Pattern[str]:
    return re.compile(lexicon("rag", "question")["figures"]["general"])


def with_particulars(question: Question, ranked: Sequence[Scored], figures: Sequence[Figure]) -> Question:
    """The question with those of its words that say of what part a figure is asked for, where figures are told apart by
    them: what no page says of a figure may be put in other words there, or hold for the whole page.

    Args:
        figures: of the kind that is asked for, in the sentences that were found.
    """
    if not ranked:
        return question
    owns = [fold_text(f"{f.subject or ''}{f.attribute or ''}") for f in figures]
    name = _opening(question, ranked)
    said = [w for w in _particulars(question) if w not in name and any(_says(own, w) for own in owns)]
    return replace(question, opening=name, parts=tuple(said))


def is_of_another_part(question: Question, figure: Figure, candidate: Scored) -> bool:
    """Whether a figure lacks what the question names besides, which the found sentences say of another."""
    told = _told_of(figure, candidate)
    missing = any(not _says(told, w) for w in question.parts)
    return missing or (question.opening not in told and question.opening not in _before(figure, candidate))


def _particulars(question: Question) -> tuple[str, ...]:
    text = question.folded
    taken = [(start, end) for start, end, _ in entity_spans(text)]
    measured = {form for forms in measures_in(text) for form in forms}
    found, at = [], 0
    for word, tag in tagged_words(text):
        start, at = at, at + len(word)
        named = any(start < b and at > a for a, b in taken)
        if (
            len(word) < 2
            or named
            or (word.isascii() and question.lang == "en")
            or not _NAMING.match(tag)
            or _TIME.search(word)
            or periods_in(word)
        ):
            continue
        if is_measure(word) or names_share(word) or any(word in m or m in word for m in measured):
            continue
        if word in question.words and not _general().fullmatch(word):
            found.append(word)
    return tuple(dict.fromkeys(found))


def _opening(question: Question, ranked: Sequence[Scored]) -> str:
    """The longest beginning of a question that names nobody known and stands in a sentence as it is: 优必选.

    Who is named as the one that counts (IDC统计的…) is not whom it is about.
    """
    if question.entities or question.lang == "en":
        return ""
    text, at, ends, named = question.folded, 0, [], False
    for word, tag in tagged_words(text):
        at += len(word)
        if tag.startswith("u"):  # the 的 of 优必选的
            continue
        if _TIME.search(word) or is_measure(word) or at > NAME_CHARS or not re.fullmatch(r"[a-z\u4e00-\u9fff]+", word):
            break
        named = named or _NOUN.match(tag) is not None  # neither 多少 nor 备受关注 is a name
        ends += [at] if named else []
    names = (text[:end] for end in reversed(ends) if end > 1 and not _general().fullmatch(text[:end]))
    return next((n for n in names if not is_research(n) and any(n in c.sentence.folded for c in ranked)), "")


def _says(text: str, word: str) -> bool:
    return any(form in text for form in forms_of(word))


def _before(figure: Figure, candidate: Scored) -> str:
    """What stands before a figure in its part of the sentence: a name there is of all that follows."""
    sentence = candidate.sentence.folded
    at = max(sentence.find(fold_text(figure.value)), 0)
    return sentence[max(sentence.rfind(mark, 0, at) for mark in ";；") + 1 : at]


def _told_of(figure: Figure, candidate: Scored) -> str:
    """What a sentence says of one of its figures: the clauses since the one before it, and those before the first."""
    sentence = candidate.sentence.folded
    own = fold_text(f"{figure.subject or ''} {figure.attribute or ''} {figure.scope or ''}")
    quantities = quantities_in(sentence)
    at = sentence.find(fold_text(figure.value))
    if is_change(figure):  # from one figure to another: of both
        return f"{own} {candidate.context}"
    before = [q.end for q in quantities if q.end <= at]
    clause = re.search(r"[,，;；。、]", sentence[before[-1] :]) if before else None
    start = before[-1] + clause.start() if before and clause else (before[-1] if before else 0)
    ending = re.search(r"[,，;；。]", sentence[at:]) if at >= 0 else None
    end = at + ending.start() if ending else len(sentence)
    first = quantities[0].start if quantities else 0
    opening = sentence[: max(sentence.rfind(mark, 0, first) for mark in ",，;；:：") + 1]
    heading = fold_text(candidate.passage.heading)
    return f"{own} {opening} {sentence[min(start, end) : end]} {heading}"
