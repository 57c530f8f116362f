"""Readable text → the folded shadow that is searched: NFKC, simplified, lower case, only what shows; mapped back.

Two steps of different nature: NFKC and lower case act on single characters and may change the length (㈱ → (株));
OpenCC looks at whole phrases but keeps the length, save for rare entries; those texts are converted by character.
"""

import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from itertools import accumulate

import opencc

from index.unseen import UNSEEN, visible

_SHORT = 400  # characters: names, questions and sentences come again and again; whole pages do not


@cache
def _converter(name: str) -> opencc.OpenCC:
    return opencc.OpenCC(name)


@lru_cache(maxsize=65536)
def _fold_character(character: str) -> str:
    return "" if UNSEEN.match(character) else unicodedata.normalize("NFKC", character).lower()


def to_simplified(text: str) -> str:
    """Traditional → simplified, the same length as `text`."""
    text = text.encode("utf-8", "replace").decode("utf-8")  # OpenCC refuses half of a surrogate pair
    converted: str = _converter("t2s").convert(text)
    if len(converted) == len(text):
        return converted
    return "".join(c if len(c) == 1 else o for o, c in ((o, _converter("t2s").convert(o)) for o in text))


@lru_cache(maxsize=4096)
def to_traditional(text: str, *, words: bool = False) -> str:
    """Simplified → traditional with Taiwan's variants (為, 裡); for what is read, never for what is quoted.

    Args:
        words: with Taiwan's words too (文件 for 文档), as an interface is written.
    """
    for simplified, traditional in _words_left_alone():
        text = text.replace(simplified, traditional)
    converted: str = _converter("s2twp" if words else "s2tw").convert(text)
    return converted


@cache
def _words_left_alone() -> tuple[tuple[str, str], ...]:
    """Words the converter does not know, from lexicon/traditional.txt."""
    lines = (files("index") / "lexicon" / "traditional.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#"))
    return tuple((simplified, traditional) for simplified, traditional in pairs)


def fold(text: str) -> tuple[str, list[int]]:
    """The folded text, and where in it each character of `text` begins; the last position is the end of the text."""
    pieces = [_fold_character(c) for c in text]
    return to_simplified("".join(pieces)), [0, *accumulate(map(len, pieces))]


def fold_text(text: str) -> str:
    """The folded text alone."""
    if text.isascii():
        return visible(text).lower()
    return _remembered(text) if len(text) <= _SHORT else fold(text)[0]


@lru_cache(maxsize=16384)
def _remembered(text: str) -> str:
    return fold(text)[0]
