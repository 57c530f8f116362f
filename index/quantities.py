"""The quantities a folded text states: number, unit and hedge, Arabic or Chinese, ranges, fractions and lists.

Words and units are in lexicon/figures.toml. Dates, ordinals, versions and damaged numerals are none.
"""

import re
from dataclasses import dataclass
from functools import cache

from index.data import lexicon
from index.grammar import is_measure
from index.tokenize import tagged

Number = float | tuple[float, float]  # a range: its ends
LONGEST = 20  # characters of a value: longer ones are codes
NEAR = 40  # characters before or after a value that can say anything of it
LONGEST_CLAUSE = 200  # … and of a list that a count sums up


@dataclass(frozen=True, slots=True)
class Quantity:
    """`text[start:end]` is the value as written, without its hedge."""

    start: int
    end: int
    number: Number  # in base units: 49.2% → 0.492, 30万亿 → 3e13
    unit: str | None  # as written, without the multiplier; % for per cent
    hedge: str | None  # 超, 近, 约 … as written
    kind: str  # currency, rate, measure, counted, duration or bare


_POWERS = {"十": 1e1, "百": 1e2, "千": 1e3, "万": 1e4, "亿": 1e8, "兆": 1e12}
_ARABIC = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_ONES = "一二三四五六七八九"
_POINT = rf"点[零{_ONES}]+"
_CHINESE = rf"(?:[两{_ONES}][零〇{_ONES}十百千]*(?:{_POINT})?|十[{_ONES}]?(?:{_POINT})?|零{_POINT}|[百千])"
_POWER = r"(?:[十百千]?(?:万亿|亿|万|兆(?![瓦赫字比帕]))|[百千](?=[\u4e00-\u9fff]))"
_NUMERALS = frozenset("零〇一二两三四五六七八九十百千万亿数几上过")
_BREAKS = frozenset('，,。;；、:： ()（）“”"\0')
_SURE = re.compile(rf"百分之|[零十{_ONES}]+点[零{_ONES}]")
_SMALL = re.compile(r"[一两二三四五六七八九]")
_LISTED = re.compile(rf"({_ARABIC})\s?(?:、|和|及|与|,|/)\s?$")
_POWERED = re.compile(rf"{_ARABIC}\s?(?P<power>{_POWER})")
_DAMAGED = re.compile(r"\?[?!;]?|[\ufffd\ue000-\uf8ff]")


@cache
def _pattern() -> re.Pattern[str]:
    words = lexicon("index", "figures")["quantity"]
    kinds = "|".join(rf"(?P<{kind}>{words[kind]})" for kind in ("rate", "currency", "measure", "duration", "counted"))
    one = rf"(?:{_ARABIC}|{_CHINESE})"
    return re.compile(
        rf"(?P<hedge>{words['hedge_before']})?\s?(?P<prefix>{words['prefix']})?\s?"
        rf"(?:(?P<vague>数|几|(?<![晚早])上|过|成)(?P<vague_power>[十百千]?(?:万亿|亿|万)|[十百千])"
        rf"|(?P<zhao>{_ARABIC})\s?兆\s?(?P<zhao_yi>\d{{1,4}})\s?(?=亿)"
        rf"|(?P<yi>{_ARABIC})亿(?P<wan>\d{{1,4}})万(?=\D)"
        rf"|(?<!/)(?P<nominator>\d+)/(?P<denominator>\d+)(?![\d/.%亿万]|\s?{words['currency']})"
        rf"|百分之(?P<hundredths>{one})"
        rf"|(?P<parts>[一二两三四五六七八九十百千万]{{1,9}})分之(?P<of>[一二两三四五六七八九十百]{{1,9}}|\d+(?:\.\d+)?)"
        rf"(?:(?:至|到|-|~)(?P<parts2>[一二两三四五六七八九十百千万]{{1,9}})分之(?P<of2>[一二两三四五六七八九十百]{{1,9}}))?"
        rf"|(?P<low>{one})(?P<low_power>{_POWER})?(?P<low_unit>%(?=\s?(?:-|—+|–|~|至|到)(?:多于|超过)?\s?[\d.]+\s?%)|元)?\s?(?:-|—+|–|~|至|到)(?:多于|超过)?\s?(?P<high>{one})(?P<power>{_POWER})?"
        rf"|(?P<single>{one})\s?(?P<single_power>{_POWER})?)"
        rf"(?P<more>\+|[余多几](?!种样元方|项目))?\s?(?P<more_power>(?:万亿|亿|万)(?![平公]))?\s?(?:{kinds})?"
        rf"(?P<after>{words['hedge_after']})?"
    )


@cache
def _change() -> str:
    return "|".join(lexicon("index", "figures")["words"]["change"])


def parsed(numeral: str) -> float:
    """An Arabic or Chinese numeral as a number; ValueError when it is none."""
    plain = numeral.replace(",", "")
    if not plain:
        raise ValueError("empty numeral")
    if re.fullmatch(r"\d+(?:\.\d+)?", plain):
        return float(plain)
    import cn2an  # here: it takes 0.15 s, and most numbers are written in digits

    try:
        return float(cn2an.cn2an("一" + plain if plain[0] in _POWERS and plain[0] != "十" else plain, "smart"))
    except LookupError as e:  # 千万 after 千万: a unit it does not know
        raise ValueError(f"no numeral: {numeral}") from e


def _times(power: str | None) -> float:
    result = 1.0
    for c in power or "":
        result *= _POWERS[c]
    return result


def quantities_in(folded: str, taken: tuple[tuple[int, int], ...] = ()) -> list[Quantity]:
    """The quantities of a folded text, in order.

    Args:
        taken: stretches that are something else, such as dates.
    """
    # what is taken cannot match, and lengths stay
    free = list(folded)
    for start, end in taken:
        free[start:end] = "\0" * (end - start)
    folded = "".join(free)
    not_before = re.compile(lexicon("index", "figures")["quantity"]["not_before"])
    found: list[Quantity] = []
    at = 0
    while m := _pattern().search(folded, at):
        at = max(m.end(), at + 1)
        quantity = _quantity(m, folded)
        if quantity is not None and not _is_number_word(folded, quantity.start):
            quantity = None
        if quantity is None:
            at = m.start() + (len(m.group("hedge") or "") or 1) if m.group("hedge") else m.end()
            continue
        if not not_before.search(folded[max(0, quantity.start - 8) : quantity.start]) and not _is_apposed(
            quantity, folded
        ):
            found.append(quantity)
    return _shared(found, folded)


def _quantity(m: re.Match[str], folded: str) -> Quantity | None:
    part = m.groupdict()
    start = m.end("hedge") if part["hedge"] else m.start()
    start += len(folded[start : m.end()]) - len(folded[start : m.end()].lstrip())
    end = m.start("after") if part["after"] else m.end()
    end = start + len(folded[start:end].rstrip())
    kind = next((k for k in ("rate", "currency", "measure", "duration", "counted") if part[k]), "bare")
    unit = part[kind] if kind != "bare" else None
    if part["prefix"] and kind in ("bare", "currency"):
        kind, unit = "currency", part["prefix"]
    slashed = kind in ("currency", "rate") and _is_slashed(folded, start, end, unit or "")
    if end - start > LONGEST or not (slashed or _stands_alone(folded, start, end, has_unit=unit is not None)):
        return None
    try:
        number = _number(part)
    except (ValueError, KeyError, OverflowError, ZeroDivisionError):
        return None
    powered = any(part[p] for p in ("vague_power", "yi", "single_power", "power", "low_power", "more_power", "zhao"))
    fraction = part["denominator"] or part["parts"] or part["hundredths"]
    if part["denominator"] and kind != "bare":  # 24/7小时, 3/4人
        return None
    written = folded[start:end]
    if kind == "bare" and not (powered or fraction or part["more"]) and not _is_scored(folded, start, written):
        return None
    if folded.endswith("连续", 0, start) and (kind == "duration" or unit == "次"):  # 连续三次
        return None
    if kind in ("counted", "duration") and _is_loose(part):
        return None
    if unit == "级" and powered:  # 千亿级模型
        return None
    if part["more"] and kind == "bare" and not powered and not re.match(r"\d", written):
        return None
    if re.match(r"[千百万]人[千百万]面", folded[start : start + 4]):
        return None
    # 七个月增长超33倍: when, not what
    if kind == "duration" and re.match(rf"(?:{_change()})", folded[end : end + NEAR]):
        return None
    if kind == "currency" and unit and unit.startswith("亿"):
        number, unit = _scaled(number, 1e8), unit[1:]
    if kind == "rate" and unit:
        number = _scaled(number, {"成": 0.1, "折": 0.1, "倍": 1.0, "‰": 0.001}.get(unit, 0.01))
    if part["hundredths"]:
        unit, kind = "%", "rate"
    vague = {"数": "数", "几": "几", "上": "上", "过": "过"}.get(part["vague"] or "")
    led = re.search(r"([约超近逾])[占为达有]到?$", folded[max(0, start - 3) : start])
    said = part["hedge"] or (led.group(1) if led else None)
    said = said.removesuffix("为") if said else None
    hedge = "".join(h for h in (said, vague, part["more"], part["after"]) if h) or None
    if kind in ("rate", "currency") and isinstance(number, float) and _is_negative(folded, start):
        start, number = start - 1, -number
    return Quantity(start, end, number, unit, hedge, kind)


def _is_negative(folded: str, start: int) -> bool:
    """Whether the dash before a number is a minus: 毛利率为-24.7%, 同比-12%; not in 华东-30% or before an item."""
    if start < 2 or folded[start - 1] not in "-\u2212":
        return False
    before = folded[max(0, start - 8) : start - 1]
    if before[-1] in "为是达至到由从约近(,、:/和与" or (
        before[-1] == " " and re.search(r"[\u4e00-\u9fff|]\s$", before)
    ):
        return True
    word = re.search(r"[\u4e00-\u9fff]+$", before)
    return word is not None and (is_measure(word.group()) or word.group().endswith(("同比", "环比", "按年", "按季")))


def _scaled(number: Number, by: float) -> Number:
    if isinstance(number, tuple):
        return (_round(number[0] * by), _round(number[1] * by))
    return _round(number * by)


def _round(x: float) -> float:
    return float(f"{x:.12g}")  # 0.492, not 0.49200000000000005


def _number(part: dict[str, str | None]) -> Number:
    more = _times(part["more_power"])
    if part["vague"] in ("数", "几"):  # 数十: 20 to 99
        power = _times(part["vague_power"]) * more
        return (2 * power, _round(9.9 * power))
    if part["vague"]:
        return _times(part["vague_power"]) * more
    if part["zhao"]:
        return (parsed(part["zhao"]) * 1e4 + parsed(part["zhao_yi"] or "")) * more
    if part["yi"]:
        return parsed(part["yi"]) * 1e8 + parsed(part["wan"] or "") * 1e4
    if part["denominator"]:
        return _round(parsed(part["nominator"] or "") / parsed(part["denominator"]))
    if part["parts"]:
        share = _round(parsed(part["of"] or "") / parsed(part["parts"]))
        if part["parts2"]:
            return (share, _round(parsed(part["of2"] or "") / parsed(part["parts2"])))
        return share
    if part["hundredths"]:
        return _round(parsed(part["hundredths"]) / 100)
    if part["low"]:
        high = parsed(part["high"] or "") * _times(part["power"]) * more
        low = parsed(part["low"]) * _times(part["low_power"] or part["power"]) * (1 if part["low_power"] else more)
        if low > high:
            raise ValueError
        return (_round(low), _round(high))
    return _round(parsed(part["single"] or "") * _times(part["single_power"]) * more)


def _stands_alone(folded: str, start: int, end: int, *, has_unit: bool = False) -> bool:
    """Not part of a name, a code or a damaged numeral."""
    before, after = folded[max(0, start - 2) : start], folded[end : end + 2]
    if re.search(r"[\da-z.\-_/:+'’]$", before) and not re.search(r"[\u4e00-\u9fff\s][\-—+]$", before):
        return False
    if re.match(r"\.\d|/\d|:\d|-[\da-z]|年|月\d|号线", after) or (not has_unit and re.match(r"[a-z_]", after)):
        return False
    if re.search(r"[第初周]$", before) and not folded[start:end].endswith("%"):
        return False
    # a character lost in conversion eats the numeral beside it
    return not (_DAMAGED.match(after) and not re.match(r"\?[?!]?(?:$|\s|[”\"』」])", after + " ")) and not re.search(
        r"[?\ufffd\ue000-\uf8ff];?$", before
    )


def _is_slashed(folded: str, start: int, end: int, unit: str) -> bool:
    """Whether a value is one of several between slashes with one unit: 9.5/12.8/16.5亿元, 20%/-3%; no 5元/1000次."""
    size = rf"{_ARABIC}(?:{_POWER})?"
    before = re.search(
        rf"(?<![\d.a-z/]){size}(?:{re.escape(unit)})?(?:/[+-]?{size}(?:{re.escape(unit)})?)*/[+-]?$",
        folded[max(0, start - NEAR) : start],
    )
    after = re.match(rf"/[+-]?{size}{re.escape(unit)}", folded[end : end + NEAR])
    if after and not before:
        return not re.search(r"[\da-z._/:'’]$|[\da-z][-+]$", folded[max(0, start - 2) : start])
    return before is not None and (after is not None or re.match(r"/\d|[a-z_]", folded[end : end + 2]) is None)


def _is_number_word(folded: str, start: int) -> bool:
    """Whether a Chinese numeral is one: not the 百 of 百度, nor the 千 of 千问."""
    if folded[start] not in _NUMERALS or _SURE.match(folded, start):
        return True
    at = start
    while at and folded[at - 1] not in _BREAKS and start - at < 12:
        at -= 1
    for word, tag in tagged(folded[at : start + 12]):
        if at <= start < at + len(word):
            own = folded[max(at, start) : at + len(word)]
            return (tag[0] in "mtq" or set(own) <= _NUMERALS | set("余多几") or own[0] != word[0]) and not re.match(
                r"n[rsz]", tag
            )
        at += len(word)
    return True


def _is_scored(folded: str, start: int, written: str) -> bool:
    """A bare number counts after a word like 得分, or with a + or a decimal point among words of measure."""
    if not re.match(r"\d", written):
        return False
    scored = lexicon("index", "figures")["quantity"]["scored"]
    return re.search(
        rf"(?:{scored})[了至到为是约超近过达]*$", folded[max(0, start - 8) : start]
    ) is not None or written.endswith("+")


def _is_loose(part: dict[str, str | None]) -> bool:
    """一个, 二次, 两大: a manner of speaking more often than a count."""
    single = part["single"] or ""
    if part["single_power"] or part["low"] or not _SMALL.fullmatch(single):
        return False
    unit = part["counted"] or part["duration"] or ""
    return single in ("一", "二") or unit in lexicon("index", "figures")["quantity"]["loose"]


def _is_apposed(quantity: Quantity, folded: str) -> bool:
    """“百度、阿里、腾讯三家”: the list says how many already."""
    if quantity.kind != "counted" or not isinstance(quantity.number, float) or not 2 <= quantity.number <= 9:
        return False
    before = re.split(r"[，,。;；:：]", folded[max(0, quantity.start - LONGEST_CLAUSE) : quantity.start])[-1]
    if len(before) == LONGEST_CLAUSE or len(re.findall(r"、|和|与", before)) != quantity.number - 1:
        return False
    last = tagged(before)
    return bool(last) and last[-1][1].startswith(("n", "eng", "x"))


def _is_listed(folded: str, start: int, end: int, last: Quantity) -> bool:
    """Whether a numeral stands in a list; one of slashes holds money, rates or large numbers: no 24/7小时."""
    if not folded.startswith("/", end):
        return _stands_alone(folded, start, end)
    large = isinstance(last.number, float) and last.number >= 1e4
    before = folded[max(0, start - 1) : start]
    return (last.kind in ("currency", "rate") or large) and re.match(r"[\da-z.\-_:+'’]", before) is None


def _shared(found: list[Quantity], folded: str) -> list[Quantity]:
    """Adds the numbers that share the unit of the last one of a list: “17.5、13.5和31.6个百分点”."""
    result: list[Quantity] = []
    for q in found:
        start = q.start
        listed: list[Quantity] = []
        power = _POWERED.match(folded, q.start)  # 17.5、13.5亿元: 亿 is of both
        factor = {"%": 0.01, "个百分点": 0.01, "百分点": 0.01}.get(q.unit or "", 1.0)
        factor *= _times(power.group("power")) if power else 1.0
        while m := _LISTED.search(folded[max(0, start - NEAR) : start]):
            first, last = (max(0, start - NEAR) + at for at in m.span(1))
            if last - first > LONGEST or not _is_listed(folded, first, last, q) or (result and first < result[-1].end):
                break
            if q.kind != "bare" or factor != 1.0:
                listed.append(Quantity(first, last, _round(parsed(m.group(1)) * factor), q.unit, None, q.kind))
            start = first
        result += [*reversed(listed), q]
    return result
