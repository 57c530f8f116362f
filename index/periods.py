"""Which periods a text names, in one notation: 2025, 2025H1, 2024Q4, 2025-03."""

import re
from collections.abc import Iterable
from functools import lru_cache

_MONTH = {
    "一": 1,
    "二": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
    "十一": 11,
    "十二": 12,
}
_MONTH |= {str(n): n for n in range(1, 13)} | {f"{n:02}": n for n in range(1, 10)}
_MONTH |= {
    name: n
    for n, name in enumerate(
        (
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ),
        1,
    )
}
_NAMES = "january|february|march|april|may|june|july|august|september|october|november|december"
_YEAR = r"(?<!\d)(?P<y>(?:19|20)\d\d|\d\d(?=年))(?!\d)年?"
_DETAIL = (
    r"\s?(?:(?P<h1>上半年?|h1|1h)|(?P<h2>下半年?|h2|2h)|第?(?P<q>[一二三四1-4])季度?|q(?P<q2>[1-4])"
    r"|(?P<q4>最后一?个?季度?)"
    r"|(?P<m>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])月|-(?P<m2>1[0-2]|0[1-9])(?!\d)"
    r"|(?P<end>年?[底末])|(?P<begin>年?初))"
)
_PART = r"(?:(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])月|第?[一二三四1-4]季度|q[1-4]|[上下]半年)"
_PATTERNS = (  # the ones that say more come first
    re.compile(
        r"(?:(?P<h1>h1|1h|first half of)|(?P<h2>h2|2h|second half of)|(?:q(?P<q2>[1-4])(?: of)?|(?P<q3>[1-4])q)"
        r"|(?P<nth>first|second|third|fourth) quarter(?: of)?)"
        r"\s?'?(?P<y>(?:19|20)?\d\d)(?!\d)"
    ),
    re.compile(rf"(?P<m>{_NAMES})\s(?:\d{{1,2}},?\s)?(?P<y>(?:19|20)\d\d)"),
    re.compile(_YEAR + f"(?:{_DETAIL})?"),
)


_CARRIED = re.compile(  # 2024年6月到11月, 2025年3月和9月
    rf"(?P<year>(?<!\d)(?:19|20)\d\d)年(?P<first>{_PART}(?:份|底|末|初|[上中下]旬)?(?:到|至|和|与|及|、|-|~|—)+)(?={_PART})"
)


_SPAN = re.compile(r"(?<!\d)((?:19|20)\d\d)[年ae]?\s?(?:-|—+|–|~|至|到)\s?((?:19|20)\d\d)[年ae]")
LONGEST_SPAN = 10  # years of a range of which each is named


_PARTS = re.compile(  # of a year that is not named
    r"(?P<nine>[前首](?:三|3)个?季度?|[前首](?:九|9)个?月|(?<!\d)1月?\s?(?:-|—+|–|~|至|到)\s?9月)"
    r"|(?<![上前每这单])第?(?P<q>[一二三四1-4])季度?(?!节)|(?<![a-z\d])q(?P<q2>[1-4])(?!\d{3})|(?<!\d)(?P<q3>[1-4])q"
    r"|(?P<h1>上半年|(?<![a-z\d])h1|(?<!\d)1h)|(?P<h2>下半年|(?<![a-z\d])h2|(?<!\d)2h)|(?P<q4>最后一?个?季度?)"
)
_PART_NAME = {"nine": "Q1-Q3", "h1": "H1", "h2": "H2", "q4": "Q4"}


def _quarter(written: str) -> str:
    """Q2 of 二 or 2."""
    return f"Q{'一二三四'.find(written) + 1 or int(written)}"


def parts_in(folded: str) -> frozenset[str]:
    """The parts of a year a folded text names, whichever year: Q1 … Q4, H1, H2, Q1-Q3 for the first nine months."""
    said = [(m.lastgroup or "", m) for m in _PARTS.finditer(folded)]
    return frozenset(_PART_NAME.get(name) or _quarter(m[name]) for name, m in said)


def year_spans(folded: str) -> list[tuple[int, int]]:
    """The first and the last year of each range of years: 2022年至2024年, 2022A-2024A."""
    return [(int(first), int(last)) for first, last in _SPAN.findall(folded)]


@lru_cache(maxsize=65536)
def periods_in(folded: str) -> frozenset[str]:
    """The periods a folded text names; a bare year only where no part of it is named at that place."""
    found = set()
    for first, last in year_spans(folded):  # 2023 is among 2022年至2024年
        found |= {str(year) for year in range(first, last)} if last - first <= LONGEST_SPAN else set()
    folded = _CARRIED.sub(r"\g<year>年\g<first>\g<year>年", folded)
    for pattern in _PATTERNS:
        rest = list(folded)
        for match in pattern.finditer(folded):
            rest[match.start() : match.end()] = " " * (match.end() - match.start())  # read once only
            part = match.groupdict()
            year = part["y"] if len(part["y"]) == 4 else "20" + part["y"]
            quarter, month = part.get("q") or part.get("q2") or part.get("q3"), part.get("m") or part.get("m2")
            if part.get("h1") or part.get("h2"):
                found.add(f"{year}H{1 if part.get('h1') else 2}")
            elif part.get("q4"):
                found.add(f"{year}Q4")
            elif nth := part.get("nth"):
                found.add(f"{year}Q{('first', 'second', 'third', 'fourth').index(nth) + 1}")
            elif quarter:
                found.add(f"{year}{_quarter(quarter)}")
            elif part.get("end") or part.get("begin"):
                found.add(f"{year}-{12 if part.get('end') else 1:02}")
            elif month in _MONTH:
                found.add(f"{year}-{_MONTH[month]:02}")
            else:
                found.add(year)
        folded = "".join(rest)
    return frozenset(found)


def _months(period: str) -> range:
    """The months of its year that a period covers."""
    if "H" in period:
        return range(1, 7) if period.endswith("1") else range(7, 13)
    if "Q" in period:
        last = 3 * int(period[-1])
        return range(last - 2, last + 1)
    if "-" in period:
        return range(int(period[5:]), int(period[5:]) + 1)
    return range(1, 13)


def compatible(asked: str, stated: str) -> bool:
    """Whether a statement about `stated` can answer for `asked`: one lies in the other."""
    if asked[:4] != stated[:4]:
        return False
    a, b = set(_months(asked)), set(_months(stated))
    return a <= b or b <= a


def spans(periods: Iterable[str], stated: str) -> bool:
    """Whether a period lies between the first and the last of several."""
    months = [int(p[:4]) * 12 + m for p in periods for m in _months(p)]
    return all(min(months) <= int(stated[:4]) * 12 + m <= max(months) for m in _months(stated))


def match(asked: frozenset[str], stated: frozenset[str]) -> float:
    """1 when a stated period is the asked one, 0.75 when one lies in the other, 0 when only others are stated.

    0.5 when one side names none. The mean over the asked periods.
    """
    if not asked or not stated:
        return 0.5
    return sum(1.0 if a in stated else 0.75 if any(compatible(a, s) for s in stated) else 0.0 for a in asked) / len(
        asked
    )
