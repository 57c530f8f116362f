"""A question in the other language: an English one in Chinese words that the corpus writes, a Chinese one in English
words; no sentence, but enough to search and read with.

Names, measures and times come from the lexicon, other words from a dictionary (index.bilingual). Of several
translations the one is taken that the passages nearest to the English question write most: they were found by an
encoder that knows both languages.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from index.aliases import entity_spans, forms_of, glossary_spans, glossary_words
from index.bilingual import LONGEST, is_written, stems
from index.data import lexicon
from index.fold import fold_text
from index.snapshot import Snapshot
from rag.understand import Question, understand

ONE_CHARACTER = 0.3  # a word of one character stands in many others
WRITTEN = 0.2  # what a single character must weigh to be one
UNWRITTEN = 0.02  # what a word weighs that none of the nearest passages writes
ENGLISH = 3  # English words for one Chinese word
FARTHER = 0.5  # how much a meaning loses by each that the dictionary gives before it


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    chinese: str
    sure: int  # which reading wins a stretch that several read alike


def in_chinese(question: Question, near: Sequence[str], snapshot: Snapshot) -> Question:
    """An English question in Chinese words; what it wants, its periods, numbers and names are those of the English.

    Args:
        near: folded passages that may answer it, best first.
    """
    words = understand(_chinese(fold_text(question.understood), near, snapshot))
    return replace(
        words,
        asked=question.asked,
        wants=question.wants,
        periods=question.periods or words.periods,
        numbers=question.numbers,
        names=tuple(n for n in question.names if n in words.folded),
        entities=question.entities or words.entities,
        sources=question.sources,
    )


def in_english(question: Question, snapshot: Snapshot) -> Question:
    """A Chinese question in the English words that the corpus writes; what it wants and its periods stay."""
    known = _english_words(snapshot)
    spoken: list[str] = []
    for forms in question.entities:
        spoken += [f for f in forms if f.isascii()][:1]
    named = {form for forms in question.entities for form in forms}
    for word in question.words:
        if any(word in form for form in named):
            continue
        if word.isascii():
            spoken.append(word)
            continue
        glossed = [w for form in forms_of(word) for w in known.get(form, ())]
        spoken += glossed[:ENGLISH]
    period = " ".join(sorted(question.periods))
    words = understand(" ".join([*dict.fromkeys(spoken), period]))
    return replace(
        words,
        asked=question.asked,
        understood=question.understood,
        lang="en",
        cross=False,
        wants=question.wants,
        periods=question.periods,
        numbers=question.numbers,
        names=(),
        entities=question.entities,
        sources=question.sources,
    )


@lru_cache(maxsize=4)
def _english_words(snapshot: Snapshot) -> Mapping[str, Sequence[str]]:
    """Chinese words → English ones that the passages write, the nearest in meaning first."""
    written: dict[str, list[str]] = {}
    for term in snapshot.terms.vocabulary():
        if term.isascii() and term.isalpha() and len(term) > 2 and term not in _stop():
            written.setdefault(stems(term)[0][0], []).append(term)
    found: dict[str, list[tuple[int, str]]] = {}
    for english, chinese in snapshot.translations.items():
        if " " not in english and english in written:
            for word, far in chinese.items():
                found.setdefault(word, []).extend((far, w) for w in written[english])
    for plain, others in glossary_words():
        terms = [t for word in plain for stem, _, _ in stems(word) for t in written.get(stem, ())]
        for word in others:
            found.setdefault(word, []).extend((-1, t) for t in terms)
    return {word: list(dict.fromkeys(t for _, t in sorted(terms))) for word, terms in found.items()}


def _chinese(folded: str, near: Sequence[str], snapshot: Snapshot) -> str:
    pieces = sorted(
        [*_from_lexicon(folded, near, snapshot), *_from_dictionary(folded, near, snapshot)],
        key=lambda p: (p.start - p.end, -p.sure),
    )
    kept: list[_Piece] = []
    for piece in pieces:
        if all(piece.end <= k.start or piece.start >= k.end for k in kept):
            kept.append(piece)
    spoken, done = [], 0
    for piece in (*sorted(kept, key=lambda p: p.start), _Piece(len(folded), len(folded), "", 0)):
        spoken += [*_kept_as_is(folded[done : piece.start]), piece.chinese]
        done = piece.end
    last = set(lexicon("rag", "rendering")["words"]["last"])
    text = ""
    for word in (*(w for w in spoken if w not in last), *(w for w in spoken if w in last), "?"):
        text += f" {word}" if re.search(r"[a-z0-9]$", text) and re.match(r"[a-z0-9]", word) else word
    return text


def _kept_as_is(folded: str) -> list[str]:
    """What is no English word of the dictionary: names, numbers, Chinese words."""
    found = re.findall(r"[a-z0-9][\w.\-%]*|[\u4e00-\u9fff]+", folded)
    return [w for w in found if w not in _stop()]


def _from_lexicon(folded: str, near: Sequence[str], snapshot: Snapshot) -> list[_Piece]:
    found = []
    for start, end, forms in entity_spans(folded):
        chinese = [f for f in forms if not f.isascii()]
        written = next((f for f in chinese if any(f in text for text in near)), None)
        found.append(_Piece(start, end, written or (chinese[0] if chinese else folded[start:end]), 3))
    for start, end, words in glossary_spans(folded):
        found.append(_Piece(start, end, max(words, key=lambda w: _weight(w, near, snapshot)), 2))
    table = lexicon("rag", "rendering")
    for pattern, chinese_time in table["times"].items():
        for m in re.finditer(rf"\b(?:{pattern})", folded):
            year = next((g for g in m.groups() if g), "")
            found.append(_Piece(m.start(), m.end(), chinese_time.format(year), 3))
    for pattern, asking in table["asking"].items():
        found += [_Piece(m.start(), m.end(), asking, 1) for m in re.finditer(rf"\b(?:{pattern})(?!\w)", folded)]
    return found


def _from_dictionary(folded: str, near: Sequence[str], snapshot: Snapshot) -> list[_Piece]:
    words = stems(folded)
    found = []
    for start in range(len(words)):
        for size in range(1, min(LONGEST, len(words) - start) + 1):
            part = words[start : start + size]
            first, last = (folded[a:b] for _, a, b in (part[0], part[-1]))
            if first in _stop() or last in _stop():
                continue
            meant = snapshot.translations.get(" ".join(w for w, _, _ in part), {})
            holds = snapshot.terms.holds
            weights = {
                c: _weight(c, near, snapshot) / (1 + FARTHER * far) for c, far in meant.items() if is_written(c, holds)
            }
            best = max(weights, key=lambda c: (weights[c], c), default=None)
            if best is not None and (size > 1 or len(best) > 1 or weights[best] > WRITTEN):
                found.append(_Piece(part[0][1], part[-1][2], best, 0))
    return found


def _weight(chinese: str, near: Sequence[str], snapshot: Snapshot) -> float:
    """How much the nearest passages write a word, by its rarity."""
    written = UNWRITTEN + sum(1 / math.log2(n + 2) for n, text in enumerate(near) if chinese in text)
    return written * snapshot.terms.idf(chinese) * (ONE_CHARACTER if len(chinese) == 1 else 1.0)


@cache
def _stop() -> frozenset[str]:
    return frozenset(lexicon("rag", "rendering")["words"]["stop"])
