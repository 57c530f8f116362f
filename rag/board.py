"""The market board: the ledger of figures as charts, which hold only what can be compared. Values, nothing is drawn.

A chart that sets side by side what is not alike is worse than none, so figures meet only where source and 口径,
measure, unit and period say the same; where they do not, a `conflict` chart shows each with its own 口径 as its label.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from index.aliases import forms_of
from index.fold import fold_text
from index.values import Document, Figure
from rag.levels import FORECAST, Level, Point, agree, by_measure, levels, merged, one_measure
from rag.relation import counted, relation, same_number

KINDS = ("shares", "timeline", "compare", "conflict")
MOST_POINTS = 30  # of one chart; the greatest, or the latest
MOST_SERIES = 6  # lines of one timeline
MOST_NUMBERS = 8  # different numbers for one thing; with more of them it is not one thing
WHOLE = 1.05  # shares of one whole, each rounded, add up to no more
WIDE = 20  # from so much greater a number on, a timeline's axis is logarithmic


@dataclass(frozen=True, slots=True)
class Chart:
    """Figures that can be seen together."""

    chart_id: str  # the same for the same content
    kind: str  # one of KINDS
    measure: str  # as the sources write it
    subject: str | None  # where it is about one
    unit: str  # of every point, in one form
    period: str | None  # where it is one, as in the ledger
    scope: str | None  # the 口径 they have in common; of a conflict each point has its own
    points: tuple[Point, ...]  # greatest first; of a timeline: by subject, then time
    log: bool = False
    left_out: int = 0  # points over MOST_POINTS

    @property
    def documents(self) -> tuple[Document, ...]:
        """The sources, each once."""
        return tuple({p.document.doc_id: p.document for q in self.points for p in (q, *q.also)}.values())

    @property
    def contradicts(self) -> bool:
        """Whether two of its figures, of one 口径 and period, cannot both be true."""
        return any(p.conflict for p in self.points)


def board(
    figures: Iterable[Figure], documents: Mapping[str, Document], reprints: Sequence[Sequence[str]] = ()
) -> tuple[Chart, ...]:
    """The charts of a ledger, those with the most evidence first; the same whatever the order of the figures.

    Args:
        documents: by doc_id.
        reprints: doc_ids that are one text, group by group, the original first; they count as one source.
    """
    found = levels(figures, documents, reprints)
    shares = list(_shares(found))
    wrong, disputes = _disputes(found, shares)
    timelines = list(_timelines(found))
    drawn = [*shares, *timelines, *(c for c in _compared(found) if not _is_within(c, timelines)), *disputes]
    charts = [_chart(kind, group, wrong) for kind, group in drawn]
    charts = [c for c in charts if not any(_is_told_by(c, other) for other in charts)]
    return tuple(sorted({c.chart_id: c for c in charts}.values(), key=_rank))


def about(charts: Iterable[Chart], subject: str | None) -> tuple[Chart, ...]:
    """The charts that show a subject, named in any of its forms; a part of a name will do."""
    forms = forms_of(fold_text(subject.strip())) if subject and subject.strip() else ()
    return tuple(c for c in charts if not forms or any(_names(p, forms) for p in c.points))


def _names(point: Point, forms: Sequence[str]) -> bool:
    subjects = (fold_text(point.subject), fold_text(point.figure.subject or ""))
    return any(form in s for form in forms for s in subjects)


Group = list[Level]
Drawn = tuple[str, Group]


def _grouped(found: Iterable[tuple[Hashable, Level]]) -> list[Group]:
    groups: dict[Hashable, Group] = defaultdict(list)
    for key, x in found:
        groups[key].append(x)
    return list(groups.values())


def _scope_of(x: Level) -> Hashable:
    """What has to be equal for two subjects to be compared: a 口径, or where none is named the source itself."""
    return x.counted, "" if x.counted else x.source, x.point.figure.said_by if not x.counted else ""


def _by_region(group: Group) -> list[Group]:
    """Apart where they name several regions: 全球 is not 中国. One that names none goes with the only one named."""
    regions = {x.region for x in group if x.region}
    return [group] if len(regions) < 2 else _grouped((x.region, x) for x in group if x.region)


def _subjects(group: Iterable[Level]) -> list[str]:
    return list(dict.fromkeys(x.who for x in group))


def _shares(found: Sequence[Level]) -> Iterator[Drawn]:
    """Who has which part of one whole, in one count and period."""
    known = ((_scope_of(x), x.point.period, x.point.forecast, x.change) for x in found)
    mine = ((k, x) for k, x in zip(known, found, strict=True) if x.is_share and x.point.period and _is_part(x))
    for counted_alike in _grouped(mine):
        for measured_alike in by_measure(counted_alike):
            for group in _by_region(measured_alike):
                one = _with_one_part_each(merged(group))
                if len(one) > 1 and sum(x.point.high for x in one) <= WHOLE:
                    yield "shares", one


def _with_one_part_each(group: Group) -> Group:
    """Without the subjects that are given two different parts: of one of them the period or the whole was misread."""
    times = Counter(x.who for x in group)
    return [x for x in group if times[x.who] == 1]


def _is_part(x: Level) -> bool:
    return 0 <= x.point.low <= x.point.high <= 1


def _timelines(found: Sequence[Level]) -> Iterator[Drawn]:
    """What one subject's measure was at several times; several subjects' where all else is the same."""
    lines: list[Group] = []
    dated = [x for x in found if x.point.period]
    for own in _grouped(((x.who, x.counted, x.length), x) for x in dated):
        for measured_alike in by_measure(own):
            for group in _by_region(measured_alike):
                if len({x.point.period for x in group}) > 1:
                    lines.append(merged(group))
    for alike in _grouped_lines(lines):
        if 1 < len(alike) <= MOST_SERIES:
            yield "timeline", [x for line in alike for x in line]
        else:
            yield from (("timeline", line) for line in alike)


def _grouped_lines(lines: Sequence[Group]) -> list[list[Group]]:
    groups: dict[Hashable, list[Group]] = defaultdict(list)
    for line in lines:
        x, several = line[0], {_scope_of(y) for y in line}
        scope = several.pop() if len(several) == 1 else x.who  # told by several: it stays on its own
        words = frozenset(w for y in line for w in y.words)
        region = next((y.region for y in line if y.region), None)
        groups[scope, x.head, words, x.unit, x.change, x.length, region].append(line)
    return list(groups.values())


def _compared(found: Sequence[Level]) -> Iterator[Drawn]:
    """What several subjects' measure was in one period; without a period only what one sentence sets side by side."""
    keys = (
        (_scope_of(x), x.head, x.words, x.unit, x.change, x.point.forecast, x.point.period or _sentence(x))
        for x in found
    )
    for alike in _grouped((k, x) for k, x in zip(keys, found, strict=True) if not x.is_share):
        for group in _by_region(alike):
            if len(_subjects(group)) > 1:
                yield "compare", merged(group)


def _sentence(x: Level) -> tuple[str, int]:
    return x.point.figure.doc_id, x.point.figure.start


def _is_within(drawn: Drawn, timelines: Sequence[Drawn]) -> bool:
    own = {x.point.figure.figure_id for x in drawn[1]}
    return any(own <= {x.point.figure.figure_id for x in line} for _, line in timelines)


def _disputes(found: Sequence[Level], shares: Sequence[Drawn]) -> tuple[set[str], list[Drawn]]:
    """The figures that are contradicted, and the groups of different numbers for one thing.

    A subject's shares of two wholes are such a group only where others' shares of each are known too: then both are
    shares of a market, not 海外用户占比 and 女性用户占比.
    """
    among = {x.point.figure.figure_id for _, group in shares for x in group}
    wrong: set[str] = set()
    disputes: list[Drawn] = []
    dated = [x for x in found if x.point.period]
    for alike in _grouped(((x.who, x.unit, x.point.period, x.point.forecast, x.head), x) for x in dated):
        linked: list[tuple[Level, Level]] = []
        alike = merged(alike) if len(alike) > MOST_NUMBERS else alike
        if len(alike) > MOST_NUMBERS or len(alike) < 2:
            continue
        for a, b in combinations(alike, 2):
            kind = _dispute(a, b, among)
            if kind is not None:
                linked.append((a, b))
            if kind == "contradiction":
                wrong |= {a.point.figure.figure_id, b.point.figure.figure_id}
        disputes += [("conflict", merged(group)) for group in _linked(linked)]
    return wrong, disputes


def _dispute(a: Level, b: Level, among: set[str]) -> str | None:
    """How two numbers for one subject and period differ: contradiction, scope, or None when they do not bear on each
    other."""
    one, other = a.point.figure, b.point.figure
    if _sentence(a) == _sentence(b) or same_number(one, other):  # one sentence counts one way
        return None
    if {one.figure_id, other.figure_id} <= among and not (a.counted == b.counted and one_measure(a, b)):
        return "scope"
    vague = a.is_share and not (a.words and b.words)  # 占比 of what: only rivals' parts would tell
    if not one_measure(a, b) or (vague and not {one.figure_id, other.figure_id} <= among):
        return None
    kind = relation(one, other)
    if kind == "contradiction":
        return None if agree(a, b) else "scope" if a.region and b.region and a.region != b.region else kind
    return "scope" if kind in ("scope", "unknown_scope") and a.counted != b.counted else None


def _linked(pairs: Sequence[tuple[Level, Level]]) -> list[Group]:
    """The levels that pairs join, directly or through others."""
    groups: list[Group] = []
    for a, b in pairs:
        touched = [g for g in groups if a in g or b in g]
        joined = [x for g in touched for x in g]
        joined += [x for x in (a, b) if x not in joined]
        groups = [*(g for g in groups if g not in touched), joined]
    return groups


def _chart(kind: str, group: Group, wrong: set[str]) -> Chart:
    names = _shown_names(group)
    points = [
        replace(
            x.point,
            subject=names[x.who],
            conflict=not wrong.isdisjoint({x.point.figure.figure_id, *(p.figure.figure_id for p in x.point.also)}),
        )
        for x in group
    ]
    if kind == "timeline":
        points.sort(key=lambda p: (p.period or (0, 0), p.high, p.figure.figure_id))
        kept = sorted(points[-MOST_POINTS:], key=lambda p: p.subject)  # each line in the order of time
    else:
        points.sort(key=lambda p: (-p.high, p.period or (0, 0), p.figure.figure_id))
        kept = points[:MOST_POINTS]
    one = next(iter(names.values())) if len(names) == 1 else None
    periods = {p.period for p in points}
    fullest = max(len(x.words) for x in group)
    measure = _most(x.point.figure.attribute or "" for x in group if len(x.words) == fullest)
    if kind == "conflict" and len({x.words for x in group}) > 1:
        measure = group[0].head  # each says itself what it is a share of
    period = points[0].figure.as_of if len(periods) == 1 else None
    scope = None if kind == "conflict" else _common_scope(group)
    told = "|".join(sorted(f"{p.figure.doc_id}:{p.figure.start}:{p.subject}:{p.figure.value}" for p in points))
    return Chart(
        chart_id=f"{kind}-{zlib.crc32(told.encode('utf-8', 'replace')):08x}",
        kind=kind,
        measure=measure,
        subject=one,
        unit=group[0].unit,
        period=period,
        scope=scope,
        points=tuple(kept),
        log=kind == "timeline" and min(p.low for p in kept) > 0 and _spread(kept) >= WIDE,
        left_out=len(points) - len(kept),
    )


def _spread(points: Sequence[Point]) -> float:
    return max(p.high for p in points) / min(p.low for p in points)


def _shown_names(group: Group) -> dict[str, str]:
    """The name each subject goes by: the one most figures use."""
    written: dict[str, list[str]] = defaultdict(list)
    for x in group:
        written[x.who].append(x.point.subject)
    return {who: _most(names) for who, names in written.items()}


def _most(texts: Iterable[str]) -> str:
    counts = Counter(texts)
    return min(counts, key=lambda t: (-counts[t], len(t), t), default="")


def _common_scope(group: Group) -> str | None:
    """The 口径 as the figure words it that says most, with its region; None where none is said."""
    fullest = max(group, key=lambda x: (len(x.counted), x.region is not None, x.point.figure.figure_id))
    parts = [p for p in (fullest.point.figure.scope or "").split(";") if fold_text(p) in fullest.counted]
    region = max((x.region for x in group), key=lambda r: (r is not None, r or ""))
    if region and 2 * sum(x.region == region for x in group) > len(group) and region not in fold_text(";".join(parts)):
        parts.append(region)
    return ";".join(parts) or None


def scope_of(point: Point) -> str | None:
    """The 口径 of one point: without remarks on a missing source and without its own document's name."""
    own = {fold_text(name) for name in (point.document.author, point.document.publisher) if name}
    known = counted(point.figure)
    parts = [p for p in (point.figure.scope or "").split(";") if p and fold_text(p) not in own and p != FORECAST]
    kept = [p for p in parts if fold_text(p) in known or len(p) <= len("全行业")]
    return ";".join(kept) or None


def _is_told_by(chart: Chart, other: Chart) -> bool:
    """Whether another chart of the kind says all that one says, and more."""
    if chart.kind != other.kind or chart.unit != other.unit or chart is other or chart.kind == "conflict":
        return False
    mine, theirs = ({(p.subject, p.period, p.low, p.high) for p in c.points} for c in (chart, other))
    return mine < theirs or (mine == theirs and chart.chart_id > other.chart_id)


def _rank(chart: Chart) -> tuple[int, int, int, str]:
    return -len(chart.documents), -len(chart.points), KINDS.index(chart.kind), chart.chart_id
