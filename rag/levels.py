"""Figures that can stand in a chart: whose, what, when and how it is counted, each in a form that can be compared."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from index.aliases import entities_in, forms_of, measures_in
from index.attribution import region_of
from index.data import lexicon
from index.fold import fold_text
from index.grammar import figure_words, is_share, measure_of, tagged_words
from index.reprints import members
from index.tokenize import words
from index.values import Document, Figure
from rag.figure_kinds import how_often, is_change, kind_of_number
from rag.relation import counted, same_number

FORECAST = "预测"  # the part of a scope by which index.figures tells a forecast
SHARE = "份额"  # what every word for a share is here
NAME_CHARS = 24  # a longer subject is a piece of a sentence
LEAST, MOST = 1e-9, 1e24  # what is beyond has been read wrongly, and has no place on an axis
CHECKED = 50  # figures of one thing that are held against each other
_LATIN = re.compile(r"[a-z][a-z0-9]*")
_PERIOD = re.compile(r"(\d{4})(?:-(\d\d)(?:-\d\d)?|H([12])|Q([1-4]))?(?:[上中下]旬|[初底末])?")

Months = tuple[int, int]  # first and last month, counted from year 0


@dataclass(frozen=True, slots=True)
class Point:
    """One figure in a chart."""

    figure: Figure
    document: Document
    subject: str  # the name all forms of it go by in its chart
    period: Months | None  # sorts by time
    low: float  # in base units; low == high unless it is a range
    high: float
    forecast: bool = False
    conflict: bool = False  # another figure of its 口径 and period contradicts it
    also: tuple["Point", ...] = ()  # the same, as other documents say it


@dataclass(frozen=True, slots=True)
class Level:
    """A point with what has to be equal before it is compared to another."""

    point: Point
    source: str  # its document, or the original of which that is a reprint
    who: str  # all forms of a name have one
    head: str  # what is measured (量, 规模); SHARE for shares
    words: frozenset[str]  # … and of what, without regions, units and empty words
    unit: str
    counted: frozenset[str]  # the 口径: who counts, which market, what is left out; empty: the text does not say
    region: str | None
    change: bool  # by how much something grew
    often: bool  # a day, a month …: periods of any length compare

    @property
    def is_share(self) -> bool:
        """Whether it is somebody's part of a whole."""
        return self.head == SHARE and self.unit == "%"

    @property
    def length(self) -> int:
        """Months it covers; 0 where that does not matter. A year's sum is not compared to a month's."""
        period = self.point.period
        return 0 if self.often or period is None else period[1] - period[0] + 1


def levels(
    figures: Iterable[Figure], documents: Mapping[str, Document], reprints: Sequence[Sequence[str]]
) -> list[Level]:
    """The figures that say whose, what and how much, each told once by a source; in a fixed order."""
    figures = sorted(figures, key=lambda f: (f.doc_id, f.start, f.figure_id))
    units = {_stem(u) for f in figures if (u := fold_text(f.unit or "")) and _LATIN.fullmatch(u)}
    originals = {doc_id: group[0] for doc_id, group in members(tuple(map(tuple, reprints))).items()}
    found = [_level(f, documents[f.doc_id], originals, units) for f in figures if f.doc_id in documents]
    return _told_once(_unmixed([x for x in found if x is not None]))


def _level(figure: Figure, document: Document, originals: Mapping[str, str], units: set[str]) -> Level | None:
    if not figure.subject or not figure.attribute or not is_name(figure.subject):
        return None
    attribute, subject = fold_text(figure.attribute), fold_text(figure.subject)
    bare = _bare(attribute, frozenset(units))
    head, kind = measure_of(bare), kind_of_number(figure)
    low, high = figure.number if isinstance(figure.number, tuple) else (figure.number, figure.number)
    if head is None or kind == "times" or _stem(subject) in units or not all(map(_is_usable, (low, high))):
        return None
    unit = _unit(figure, kind, attribute, units)
    share = is_share(attribute)
    if share and unit != "%":
        return None
    scope = [fold_text(p) for p in (figure.scope or "").split(";")]
    own = {fold_text(name) for name in (document.author, document.publisher) if name}
    point = Point(
        figure,
        document,
        figure.subject,
        months_of(figure.as_of),
        min(low, high),
        max(low, high),
        FORECAST in scope,
    )
    return Level(
        point,
        originals.get(document.doc_id, document.doc_id),
        min(forms_of(subject)),
        SHARE if share else _one_of(head),
        measure_words(bare),
        unit,
        counted(figure) - own,
        next((p for p in scope if p and region_of(p) == p), region_of(attribute)),
        is_change(figure),
        bool(how_often(f"{attribute} {' '.join(scope)}")),
    )


def _is_usable(number: float) -> bool:
    return number == 0 or LEAST <= abs(number) <= MOST


@lru_cache(maxsize=8192)
def is_name(subject: str) -> bool:
    """Whether a subject is a name or a thing, not a piece of a sentence (首次录得盈利, 公司员工现有)."""
    folded = fold_text(subject).strip()
    if not folded or len(folded) > NAME_CHARS or re.search(_lexicon("no_name"), folded) or folded in _lexicon("nobody"):
        return False
    if any(folded in forms for forms in entities_in(folded)):
        return True
    tags = [tag for word, tag in tagged_words(folded) if word.strip()]
    return not any(re.fullmatch(r"v[dgi]?|r\w?|p|c", tag) for tag in tags) and tags[-1] not in ("b", "d", "f", "s", "t")


@lru_cache(maxsize=4096)
def months_of(as_of: str | None) -> Months | None:
    """The months that `2025H1`, `2024-12-15` or `2024-05 至 2025-09` covers; None for 未来三年."""
    ends = [_PERIOD.fullmatch(part) for part in (as_of or "").split(" 至 ")]
    if len(ends) > 2 or None in ends:
        return None
    spans = [_months(m) for m in ends if m is not None]
    if any(s is None for s in spans):
        return None
    first, last = spans[0], spans[-1]
    return (first[0], last[1]) if first and last and first[0] <= last[1] else None


def _months(m: re.Match[str]) -> Months | None:
    year, month, half, quarter = int(m[1]) * 12, *(int(g) if g else None for g in m.groups()[1:])
    if half:
        return year + 6 * half - 6, year + 6 * half - 1
    if quarter:
        return year + 3 * quarter - 3, year + 3 * quarter - 1
    if month is None:
        return year, year + 11
    return (year + month - 1, year + month - 1) if 1 <= month <= 12 else None


def _unit(figure: Figure, kind: str, attribute: str, units: set[str]) -> str:
    """The unit in one form. A measure that names a unit counts in it: tokens量约1200亿, Token调用量12.7万亿次."""
    unit = fold_text(figure.unit or "")
    if kind == "rate":
        return "百分点" if unit.endswith("百分点") else "%"
    named = [w for w in _LATIN.findall(attribute) if _stem(w) in units]
    if named and kind != "money":
        unit = named[0]
    return next((group[0] for group in _lexicon("units") if unit in group), unit)


def _stem(word: str) -> str:
    return word.rstrip("s")


@lru_cache(maxsize=8192)
def _bare(attribute: str, units: frozenset[str]) -> str:
    """A folded attribute without units and regions: 日均调用tokens量 and 日均Token调用量 are one."""
    text = _LATIN.sub(lambda m: "" if _stem(m.group()) in units else f" {m.group()} ", attribute)
    text = re.sub(lexicon("index", "figures")["scope"]["region"], "", text)
    return re.sub(r"\s+(?![a-z])|(?<![a-z])\s+", "", text)


@lru_cache(maxsize=8192)
def measure_words(bare: str) -> frozenset[str]:
    """What is measured, as words that a like attribute has too; of a share: what of."""
    text = re.sub(rf"(?:{figure_words()['share']})$", "", bare)
    if (whole := _one_of(text)) != text:
        return frozenset({whole})
    return frozenset(_one_of(w) for w in words(text) if w not in _lexicon("empty"))


def _one_of(word: str) -> str:
    """The form that stands for all of a measure: 使用量 is 调用量."""
    return next((group[0] for group in measures_in(word) if word in group), word)


def one_measure(a: Level, b: Level) -> bool:
    """Whether two levels may measure one thing: the words of one are among the other's."""
    return (a.head, a.unit, a.change) == (b.head, b.unit, b.change) and (a.words <= b.words or b.words <= a.words)


def by_measure(found: Sequence[Level]) -> list[list[Level]]:
    """Levels by what they measure; one that says less (份额) goes with the one that says more where only one does."""
    kinds: dict[tuple[str, str, bool, frozenset[str]], list[Level]] = {}
    for x in found:
        kinds.setdefault((x.head, x.unit, x.change, x.words), []).append(x)
    keys = sorted(kinds, key=lambda k: (len(k[3]), sorted(k[3]), k[:3]))
    if len(keys) > CHECKED:
        return [kinds[k] for k in keys]
    for n, key in enumerate(keys):
        wider = [k for k in keys[n + 1 :] if k[3] > key[3] and one_measure(kinds[key][0], kinds[k][0])]
        widest = [k for k in wider if not any(k[3] < other[3] for other in wider)]
        if len(widest) == 1:
            kinds[widest[0]] += kinds.pop(key)
    return list(kinds.values())


def _unmixed(found: Sequence[Level]) -> list[Level]:
    """Without what one document gives two numbers for in one 口径 and period: it was not understood."""
    told: dict[object, list[Level]] = {}
    for x in found:
        told.setdefault(_told_of(x), []).append(x)
    return [x for x in found if all(same_number(x.point.figure, y.point.figure) for y in told[_told_of(x)][:CHECKED])]


def _told_of(x: Level) -> object:
    figure = x.point.figure
    return (
        figure.doc_id,
        x.counted,
        x.who,
        x.head,
        x.words,
        x.unit,
        x.change,
        x.region,
        x.point.period,
        x.point.forecast,
    )


def _told_once(found: Sequence[Level]) -> list[Level]:
    """Without what its source has told already; the sentence that says most about it stays."""
    kept: dict[object, list[Level]] = {}
    for x in sorted(found, key=lambda x: (-len(x.counted), -len(x.words), x.region is None)):
        told = kept.setdefault((x.source, x.who, x.point.period, x.point.forecast), [])
        if not any(_says(y, x) for y in told[:CHECKED]):
            told.append(x)
    return sorted((x for told in kept.values() for x in told), key=_place)


def _says(told: Level, x: Level) -> bool:
    alike = x.counted <= told.counted and (x.region in (None, told.region))
    return alike and one_measure(told, x) and same_number(told.point.figure, x.point.figure)


def _place(x: Level) -> tuple[str, str, int, str]:
    f = x.point.figure
    return x.point.document.published or "9999", f.doc_id, f.start, f.figure_id


def merged(found: Sequence[Level]) -> list[Level]:
    """Levels of one chart, those of other sources that say the same as `also` of the first."""
    kept: list[Level] = []
    for x in sorted(found, key=_place):
        for n, y in enumerate(kept[:CHECKED]):
            same = (x.who, x.point.period, x.point.forecast) == (y.who, y.point.period, y.point.forecast)
            if same and same_number(x.point.figure, y.point.figure):
                kept[n] = replace(y, point=replace(y.point, also=(*y.point.also, x.point)))
                break
        else:
            kept.append(x)
    return kept


def agree(a: Level, b: Level) -> bool:
    """Whether two numbers can both be true: 超10万 and 12万 can, and so can a range and what lies in it."""
    (low, high), (least, most) = _bounds(a), _bounds(b)
    return low <= most and least <= high


def _bounds(x: Level) -> tuple[float, float]:
    hedge = fold_text(x.point.figure.hedge or "")
    upwards = hedge and re.search(_lexicon("at_least"), hedge) and not re.search(_lexicon("at_most"), hedge)
    downwards = hedge and re.search(_lexicon("at_most"), hedge)
    return -math.inf if downwards else x.point.low, math.inf if upwards else x.point.high


@cache
def _lexicon(name: str):  # type: ignore[no-untyped-def]  # lists and patterns, as the file has them
    return lexicon("rag", "board")[name]
