"""Words written with letters of another script that look alike: DeepSeеk with a Cyrillic е is not DeepSeek.

Such a word is nobody's name: it is marked, gives no figures and is not evidence. Russian, Greek, units and symbols
(μm, Δx, TNFα, β版) are left alone: only letters that pass for Latin ones count, and only inside a Latin word.
"""

import re
from collections.abc import Iterator

_LIKE = {  # letter → the Latin one it passes for
    **dict(zip("авсԁеһіјкӏмпоԛрѕтихуԝѵґЬԌᴦ", "abcdehijklmnoqpstuxywvrbgr", strict=True)),
    **dict(zip("АВСЕНІЈКМОРЅТХУԜѴԚ", "ABCEHIJKMOPSTXYWVQ", strict=True)),
    **dict(zip("ονρυχιτϲϳ", "ovpuxitcj", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹͿ", "ABEZHIKMNOPTYXCJ", strict=True)),
}
_SYMBOLS = {
    "α": "a",
    "κ": "k",
    "γ": "y",
}  # these stand beside capitals as symbols (TNFα, NFκB): not among small letters
_LATIN = "A-Za-z\u00c0-\u024f"
_FOREIGN = "\u0370-\u03ff\u0400-\u052f\u0531-\u058f\u13a0-\u13f4"
_WORD = re.compile(rf"[{_LATIN}{_FOREIGN}0-9]+")
_IS_FOREIGN, _IS_LATIN = re.compile(f"[{_FOREIGN}]"), re.compile(f"[{_LATIN}]")
_ENDING = re.compile(rf"[{_LATIN}0-9]+[\u0400-\u04ff]{{1,3}}")  # a Latin name with a Russian ending
_RUSSIAN_BEFORE, _RUSSIAN_AFTER = re.compile(r"[\u0400-\u04ff]{2,}\s*$"), re.compile(r"^\s*[\u0400-\u04ff]{2,}")
_TO_LATIN = str.maketrans({**_LIKE, **_SYMBOLS})
LETTERS = 3  # of a word: a shorter one is a unit or a symbol


def lookalikes(text: str) -> Iterator[tuple[int, int]]:
    """The words of a text that mix a Latin word with letters of another script that pass for Latin."""
    if text.isascii() or not _IS_FOREIGN.search(text):
        return
    for m in _WORD.finditer(text):
        word = m.group()
        if word.isascii() or not (_IS_FOREIGN.search(word) and _IS_LATIN.search(word)):
            continue
        if sum(c.isalpha() for c in word) >= LETTERS and _passes_for_latin(word) and not _is_inflected(text, m):
            yield m.span()


def passing_in(text: str, start: int, end: int) -> list[int]:
    """Where in a stretch the letters of another script stand."""
    return [n for n in range(start, end) if text[n] in _LIKE or text[n] in _SYMBOLS]


def as_latin(text: str) -> str:
    """The text as it looks: the letters that pass for Latin ones taken for them; the same length."""
    return text if text.isascii() else text.translate(_TO_LATIN)


def _passes_for_latin(word: str) -> bool:
    foreign = [n for n, c in enumerate(word) if _IS_FOREIGN.match(c)]
    return all(word[n] in _LIKE or (word[n] in _SYMBOLS and _is_among_small(word, n)) for n in foreign)


def _is_among_small(word: str, at: int) -> bool:
    return len(word) > LETTERS and re.search(r"[a-z]", word[max(0, at - 1) : at] + word[at + 1 : at + 2]) is not None


def _is_inflected(text: str, word: re.Match[str]) -> bool:
    """Whether a Latin name takes a Russian ending among Russian words: “в iOSе”."""
    if not _ENDING.fullmatch(word.group()):
        return False
    before, after = text[max(0, word.start() - 20) : word.start()], text[word.end() : word.end() + 20]
    return bool(_RUSSIAN_BEFORE.search(before) or _RUSSIAN_AFTER.search(after))
