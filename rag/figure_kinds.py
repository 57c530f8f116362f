"""What kind of number a figure is and a question asks for: a rate, money, a change; how often counted, against what."""

import re

from index.aliases import forms_of
from index.data import lexicon
from index.fold import fold_text
from index.grammar import word_set
from index.quantities import Quantity
from index.values import Figure
from rag.understand import Question

_CHANGES = ("增速", "涨幅", "跌幅", "翻", *"增减升降涨跌")
_RISE, _FALL = forms_of("增长"), forms_of("下降")
_MONEY = re.compile(r"元|美金|英镑|法郎|卢布|马克|块钱|rmb|usd|cny")


def kind_of_number(figure: Figure | Quantity) -> str:
    """What the number counts: rate, times, money, or the unit itself."""
    unit = fold_text(figure.unit or "")
    if unit in ("%", "成", "折", "‰", "百分点", "个百分点") or (
        not unit and isinstance(figure.number, float) and figure.number < 1
    ):
        return "rate"
    if unit == "倍":
        return "times"
    if _MONEY.search(unit):
        return "money"
    return unit or "count"


def is_change(figure: Figure) -> bool:
    """Whether a figure tells by how much something changed."""
    attribute = fold_text(figure.attribute or "")
    verbs = (v for v in word_set("change") if len(v) > 1)
    return attribute.endswith((*_RISE, *_FALL, *_CHANGES, *verbs))


def asks_for_change(question: Question) -> bool:
    """Whether a question asks by how much something changed."""
    pattern = lexicon("rag", "question")["figures"]["change"]
    if re.search(lexicon("rag", "question")["figures"]["level"], question.folded):
        return False
    return any(form in question.folded for form in (*_RISE, *_FALL)) or re.search(pattern, question.folded) is not None


def how_often(folded: str) -> frozenset[str]:
    """How often a folded text counts: a day, a month …"""
    return frozenset(n for n, p in lexicon("rag", "question")["figures"]["per"].items() if re.search(p, folded))


def counts_alike(question: Question, figure: Figure) -> bool | None:
    """Whether a figure counts as often as is asked (a day, a month), and a change against the same (a year before, the
    period before); None where one of the two does not say.
    """
    attribute = fold_text(figure.attribute or "")
    for said, asked in (
        (how_often(attribute), how_often(question.folded)),
        (_basis(attribute), _basis(question.folded)),
    ):
        if said and asked and not said & asked:
            return False
    return True if how_often(attribute) & how_often(question.folded) else None


def _basis(folded: str) -> frozenset[str]:
    """What a folded text counts a change against."""
    return frozenset(n for n, p in lexicon("rag", "question")["figures"]["basis"].items() if re.search(p, folded))


def is_start(figure: Figure, folded: str) -> bool:
    """Whether a sentence only tells a figure as what a change started from: the first of “从350元降到28元”."""
    if is_change(figure):  # the 14% of 从1.7亿下滑14%至1.46亿
        return False
    start = rf"(?:从|由|自)[^,，。;；]{{0,24}}?{re.escape(fold_text(figure.value))}[^,，。;；\d]{{0,12}}"
    return re.search(rf"{start}(?:\d[\d.]*%)?[至到为成][^,，。;；\d]{{0,4}}\d", folded) is not None


def asks_for_start(question: Question) -> bool:
    """Whether a question asks what a change started from."""
    return re.search(lexicon("rag", "question")["figures"]["start"], question.folded) is not None
