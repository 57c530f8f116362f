"""Words and parts of speech that the grammar of figures is made of; the words are in lexicon/figures.toml."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from index.data import lexicon
from index.tokenize import tagged

DATE = "|"  # stands where a date stood
NEXT = "¦"  # … and where another quantity follows
Tokens = list[tuple[str, str]]
NOMINAL = re.compile(r"n|vn|an|b|j|l|eng|x|i|s|zg|k|z|h|g|t")
NAMED = re.compile(r"nr|ns|nt|nz|eng")
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


@cache
def _head() -> re.Pattern[str]:
    return re.compile(rf"(?:{figure_words()['heads']})$")


def is_measure(phrase: str) -> bool:
    """Whether a phrase ends in what is measured."""
    return _head().search(phrase) is not None


def is_share(phrase: str) -> bool:
    """Whether a phrase ends in a word for a share."""
    return re.search(rf"(?:{figure_words()['share']})$", phrase) is not None


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
        return opened(list(tagged(text[m.end() :])))
    return tokens[start:]
