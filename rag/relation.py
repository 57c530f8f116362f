"""How figures for one quantity relate: other period, other scope, other unit, other measure, or a contradiction."""

import re
from collections.abc import Sequence
from itertools import combinations

from index.aliases import entities_in
from index.attribution import region_of
from index.data import lexicon
from index.fold import fold_text
from index.grammar import is_share
from index.periods import compatible
from index.quantities import Quantity
from index.values import Figure
from rag.figure_kinds import kind_of_number
from rag.ledger import periods_of

RELATIONS = (
    "measure",
    "unit",
    "period",
    "scope",
    "unknown_scope",
    "unknown_period",
    "same_number",
    "contradiction",
)
_LATIN = re.compile(r"[a-z][a-z0-9]+")
NEAR = 0.01  # two numbers this close are one, rounded


def relation(a: Figure, b: Figure) -> str | None:
    """The first of RELATIONS that tells two figures apart; None when they say the same."""
    if kind_of_number(a) != kind_of_number(b) and (a.unit and b.unit):  # tokens量约1200亿: the measure says the unit
        return "unit"
    same = same_number(a, b)
    if not same_measure(a, b) and not same:
        return "measure"
    p, q = periods_of(a.as_of), periods_of(b.as_of)
    if p and q and not any(compatible(x, y) for x in p for y in q):
        return None if same else "period"
    if a.as_of and b.as_of and a.as_of != b.as_of and not (p and q):  # 未来三年, 过去三年
        return "same_number" if same else "period"
    if same:
        return None
    if (a.doc_id, a.start) == (b.doc_id, b.start):  # one sentence counts one way, at one time
        return "measure" if a.attribute != b.attribute and same_subject(a, b) else "contradiction"
    who, whom = _source(a), _source(b)
    if who and whom and not _alike(who, whom):
        return "scope"
    m, n = counted(a), counted(b)
    if m and n and not any(_alike(x, y) for x in m for y in n):
        return "scope"
    if (bool(m) != bool(n) and a.doc_id != b.doc_id) or (_is_of_anything(a) and _is_of_anything(b) and not (m and n)):
        return "unknown_scope"
    return "unknown_period" if not (p and q) else "contradiction"


def relations(figures: Sequence[Figure]) -> list[str]:
    """Everything that tells the figures apart, in the order of RELATIONS; two companies' figures contradict nothing."""
    found = set()
    for a, b in combinations(figures, 2):
        kind = relation(a, b)
        if kind not in ("contradiction", "same_number", "unknown_scope") or same_subject(a, b):
            found.add(kind)
    return [r for r in RELATIONS if r in found]


def same_subject(a: Figure, b: Figure) -> bool:
    """Whether one subject names the other, in any of its forms."""
    x, y = fold_text(a.subject or ""), fold_text(b.subject or "")
    known = set(entities_in(x)) & set(entities_in(y))
    return bool(known) or x in y or y in x


def same_measure(a: Figure, b: Figure) -> bool:
    """Whether two figures may measure one thing: one that does not say may measure the same."""
    x, y = _measured(a), _measured(b)
    named = [{n.rstrip("s") for n in _LATIN.findall(fold_text(f.attribute or ""))} for f in (a, b)]  # MMLU, HumanEval
    return (not x or not y or x == y) and not (named[0] - named[1] and named[1] - named[0])


def counts_otherwise(a: Figure, b: Figure) -> bool:
    """Whether two figures of one subject are both a share, or of one measure, and only the 口径 sets them apart."""
    if not same_subject(a, b) or kind_of_number(a) != kind_of_number(b):
        return False
    kind = relation(a, b)
    shares = all(is_share(fold_text(f.attribute or "")) and _measured(f) for f in (a, b))
    return kind in ("scope", "unknown_scope", "contradiction", "measure", "unknown_period", "period") and (
        shares or (kind not in ("measure", "period") and fold_text(a.attribute or "") == fold_text(b.attribute or ""))
    )


def same_number(a: Figure | Quantity, b: Figure | Quantity) -> bool:
    """Whether two numbers are one, give or take rounding."""
    x, y = (f.number if isinstance(f.number, tuple) else (f.number, f.number) for f in (a, b))
    return all(abs(p - q) <= NEAR * max(abs(p), abs(q)) for p, q in zip(x, y, strict=True))


def _measured(figure: Figure) -> frozenset[str]:
    """The words of a measure that make it another one: 收入份额 is no 调用量份额, 训练成本 no 推理成本."""
    attribute = fold_text(figure.attribute or "")
    kinds = lexicon("rag", "question")["figures"]["kinds"]
    scope = fold_text(figure.scope or "") if attribute.endswith(("份额", "占比")) else ""
    return frozenset(k for k in kinds if k in attribute or k in scope)


def _is_of_anything(figure: Figure) -> bool:
    """Whether a share does not say of what: 阿里云占比35.8%."""
    attribute = fold_text(figure.attribute or "")
    return (is_share(attribute) or attribute.endswith("占比")) and not _measured(figure)


def _source(figure: Figure) -> str | None:
    """The institution a figure is said to come from; an author who names none is not one."""
    said = figure.said_by
    return fold_text(said) if said and said in (figure.scope or "").split(";") else None


def counted(figure: Figure) -> frozenset[str]:
    """Who counts and what: the parts of a scope, without bare regions and remarks on a missing source."""
    parts = (fold_text(p) for p in (figure.scope or "").split(";"))
    return frozenset(p for p in parts if p and not re.search(r"未注明|只写|预测|长短不同", p) and region_of(p) != p)


def _alike(a: str, b: str) -> bool:
    """Whether two notes on how something is counted share half of their characters: one counting, worded twice."""
    return a in b or b in a or 2 * len(set(a) & set(b)) >= max(len(set(a)), len(set(b)))
