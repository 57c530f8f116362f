"""What a sentence states that can be checked: numbers with their units, times, ranks; in Chinese or English."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from index.data import lexicon
from index.dates import dates_in
from index.fold import fold_text
from index.periods import periods_in
from index.quantities import Number, Quantity, quantities_in

_ENGLISH_TIME = re.compile(
    r"\b(?:the )?(?:first|second|third|fourth) (?:half|quarter) of (?:19|20)\d\d"
    r"|\b[hq][1-4] (?:of )?(?:19|20)\d\d|\b(?:19|20)\d\d ?[hq][1-4]\b"
    r"|\b(?:january|february|march|april|may|june|july|august|september|october|november|december)"
    r" (?:\d{1,2},? )?(?:19|20)\d\d"
    r"|(?<![\d.,$-])(?:19|20)\d\d(?![\d.,]*\d|\s?(?:%|percent|billion|million|trillion|yuan|tokens?)|[万亿元家个款种名位人次])"
)
_RELATIVE = re.compile(
    r"今年|本年|去年|上年|前年|明年|次年|翌年|同年|当年|昨天|今天|本月|上月|(?:last|this|next) (?:year|month|quarter)"
)
_RATES = {
    "percent": r"%|成|折|百分之",
    "points": r"个?百分点|个?基点|bps?|percentage points?|pp",
    "multiple": r"倍|times|x|-?fold",
}


@dataclass(frozen=True, slots=True)
class Mention:
    """A number in base units at `folded[start:end]`."""

    start: int
    end: int
    number: Number
    unit: str | None  # percent, points, multiple, a currency code, or the unit as written


@cache
def words_of(table: str) -> Any:
    """A table of lexicon/writer.toml."""
    return lexicon("rag", "writer")[table]


@cache
def pattern(table: str, name: str) -> re.Pattern[str]:
    """One of its patterns."""
    return re.compile(words_of(table)[name])


def unit_of(written: str | None) -> str | None:
    """One name for all ways to write a unit."""
    unit = fold_text(written or "").strip()
    for name, form in (*_RATES.items(), *words_of("currencies").items()):
        if re.fullmatch(form, unit):
            return str(name)
    return unit or None


def times_in(folded: str) -> tuple[list[tuple[int, int]], frozenset[str], frozenset[str]]:
    """Where times stand, the times themselves to the day (those not resolved as written), and those compared with."""
    found = [d for d in dates_in(folded) if d.resolved or _RELATIVE.search(folded[d.start : d.end])]
    spans = [(d.start, d.end) for d in found] + [m.span() for m in _ENGLISH_TIME.finditer(folded)]
    spans += [m.span() for m in _RELATIVE.finditer(folded)]
    named = {part for d in found if d.resolved for part in d.iso.split(" 至 ")} | periods_in(folded)
    for m in _RELATIVE.finditer(folded):
        named.add(m.group())
    compared = {part for d in found if d.compared and d.resolved for part in d.iso.split(" 至 ")}
    return spans, frozenset(named), frozenset(compared)


def mentions_in(folded: str, taken: list[tuple[int, int]]) -> list[Mention]:
    """The numbers of a folded text, in order; `taken`: where its times stand."""
    found = [
        Mention(q.start, q.end, q.number, _unit(q, folded))
        for q in quantities_in(folded, tuple(taken))
        if not _goes_on().match(folded, q.end)  # “$3.5” of “$3.5 billion”
    ]
    covered = [*taken, *((m.start, m.end) for m in found)]
    for m in _english().finditer(folded):
        if any(a < m.end() and m.start() < b for a, b in covered):
            continue
        number = float(m["number"].replace(",", "")) * words_of("english")["powers"].get(m["power"] or "", 1.0)
        unit = unit_of(m["unit"]) or unit_of(m["prefix"])
        number = number / 100 if unit in ("percent", "points") else number
        found.append(Mention(m.start(), m.end(), float(f"{number:.12g}"), unit))
    return sorted(found, key=lambda m: m.start)


def _unit(quantity: Quantity, folded: str) -> str | None:
    if quantity.unit is None and (after := re.match(r"\s?(tokens?|[a-z]+)", folded[quantity.end :])):
        return unit_of(after[1])
    return unit_of(quantity.unit)


@cache
def _english() -> re.Pattern[str]:
    powers = "|".join(words_of("english")["powers"])
    currencies = "|".join(words_of("currencies").values())
    rates = "percentage points?|percent|%|times|x(?![a-z])|-?fold"
    return re.compile(
        rf"(?<![a-z0-9.\-])(?P<prefix>(?:{currencies})\s?)?(?P<number>\d[\d,]*(?:\.\d+)?)"
        rf"(?:\s?(?P<power>{powers})\b)?(?:\s?(?P<unit>{rates}|{currencies}))?(?![\d])"
    )


@cache
def _goes_on() -> re.Pattern[str]:
    return re.compile(rf"\s?(?:{'|'.join(words_of('english')['powers'])}|percent|percentage points?)\b")


def same_number(a: Number, b: Number) -> bool:
    """Whether two numbers are one, ranges at both ends; to what floating point leaves."""
    if isinstance(a, tuple) or isinstance(b, tuple):
        return (
            isinstance(a, tuple) and isinstance(b, tuple) and all(same_number(x, y) for x, y in zip(a, b, strict=True))
        )
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b))


def ranks_in(folded: str) -> list[tuple[int, str]]:
    """Where a place in an order is named, and which."""
    found = [(m.start(), rank) for rank, form in words_of("ranks").items() for m in re.finditer(form, folded)]
    return sorted(found)
