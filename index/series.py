"""Several figures for several names in one clause: “阿里云、百度智能云分别占比27%、17%”."""

import re
from collections.abc import Sequence
from itertools import pairwise

from index.above import Above, Whole, share_of
from index.clauses import Clause
from index.grammar import is_measure, is_share, tagged_words
from index.phrases import read_clause
from index.quantities import Quantity
from index.subjects import listed


def distributed(clause: Clause, folded: str, state: Above, n: int) -> Whole | None:
    """“阿里云、百度智能云分别占比27%、17%”: the nth quantity goes with the nth of as many names."""
    several = clause.quantities
    opening = folded[clause.start : several[0].start]
    if "分别" not in opening and not _is_series(several, folded):
        return None
    base = read_clause(opening, "", "rate")
    if "分别" in opening and (per_name := _of_each(clause, folded, n)):
        return per_name
    whose = listed(re.sub(r"分别.*$", "", opening), len(several))
    if whose and is_measure(whose[-1]) and not any(map(is_measure, whose[:-1])):  # 甲、乙、丙营收分别为
        last = read_clause(f"{whose[-1]}为", "", several[0].kind)
        if last.subject and last.attribute:
            state.names, state.times = (*map(_tidy, whose[:-1]), last.subject), ()
            return Whole(state.names[n], last.attribute, last.change)
    if not whose and len(state.names) == len(several) and base.subject is None:
        return Whole(state.names[n], base.attribute or state.attribute, None)
    if whose and not is_measure(whose[-1]):
        state.names, state.times = tuple(map(_tidy, whose)), ()
        share = "占比" if "占" in opening[-6:] else None
        of = (
            base.attribute
            if base.attribute and not any(w in base.attribute for w in whose) and not is_share(base.attribute)
            else None
        )
        return Whole(state.names[n], of or (share_of(state, share) if share else state.attribute), base.change)
    if not whose and re.fullmatch(r"\W*分别\D{0,3}", opening):  # 理想汽车、小鹏汽车紧随其后,分别为
        above = [
            _kept_name(i) for i in listed(re.sub(r"^.*[。;；]", "", folded[: clause.start]).strip("，, "), len(several))
        ]
        if above and all(above):
            state.names, state.times = tuple(a for a in above if a), ()
            return Whole(state.names[n], base.attribute or state.attribute or state.acted, base.change)
    known = list(state.items) if len(state.items) == len(several) else []
    if items := whose or listed(folded[: several[0].start], len(several)) or known:
        state.items = tuple(items)
        subject = base.subject if base.subject and not any(i in base.subject for i in items) else state.topic
        item, of = _tidy(items[n]), base.attribute or state.attribute or ""
        return Whole(subject, item if item.endswith(of) else f"{item}{of}", None)
    return None


def per_period(clause: Clause, folded: str, hidden: Sequence[tuple[int, int]], state: Above) -> Whole | None:
    """“2022年至2024年,甲的营收分别为1亿元、2亿元和3亿元”: whose and what, where there is one figure for each time.

    None where there is one for each name.

    Args:
        hidden: what names neither: the times and the source.
    """
    several = clause.quantities
    if not _is_series(several, folded):
        return None
    seen = list(folded[: several[0].start])
    for start, end in hidden:
        seen[start:end] = " " * len(seen[start:end])
    opening = re.sub(r"\s(?:、|/|和|与|及|之间|里|中|的|前|,)+(?=\s|\W|$)", " ", "".join(seen[clause.start :]))
    opening = re.sub(r"^[\s,在、和与及]+|\s*分别.*$", "", opening)
    if listed(opening, len(several)):
        return None
    phrase = read_clause(opening, "", several[0].kind)  # 同比增长20%/35%
    phrase = phrase if phrase.change else read_clause(f"{opening}为", "", several[0].kind)
    return Whole(phrase.subject or state.topic, phrase.attribute or state.attribute, phrase.change)


def _of_each(clause: Clause, folded: str, n: int) -> Whole | None:
    """“甲和乙分别以3330万部和3320万部的出货量占据10.1%和10.0%的份额”: several measures, each with one figure a name."""
    several = clause.quantities
    opening = folded[clause.start : several[0].start]
    groups: list[list[Quantity]] = [[several[0]]]
    for a, b in pairwise(several):
        if _is_series((a, b), folded):
            groups[-1].append(b)
        else:
            groups.append([b])
    size = len(groups[0])
    if len(groups) < 2 or size < 2 or any(len(g) != size for g in groups):
        return None
    whose = listed(re.sub(r"分别.*$", "", opening), size)
    if not whose or is_measure(whose[-1]):
        return None
    group = groups[n // size]
    start = groups[n // size - 1][-1].end if n >= size else clause.start
    end = groups[n // size + 1][0].start if n // size + 1 < len(groups) else clause.start + len(clause.text)
    said = re.sub(r"^.*分别", "", folded[start : group[0].start])
    phrase = read_clause(
        re.sub(r"^的[^,，]*?(?=占|以|达|为|增|降|$)", "", said), folded[group[-1].end : end], group[-1].kind
    )
    return Whole(_tidy(whose[n % size]), phrase.attribute, phrase.change)


def _kept_name(item: str) -> str | None:
    """The name that an item of a list opens with: 小鹏汽车|紧随其后."""
    tokens = tagged_words(_tidy(item))
    end = next((n for n, (_, tag) in enumerate(tokens) if n and tag[0] in "ivdpcu"), len(tokens))
    name = "".join(word for word, _ in tokens[:end])
    return name if name and not re.search(r"\d{2}", name) and not is_measure(name) else None


def _is_series(quantities: Sequence[Quantity], folded: str) -> bool:
    between = [folded[a.end : b.start] for a, b in pairwise(quantities)]
    return all(re.fullmatch(r"\s?(?:、|和|与|及|,|/)\s?", gap) for gap in between)


def _tidy(item: str) -> str:
    return re.sub(r"^(?:其中|而|在)|等$", "", item.strip("|,， "))
