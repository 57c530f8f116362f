"""How Chinese characters sound, without tones (pypinyin's table)."""

import os
from collections.abc import Callable, Mapping
from functools import cache

_ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"))


@cache
def pinyin(char: str) -> str:
    """The first reading of a character, without its tone; empty for one that has none."""
    readings, without_tone = _tables()
    return str(without_tone(readings.get(ord(char), "").split(",")[0]))


@cache
def _tables() -> tuple[Mapping[int, str], Callable[[str], str]]:
    """The readings of characters, and what takes a tone away. Loaded when a question needs them."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # readings of phrases: 0.2 s, 30 MB, not needed here
    from pypinyin.contrib.tone_convert import to_normal
    from pypinyin.pinyin_dict import pinyin_dict

    return pinyin_dict, to_normal


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
