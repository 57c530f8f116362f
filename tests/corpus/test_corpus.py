"""The shipped digests hold every known fact of their sources, in our own words, sentence by sentence."""

import json
import re
import unicodedata
from collections.abc import Collection
from datetime import date
from functools import cache
from pathlib import Path

import opencc
import pytest
import yaml

corpus = Path(__file__).parents[2] / "corpus"
shared = Path(__file__).parents[3] / "shared"
needs_shared = pytest.mark.skipif(not (shared / "data" / "market_facts.jsonl").exists(), reason="no shared/ here")

STEMS = ("000", "001", "002", "003", "004")
SOURCE_KINDS = {"official", "research", "press", "self-media", "seo", "digest"}
FIELDS = {"title", "publisher", "author", "published", "url", "lang", "source_kind", "keep", "examples"}
LONGEST_SENTENCE = 180  # characters
LONGEST_SHARED_RUN = 15  # characters, after normalising

# Runs that cannot be said otherwise: names, report titles, lists of names, a unit. Nothing else belongs here.
ALLOWED_RUNS = (
    "《中国大模型公有云服务市场分析,2025H1》",  # title of IDC's report
    "一个流量屡创新高月入千万、但惨遭“嫌弃”的AI赛道",  # title of the article that 003 quotes
    "火山引擎(字节)、阿里云、华为云、腾讯云、百度云",  # list of companies
    "字节跳动、阿里巴巴、阶跃星辰、智谱AI、DeepSeek",  # list of companies
    "Artificial Analysis",  # an evaluation platform
    "LMSYS Chatbot Arena",  # an evaluation platform
    "元人民币/百万Token",  # a unit
)

_t2s = opencc.OpenCC("t2s").convert
_s2t = opencc.OpenCC("s2t").convert


# --- normalising and matching, as the project's judge does it ---------------------------------------------------------


def without_pinyin(text: str) -> str:
    """Leaves out a reading such as (guó) behind a character; a bracket without a tone mark, e.g. (token), stays."""

    def drop(m: re.Match[str]) -> str:
        return "" if unicodedata.normalize("NFD", m[1]) != m[1] else m[0]

    return re.sub(r"(?<=[\u3400-\u9fff])\(([a-z\u00e0-\u01dc]{1,7})\)", drop, text)


@cache
def norm(text: str, *, keep_space: bool = False) -> str:
    text = re.sub(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!\d)", lambda m: m[0].replace(",", ""), str(text))
    text = _t2s(unicodedata.normalize("NFKC", text)).lower()
    text = re.sub(r"[\u200b-\u200f\u2060\ufeff\u00ad\ue000-\uf8ff]", "", text)
    text = without_pinyin(text)
    text = re.sub(r"[\u2010-\u2015\u2212~\u301c]+", "-", text)
    text = text.replace("「", "“").replace("」", "”")
    return re.sub(r"\s+", " " if keep_space else "", text).strip()


def find(needle: str, text: str) -> int:
    """Where the needle is in the normalised text, or -1; a figure counts whole: 200亿 is not in 1200亿."""
    n = norm(needle)
    if not n:
        return -1
    word = re.fullmatch(r"[a-z][a-z.]{0,3}", n)
    for m in re.finditer(r" ?".join(map(re.escape, n)), text):
        i, j = m.start(), m.end()
        if word and (re.match(r"[a-z]", text[i - 1 : i]) or re.match(r"[a-z]", text[j : j + 1])):
            continue
        if n[0].isdigit() and re.search(r"\d\.?$", text[max(0, i - 2) : i]):
            continue
        if n[-1].isdigit() and re.match(r"\.?\d| ?[万亿]", text[j : j + 2]):
            continue
        if re.search(r"\d万$", n) and text[j : j + 1] == "亿":
            continue
        return i
    return -1


# --- the documents ----------------------------------------------------------------------------------------------------


def document(stem: str) -> tuple[dict[str, object], str]:
    (path,) = sorted(corpus.glob(f"{stem}-*.md"))
    _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(head), body


def paragraphs(body: str) -> list[str]:
    return [p for p in re.split(r"\n\s*\n", body.strip()) if not p.startswith("#")]


def sentences(body: str) -> list[str]:
    return [s.strip() for s in re.split(r"(?<=[。！？])(?![”」])|\n", body) if s.strip()]


def article(stem: str) -> str:
    (path,) = (shared / "articles").glob(f"{stem}_*.txt")
    return path.read_text(encoding="utf-8")


def test_there_are_five_documents_one_per_article() -> None:
    names = sorted(p.name for p in corpus.glob("*.md") if p.name != "README.md")
    assert [n[:4] for n in names] == [f"{s}-" for s in STEMS]
    assert all(re.fullmatch(r"\d{3}-[a-z0-9-]+\.md", n) for n in names)


@pytest.mark.parametrize("stem", STEMS)
def test_front_matter_says_what_the_source_is_and_that_this_is_a_digest(stem: str) -> None:
    head, _ = document(stem)
    assert {"title", "publisher", "author", "lang", "source_kind"} <= set(head) <= FIELDS
    assert all(isinstance(v := head[k], str) and v.strip() for k in ("title", "publisher", "author"))
    assert head["lang"] in {"zh-Hans", "zh-Hant"}
    assert head["source_kind"] in SOURCE_KINDS
    assert head["source_kind"] == "digest"
    assert isinstance(head.get("published", date.today()), date)
    assert str(head.get("url", "https://")).startswith("https://")


def test_exactly_one_document_is_traditional_and_its_characters_are() -> None:
    traditional = [s for s in STEMS if document(s)[0]["lang"] == "zh-Hant"]
    assert traditional == ["004"]
    for stem in STEMS:
        body = document(stem)[1]
        changed = sum(a != b for a, b in zip(body, _t2s(body), strict=True)) / len(body)
        assert changed > 0.2 if stem == "004" else changed == 0, f"{stem}: {changed:.1%} traditional characters"
    body = document("004")[1]
    # both scripts write these; OpenCC prefers another form of each
    body = re.sub("[台床折]", "", body)
    left = {a for a, b in zip(body, _s2t(body), strict=True) if a != b and _t2s(b) == a}
    assert not left, f"simplified characters in 004: {''.join(sorted(left))}"


@pytest.mark.parametrize("stem", STEMS)
def test_no_sentence_is_too_long_to_quote(stem: str) -> None:
    long = [f"{len(s)}: {s}" for s in sentences(document(stem)[1]) if len(s) > LONGEST_SENTENCE]
    assert not long, "\n".join(long)


@pytest.mark.parametrize("stem", STEMS)
def test_no_sentence_leans_on_the_one_before(stem: str) -> None:
    leans = re.compile(r"^(?:其|该|這|这|此外|同时|另外|而且|但)|它|该公司|前者|后者")
    leaning = [s for s in sentences(document(stem)[1]) if leans.search(_t2s(s))]
    assert not leaning, "\n".join(leaning)


# --- our own words ----------------------------------------------------------------------------------------------------


def shared_runs(ours: str, theirs: str, at_least: int) -> list[str]:
    """Maximal stretches of `ours` that also stand in `theirs`, longest first."""
    runs, i = [], 0
    while i < len(ours):
        j = i + 1
        while j <= len(ours) and ours[i:j] in theirs:
            j += 1
        if j - 1 - i >= at_least:
            runs.append(ours[i : j - 1])
        i = max(i + 1, j - at_least)  # a longer run can only start inside the last one's tail
    return sorted(set(runs), key=len, reverse=True)


@needs_shared
@pytest.mark.parametrize("stem", STEMS)
def test_nothing_but_names_is_copied_from_the_article(stem: str) -> None:
    ours = norm(document(stem)[1])
    for name in ALLOWED_RUNS:
        ours = ours.replace(norm(name), "\0")
    runs = shared_runs(ours, norm(article(stem)), LONGEST_SHARED_RUN + 1)
    assert not runs, "\n".join(f"{len(r)}: {r}" for r in runs)


@needs_shared
def test_every_allowed_run_is_needed() -> None:
    bodies, articles = [[norm(f(s)) for s in STEMS] for f in (lambda s: document(s)[1], article)]
    pairs_of = list(zip(bodies, articles, strict=True))
    assert not [r for r in ALLOWED_RUNS if not any(norm(r) in ours and norm(r) in theirs for ours, theirs in pairs_of)]


@needs_shared
@pytest.mark.parametrize("stem", ["001", "003", "004"])
def test_title_is_the_articles_own(stem: str) -> None:
    title = str(document(stem)[0]["title"])
    assert title in without_pinyin(article(stem))


# --- every fact -------------------------------------------------------------------------------------------------------

NUMBER = r"\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?|/\d+)?"
COUNTED = "%|万亿|亿|万|倍以上|倍|家|款|项|个百分点|个|名|种|元|毫秒|ms|分|年"
FIGURE = re.compile(rf"(?<![a-z\d.])(?<![a-z]-){NUMBER}(?:余|多|\+)?(?:{COUNTED})*")
DATE = re.compile(r"20\d\d年(?:\d{1,2}月(?:\d{1,2}日|底|上旬)?|上半年|第.季度|全年|底|末)?")
HEDGES = ("超过", "超", "近", "约", "突破", "低至", "仅")
SMALL = set("的了和与及等在是从到以被为其或而且则并也已将把对于中上下由向为有")
VALUE_SHARE = SUBJECT_SHARE = 0.75
UNSTATED = re.compile(r"未(?:点名|注明|写明|给|说明|写)|没有(?:注明|写|给|说明)")
SCOPE_WORDS = (
    "IDC", "Omdia", "斯坦福", "外部客户", "不包含自有业务", "全链条收入", "AI IaaS", "榜单", "头部商家", "调用次数",
    "推理成本", "训练成本", "MoE", "财报", "官方", "同比", "半年", "自报", "数据中心", "目标", "GPT-3", "月活",
)  # fmt: skip
INSTITUTIONS = (
    "IDC", "Omdia", "谭待", "斯坦福", "白鲸出海", "脚注", "从业者", "榜单", "快手", "澎湃新闻", "蓝鲸财经", "署名",
    "免责声明",
)  # fmt: skip
AUTHORS = ("世雄", "夏新", "Colin", "温故智新AIGC实验室", "数据猿")


def in_words(period: str) -> str:
    """2025H1 → 2025年上半年, 2024-12-15 and 2025/7/23 → 2024年12月15日 …"""
    period = re.sub(r"\s+", "", period)
    period = re.sub(r"(\d{4})H1", r"\1年上半年", period)
    period = re.sub(r"(\d{4})Q(\d)", lambda m: f"{m[1]}年第{'一二三四'[int(m[2]) - 1]}季度", period)
    period = re.sub(r"(20\d\d)[-/](\d{1,2})[-/](\d{1,2})", lambda m: f"{m[1]}年{int(m[2])}月{int(m[3])}日", period)
    period = re.sub(r"(20\d\d)-(\d\d)(?!\d)", lambda m: f"{m[1]}年{int(m[2])}月", period)
    return re.sub(r"(20\d\d)(?![\d年])", r"\1年", period)


def periods(as_of: str) -> list[str]:
    as_of = re.sub(r"[((].*?[))]|之后", "", as_of)
    return [p for p in (in_words(part) for part in re.split(r" 至 | 对 ", as_of)) if p]


def words(text: str) -> set[str]:
    """Chinese characters that carry meaning, and Latin words and version numbers."""
    text = norm(text, keep_space=True)
    latin = re.findall(r"[a-z][a-z0-9.+-]*[a-z0-9+]|[a-z]", text)
    return {c for c in text if "\u3400" <= c <= "\u9fff"} - SMALL | set(latin)


def pairs(text: str) -> set[str]:
    """The two-character words of a name, and Latin words."""
    text = norm(text)
    chinese = re.findall(r"[\u3400-\u9fff]+", re.sub(r"[的、等]", " ", text))
    latin = re.findall(r"[a-z][a-z0-9.+-]*", text)
    return {w[i : i + 2] for w in chinese for i in range(max(1, len(w) - 1))} | set(latin)


def share(wanted: set[str], text: str) -> float:
    return sum(w in text for w in wanted) / len(wanted) if wanted else 1.0


def scope_of(row: dict[str, str]) -> str:
    return row["scope"] or ""


def lacks(row: dict[str, str], paragraph: str, rivals: Collection[str] = ()) -> list[str]:
    """What of the row this paragraph does not say; value, subject and period have to stand in one sentence of it."""
    spaced, text = norm(paragraph, keep_space=True), norm(paragraph)
    missing = min((lacks_in_sentence(row, s, rivals) for s in sentences(paragraph)), key=len)
    missing = [*missing, *(f"unit {u}" for u in re.split(r"[/·]", row["unit"] or "") if norm(u) not in text)]
    scope = scope_of(row)
    scopes = [w.replace("不包含", "") for w in SCOPE_WORDS if norm(w) in norm(scope)]
    missing += [f"scope {w}" for w in scopes if find(w, spaced) < 0]
    if UNSTATED.search(scope) and not UNSTATED.search(text):
        missing.append("that something is not stated")
    said_by = (row["said_by"] or "").replace("(蓝鲸财经刊发)", "")  # the publisher, in the front matter
    missing += [f"said by {w}" for w in INSTITUTIONS if w in said_by and find(w, spaced) < 0]
    return missing


def lacks_in_sentence(row: dict[str, str], sentence: str, rivals: Collection[str]) -> list[str]:
    """What of the row's value, subject and period this sentence lacks, or gives to another subject or period.

    Args:
        row: one line of market_facts.jsonl.
        sentence: as it stands in the document.
        rivals: the subjects that figures of this document belong to.
    """
    spaced, text = norm(sentence, keep_space=True), norm(sentence)
    missing = []
    unit = row["unit"] or ""
    value = in_words(row["value"]) if re.search(r"20\d\d[-/]\d", row["value"]) else row["value"]
    value = norm(value if value.endswith((unit, "倍以上")) else value + unit)
    subject, dates = norm(row["subject"]), periods(row["as_of"] or "")

    figures = FIGURE.findall(value)
    missing += [f"figure {f}" for f in figures if find(f, spaced) < 0]
    if m := re.search(rf"({'|'.join(HEDGES)})({NUMBER})", value):
        # one character may stand between, as in 超过30 for 超30
        hedged = rf"{m[1]}[\u3400-\u9fff]?{re.escape(m[2])}(?![\d.])"
        missing += [] if re.search(hedged, text) else [f"hedge {m[0]}"]
    if (got := share(words(FIGURE.sub(" ", value)), text)) < VALUE_SHARE:
        missing.append(f"value's words ({got:.0%})")
    if subject != "文章" and (got := share(pairs(subject), text)) < SUBJECT_SHARE:
        missing.append(f"subject {subject} ({got:.0%})")
    missing += [f"period {d}" for d in dates if find(d, spaced) < 0]

    before = re.sub(" ", "", spaced[: find(figures[0], spaced)]) if unit and figures and not missing else ""
    named = DATE.findall(before)
    if named and any(DATE.match(d) for d in dates) and named[-1] not in dates:
        missing.append(f"figure {figures[0]} is given for {named[-1]}")
    between = before[before.rfind(subject) + len(subject) :] if subject in before else ""
    own = subject + norm(row["attribute"] + scope_of(row))
    usurpers = [s for s in map(norm, rivals) if s in between and share(pairs(s), own) < SUBJECT_SHARE]
    missing += [f"figure {figures[0]} is given to {s}" for s in usurpers]
    return missing


def facts(stem: str) -> list[dict[str, str]]:
    lines = (shared / "data" / "market_facts.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["doc"] == stem]


@needs_shared
@pytest.mark.parametrize("stem", STEMS)
def test_one_paragraph_holds_each_fact_with_its_period_scope_and_speaker(stem: str) -> None:
    body = document(stem)[1]
    rows, missing = facts(stem), []
    rivals = {row["subject"] for row in rows if row["unit"]}
    for row in rows:
        best = min((lacks(row, p, rivals) for p in paragraphs(body)), key=len)
        if best:
            name = " | ".join((row["id"], row["subject"], row["attribute"], row["value"]))
            missing.append(f"{name}: lacks {', '.join(best)}")
    assert not missing, f"{len(missing)} facts not held\n" + "\n".join(missing)


@needs_shared
@pytest.mark.parametrize("stem", STEMS)
def test_a_document_names_its_authors_where_it_gives_figures(stem: str) -> None:
    body = document(stem)[1]
    author = next(a for a in AUTHORS if any(a in (row["said_by"] or "") for row in facts(stem)))
    silent = [
        p for p in paragraphs(body)
        if not any(norm(name) in norm(p) for name in (author, *INSTITUTIONS))
    ]  # fmt: skip
    assert not silent, "\n".join(silent)


@needs_shared
def test_a_figure_of_the_documents_is_one_of_the_article() -> None:
    """No number of ours, save those we worked out from two of the article's and say so."""
    worked_out = {"001": {"4.71倍", "371%"}, "004": {"4.1倍"}}
    invented = []
    for stem in STEMS:
        source = norm(article(stem), keep_space=True)
        for paragraph in paragraphs(document(stem)[1]):
            text = norm(paragraph, keep_space=True)
            for figure in re.findall(r"\d+(?:\.\d+)?(?:%|万亿|亿|万|倍)?", text):
                if find(figure, source) < 0 and figure not in worked_out.get(stem, ()):
                    invented.append(f"{stem} {figure}: {paragraph[:60]}")
    assert not invented, "\n".join(invented)


# --- the tests' own tools ---------------------------------------------------------------------------------------------

ROW = {"subject": "火山引擎", "attribute": "份额", "value": "49.2", "unit": "%", "as_of": "2025H1",
       "scope": "IDC;不包含自有业务调用", "said_by": "IDC"}  # fmt: skip
HELD = "IDC 的口径不计自有业务，2025年上半年火山引擎占49.2%。"


@pytest.mark.parametrize(("wrong", "why"), [
    (HELD.replace("49.2%", "149.2%"), "figure 49.2%"),
    (HELD.replace("2025年", "2024年"), "period 2025年上半年"),
    (HELD.replace("火山引擎", "阿里云"), "subject 火山引擎"),
    (HELD.replace("自有业务", "退款"), "scope 自有业务"),
    (HELD.replace("IDC", "Omdia"), "said by IDC"),
], ids=["figure", "year", "subject", "scope", "speaker"])  # fmt: skip
def test_a_fact_with_one_part_wrong_is_not_held(wrong: str, why: str) -> None:
    assert lacks(ROW, HELD) == []
    assert any(m.startswith(why) for m in lacks(ROW, wrong))


def test_figures_that_changed_places_are_noticed() -> None:
    swapped = "IDC 的口径不计自有业务，2025年上半年火山引擎第一，阿里云49.2%，2024年全年另计。"
    assert lacks(ROW, swapped, {"火山引擎", "阿里云"}) == ["figure 49.2% is given to 阿里云"]
    assert lacks(ROW, "IDC 的口径不计自有业务，火山引擎2025年上半年是27%，2024年全年是49.2%。") == [
        "figure 49.2% is given for 2024年全年"
    ]


def test_a_lost_hedge_is_noticed() -> None:
    row = ROW | {"value": "超30", "unit": "万亿Tokens"}
    assert lacks(row, HELD.replace("49.2%", "超30万亿 Tokens")) == []
    assert "hedge 超30" in lacks(row, HELD.replace("49.2%", "30万亿 Tokens"))


def test_a_shared_run_is_found_wherever_it_starts() -> None:
    assert shared_runs("甲乙丙丁戊己庚", "子丁戊己丑", 3) == ["丁戊己"]
    assert shared_runs("abcdefg", "xabcx bcdefy", 4) == ["bcdef"]
