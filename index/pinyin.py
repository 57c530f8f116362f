"""How Chinese characters sound, without tones (pypinyin's table)."""

from functools import cache

from pypinyin.contrib.tone_convert import to_normal
from pypinyin.pinyin_dict import pinyin_dict

_ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"))


@cache
def pinyin(char: str) -> str:
    """The first reading of a character, without its tone; empty for one that has none."""
    return str(to_normal(pinyin_dict.get(ord(char), "").split(",")[0]))


@cache
def sound(char: str) -> str:
    """Its reading with sounds that are often mixed up made alike; the character itself when it has none."""
    plain = pinyin(char) or char
    for a, b in _ALIKE:
        plain = plain.replace(a, b)
    return plain


def spelt(text: str) -> str:
    """A Chinese text in Latin letters, in one word."""
    return "".join(map(pinyin, text))
