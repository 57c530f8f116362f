"""A noun phrase → whose it is and what is measured; and what a clause without a figure goes on about."""

import re

from index.aliases import entity_at, entity_spans
from index.anaphor import opens_back
from index.data import lexicon
from index.grammar import (
    DATE,
    MARKS,
    NAMED,
    NOMINAL,
    Tokens,
    figure_words,
    is_measure,
    is_share,
    joined,
    opened,
    tagged_words,
    trimmed,
    word_set,
)
from index.sources import is_research

SUBJECT_CHARS, ATTRIBUTE_CHARS = 25, 30
_COORDINATION = re.compile(r"、|和|与|及|以及")


def whose_and_what(tokens: Tokens, *, acts: bool, bare: bool = False) -> tuple[str | None, str | None, bool]:
    """The phrase before the verb → subject, attribute, and whether its subject is named above.

    Args:
        acts: the verb does something (提供, 覆盖) rather than state a level.
        bare: there is no verb.
    """
    text = joined(opened(tokens)).strip(" ,，、")
    text = re.sub(r"(?:宣布|计划|预计|表示|承诺|透露|披露|拟)(?:将|要)?(?=\||$)", "", text)
    text = re.sub(r"^(?:显著|明显|远)?(?:高于|低于|优于|多于|少于)", "", text)
    caused = re.match(r"(?P<cause>.{2,}?)(?:使得|使|让|令)(?=其|[\u4e00-\u9fffa-z]{3})", text)
    if caused:
        rest = text[caused.end() :]
        if not rest.startswith("其"):
            return whose_and_what(list(tagged_words(rest)), acts=acts)
        return caused.group("cause").split("的")[0], _measure(rest.lstrip("其")), False
    back = opens_back(text)
    if back:
        text = _without_anaphor(text)
        if not text.strip(DATE) or text in word_set("numbers"):  # 这一数字
            return None, None, True
        back = not entity_at(text)
    if not text.strip(DATE + "的 "):
        return None, None, back
    whose, text = _around_date(text, back) if DATE in text else (None, text)
    parts = list(tagged_words(text))
    at = next((n for n, (w, _) in enumerate(parts) if w in word_set("places")), None)
    if at is not None:  # 头部企业在长文本理解上的准确率
        first, rest = joined(trimmed(parts[:at])), joined(parts[at + 1 :])
        if parts[at][0] in ("将", "把") and not acts and not is_measure(rest):
            return _kept(rest), None, back
        if is_measure(rest):
            return _kept(first) or whose, _measure(rest), back
        if is_measure(first):
            return (*_possessed(first), back)
        return (_kept(first) if at else None) or whose, None, back
    if whose:
        if is_measure(text):
            inner = _possessed(text) if entity_at(text) else (None, _measure(text))
            return inner[0] or whose, inner[1], back
        return _kept(f"{whose}{text}") if not acts else whose, None, back
    if back:
        return (None, _measure(text), True) if is_measure(text) else (_kept(text), None, True)
    subject, attribute = _possessed(text)
    if (
        attribute is None
        and subject
        and bare
        and len(parts) == 1
        and parts[0][1] in ("n", "vn", "v")
        and len(text) <= 2
    ):
        return None, text, back  # 食邑二千户
    return (None if subject in word_set("kinds") else subject), attribute, back


def _without_anaphor(text: str) -> str:
    """What follows 其, 该, 这款 …, without the kind of thing that only repeats what is named above (该模型, 该处)."""
    pattern = r"^(?:其旗下的?|其|该|它们?的?|他们?的?|她们?的?|此|这(?:一|款|家|个|些|种|座|项)*|前者|后者|两者|二者)"
    rest = re.sub(pattern, "", text)
    if not text.startswith("其"):
        first = tagged_words(rest)[:1]
        if first and len(first[0][0]) == 1 and first[0][1][0] in "nqg":
            rest = rest[1:]
        kind = next((k for k in sorted(word_set("kinds"), key=len, reverse=True) if rest.startswith(k)), "")
        if kind and (len(rest) == len(kind) or is_measure(rest)) and rest != f"{kind}规模":
            rest = rest[len(kind) :]
    return rest.lstrip("的")


def _around_date(text: str, back: bool) -> tuple[str | None, str]:
    """A phrase with a date in it: the subject before the date, if it is one, and the rest."""
    before, _, after = text.rpartition(DATE)
    first = before.replace(DATE, "").strip("的 ")
    rest = re.sub(rf"^.{{1,6}}?(?:{figure_words()['when']})(?=[^的]{{2}})", "", after.strip("的 "))
    if re.search(r"[中上里内]$", rest) and not is_measure(rest):  # in a market: where, not whose
        rest = ""
    whose = _kept(first) if len(first) > 1 and not (back and is_measure(first)) else None
    if whose and not rest:
        return None, first
    return whose, rest if whose else first + rest


def _possessed(text: str) -> tuple[str | None, str | None]:
    """A noun phrase → whose, what: at the last 的, at a word that opens a measure, after a known name, at the head."""
    if not is_measure(text):
        return _kept(text), None
    at = text.rfind("的")
    if at > 1 and len(text) - at > 2:
        whose = text[:at]
        return (None if whose in word_set("own") else _kept(whose)), _measure(text[at + 1 :])
    if any(text.startswith(word) for word in word_set("modifiers") if len(word) > 2):  # 经调整净利润
        return None, _measure(text)
    tokens = list(tagged_words(text))
    for n, (word, _) in enumerate(tokens):
        if len(word) > 1 and word in word_set("modifiers"):
            first = joined(tokens[:n])
            if n and first in word_set("regions"):
                return None, _measure(text)
            if is_measure(first) and entity_at(first) < len(first):  # 腾讯云营收|年均复合增长率
                owner, of = _possessed(first)
                return owner, _measure(f"{of or ''}{joined(tokens[n:])}")
            return (_kept(first) if n else None), _measure(joined(tokens[n:]))
    if (end := entity_at(text)) and end < len(text):
        end = with_kind(text, end)
        if end == len(text):
            return _kept(text), None
        return _kept(text[:end]), _measure(text[end:])
    named = next((n for n, (_, tag) in enumerate(tokens) if tag not in ("nt", "nz", "nr")), 0)
    while named and named < len(tokens) and tokens[named][0] in word_set("kinds"):
        named += 1
    if (
        named
        and "、" not in text
        and is_measure(joined(tokens[named:]))
        and all(t[0] in "nvab" or t in ("eng", "x") for _, t in tokens[named:])
    ):
        return _kept(joined(tokens[:named])), _measure(joined(tokens[named:]))  # 浦发银行|利息净收入
    start = len(tokens) - 1
    while start > 0 and (
        not is_measure(joined(tokens[start:])) or len(joined(tokens[start:])) < 2
    ):  # no 量 without 交付
        start -= 1
    while start > 0 and tokens[start - 1][0] in word_set("own") | word_set("modifiers"):
        start -= 1
    before = tokens[:start]
    measured = joined(tokens[start:])
    if before and is_measure(joined(before)):  # 海外收入|占比, 营收|增长率
        owner, of = _possessed(joined(before))
        return owner, _measure(f"{of or ''}{measured}")
    kind = next((k for k in word_set("belong") if measured.startswith(k) and is_measure(measured[len(k) :])), "")
    if kind and before and len(measured) > len(kind) + 1:  # 会员|业务收入
        return _kept(joined(before) + kind), _measure(measured[len(kind) :])
    if len(before) == 1 and not NAMED.match(before[0][1]) and len(before[0][0]) <= 3:  # 设计成本, 推理效率
        return None, _measure(text)
    return _kept(joined(before)), _measure(joined(tokens[start:]))


def with_kind(text: str, end: int) -> int:
    """Where a known name with its Latin form and its kind ends: 通义千问Qwen3, 豆包大模型, 阿里夸克."""
    end += entity_at(text[end:])
    if m := re.match(r"\s?[·]?[a-z0-9.\-]+", text[end:]):
        end += len(m.group())
    for word, _ in tagged_words(text[end:]):
        if word not in word_set("kinds"):
            break
        end += len(word)
    return end


def _kept(subject: str) -> str | None:
    """A subject that can stand: a noun phrase, not overlong."""
    text = subject.strip(" |,，、/的“”\"'*·「」-")
    if len(text) > 3 and tagged_words(text)[-1][1] == "f":  # 大模型中, not 全国国内
        text = re.sub(r"(?:中|里|上|内|当中|方面)$", "", text)
    if re.fullmatch(lexicon("index", "figures")["said"]["nobody"], text) or re.match(
        r"连续|第?\d+个?[月年天次季]", text
    ):
        return None
    text = re.sub(r"^(?:上|本|前|当|该)(?:一|个)?(?:季度?|月|年度?|财季)", "", text)  # 上季晶圆
    tail = text.rsplit("的", 1)[-1]
    if len(text) > 12 and len(tail) > 2 and not is_measure(tail):  # 在中国占据主导地位的提供商华星
        text = tail
    if re.search(rf"(?:{figure_words()['when']})$", text) and not entity_at(text):
        return None
    if len(text) > SUBJECT_CHARS:
        text = re.sub(r"^.*[，,的]", "", text)[-SUBJECT_CHARS:]
    if (end := entity_at(text)) and with_kind(text, end) == len(text):
        return text
    tokens = tagged_words(text)
    adverb = next((n for n, (word, tag) in enumerate(tokens) if n and tag == "d" and word in word_set("adverbs")), None)
    if adverb is not None:  # 阿里已开源
        return _kept(joined(tokens[:adverb]))
    if not tokens or (len(text) < 2 and not text.isascii()) or text in word_set("opening"):
        return None
    if tokens[0][1] in ("v", "vd") and len(tokens) > 1 and "的" not in text and not entity_at(text):
        return text if tokens[-1][0] in word_set("belong") and len(tokens) > 2 else None
    last = "n" if len(tokens) > 2 and tokens[-2][0] == "的" else tokens[-1][1]
    if not (NOMINAL.match(last) or last.startswith("m")) or not any(t[0] in "nejlxbis" or t == "vn" for _, t in tokens):
        return text if entity_at(text) == len(text) else None
    return text


def _measure(attribute: str) -> str | None:
    text = attribute.strip(" |,，、的“”\"'「」·")
    text = re.sub(r"^(?:录得|取得|实现|达到|录|上季度?|本季度?)(?=..)", "", text)
    return text[-ATTRIBUTE_CHARS:] or None


def _is_organisation(name: str) -> bool:
    """Whether a name ends in a kind of organisation and says more than the kind: 苹果公司."""
    kinds = word_set("organisations")
    return any(name.endswith(k) and len(name) > len(k) for k in kinds) and len(tagged_words(name)) <= 2


def is_name(title: str) -> bool:
    """Whether a title is a name rather than a headline: no verb, number or particle in it."""
    return not any(tag[0] in "vmpucrdq" for _, tag in tagged_words(title))


def owner_of(title: str) -> str | None:
    """The one company a folded headline tells of: what the text says of accounts without a name is its.

    Those who count and publish (IDC) are none.
    """
    named = [(start, end, forms) for start, end, forms in entity_spans(title) if not any(map(is_research, forms))]
    return title[named[0][0] : named[0][1]] if len({forms for _, _, forms in named}) == 1 else None


def is_account(attribute: str) -> bool:
    """Whether a measure is one of a company's accounts: 营收, not 市场规模 or 份额."""
    return re.search(figure_words()["accounts"], attribute) is not None and not is_share(attribute)


def topic_of(clause: str) -> tuple[str | None, str | None]:
    """What a clause without a quantity goes on about: the noun phrase it opens with, and its measure if it has one."""
    if m := re.match(r"(?:仅|就|比如|例如)?以(?P<topic>.{2,20}?)为例", clause):
        return _kept(m.group("topic")), None
    clause = re.sub(r"^(?:在.{1,12}中)?基于.{1,20}?的", "", clause)
    if re.match(figure_words()["against"], clause):  # 仅次于甲(31.2%)
        return None, None
    if (m := re.fullmatch(r".+的(?P<name>[^的]{2,10})", clause)) and _is_organisation(m.group("name")):
        return _kept(m.group("name")), None  # 上月刚发布新机的苹果公司,
    tokens = list(tagged_words(clause))
    when = re.search(rf"(?:{figure_words()['when']})$", clause) and tokens and tokens[-1][1] != "i"  # 苹果紧随其后
    if not tokens or tokens[0][0] in word_set("leads_in") or when:
        return None, None
    tokens = opened(tokens)
    if not tokens or opens_back(joined(tokens)) or tokens[0][0] in word_set("leads_in"):
        return None, None
    if tokens[0][1].startswith("v"):  # 拥有国资背景的阶跃星辰则……
        named = next(
            (n for n in range(1, len(tokens)) if tokens[n - 1][0] == "的" and entity_at(joined(tokens[n:]))), None
        )
        if named is None:
            whole = re.fullmatch(r"[^的]{2,10}的[^的]{2,8}", joined(tokens))  # 具备高可控性的模型,其……
            having = tokens[0][0] in word_set("having") and tokens[-1][1].startswith("n")
            return (whole.group(), None) if whole and having else (None, None)
        tokens = tokens[named:]
    for n, (word, _) in enumerate(tokens):  # 使得豆包的用户数量实现了大幅增长
        if (
            n
            and word in word_set("change") | word_set("level") | {"低于", "高于", "优于"}
            and word not in word_set("places")
        ):
            head = trimmed([t for t in tokens[:n] if t[0] not in ("实现", "呈现", "出现", "大幅")])
            subject, attribute, back = whose_and_what(head, acts=False)
            if attribute and subject and not back:
                return subject, attribute
    taken: Tokens = []
    for n, (word, tag) in enumerate(tokens):
        if (
            word in ("和", "与", "、")
            and taken
            and n + 1 < len(tokens)
            and NAMED.match(tokens[n + 1][1])
            and NAMED.match(taken[-1][1])
        ):
            taken.append((word, tag))
            continue
        if tag == "v" and taken and n + 1 < len(tokens) and tokens[n + 1][0] in word_set("kinds"):  # 深度思考模型
            taken.append((word, tag))
            continue
        of = n + 1 < len(tokens) and tokens[n + 1][0] == "的"
        if tag == "i" and taken:  # 苹果紧随其后
            break
        joins = word == "·" or (word == "的" and taken) or (tag == "f" and taken and of)  # 榜单中的领先企业
        nominal = NOMINAL.match(tag) and word not in MARKS and tag[0] not in "tz"
        if word in word_set("places") or not (joins or nominal):
            break
        taken.append((word, tag))
    if len(taken) == len(tokens):  # 长崎电气轨道经营长崎市内的电车: a verb that is also a noun
        verb = next((n for n, (_, tag) in enumerate(taken) if n and tag == "vn"), len(taken))
        taken = taken[:verb]
    while len(taken) > 1 and taken[-1][1] == "vn" and entity_at(joined(taken)):  # 通义千问开源, 一个月……
        taken.pop()
    text = joined(taken).rstrip("的")
    if "的" in text and (end := entity_at(text)) and text[with_kind(text, end) :][:1] == "的":
        end = with_kind(text, end)
        rest = text[end + 1 :]
        text = rest if entity_at(rest) else text[:end]  # 字节跳动的豆包大模型; DeepSeek的横空出世
    if not 2 <= len(text) <= SUBJECT_CHARS or (len(text) == len(joined(tokens)) and not entity_at(text)):
        return None, None
    if is_measure(text) and 0 < entity_at(text) < len(text):  # 甲公司份额持续领跑
        return _possessed(text)
    return _kept(text), None


def listed(phrase: str, count: int) -> list[str]:
    """The items of a coordination with exactly `count` of them; empty when it has another number."""
    for m in re.finditer(r"[^\s，,在的]+(?:(?:、|和|与|及|以及)[^、，,和与及在的]+)+", phrase):
        items = [re.sub(r"等.*$", "", part) for part in _COORDINATION.split(m.group()) if part]
        if len(items) == count and all(items):
            return items
    return []
