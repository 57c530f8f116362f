"""Where a folded text names a time, and which: resolved against the years that stand around it.

In ISO where it can be (2024, 2024-12, 2024-12-15), else in our notation (2025H1, 2024Q4, 2024-05 至 2025-09), else in
the words of the text (未来三年).
"""

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Date:
    """`text[start:end]` names the time `iso`."""

    start: int
    end: int
    iso: str
    resolved: bool = True  # False: `iso` is words of the text
    ranged: bool = False
    compared: bool = False  # another time to compare with: 去年, 较2019年, 2020年同期


_DIGIT = {c: str(n) for n, c in enumerate("〇一二三四五六七八九")} | {"零": "0"}
_NUMERAL = {c: n for n, c in enumerate("一二三四五六七八九十", 1)} | {"首": 1, "十一": 11, "十二": 12}
_NO_UNIT = r"(?![\d.,%万亿千百元个家款种名位人次项座])"
_CHAIN = (
    r"(?:\s?(?:-|—+|–|~|至|到|、|和|与|及|/)\s?(?:19|20)\d\d)+\s?(?:[两三四五]个?|财)?年(?!代)"  # 2023、2024和2025年
)
_YEAR = re.compile(
    r"(?<!\d)(?<!\d\.)(?P<year>(?:1\d|20)\d\d)\s?(?:年度|财年|年(?!代)|[两三四五]个?年)"
    r"|(?<![\da-z.])(?P<stated>20\d\d)[ae](?![a-z\d])"  # 2025E is expected, 2024A was so
    r"|民国(?P<republic>\d{1,3}|[一二三四五六七八九十]{1,3})年"
    r"|(?P<spelt>[一二][〇零一二三四五六七八九]{3})年(?!代)"
    r"|(?<!\d)(?<!\d\.)(?:(?<=公元)|(?<=[于在自从至到]))(?P<early>\d{3})年(?![的间来前后多内以])"
    r"|(?<!\d)(?<!\d\.)(?P<short>\d\d)年(?=\d{1,2}月|[上下]半年|q\d|h\d|第?[一二三四]季)"
    r"|(?<![\da-z])(?<!\d\.)(?P<plain>(?:19|20)\d\d)(?=\s?[hq][1-4]|\s?[上下]半年|-[01]\d(?!\d)|/[01]?\d/|\s?第?[一二三四]季|[-—–~](?:19|20)\d\d"
    + _NO_UNIT
    + rf"|{_CHAIN})"
    r"|(?<=(?:19|20)\d\d[-—–~])(?P<until>(?:19|20)\d\d)" + _NO_UNIT + r"(?!年|-\d)"
    r"|(?P<relative>今年|本年|去年|上年|前年|明年|同年|当年|次年|翌年)"
    r"|(?:(?<=[于在自从至到])|(?<=截至)|(?<=截止))(?P<bare>(?:19|20)\d\d)" + _NO_UNIT
)
_PART = re.compile(
    r"[,，]?的?\s?(?:"
    r"(?P<half>上半年?|下半年?|[hH][12]|[12][hH])"
    r"|第?(?P<quarter>[一二三四1-4首])季度?|(?P<last>最后一?个?季度?)|[qQ](?P<q>[1-4])"
    r"|(?P<month>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])\s?月份?(?:(?P<day>[12]\d|3[01]|0?[1-9]|二?十[一二三四五六七八九]?|三十一?|[一二三四五六七八九])[日号])?(?:(?P<third>[上中下]旬)|[初中末底])?"
    r"|-(?P<month2>1[0-2]|0[1-9])(?:-(?P<day2>[0-3]\d))?(?!\d)"
    r"|/(?P<month3>1[0-2]|0?[1-9])/(?P<day3>[0-3]?\d)(?!\d)"
    r"|(?P<end>年?[末底])(?!线|层|部|端)"
    r"|(?P<begin>年?初)(?!期|中|始)"
    r")"
)
_COMPACT = re.compile(
    r"(?<![\da-z])(?:(?P<h>[12])h|h(?P<h2>[12])\s?'?|q(?P<q>[1-4])\s?'?|(?P<nq>[1-4])q)(?P<year>20\d\d|\d\d)(?!\d)"
)
_ENGLISH = re.compile(
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:tember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?\s(?:(?P<day>\d{1,2}),?\s)?(?P<year>(?:19|20)\d\d)"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORDS = re.compile(
    r"(?:未来|过去|近|最近|今后|接下来)(?:的)?(?:[一二两三四五六七八九十几\d]+(?:[-—–~至到][一二两三四五六七八九十\d]+)?)(?:个?[年月周天]|个?季度)"
    r"|未来(?=[仍将会还,，])"
    r"|(?<![目此之以年])[前首](?!一个?[季月])(?:\d{1,2}|[一二三四五六七八九十]{1,2})(?:个月|个?季度?)"
    r"|(?<![\d年.])0?1月?\s?(?:-|—+|–|~|至|到)\s?(?:1[0-2]|0?[2-9])月"
)
_FIRST = re.compile(  # of a year: its first nine months
    r"的?(?:[前首](?!一个?[季月])(?P<n>\d{1,2}|[一二三四五六七八九十]{1,2})个?(?P<part>月|季)度?|0?1月?\s?(?:-|—+|–|~|至|到)\s?(?P<last>1[0-2]|0?[2-9])月)"
)
_NOW = re.compile(r"截[至止]目前|目前|当前|现已|迄今|如今|截[至止]发稿")
_THEN = re.compile(r"(?:[当该本单]季度?|[当该本]期|报告期内?|期内)(?![刊])")  # the period a report is of
_BEFORE = re.compile(r"上(?:一|个|一个)?季度?|前一季度?")  # … and the one before it
_HOLIDAY = re.compile(
    r"的?(?:国庆|春节|五一|端午|中秋|元旦|清明|暑期|贺岁|双十一|618)(?:档期?|假期|黄金周|节|期间|长假)?"
)
_AHEAD = re.compile(r"[^,，。;；]{0,6}(?:将|预计|拟|计划|有望|开幕|举行|上线|开始)")
_UNTIL = re.compile(r"\s?(?:-|—+|–|~|至|到)\s?(?P<day>[12]\d|3[01]|0?[1-9])[日号]")
_RANGE = re.compile(r"\s?(?:年|月|日|期间)?\s?(?:-|—+|–|~|至|到)\s?")


def dates_in(
    folded: str, *, year: str | None = None, published: str | None = None, reported: str | None = None
) -> list[Date]:
    """The times a folded text names, in order.

    Args:
        year: what “同年” and a month without a year are counted from: the last year named above.
        reported: what “当季”, “期内” and “上一季” are counted from; without it they are no times.
        published: what “今年” and “目前” are counted from; without it they stay words, unless a year stands above.
    """
    found: list[Date] = []
    at = 0
    ahead = {p: p.search(folded) for p in _patterns(reported)}  # the next of each kind: looked for once
    while at < len(folded):
        ahead = {p: m if m.start() >= at else p.search(folded, at) for p, m in ahead.items() if m}
        best = min((m for m in ahead.values() if m), key=lambda m: (m.start(), -m.end()), default=None)
        if best is None:
            break
        date = _read(best, folded, year, published, reported)
        if date is None:
            at = best.start() + 1
            continue
        date = replace(date, compared=_is_compared(best, date, folded))
        if tells_year(date, folded):
            year = re.split(r"[-HQ]", date.iso)[0]
        if re.search(r"-\d\d-\d\d$", date.iso) and (until := _UNTIL.match(folded, date.end)):  # 10月1日至7日
            last = f"{date.iso[:-2]}{int(until.group('day')):02}"
            date = Date(date.start, until.end(), f"{date.iso} 至 {last}", ranged=True)
        found.append(date)
        at = date.end
    return _ranges(found, folded)


def tells_year(date: Date, folded: str) -> bool:
    """Whether a month or a quarter behind a date is of its year: not behind “创2021年6月以来新高”."""
    since = re.match(r"[初中末底]?(?:以来|以前|之前|以后|之后)", folded[date.end :])
    return date.resolved and re.match(r"\d{3,4}", date.iso) is not None and not date.compared and since is None


def _patterns(reported: str | None) -> tuple[re.Pattern[str], ...]:
    general = (_YEAR, _COMPACT, _ENGLISH, _WORDS, _NOW, _PART)
    return (*general, _THEN, _BEFORE) if reported and re.fullmatch(r"\d{4}Q\d", reported) else general


def _is_compared(m: re.Match[str], date: Date, folded: str) -> bool:
    """Whether a date names another time to compare with: 去年, 较2019年, 2020年同期."""
    relative = m.re is _BEFORE or (m.re is _YEAR and m.group("relative") in ("去年", "上年", "前年", "明年"))
    return (
        relative
        or folded.startswith("同期", date.end)
        or re.search(r"[较比][于]?\s?$", folded[max(0, date.start - 3) : date.start]) is not None
    )


def _read(m: re.Match[str], folded: str, year: str | None, published: str | None, reported: str | None) -> Date | None:
    if reported and m.re is _THEN:
        return Date(m.start(), m.end(), reported)
    if reported and m.re is _BEFORE:
        n = 4 * int(reported[:4]) + int(reported[-1]) - 2
        return Date(m.start(), m.end(), f"{n // 4}Q{n % 4 + 1}")
    if m.re is _WORDS:
        first = _FIRST.fullmatch(m.group())
        if first and (known := year or (published[:4] if published else None)):
            return Date(m.start(), m.end(), _first_of(first, known), ranged=True)
        return Date(m.start(), m.end(), m.group(), resolved=False)
    if m.re is _NOW:
        return Date(m.start(), m.end(), published or m.group(), resolved=published is not None)
    part = m.groupdict()
    if m.re is _COMPACT:
        name = f"H{part['h'] or part['h2']}" if part["h"] or part["h2"] else f"Q{part['q'] or part['nq']}"
        return Date(m.start(), m.end(), f"{part['year'] if len(part['year']) == 4 else '20' + part['year']}{name}")
    if m.re is _ENGLISH:
        day = f"-{int(part['day']):02}" if part["day"] else ""
        return Date(m.start(), m.end(), f"{part['year']}-{_MONTHS.index(part['month'][:3]) + 1:02}{day}")
    if m.re is _PART:  # a month or half without its year
        return _without_year(m, folded, year, published)
    named = _year_of(part, year, published)
    if named and (first := _FIRST.match(folded, m.end())):
        return Date(m.start(), first.end(), _first_of(first, named), ranged=True)
    detail = _PART.match(folded, m.end())
    if named and detail is None and (holiday := _HOLIDAY.match(folded, m.end())):
        return Date(m.start(), holiday.end(), f"{named}年{holiday.group().lstrip('的')}", resolved=False)
    if named is None:
        end = detail.end() if detail else m.end()
        return Date(m.start(), end, folded[m.start() : end], resolved=False)
    if detail is None:
        return Date(m.start(), m.end(), named)
    return Date(m.start(), detail.end(), named + _suffix(detail))


def _first_of(first: re.Match[str], year: str) -> str:
    """The first months or quarters of a year."""
    if first.group("part") == "季":
        return f"{year}Q1 至 {year}Q{_day(first.group('n'))}"
    return f"{year}-01 至 {year}-{_day(first.group('n') or first.group('last')):02}"


def _without_year(m: re.Match[str], folded: str, year: str | None, published: str | None) -> Date | None:
    part = m.groupdict()
    written = m.group().lstrip(",，的 ")
    start = m.end() - len(written)
    if (
        part["month2"]
        or part["month3"]
        or part["end"]
        or part["begin"]
        or not re.match(r"[\d一二三四五六七八九十首第上下q]", written)
    ):
        return None
    if re.search(r"[\d个.第近每前上]$", folded[max(0, start - 1) : start]) or re.match(
        r"[活均度票供费薪租卡流]", folded[m.end() : m.end() + 1]
    ):
        return None
    if (part["half"] and not written.endswith("年")) or (
        part["quarter"] and not written.endswith("度") and "季" not in written
    ):
        return None
    known = year or (published[:4] if published else None)
    if known is None:
        return Date(start, m.end(), written, resolved=False)
    suffix = _suffix(m)
    if year is None and published and _is_ahead(suffix, published) and not _AHEAD.match(folded, m.end()):
        known = str(int(known) - 1)  # in February, the fourth quarter is last year's
    return Date(start, m.end(), known + suffix)


def _is_ahead(suffix: str, published: str) -> bool:
    """Whether a part of a year begins after the month of publication."""
    month = re.match(r"-(\d\d)", suffix)
    first = int(month.group(1)) if month else 6 * int(suffix[1]) - 5 if suffix[0] == "H" else 3 * int(suffix[1]) - 2
    return len(published) >= 7 and first > int(published[5:7])


def _year_of(part: dict[str, str | None], year: str | None, published: str | None) -> str | None:
    if spelt := part["spelt"]:
        return "".join(_DIGIT[c] for c in spelt)
    if republic := part["republic"]:
        return str(1911 + _day(republic))
    if short := part["short"]:
        return "20" + short
    if relative := part["relative"]:
        if relative in ("同年", "当年"):
            return year
        if relative in ("次年", "翌年"):
            return str(int(year) + 1) if year else None
        now = published[:4] if published else year
        shift = {"去年": -1, "上年": -1, "前年": -2, "明年": 1}.get(relative, 0)
        return str(int(now) + shift) if now else None
    return part["year"] or part["early"] or part["stated"] or part["plain"] or part["until"] or part["bare"]


def _suffix(m: re.Match[str]) -> str:
    part = m.groupdict()
    if half := part["half"]:
        return "H1" if half[0] == "上" or "1" in half else "H2"
    if quarter := part["quarter"] or part["q"]:
        return f"Q{_NUMERAL.get(quarter) or int(quarter)}"
    if part["last"]:
        return "Q4"
    if part["end"]:
        return "-12"
    if part["begin"]:
        return "-01"
    month = part["month"] or part["month2"] or part["month3"] or ""
    day = part["day"] or part["day2"] or part["day3"]
    result = f"-{_NUMERAL.get(month) or int(month):02}"
    return f"{result}-{_day(day):02}" if day else result + (part["third"] or "")


def _day(written: str) -> int:
    if written.isdecimal():
        return int(written)
    tens, _, ones = written.rpartition("十")
    if "十" not in written:
        return _NUMERAL[written]
    return (_NUMERAL[tens] if tens else 1) * 10 + (_NUMERAL[ones] if ones else 0)


def _ranges(found: list[Date], folded: str) -> list[Date]:
    """Joins “2024年Q2至2025年Q1”, “2月至3月期间” and “第二季度(Q2)” into one each."""
    result: list[Date] = []
    for date in found:
        before = result[-1] if result else None
        if (
            before
            and before.iso.endswith(date.iso)
            and folded[before.end : date.start] + folded[date.end :][:1] == "()"
        ):
            result[-1] = replace(before, end=date.end + 1)
        elif (
            before
            and before.resolved
            and date.resolved
            and not before.ranged
            and _RANGE.fullmatch(folded[before.end : date.start])
        ):
            result[-1] = replace(before, end=date.end, iso=f"{before.iso} 至 {date.iso}", ranged=True)
        else:
            result.append(date)
    return result
