"""A clause around a quantity → whose it is and what it measures: grammar; its words are in lexicon/figures.toml."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from index.aliases import entity_at
from index.anaphor import opens_back
from index.data import lexicon
from index.tokenize import tagged

SUBJECT_CHARS, ATTRIBUTE_CHARS = 25, 30
NOUN_CHARS = 16  # of what stands behind a quantity
DATE = "|"  # stands where a date stood
NEXT = "¦"  # … and where another quantity follows
Tokens = list[tuple[str, str]]
_NOMINAL = re.compile(r"n|vn|an|b|j|l|eng|x|i|s|zg|k|z|h|g|t")
_NAMED = re.compile(r"nr|ns|nt|nz|eng")
_MARKS = "，,。;；、()（）\"“”'「」|¦:：·"
_COORDINATION = re.compile(r"、|和|与|及|以及")


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a clause says of a quantity; None where it leaves it to what stands before."""

    subject: str | None = None
    attribute: str | None = None
    change: str | None = None  # the verb of a change, with what it is compared to (较传统方案降低)
    back: bool = False  # the subject is named above (其, 该)
    acts: bool = False  # the attribute is a verb and what it acts on
    shares: bool = False
    modifier: str = ""  # 日均, 累计 … right before the quantity
    noun: str = ""  # what was read behind the quantity: no part of what follows


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = lexicon("index", "figures")["words"]
    return words


@cache
def _set(name: str) -> frozenset[str]:
    return frozenset(_words()[name])


@cache
def _head() -> re.Pattern[str]:
    return re.compile(rf"(?:{_words()['heads']})$")


def is_measure(phrase: str) -> bool:
    """Whether a phrase ends in what is measured."""
    return _head().search(phrase) is not None


def is_share(phrase: str) -> bool:
    """Whether a phrase ends in a word for a share."""
    return re.search(rf"(?:{_words()['share']})$", phrase) is not None


def _text(tokens: Sequence[tuple[str, str]]) -> str:
    return "".join(word for word, _ in tokens)


def read_clause(before: str, after: str, kind: str) -> Phrase:
    """What the words before and after a quantity in its clause say.

    Args:
        before: from the start of the clause, or the quantity before, without sources; DATE for a date.
        after: to the end of the clause, or the next quantity.
        kind: of the quantity. What follows a count is what is counted; a rate may be relative to what stands before it
            (普通模型的3倍); money may be for what follows it.
    """
    relative = kind in ("rate", "bare")
    held = re.match(rf"(?P<whose>.*?)(?:{'|'.join(_words()['holds'])})[了到]?(?P<of>[^，,]{{2,20}})的$", before)
    if relative and held and is_measure(held.group("of")):  # 拿下公有云调用量的49.2%
        return Phrase(_split(list(tagged(held.group("whose"))), acts=True)[0], f"{held.group('of')}占比")
    # the tagger reads 营收达 as 营, 收达
    before = re.sub(rf"(?<=.)({_words()['heads']})(达到?|为|是|超过?|至)$", r"\1 \2", before)
    tokens, verb, change, of = _verb_at_end(list(tagged(before)), relative)
    opening = _trailing_modifier(tokens)
    noun, written = _noun_after(after, kind)
    acts = verb is not None and verb not in _set("level")
    alone = _text(_opened(tokens)).strip()
    if verb == "以" and noun and re.fullmatch(r"[\u4e00-\u9fff]{2,4}", alone):  # 联想以……: whatever the tagger calls it
        return Phrase(alone, noun, shares=is_share(noun), noun=written)
    subject, attribute, back = _split(tokens, acts=acts, bare=verb is None)
    if attribute is None and opening:
        noun = opening + noun if noun else noun
    if change:
        return Phrase(subject, attribute, f"{change}幅" if len(change) == 1 and change in "增降涨跌" else change, back)
    if of:
        return Phrase(subject, f"{attribute or ''}相对{of}", back=back, noun=written, acts=attribute is None)
    if verb in _set("holds") and noun:  # 占据了65%的调用量
        return Phrase(subject, noun if is_share(noun) else f"{noun}占比", back=back, shares=True, noun=written)
    falls = noun is not None and any(noun.endswith(c) for c in _set("change") if len(c) > 1)
    if noun and relative and not is_measure(noun) and not falls and not attribute and after.startswith("的"):
        return Phrase(subject, f"{noun}占比", back=back, noun=written)
    if noun and acts and not attribute:
        return Phrase(subject, f"{verb}{noun}", back=back, acts=True, noun=written)
    if noun and kind == "measure" and not acts and not is_measure(noun):  # 22公顷的森林
        return Phrase(noun, back=back, noun=written)
    if noun and (is_measure(noun) or not attribute):
        of = attribute if attribute and not is_share(noun) and attribute not in noun else None
        return Phrase(subject, f"{of or ''}{noun}", back=back, shares=is_share(noun), noun=written)
    if attribute is None and verb in _set("shares"):
        return Phrase(subject, "占比", back=back, shares=True)
    if attribute is None and kind == "currency" and (rest := _what_follows(after)):
        return Phrase(subject, f"{verb}{rest}" if acts else rest, back=back, acts=True, noun=written)
    if acts and not attribute:
        return Phrase(subject, verb, back=back, acts=True)
    return Phrase(subject, attribute, back=back, shares=bool(attribute and is_share(attribute)), modifier=opening)


def _verb_at_end(tokens: Tokens, relative: bool) -> tuple[Tokens, str | None, str | None, str | None]:
    """The tokens before the verb that leads to a quantity; that verb; the verb of a change; what it is relative to."""
    of = None
    if relative and tokens and (split := _relative_to(tokens)):
        tokens, of = split
    tokens = _trimmed(tokens)
    if len(tokens) > 1 and tokens[-1][0] in _set("to") and tokens[-2][0] in _set("change"):
        return _trimmed(tokens[:-2]), "达到", None, of
    if (
        tokens
        and tokens[-1][0] in ("幅度", "幅", "达", "达到", "超过", "为")
        and len(tokens) > 1
        and tokens[-2][0] in _set("change")
    ):
        tokens = tokens[:-1]
    if tokens and tokens[-1][0] in _set("change"):
        verb = tokens[-1][0]
        rest = _trimmed(tokens[:-1])
        while rest and (rest[-1][0] in _set("rates") or _text(rest[-2:]) in _set("rates")):
            cut = 1 if rest[-1][0] in _set("rates") else 2
            verb, rest = _text(rest[-cut:]) + verb, _trimmed(rest[:-cut])
        compared = next((n for n in range(len(rest) - 1, -1, -1) if rest[n][0] in _set("than")), None)
        if len(verb) > 1 or compared is not None or (relative and rest and rest[-1][1][0] in "ne"):
            if compared is not None and len(_text(rest[compared:])) <= 16 and DATE not in _text(rest[compared:]):
                return _trimmed(rest[:compared]), None, _text(rest[compared:]) + verb, of
            return rest[: len(rest) if compared is None else compared], None, verb, of
    if tokens and tokens[-1][0] in _set("spans"):
        return _trimmed(tokens[:-1]), tokens[-1][0], None, of
    if tokens and tokens[-1][0] in _set("level"):
        level = tokens[-1][0]
        tokens = _trimmed(tokens[:-1])
        while tokens and tokens[-1][0] in _set("level") and tokens[-1][0] not in ("在",):
            level, tokens = tokens[-1][0], _trimmed(tokens[:-1])
        return tokens, level, None, of
    tokens = _without_list(tokens)
    for n in range(len(tokens) - 1, -1, -1):
        word, tag = tokens[n]
        if word in _set("holds"):
            return _trimmed(tokens[:n]), word, None, of
        if DATE in word or tag == "uj":
            break
        # the verb right before the quantity, or before where it happens (占据了全网…)
        if (
            (tag.startswith("v") or word in _set("verbs"))
            and len(word) > 1
            and not is_measure(word)
            and (n == len(tokens) - 1 or tokens[n + 1][1].startswith("u"))
        ):
            return _trimmed(tokens[:n]), word, None, of
        if n < len(tokens) - 2:
            break
    return tokens, None, None, of


def _relative_to(tokens: Tokens) -> tuple[Tokens, str] | None:
    """“企业复购率是普通模型的” → 企业复购率, 普通模型; “训练成本降至行业” → 训练成本, 行业."""
    for n in range(len(tokens) - 1, -1, -1):
        if (
            tokens[n][0] in ("是", "为", "相当于", "约为", "达", "达到", "降至", "升至", "降到", "增至")
            and n < len(tokens) - 1
        ):
            of = _text(tokens[n + 1 :]).strip("的约近超不到 ")
            if 2 <= len(of) <= 20 and not is_measure(of) and DATE not in of and "、" not in of[:1]:
                return tokens[:n], of
            return None
    return None


def _trimmed(tokens: Tokens) -> Tokens:
    """Without the adverbs and particles that stand before a verb or a quantity."""
    end = len(tokens)
    while end and (
        tokens[end - 1][0] in _set("adverbs")
        or not tokens[end - 1][0].strip()
        or (tokens[end - 1][1] in ("ul", "uz", "ug", "d") and end > 1)
    ):
        end -= 1
    return tokens[:end]


def _trailing_modifier(tokens: Tokens) -> str:
    """日均, 累计 … right before a quantity: it belongs to what is measured."""
    taken = ""
    while tokens and tokens[-1][0] in _set("modifiers") and len(tokens[-1][0]) > 1:
        taken = tokens.pop()[0] + taken
    return taken


def _without_list(tokens: Tokens) -> Tokens:
    """Without the examples before a count: “已服务华泰证券、国信证券等” → 已服务."""
    if not any(word == "、" for word, _ in tokens) or not tokens[-1][0].endswith("等"):
        return tokens
    first = next(n for n, (word, _) in enumerate(tokens) if word == "、")
    for n in range(first):
        if (tokens[n][1].startswith("v") or tokens[n][0] in _set("verbs")) and len(tokens[n][0]) > 1:
            return tokens[: n + 1]
    return []


def _noun_after(after: str, kind: str) -> tuple[str | None, str]:
    """What stands behind a quantity and says what it is (的市场份额, 应用场景); and all of it as written."""
    text = after.lstrip()
    possessive = text.startswith("的")
    text = text[possessive:].lstrip()
    text = re.sub(r"^(?:量级|级)(?!别)", "", text) if kind == "measure" else text  # 50ms级响应
    tokens = tagged(text)
    if not tokens or (not possessive and kind in ("currency", "duration")):
        return None, ""
    if not possessive and kind == "rate":  # 35.8%份额
        for n in (1, 2):  # 35.8%份额, 百倍增长空间
            noun = _text(tokens[:n])
            if is_measure(noun) and len(noun) > 1:
                return noun, noun
        return None, ""
    noun = ""
    for n, (word, tag) in enumerate(tokens):
        following = tokens[n + 1] if n + 1 < len(tokens) else ("", "")
        verbal = tag.startswith("v") and tag != "vn"
        joins = word in ("和", "与", "及") and noun and following[1] and following[1][0] in "nvej" and kind == "counted"
        owns = word == "的" and noun and "的" not in noun and following[1] and _NOMINAL.match(following[1])
        # 推理延迟, 图片生成调用量, 成本降低: a verb among measures is a part of the name
        measures = verbal and (
            is_measure(word) or is_measure(following[0]) or (not noun and following[1].startswith(("n", "vn")))
        )
        falls = verbal and word in _set("change") and is_measure(noun) and possessive
        if noun and is_measure(noun) and verbal and not falls:
            break
        if noun and following[0] == NEXT and tag.startswith("v"):  # 29个地域运营89个可用区
            break
        nominal = _NOMINAL.match(tag) and not verbal and word not in _MARKS and word not in _set("opening")
        if not (joins or owns or measures or falls or nominal):
            break
        noun += word
        if len(noun) > NOUN_CHARS:
            break
    noun = re.sub(r"(?:和|与|及|的|中|\s)+$", "", noun)
    if share := re.match(rf".{{0,6}}?(?:{_words()['share']})", noun):  # 市场份额居首
        noun = share.group()
    if len(noun) < 2 or re.fullmatch(r"[\d.]+|[\u4e00-\u9fff]?等", noun):
        return None, ""
    return noun, text[: len(noun)]


def _what_follows(after: str) -> str | None:
    """“900亿元用于算力采购”: what the money is for, where nothing else says what it is."""
    text = after.strip()
    if not text or text[0] in _MARKS or DATE in text[:2]:
        return None
    text = text.rstrip(NEXT)
    tokens = tagged(text)
    if not tokens or not tokens[0][1].startswith(("v", "p")) or len(text) > 20 or tokens[0][0] in _set("change"):
        return None
    return re.sub(r"[,，、;；].*$", "", text)[:NOUN_CHARS]


def _split(tokens: Tokens, *, acts: bool, bare: bool = False) -> tuple[str | None, str | None, bool]:
    """The phrase before the verb → subject, attribute, and whether its subject is named above.

    Args:
        acts: the verb does something (提供, 覆盖) rather than state a level.
        bare: there is no verb.
    """
    text = _text(_opened(tokens)).strip(" ,，、")
    text = re.sub(r"(?:宣布|计划|预计|表示|承诺|透露|披露|拟)(?:将|要)?(?=\||$)", "", text)
    text = re.sub(r"^(?:显著|明显|远)?(?:高于|低于|优于|多于|少于)", "", text)
    caused = re.match(r"(?P<cause>.{2,}?)(?:使得|使|让|令)(?=其|[\u4e00-\u9fffa-z]{3})", text)
    if caused:
        rest = text[caused.end() :]
        if not rest.startswith("其"):
            return _split(list(tagged(rest)), acts=acts)
        return caused.group("cause").split("的")[0], _measure(rest.lstrip("其")), False
    back = opens_back(text)
    if back:
        text = _without_anaphor(text)
        if not text.strip(DATE) or text in _set("numbers"):  # 这一数字
            return None, None, True
        back = not entity_at(text)
    if not text.strip(DATE + "的 "):
        return None, None, back
    whose, text = _around_date(text, back) if DATE in text else (None, text)
    parts = list(tagged(text))
    at = next((n for n, (w, _) in enumerate(parts) if w in _set("places")), None)
    if at is not None:  # 头部企业在长文本理解上的准确率
        first, rest = _text(_trimmed(parts[:at])), _text(parts[at + 1 :])
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
        and len(text) <= 3
    ):
        return None, text, back  # 食邑二千户
    return (None if subject in _set("kinds") else subject), attribute, back


def _without_anaphor(text: str) -> str:
    """What follows 其, 该, 这款 …, without the kind of thing that only repeats what is named above (该模型, 该处)."""
    pattern = r"^(?:其旗下的?|其|该|它们?的?|他们?的?|她们?的?|此|这(?:一|款|家|个|些|种|座|项)*|前者|后者|两者|二者)"
    rest = re.sub(pattern, "", text)
    if not text.startswith("其"):
        first = tagged(rest)[:1]
        if first and len(first[0][0]) == 1 and first[0][1][0] in "nqg":
            rest = rest[1:]
        kind = next((k for k in sorted(_set("kinds"), key=len, reverse=True) if rest.startswith(k)), "")
        if kind and (len(rest) == len(kind) or is_measure(rest)) and rest != f"{kind}规模":
            rest = rest[len(kind) :]
    return rest.lstrip("的")


def _around_date(text: str, back: bool) -> tuple[str | None, str]:
    """A phrase with a date in it: the subject before the date, if it is one, and the rest."""
    before, _, after = text.rpartition(DATE)
    first = before.replace(DATE, "").strip("的 ")
    rest = re.sub(rf"^.{{1,6}}?(?:{_words()['when']})(?=[^的]{{2}})", "", after.strip("的 "))
    if re.search(r"[中上里内]$", rest) and not is_measure(rest):  # in a market: where, not whose
        rest = ""
    whose = _kept(first) if len(first) > 1 and not (back and is_measure(first)) else None
    if whose and not rest:
        return None, first
    return whose, rest if whose else first + rest


def _opened(tokens: Tokens) -> Tokens:
    """Without the words a clause opens with."""
    start = 0
    while start < len(tokens) and (
        tokens[start][0] in _set("opening")
        or not tokens[start][0].strip(_MARKS.replace(DATE, "") + ' *-"“”')
        or tokens[start][1] in ("c", "d", "uj", "ul", "y", "t", "tg")
    ):
        start += 1
    text = _text(tokens[start:])
    if m := re.match(r"(?:这|那)?(?:也|就|更)?(?:意味着|表明|说明|显示出?|预示着|使得)", text):
        return _opened(list(tagged(text[m.end() :])))
    return tokens[start:]


def _possessed(text: str) -> tuple[str | None, str | None]:
    """A noun phrase → whose, what: at the last 的, at a word that opens a measure, after a known name, at the head."""
    if not is_measure(text):
        return _kept(text), None
    at = text.rfind("的")
    if at > 1 and len(text) - at > 2:
        whose = text[:at]
        return (None if whose in _set("own") else _kept(whose)), _measure(text[at + 1 :])
    tokens = list(tagged(text))
    for n, (word, _) in enumerate(tokens):
        if len(word) > 1 and word in _set("modifiers"):
            if n and _text(tokens[:n]) in _set("regions"):
                return None, _measure(text)
            return (_kept(_text(tokens[:n])) if n else None), _measure(_text(tokens[n:]))
    if (end := entity_at(text)) and end < len(text):
        end = _with_kind(text, end)
        if end == len(text):
            return _kept(text), None
        return _kept(text[:end]), _measure(text[end:])
    start = len(tokens) - 1
    while start > 0 and not is_measure(_text(tokens[start:])):
        start -= 1
    while start > 0 and tokens[start - 1][0] in _set("own") | _set("modifiers"):
        start -= 1
    before = tokens[:start]
    if len(before) == 1 and not _NAMED.match(before[0][1]) and len(before[0][0]) <= 3:  # 设计成本, 推理效率
        return None, _measure(text)
    return _kept(_text(before)), _measure(_text(tokens[start:]))


def _with_kind(text: str, end: int) -> int:
    """Where a known name with its Latin form and its kind ends: 通义千问Qwen3, 豆包大模型, 阿里夸克."""
    end += entity_at(text[end:])
    if m := re.match(r"\s?[·]?[a-z0-9.\-]+", text[end:]):
        end += len(m.group())
    for word, _ in tagged(text[end:]):
        if word not in _set("kinds"):
            break
        end += len(word)
    return end


def _kept(subject: str) -> str | None:
    """A subject that can stand: a noun phrase, not overlong."""
    text = subject.strip(" |,，、的“”\"'*·「」-")
    text = re.sub(r"(?:中|里|上|内|当中|方面)$", "", text) if len(text) > 3 else text
    if re.fullmatch(lexicon("index", "figures")["said"]["nobody"], text):
        return None
    if re.search(rf"(?:{_words()['when']})$", text) and not entity_at(text):
        return None
    if len(text) > SUBJECT_CHARS:
        text = re.sub(r"^.*[，,的]", "", text)[-SUBJECT_CHARS:]
    if (end := entity_at(text)) and _with_kind(text, end) == len(text):
        return text
    tokens = tagged(text)
    adverb = next((n for n, (word, tag) in enumerate(tokens) if n and tag == "d" and word in _set("adverbs")), None)
    if adverb is not None:  # 阿里已开源
        return _kept(_text(tokens[:adverb]))
    if not tokens or (len(text) < 2 and not text.isascii()) or text in _set("opening"):
        return None
    if tokens[0][1] in ("v", "vd") and len(tokens) > 1 and "的" not in text and not entity_at(text):
        return None
    last = "n" if len(tokens) > 2 and tokens[-2][0] == "的" else tokens[-1][1]
    if not (_NOMINAL.match(last) or last.startswith("m")) or not any(
        t[0] in "nejlxbis" or t == "vn" for _, t in tokens
    ):
        return text if entity_at(text) == len(text) else None
    return text


def _measure(attribute: str) -> str | None:
    text = attribute.strip(" |,，、的“”\"'「」·")
    return text[-ATTRIBUTE_CHARS:] or None


def topic_of(clause: str) -> tuple[str | None, str | None]:
    """What a clause without a quantity goes on about: the noun phrase it opens with, and its measure if it has one."""
    if m := re.match(r"(?:仅|就|比如|例如)?以(?P<topic>.{2,20}?)为例", clause):
        return _kept(m.group("topic")), None
    clause = re.sub(r"^(?:在.{1,12}中)?基于.{1,20}?的", "", clause)
    tokens = list(tagged(clause))
    if not tokens or tokens[0][0] in _set("leads_in") or re.search(rf"(?:{_words()['when']})$", clause):
        return None, None
    tokens = _opened(tokens)
    if not tokens or opens_back(_text(tokens)) or tokens[0][0] in _set("leads_in"):
        return None, None
    if tokens[0][1].startswith("v"):  # 拥有国资背景的阶跃星辰则……
        named = next(
            (n for n in range(1, len(tokens)) if tokens[n - 1][0] == "的" and entity_at(_text(tokens[n:]))), None
        )
        if named is None:
            whole = re.fullmatch(r"[^的]{2,10}的[^的]{2,8}", _text(tokens))  # 具备高可控性的模型,其……
            having = tokens[0][0] in _set("having") and tokens[-1][1].startswith("n")
            return (whole.group(), None) if whole and having else (None, None)
        tokens = tokens[named:]
    for n, (word, _) in enumerate(tokens):  # 使得豆包的用户数量实现了大幅增长
        if n and word in _set("change") | _set("level") | {"低于", "高于", "优于"} and word not in _set("places"):
            head = _trimmed([t for t in tokens[:n] if t[0] not in ("实现", "呈现", "出现", "大幅")])
            subject, attribute, back = _split(head, acts=False)
            if attribute and subject and not back:
                return subject, attribute
    taken: Tokens = []
    for n, (word, tag) in enumerate(tokens):
        if (
            word in ("和", "与", "、")
            and taken
            and n + 1 < len(tokens)
            and _NAMED.match(tokens[n + 1][1])
            and _NAMED.match(taken[-1][1])
        ):
            taken.append((word, tag))
            continue
        if tag == "v" and taken and n + 1 < len(tokens) and tokens[n + 1][0] in _set("kinds"):  # 深度思考模型
            taken.append((word, tag))
            continue
        of = n + 1 < len(tokens) and tokens[n + 1][0] == "的"
        joins = word == "·" or (word == "的" and taken) or (tag == "f" and taken and of)  # 榜单中的领先企业
        nominal = _NOMINAL.match(tag) and word not in _MARKS and tag[0] not in "tz"
        if word in _set("places") or not (joins or nominal):
            break
        taken.append((word, tag))
    if len(taken) == len(tokens):  # 长崎电气轨道经营长崎市内的电车: a verb that is also a noun
        verb = next((n for n, (_, tag) in enumerate(taken) if n and tag == "vn"), len(taken))
        taken = taken[:verb]
    while len(taken) > 1 and taken[-1][1] == "vn" and entity_at(_text(taken)):  # 通义千问开源, 一个月……
        taken.pop()
    text = _text(taken).rstrip("的")
    if "的" in text and (end := entity_at(text)) and text[_with_kind(text, end) :][:1] == "的":
        end = _with_kind(text, end)
        rest = text[end + 1 :]
        text = rest if entity_at(rest) else text[:end]  # 字节跳动的豆包大模型; DeepSeek的横空出世
    if not 2 <= len(text) <= SUBJECT_CHARS or (len(text) == len(_text(tokens)) and not entity_at(text)):
        return None, None
    return _kept(text), None


def listed(phrase: str, count: int) -> list[str]:
    """The items of a coordination with exactly `count` of them; empty when it has another number."""
    for m in re.finditer(r"[^\s，,在的]+(?:(?:、|和|与|及|以及)[^、，,和与及在的]+)+", phrase):
        items = [re.sub(r"等.*$", "", part) for part in _COORDINATION.split(m.group()) if part]
        if len(items) == count and all(items):
            return items
    return []
