"""A clause around a quantity → whose it is and what it measures: grammar; its words are in lexicon/figures.toml."""

import re
from dataclasses import dataclass

from index.grammar import (
    DATE,
    MARKS,
    NEXT,
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
from index.subjects import whose_and_what

NOUN_CHARS = 16  # of what stands behind a quantity


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


def read_clause(before: str, after: str, kind: str) -> Phrase:
    """What the words before and after a quantity in its clause say.

    Args:
        before: from the start of the clause, or the quantity before, without sources; DATE for a date.
        after: to the end of the clause, or the next quantity.
        kind: of the quantity. What follows a count is what is counted; a rate may be relative to what stands before it
            (普通模型的3倍); money may be for what follows it.
    """
    relative = kind in ("rate", "bare")
    before = _without_base(before)
    grows = rf"(?P<rate>{'|'.join(word_set('rates'))})?(?:{_than()})*\{DATE}(?:同期|全年)?(?=(?:{_grows()})[了]?$)"
    before = re.sub(grows, lambda m: m.group("rate") or "", before)  # 同比去年增长
    before = re.sub(r"^(?:这|那)(?:也|就)?(?:使得|使|让|令|导致)\|?", "", before)
    held = re.match(rf"(?P<whose>.*?)(?:{'|'.join(figure_words()['holds'])})[了到]?(?P<of>[^，,]{{2,20}})的$", before)
    if relative and held and is_measure(held.group("of")):  # 拿下公有云调用量的49.2%
        of = held.group("of")
        whose = whose_and_what(list(tagged_words(held.group("whose"))), acts=True)[0]
        return Phrase(whose, of if is_share(of) else f"{of}占比")
    # the tagger reads 营收达 as 营, 收达
    before = re.sub(rf"(?<=.)({figure_words()['heads']})(达到?|为|是|超过?|至)$", r"\1 \2", before)
    tokens, verb, change, of = _verb_at_end(list(tagged_words(before)), relative)
    opening = _trailing_modifier(tokens)
    noun, written = _noun_after(after, kind)
    if (
        relative
        and not change
        and (
            m := re.match(
                rf"的(?:{'|'.join(word_set('rates'))})?(?P<grows>{_grows()}|增速|增幅|降幅|跌幅|涨幅)(?:率|度)?", after
            )
        )
    ):
        subject, attribute, back = whose_and_what(tokens, acts=acts_on(verb))
        return Phrase(subject, attribute, m.group("grows"), back, noun=m.group()[1:])  # 超过200%的增长
    acts = acts_on(verb)
    alone = joined(opened(tokens)).strip()
    if verb == "以" and noun and re.fullmatch(r"[\u4e00-\u9fff]{2,4}", alone):  # 联想以……: whatever the tagger calls it
        return Phrase(alone, noun, shares=is_share(noun), noun=written)
    subject, attribute, back = whose_and_what(tokens, acts=acts, bare=verb is None)
    if attribute is None and opening:
        noun = opening + noun if noun else noun
    if change:
        return Phrase(subject, attribute, f"{change}幅" if len(change) == 1 and change in "增降涨跌" else change, back)
    if of:
        return Phrase(subject, f"{attribute or ''}相对{of}", back=back, noun=written, acts=attribute is None)
    if verb in word_set("holds") and noun:  # 占据了65%的调用量
        return Phrase(subject, noun if is_share(noun) else f"{noun}占比", back=back, shares=True, noun=written)
    falls = noun is not None and any(noun.endswith(c) for c in word_set("change") if len(c) > 1)
    if noun and relative and not is_measure(noun) and not falls and not attribute and after.startswith("的"):
        return Phrase(subject, f"{noun}占比", back=back, noun=written)
    if noun and acts and not attribute:
        return Phrase(subject, f"{verb}{noun}", back=back, acts=True, noun=written)
    if noun and kind == "measure" and not acts and not is_measure(noun):  # 22公顷的森林
        return Phrase(noun, back=back, noun=written)
    if noun and (is_measure(noun) or not attribute):
        of = attribute if attribute and not is_share(noun) and attribute not in noun else None
        return Phrase(subject, f"{of or ''}{noun}", back=back, shares=is_share(noun), noun=written)
    if attribute is None and verb in word_set("shares"):
        return Phrase(subject, "占比", back=back, shares=True)
    if attribute is None and kind == "currency" and (rest := _what_follows(after)):
        return Phrase(subject, f"{verb}{rest}" if acts else rest, back=back, acts=True, noun=written)
    if acts and not attribute:
        return Phrase(subject, verb, back=back, acts=True)
    return Phrase(subject, attribute, back=back, shares=bool(attribute and is_share(attribute)), modifier=opening)


def acts_on(verb: str | None) -> bool:
    """Whether a verb says what is done, not how much there is."""
    return verb is not None and verb not in word_set("level")


def _than() -> str:
    return "|".join(sorted(word_set("than") | word_set("rates"), key=len, reverse=True))


def _grows() -> str:
    return "|".join(sorted((c for c in word_set("change") if len(c) > 1), key=len, reverse=True))


def _without_base(before: str) -> str:
    """Without what a quantity is only compared to: 相比2019年的457亿美元, 但同比2019年一季度1342万台的销量."""
    return re.sub(rf"(?:但|而)?(?:{_than()})+(?:于)?\s?\{DATE}(?:同期)?的?\s*$", "", before)


def _verb_at_end(tokens: Tokens, relative: bool) -> tuple[Tokens, str | None, str | None, str | None]:
    """The tokens before the verb that leads to a quantity; that verb; the verb of a change; what it is relative to."""
    of = None
    if relative and tokens and (split := _relative_to(tokens)):
        tokens, of = split
    tokens = trimmed(tokens)
    if len(tokens) > 1 and tokens[-1][0] in word_set("to") and tokens[-2][0] in word_set("change"):
        return trimmed(tokens[:-2]), "达到", None, of
    if (
        tokens
        and tokens[-1][0] in ("幅度", "幅", "达", "达到", "超过", "为")
        and len(tokens) > 1
        and tokens[-2][0] in word_set("change")
    ):
        tokens = tokens[:-1]
    if tokens and tokens[-1][0] in word_set("change"):
        verb = tokens[-1][0]
        rest = trimmed(tokens[:-1])
        while rest and (rest[-1][0] in word_set("rates") or joined(rest[-2:]) in word_set("rates")):
            cut = 1 if rest[-1][0] in word_set("rates") else 2
            verb, rest = joined(rest[-cut:]) + verb, trimmed(rest[:-cut])
        compared = next((n for n in range(len(rest) - 1, -1, -1) if rest[n][0] in word_set("than")), None)
        if (
            len(verb) > 1
            or compared is not None
            or (relative and rest and (rest[-1][1][0] in "ne" or rest[-1][0] == DATE))
        ):
            if compared is not None and len(joined(rest[compared:])) <= 16 and DATE not in joined(rest[compared:]):
                return trimmed(rest[:compared]), None, joined(rest[compared:]) + verb, of
            return rest[: len(rest) if compared is None else compared], None, verb, of
    if tokens and tokens[-1][0] in word_set("spans"):
        return trimmed(tokens[:-1]), tokens[-1][0], None, of
    if tokens and tokens[-1][0] in word_set("level"):
        level = tokens[-1][0]
        tokens = trimmed(tokens[:-1])
        while tokens and tokens[-1][0] in word_set("level") and tokens[-1][0] not in ("在",):
            level, tokens = tokens[-1][0], trimmed(tokens[:-1])
        return tokens, level, None, of
    tokens = _without_list(tokens)
    acted = len(tokens) > 2 and tokens[-1][1] in ("n", "nz") and len(tokens[-2][0]) > 1
    if acted and (tokens[-2][1] == "v" or (tokens[-2][1] == "vn" and (tokens[-3][1] == "d" or tokens[-3][0] == DATE))):
        whole = joined(tokens[-2:])  # 蔚来共交付新车5055台
        states = tokens[-2][0] in word_set("level") | word_set("change") or tokens[-1][0] in word_set("modifiers")
        if not states and not is_measure(whole) and not tokens[-3][1].startswith("u"):
            return trimmed(tokens[:-2]), whole, None, of
    for n in range(len(tokens) - 1, -1, -1):
        word, tag = tokens[n]
        if word in word_set("holds"):
            return trimmed(tokens[:n]), word, None, of
        if DATE in word or tag == "uj":
            break
        # the verb right before the quantity, or before where it happens (占据了全网…)
        if (
            (tag.startswith("v") or word in word_set("verbs"))
            and len(word) > 1
            and not is_measure(word)
            and (n == len(tokens) - 1 or tokens[n + 1][1].startswith("u"))
        ):
            return trimmed(tokens[:n]), word, None, of
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
            of = joined(tokens[n + 1 :]).strip("的约近超不到 ")
            if 2 <= len(of) <= 20 and not is_measure(of) and DATE not in of and "、" not in of[:1]:
                return tokens[:n], of
            return None
    return None


def _trailing_modifier(tokens: Tokens) -> str:
    """日均, 累计 … right before a quantity: it belongs to what is measured."""
    taken = ""
    while tokens and tokens[-1][0] in word_set("modifiers") and len(tokens[-1][0]) > 1:
        taken = tokens.pop()[0] + taken
    return taken


def _without_list(tokens: Tokens) -> Tokens:
    """Without the examples before a count: “已服务华泰证券、国信证券等” → 已服务."""
    if not any(word == "、" for word, _ in tokens) or not tokens[-1][0].endswith("等"):
        return tokens
    first = next(n for n, (word, _) in enumerate(tokens) if word == "、")
    for n in range(first):
        if (tokens[n][1].startswith("v") or tokens[n][0] in word_set("verbs")) and len(tokens[n][0]) > 1:
            return tokens[: n + 1]
    return []


def _noun_after(after: str, kind: str) -> tuple[str | None, str]:
    """What stands behind a quantity and says what it is (的市场份额, 应用场景); and all of it as written."""
    text = after.lstrip()
    possessive = text.startswith("的")
    text = text[possessive:].lstrip()
    text = re.sub(r"^(?:量级|级)(?!别)", "", text) if kind == "measure" else text  # 50ms级响应
    tokens = tagged_words(text)
    if not tokens or (
        (not possessive and (kind == "duration" or (kind == "currency" and not is_measure(tokens[0][0]))))
        or tokens[0][0] in word_set("rates")
    ):
        return None, ""
    if not possessive and kind == "rate":  # 35.8%份额
        for n in (1, 2):  # 35.8%份额, 百倍增长空间
            noun = joined(tokens[:n])
            if is_measure(noun) and len(noun) > 1:
                return noun, noun
        return None, ""
    noun = ""
    for n, (word, tag) in enumerate(tokens):
        following = tokens[n + 1] if n + 1 < len(tokens) else ("", "")
        verbal = tag.startswith("v") and tag != "vn"
        joins = word in ("和", "与", "及") and noun and following[1] and following[1][0] in "nvej" and kind == "counted"
        owns = word == "的" and noun and "的" not in noun and following[1] and NOMINAL.match(following[1])
        # 推理延迟, 图片生成调用量, 成本降低: a verb among measures is a part of the name
        measures = verbal and (
            is_measure(word) or is_measure(following[0]) or (not noun and following[1].startswith(("n", "vn")))
        )
        falls = verbal and word in word_set("change") and is_measure(noun) and possessive and kind == "rate"
        if (
            noun
            and is_measure(noun)
            and not falls
            and (verbal or tag in ("d", "i", "l") or word in word_set("adverbs"))
        ):
            break
        if noun and following[0] == NEXT and tag.startswith("v"):  # 29个地域运营89个可用区
            break
        if word in word_set("rates") or (noun in word_set("kinds") and kind == "counted" and is_measure(noun + word)):
            break  # 7家银行营业收入同比下降
        nominal = NOMINAL.match(tag) and not verbal and word not in MARKS and word not in word_set("opening")
        if not (joins or owns or measures or falls or nominal):
            break
        noun += word
        if len(noun) > NOUN_CHARS:
            break
    noun = re.sub(r"(?:和|与|及|的|中|\s)+$", "", noun)
    if share := re.match(rf".{{0,6}}?(?:{figure_words()['share']})", noun):  # 市场份额居首
        noun = share.group()
    if len(noun) < 2 or re.fullmatch(r"[\d.]+|[\u4e00-\u9fff]?等", noun):
        return None, ""
    return noun, text[: len(noun)]


def _what_follows(after: str) -> str | None:
    """“900亿元用于算力采购”: what the money is for, where nothing else says what it is."""
    text = after.strip()
    if not text or text[0] in MARKS or DATE in text[:2]:
        return None
    text = text.rstrip(NEXT)
    tokens = tagged_words(text)
    if not tokens or not tokens[0][1].startswith(("v", "p")) or len(text) > 20 or tokens[0][0] in word_set("change"):
        return None
    return re.sub(r"[,，、;；].*$", "", text)[:NOUN_CHARS]
