"""When a figure is of: the dates around it, what it is compared to, the period its heading reports."""

import re
from collections.abc import Sequence
from dataclasses import replace

from index.data import lexicon
from index.dates import Date, dates_in
from index.phrases import Phrase
from index.quantities import Quantity, quantities_in

_BASE = re.compile(r"(?:较|相比|同比|环比|比|相较|相较于|对比|相对)(?:于|今年|去年)?\s?$")
OPENING = 3  # sentences that may say which quarter a report is of
_FROM = re.compile(r"[从自由]\s?$")
_STARTS = re.compile(r"[从由][^,，。;；\d]{0,3}$")
_START = re.compile(r"[^,，。;；\d]{0,3}(?:环比|按季|按月|(?P<year>同比|按年))")
_ROW = re.compile(r"\s?(?:、|和|与|及|以及|,|/)\s?")


def period_of_heading(folded: str, published: str | None = None) -> str | None:
    """The one year, half or quarter that a heading names: what stands below it is of then, if it names no other.

    Args:
        published: when the document was: what “Q2” without a year is counted from.
    """
    line = folded.strip(" #*\n")
    reports = lexicon("index", "figures")["scope"]["reports"]
    if not 6 <= len(line) <= 40 or re.search(r"[。;；,，…]|\d{1,2}:\d\d", line) or not re.search(reports, line):
        return None
    found = {d.iso for d in dates_in(line, published=published) if re.fullmatch(r"\d{4}(?:H[12]|Q[1-4])?", d.iso)}
    return (
        found.pop()
        if len(found) == 1 and not quantities_in(line, tuple((d.start, d.end) for d in dates_in(line)))
        else None
    )


def period_of_opening(sentences: Sequence[str], published: str | None = None) -> str | None:
    """The quarter or half whose accounts the first sentences announce, or whose report, where the text names no other
    time nor a month: what names no time further down is of then.
    """
    accounts = lexicon("index", "figures")["scope"]["accounts"]
    reports = lexicon("index", "figures")["scope"]["reports"]
    dates = [
        [d for d in dates_in(s, published=published) if re.search(r"\d{4}(?:[HQ]\d|-\d\d)", d.iso) and not d.compared]
        for s in sentences
    ]
    announced = {
        d.iso
        for folded, found in zip(sentences[:OPENING], dates[:OPENING], strict=True)
        for d in found
        if re.match(r"\d{4}[HQ]\d$", d.iso) and re.match(accounts, folded[d.end :])
    }
    if len(announced) == 1:
        return announced.pop()
    named = {d.iso for found in dates for d in found}
    if len(named) != 1 or not re.fullmatch(r"\d{4}[HQ]\d", period := named.pop()):
        return None
    opening = zip(sentences[:OPENING], dates[:OPENING], strict=True)
    return period if any(found and re.search(reports, folded) for folded, found in opening) else None


def same_part(dates: Sequence[Date], folded: str, carried: str | None) -> list[Date]:
    """The dates of a sentence: 2023年同期 is of the part of the year that another one names, or what stands above."""
    parts = [
        m.group()
        for d in (*(d.iso for d in dates), carried or "")
        if (m := re.search(r"(?<=\d{4})(?:H|Q)\d|(?<=\d{4})-\d\d", d))
    ]
    if not parts:
        return list(dates)
    return [
        replace(d, iso=d.iso + parts[0]) if re.fullmatch(r"\d{4}", d.iso) and folded.startswith("同期", d.end) else d
        for d in dates
    ]


def in_a_row(dates: Sequence[Date], folded: str) -> tuple[str, ...]:
    """The last times that stand in a row, each year of a range by itself: 2022年至2024年、2025年前九个月."""
    row: list[str] = []
    for n, date in enumerate(dates):
        if n and not _ROW.fullmatch(folded[dates[n - 1].end : date.start]):
            row = []
        years = re.fullmatch(r"(\d{4}) 至 ((\d{4})(?:H1|Q[1-3])?)", date.iso)
        row += [*map(str, range(int(years[1]), int(years[3]))), years[2]] if years else [date.iso]
    return tuple(row) if len(row) > 1 else ()


def before_it(period: str | None, basis: str) -> str | None:
    """The period that another is compared with: 环比 the one before, 同比 the one of the year before."""
    m = re.fullmatch(r"(\d{4})(?:(H|Q|-)(\d{1,2}))?", period or "")
    if m is None:
        return None
    year, kind, n = int(m[1]), m[2], int(m[3] or 0)
    if kind is None or basis == "year":
        return f"{year - 1}{(period or '')[4:]}"
    of_year = {"H": 2, "Q": 4, "-": 12}[kind]
    year, n = (year, n - 1) if n > 1 else (year - 1, of_year)
    return f"{year}-{n:02}" if kind == "-" else f"{year}{kind}{n}"


def started_from(quantity: Quantity, folded: str) -> str | None:
    """What a change is counted against whose start a figure is: 从2502.5万环比增长23.6%至3092.1万 the period before."""
    if not _STARTS.search(folded[: quantity.start]):
        return None
    m = _START.match(folded, quantity.end)
    return m and ("year" if m["year"] else "period")


def is_publication(folded: str, date: Date) -> bool:
    """Whether a date tells when something was published, not when it was so."""
    return re.match(r"(?:公布|发布|披露|刊发|出版)", folded[date.end :]) is not None


def time_of(
    quantity: Quantity, phrase: Phrase, own: Sequence[Date], later: Sequence[Date], carried: str | None, folded: str
) -> str | None:
    """The time of a figure: named before it in its clause, else after it, else carried from what stands above."""
    before = [d for d in own if d.end <= quantity.start]
    bases = [d for d in before if _BASE.search(folded[: d.start])]
    since = [d for d in before if re.match(r"[^,，]{0,14}(?:以来|起|开始)", folded[d.end :])]
    plain = [d for d in before if d not in bases]
    if phrase.change and plain and _FROM.search(folded[: plain[-1].start]):
        until = next((d for d in later if d.start > quantity.end and re.search(r"[至到]\s?$", folded[: d.start])), None)
        if until:
            return f"{plain[-1].iso} 至 {until.iso}"
    while plain and _is_compared(plain[-1], folded) and re.search(r"\d", folded[plain[-1].end : quantity.start]):
        plain.pop()  # 由第二季度的2亿元收窄为1.124亿元: the second is of now
    if phrase.change and bases:
        main = plain[-1].iso if plain else carried
        return f"{main} 对 {bases[-1].iso}" if main and main != bases[-1].iso else f"较 {bases[-1].iso}"
    if since:
        return f"{since[-1].iso} 至今" if phrase.change else since[-1].iso
    if plain:
        return plain[-1].iso
    if bases:
        return f"较 {bases[-1].iso}" if phrase.change else bases[-1].iso
    if basis := started_from(quantity, folded):
        return before_it(carried, basis)
    after = [d for d in own if d.start >= quantity.end]
    if after and re.fullmatch(r"[(（]?[在于发生是为]{0,3}\s?", folded[quantity.end : after[0].start]):
        return after[0].iso
    return carried


def _is_compared(date: Date, folded: str) -> bool:
    """Whether a date only says what the next one is compared to: 从去年的, 2020年同期."""
    return _FROM.search(folded[: date.start]) is not None or folded.startswith("同期", date.end)


def is_base(when: str | None, own: Sequence[Date], folded: str) -> bool:
    """Whether a time is only what something is compared to."""
    if when is None or " 对 " in when or when.startswith("较"):
        return when is not None
    same = [d for d in own if d.iso == when]
    return bool(same) and all(_BASE.search(folded[: d.start]) or _is_compared(d, folded) for d in same)
