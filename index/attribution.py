"""Who says what a sentence states, and counted how: its source, market and 口径. Words in lexicon/figures.toml."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from index.data import lexicon
from index.tokenize import tagged


@dataclass(frozen=True, slots=True)
class Source:
    """`text[start:end]` names the source; it is no part of what is said."""

    who: str | None  # None: “数据显示” names nobody
    start: int
    end: int
    speaks: bool = False  # somebody says so here (表示, 宣布): it holds for this sentence, a report for the paragraph
    reports: bool = False  # … and it is the company whose report it is
    own: bool = False  # a company's own report, named without the company (2024年财报显示)
    words: str = ""  # as the text names it, where it names nobody


def _words() -> dict[str, Any]:
    return lexicon("index", "figures")


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    said = _words()["said"]
    verbs, by, nouns, loose = said["verbs"], said["by"], said["nouns"], said["loose_verbs"]
    firm = "|".join(v for v in verbs.split("|") if v not in loose.split("|"))
    return (
        # 据 IDC 9 月公布的《…》报告显示, | 据官方信息显示,
        re.compile(
            rf"(?:{by})(?![此说点])(?P<who>(?:《[^》]*》|[^，,。;；:：《》]){{1,40}}?)(?:{nouns})?(?:中)?(?:{verbs})[,，:：]?"
        ),
        re.compile(rf"(?:{by})(?![此说点])(?P<who>(?:《[^》]*》|[^，,。;；:：《》]){{1,30}}?(?:{nouns}))[,，]"),
        # 根据艾瑞咨询《…》,
        re.compile(rf"(?:{by})(?P<who>[^，,。;；:：《》]{{1,20}}《[^》]*》)(?:中的?)?(?:{nouns})?[,，]"),
        # 按 Omdia 的全链条收入口径,
        re.compile(
            r"按\s?(?P<who>[^，,。;；:：《》的\s]{2,12})\s?(?:的[^，,。;；:：]{0,24})?口径(?:[（(][^）)]*[)）])?[,，:：]"
        ),
        # 在市场调研机构 Omdia 发布的另一份报告中——《…》
        re.compile(
            rf"(?:在|由)?(?P<who>[^，,。;；:：《》]{{2,24}}?)(?:发布|公布|披露|编撰|撰写|编制|出具|推出)的?[^，,。;；:：《》]{{0,30}}?(?:(?:{nouns})(?:中)?|(?=《))"
            rf"(?:——|[,，:：])?(?P<title>《[^》]*》)?(?:{verbs})?[,，:：]?"
        ),
        # Omdia较早前的AI云市场报告则是另一番景象:
        re.compile(
            rf"(?:^|(?<=[。;；]))(?P<who>[a-z][a-z\d.&\- ]{{1,24}}"
            rf"|[^，,。;；:：《》的]{{2,16}}(?:{said['institutions']}))(?:较?[早此]?前|较早前|最新|近日)?的[^，,。;；:：《》]{{0,16}}?(?:{nouns})[^，,。;；:：《》]{{0,12}}[:：]"
        ),
        # IDC 报告指出, | 火山引擎总裁谭待现场表示,
        re.compile(
            rf"(?:^|(?<=[，,。;；]))(?P<who>(?:《[^》]*》|[^，,。;；:：《》、]){{1,24}}?)(?:{nouns})?(?:中)?(?:(?:{loose})(?=[,，:：“\"])|(?:{firm})(?=[,，:：“\"]|[^的了]{{3}}))[,，:：]?"
        ),
    )


_WHEN = re.compile(
    r"(?:今\s?\(\d{1,2}\)\s?日|昨\s?\(\d{1,2}\)\s?日|内容|近日|日前|今日|昨日|现场|此前|最新|最近|在接受.*|在[^在]{1,20}[上中时]|(?:\d{4}年)?\d{1,2}月(?:\d{1,2}日)?|(?:19|20)\d\d年?(?:[hq][1-4]|[上下]半年|第?[一二三四1-4]季度?)?)+$"
)
_MADE = re.compile(r"(?:公布|发布|披露|编撰|撰写|出具|推出|提供)的?.*$")


def source_of(folded: str) -> Source | None:
    """Who a folded sentence names as its source, if anybody; the first naming counts."""
    found = [m for p in _patterns() for m in p.finditer(folded)]
    # a character lost in conversion (“?;”) takes the name beside it along
    sound = [m for m in found if not re.search(r"[?？][;；!！]?$", folded[max(0, m.start() - 3) : m.start()])]
    best = min(sound, key=lambda m: (m.start(), -m.end()), default=None)
    if best is None:
        return None
    who = best.group("who")
    title = re.search(r"《[^》]*》", best.group())
    name = re.sub(r"《[^》]*》", "", who).strip("　 的-—")
    name = re.sub(r"^.*[\u4e00-\u9fff]\s+(?=[\u4e00-\u9fff]{3})", "", name)  # headings run together
    if "(" in name and ")" not in name:  # 国际数据公司(IDC)
        name = name.rsplit("(", 1)[1]
    if re.search(r"的.{2,20}$", name) and len(name) > 12:
        name = name.rsplit("的", 1)[1]
    name = re.sub(r"^(?:由|在|而|但|从|据|根据|依据|按照|援引|正如)+", "", _MADE.sub("", name))
    name = _WHEN.sub("", re.sub(_words()["said"]["generic"], "", name)).strip(" 的,，在于")
    said = _words()["said"]
    whole = best.group()
    name = _WHEN.sub("", re.sub(rf"(?:{said['nouns']})+$", "", name) or name)
    if re.fullmatch(f"{said['nobody']}|{said['own_report']}|", name) or not _is_somebody(name):
        name = ""
    if re.search(r"[的了]|\d{5}", name) or len(name) > (2 if name.isascii() else 1) * 20:
        name = ""
    full = name + (title.group() if title else "")
    return Source(
        full or None,
        best.start(),
        best.end(),
        speaks=re.search(rf"(?:{said['speech']})[,，:：]?$", whole) is not None,
        reports=bool(full)
        and re.search(
            rf"(?:公布|发布|披露|公告).{{0,20}}(?:{said['own_report']}|业绩|营收|财务)",
            folded[best.start() : best.end() + 12],
        )
        is not None,
        own=not full and re.search(said["own_report"], whole) is not None,
        words=whole.strip(",，:："),
    )


def _is_somebody(name: str) -> bool:
    """Whether words can name a source: no adverb and no preposition among them (同样在月初)."""
    tokens = tagged(name)
    return tokens[-1][1][0] not in "dpcu" and not any(tag in ("d", "p", "ad") for _, tag in tokens)


_BRACKET = re.compile(r"[（(]([^（）()]{2,80})[)）]")


def scope_note(folded: str) -> str | None:
    """What a sentence says in so many words about how it counts (统计口径:…)."""
    note = _words()["scope"]["note"]
    for m in _BRACKET.finditer(folded):
        if found := re.match(note, m.group(1)):
            return m.group(1)[found.end() :].strip("*“” ")
    if found := re.search(rf"(?:{note})([^,，。;；]{{4,60}})", folded):
        return found.group(1).strip("*“” ")
    return None


def market_of(folded: str) -> str | None:
    """The market, industry or ranking a folded stretch names (中国模型调用量市场), the last of several."""
    scope = _words()["scope"]
    found = None
    for m in re.finditer(rf"[a-z\d+\u4e00-\u9fff ()]{{0,20}}?(?:{scope['market']})(?![占份规的格]额?)", folded):
        found = m.group()
    if found is None:
        return None
    starts = [m.start() for m in re.finditer(scope["region"], found)]
    if starts:
        whole = found[starts[0] :]
        return whole if len(whole) > 4 and not re.search(r"在|该|首个|第一", whole) else None
    placed = re.search(r"(?:在|于)(.{3,12})$", found)
    return placed.group(1) if placed else None


def region_of(folded: str) -> str | None:
    """The region a folded stretch names alone (全球)."""
    return next(iter(re.findall(_words()["scope"]["region"], folded)), None)
