"""One tokenizer for passages and queries: jieba words over folded text, and the character pairs inside Chinese runs.

Words alone miss what jieba cuts differently in a question and in a passage; pairs alone lose rare names among common
characters. BM25 alone on 1,500 questions of cmrc_train, hit@1 / hit@5: words .939 / .968, pairs .933 / .980, words and
the pairs that are no words .935 / .979, both in full (so that words of two characters count twice) .940 / .980.
"""

import hashlib
import logging
import re
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import jieba

NAME = "jieba+bigrams"
# As written: GLM-4.5. The Latin part of a word with letters of another script (index/lookalikes.py) is none.
LATIN_WORD = re.compile(
    r"(?<![A-Za-z\u0370-\u052f])[A-Za-z][A-Za-z0-9]*(?:[.\-][A-Za-z0-9]+)*(?![A-Za-z0-9\u0370-\u052f])"
)
_SHORT = 100  # characters: names and questions come again and again
_LATIN_OR_NUMBER = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
_HAN_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
_WORD = re.compile(r"[\w]")
# jieba takes a stretch without marks at once, in time that grows with its square; nobody writes one as long as this
_ENDLESS = re.compile(r"[\u4e00-\u9fd5a-zA-Z0-9+#&._%\-]{500}")


def _dictionary() -> bytes:
    return (files("index") / "lexicon" / "words.txt").read_bytes()


@cache
def fingerprint() -> str:
    """Name and dictionary of the tokenizer; an index built with another one is refused."""
    version = getattr(jieba, "__version__", "?")
    return f"{NAME}/{version}/{hashlib.sha256(_dictionary()).hexdigest()[:12]}"


@cache
def _jieba() -> jieba.Tokenizer:
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    for line in _dictionary().decode("utf-8").splitlines():
        parts = line.split()
        if parts and not line.startswith("#"):
            frequency = int(parts[1]) if len(parts) > 1 else None
            tokenizer.add_word(parts[0], frequency, parts[2] if len(parts) > 2 else None)
    return tokenizer


def words(folded: str) -> list[str]:
    """The words of a folded text, in order, without punctuation; `豆包1.6` gives 豆包 and 1.6."""
    return list(_remembered(folded)) if len(folded) <= _SHORT else _words(folded)


@lru_cache(maxsize=16384)
def _remembered(folded: str) -> tuple[str, ...]:
    return tuple(_words(folded))


def _words(folded: str) -> list[str]:
    found: list[str] = []
    for word in (word for part in _parts(folded) for word in _jieba().cut(part)):
        if _HAN_RUN.search(word):
            found.append(word)
        elif _WORD.search(word):
            found += _LATIN_OR_NUMBER.findall(word) or [word]
    return found


def _parts(folded: str) -> list[str]:
    """A text, with the stretches cut that are too long to be taken at once."""
    if len(folded) < 500:
        return [folded]
    cuts = [0, *(m.end() for m in _ENDLESS.finditer(folded)), len(folded)]
    return [folded[a:b] for a, b in pairwise(cuts)]


@cache
def _tagger() -> Any:
    import jieba.posseg  # here: it takes 0.3 s, and finding passages needs none of it

    # Its default tagger with our dictionary: a second one would read the tags, 0.5 s and 60 MB, once more.
    tagger = jieba.posseg.dt
    tagger.tokenizer = _jieba()
    return tagger


@lru_cache(maxsize=8192)
def tagged(folded: str) -> tuple[tuple[str, str], ...]:
    """The words of a folded text with their parts of speech (jieba's tags), in order, punctuation included.

    Without guessing at unknown words: four times as fast, and the same ledger on the labelled figures.
    """
    return tuple((pair.word, pair.flag) for part in _parts(folded) for pair in _tagger().cut(part, HMM=False))


def word_frequency(folded: str) -> int:
    """How often the dictionary says a word is written; 0 for none of its words."""
    return _jieba().FREQ.get(folded) or 0


def may_name(folded: str) -> bool:
    """Whether a word can be a name: the dictionary calls it one, or has never heard of it."""
    tag = _tagger().word_tag_tab.get(folded)
    return tag is None or tag[:2] in ("nr", "ns", "nt", "nz")


def word_ends(text: str) -> list[int]:
    """Where the words of any text end: the places it may be cut."""
    return [end for _, _, end in _jieba().tokenize(text)]


def pairs(folded: str) -> list[str]:
    """Overlapping pairs of Chinese characters; a run of one gives that character."""
    found: list[str] = []
    for run in _HAN_RUN.findall(folded):
        found += [run[i : i + 2] for i in range(len(run) - 1)] or [run]
    return found


def tokenize(folded: str) -> list[str]:
    """The search terms of a folded text: its words and its character pairs, repeats kept."""
    return words(folded) + pairs(folded)
