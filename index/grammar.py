"""Words and parts of speech that the grammar of figures is made of; the words are in lexicon/figures.toml."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from index.data import lexicon
from index.tokenize import tagged, words

DATE = "|"  # stands where a date stood
NEXT = "¦"  # … and where another quantity follows
Tokens = list[tuple[str, str]]
NOMINAL = re.compile(r"n|vn|an|b|j|l|eng|x|i|s|zg|k|z|h|g|t")
NAMED = re.compile(r"nr|ns|nt|nz|eng")
_JOINS = re.compile(r"n|v|a|zg|g|b|x|j|k|h|z(?!$)|ag|vg|ng")  # parts of speech that a name may seem to be made of
MARKS = "，,。;；、()（）\"“”'「」|¦:：·"


@cache
def figure_words() -> dict[str, Any]:
    """The table [words] of lexicon/figures.toml."""
    words: dict[str, Any] = lexicon("index", "figures")["words"]
    return words


@cache
def word_set(name: str) -> frozenset[str]:
    """One of its lists."""
    return frozenset(figure_words()[name])


MEASURE_WORDS = 2  # 日均 + 量: a measure of one character is told with the word before it


@cache
def _head() -> re.Pattern[str]:
    return re.compile(rf"(?:{figure_words()['heads']})$")


def is_measure(phrase: str) -> bool:
    """Whether a phrase ends in what is measured."""
    return _head().search(phrase) is not None


def measure_of(phrase: str) -> str | None:
    """What is measured, without what it is measured of: 调用量 of 大模型日均调用量."""
    if not is_measure(phrase):
        return None
    own = words(phrase)
    return own[-1] if len(own) < MEASURE_WORDS or len(own[-1]) > 1 else "".join(own[-MEASURE_WORDS:])


def is_share(phrase: str) -> bool:
    """Whether a phrase ends in a word for a share."""
    return re.search(rf"(?:{figure_words()['share']})$", phrase) is not None


@cache
def _functional() -> frozenset[str]:
    """Single characters that are words of the grammar, and no part of a name."""
    lists = (
        "level",
        "change",
        "to",
        "opening",
        "adverbs",
        "holds",
        "shares",
        "than",
        "places",
        "leads_in",
        "modifiers",
    )
    return frozenset(w for name in lists for w in word_set(name) if len(w) == 1)


@cache
def _joined_words() -> frozenset[str]:
    """Words of the grammar that the dictionary may take apart."""
    return frozenset(w for name in ("level", "change", "adverbs") for w in word_set(name) if 2 <= len(w) <= 3)


@lru_cache(maxsize=65536)
def tagged_words(text: str) -> tuple[tuple[str, str], ...]:
    """The words of a text with their parts of speech; a run of single characters no dictionary joins is one name."""
    result: list[tuple[str, str]] = []
    for word, tag in tagged(text):
        single = re.fullmatch(r"[\u4e00-\u9fff]", word) and word not in _functional() and _JOINS.match(tag)
        before = result[-1] if result else ("", "")
        if word in ("增", "减") and re.fullmatch(r"[^第上下本当今去全\d].+[年季月周]", before[0]):  # 营收季|增
            result[-1:] = [(before[0][:-1], "n"), (before[0][-1] + word, "v")]
            continue
        if result and (both := before[0] + word) in _joined_words():  # 冲|上, 年|增
            result[-1] = (both, "d" if both in word_set("adverbs") else "v")
            continue
        if (
            result
            and word in ("率", "量", "额", "费")
            and before[1][:1] in "nvs"
            and before[0] not in word_set("level") | word_set("change")
        ):
            result[-1] = (before[0] + word, "n")  # 交付|量, 不良贷款|率
            continue
        if single and before[1] == "single":
            result[-1] = (before[0] + word, "single")
        else:
            result.append((word, "single" if single else tag))
    return tuple(
        (word, "nz") if tag == "single" and len(word) > 1 else (word, tag if tag != "single" else tagged(word)[0][1])
        for word, tag in result
    )


def joined(tokens: Sequence[tuple[str, str]]) -> str:
    """The text of tagged words."""
    return "".join(word for word, _ in tokens)


def trimmed(tokens: Tokens) -> Tokens:
    """Without the adverbs and particles that stand before a verb or a quantity."""
    end = len(tokens)
    while end and (
        tokens[end - 1][0] in word_set("adverbs")
        or not tokens[end - 1][0].strip()
        or (tokens[end - 1][1] in ("ul", "uz", "ug", "d") and end > 1)
    ):
        end -= 1
    return tokens[:end]


def opened(tokens: Tokens) -> Tokens:
    """Without the words a clause opens with."""
    start = 0
    while start < len(tokens) and (
        tokens[start][0] in word_set("opening")
        or not tokens[start][0].strip(MARKS.replace(DATE, "") + ' *-"“”')
        or tokens[start][1] in ("c", "d", "uj", "ul", "y", "t", "tg")
    ):
        start += 1
    text = joined(tokens[start:])
    if m := re.match(r"(?:这|那)?(?:也|就|更)?(?:意味着|表明|说明|显示出?|预示着|使得)", text):
        return opened(list(tagged_words(text[m.end() :])))
    return tokens[start:]
