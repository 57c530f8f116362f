"""Which figures of the ledger a question can be made of that reads as one, and has one answer."""

import re
from collections.abc import Set

from index.aliases import forms_of, measures_in
from index.data import lexicon
from index.fold import fold_text
from index.grammar import is_measure, is_share, measure_of
from index.values import Document, Figure
from rag.english import in_words
from rag.figure_kinds import is_change, kind_of_number
from rag.ledger import in_period, periods_of
from rag.levels import SHARE, is_name
from rag.relation import same_measure, same_number
from rag.suggest import is_plain

FEW = 20  # 三个, 四条: counts of what a text lists, not figures
_ODD = re.compile(r"[\[\](){}<>|/\\\"“”*#;；,，、。:：?？!！·《》「」]|较|相对")
_WHOLE = re.compile(r"(?P<whole>[^的]+)的(?P<share>[^的]+)")
_PERIOD = re.compile(r"\d{4}(?:H[12]|Q[1-4]|-\d\d)?(?:-\d\d|[上中下]旬)?")
_VALUE = re.compile(r"(?P<digits>\d+(?:\.\d+)?)(?P<size>万亿|[万亿])?(?P<rate>%|倍|个百分点)?")
_KINDS = ("rate", "times", "money")  # what else is counted is counted


def is_askable(figure: Figure, document: Document, units: Set[str]) -> bool:
    """Whether whose and what a figure is read as such.

    Args:
        units: of all figures, folded, without a plural's s: what is one is nobody.
    """
    subject, attribute = (figure.subject or "").strip(), (figure.attribute or "").strip()
    if not subject or not attribute or _ODD.search(subject + attribute) or "的" in subject or not is_name(subject):
        return False
    if figure.as_of and not _PERIOD.fullmatch(figure.as_of):
        return False
    folded, who = fold_text(attribute), fold_text(subject)
    if folded in forms_of(SHARE) and not figure.as_of:
        return False  # of what, and when: nobody could say which is meant
    if "的" in attribute and not (_WHOLE.fullmatch(attribute) and is_share(folded)):
        return False
    measured = bool(measures_in(folded)) if is_change(figure) else is_measure(folded) or is_share(folded)
    if not measured or not is_plain(attribute, figure) or who.rstrip("s") in units:
        return False
    told = {fold_text(n) for n in (figure.said_by, document.author, document.publisher) if n}
    return not any(name in who and name != who for name in told) and _is_a_figure(figure)  # “数据猿说国产模型”


def _is_a_figure(figure: Figure) -> bool:
    """… and not a count of what the text lists, or how long it took."""
    words = lexicon("rag", "suggest")["evaluation"]
    if re.search(words["lasting"], fold_text(figure.unit or "")):
        return re.search(words["time"], fold_text(figure.attribute or "")) is not None
    spelled = not re.search(r"\d", fold_text(figure.value))
    return not (spelled and isinstance(figure.number, float) and figure.number <= FEW)


def is_taken_for(other: Figure, figure: Figure) -> bool:
    """Whether a question for a figure may as well ask for another of its subject, which says something else."""
    if other.figure_id == figure.figure_id or same_number(other, figure) or is_change(other) != is_change(figure):
        return False
    kind, same = (kind_of_number(f) for f in (figure, other))
    if kind != same and {kind, same} & {*_KINDS}:
        return False
    if head_of(other) != head_of(figure) or not same_measure(other, figure):
        return False
    asked, said = periods_of(figure.as_of), periods_of(other.as_of)
    return not asked or not said or any(in_period(other.as_of, p) for p in asked)


def head_of(figure: Figure) -> str:
    """What is measured, without what it is measured of; one word for all shares."""
    attribute = fold_text(figure.attribute or "")
    return SHARE if is_share(attribute) else measure_of(attribute) or attribute


def whose_what(whose: str, attribute: str) -> str:
    """阿里云的营收, 阿里云在中国AI云市场的份额."""
    m = _WHOLE.fullmatch(attribute)
    if m and is_share(fold_text(attribute)):
        return f"{whose}在{m['whole']}的{m['share']}"
    return attribute if attribute.startswith(whose) else f"{whose}的{attribute}"


def wordings(figure: Figure) -> tuple[str, ...]:
    """How a value may be written: as it is, with other words for its unit or none, in English."""
    found = [figure.value]
    m = _VALUE.match(fold_text(figure.value).replace(",", ""))
    if m and not isinstance(figure.number, tuple):
        units = next((g for g in lexicon("rag", "board")["units"] if fold_text(figure.unit or "") in g), ())
        found += [f"{m.group()}{unit}" for unit in units]
        found += [m.group()] if m["size"] or m["rate"] or "." in m["digits"] else []
        found += [in_words(m["digits"], m["size"])] if m["size"] else []
    return tuple(dict.fromkeys(found))
