"""Mistyped words → the names and words the corpus has: homophones, one wrong character, mistyped or spelt-out Latin.

Only a word that the corpus does not know is touched, and only towards one that it, or the lexicon, does. Chinese is
compared by sound (pypinyin, without tones; zh/z, ng/n … alike), Latin by edits (rapidfuzz).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from index.aliases import lexicon_names, lexicon_words
from index.data import lexicon
from index.fold import fold, fold_text, to_traditional
from index.pinyin import sound, spelt
from index.snapshot import Snapshot
from index.tokenize import LATIN_WORD, may_name, tagged, word_frequency

LONGEST_NAME = 8
LIKE = 0.8  # least similarity of two Latin words
RARE = 20  # a word of the dictionary that is rarer may be a name misheard
SPELT = 5  # letters of a name in pinyin: a shorter one is many words
LONGEST_TEXT = 300  # characters: a longer one is a paste, not a typed question
MOST = 5  # words mended in one question: more is another language, not a typo
_HAN = re.compile(r"[\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Mended:
    """A question with its typos mended, and what was taken for what."""

    text: str
    instead: tuple[str, ...] = ()  # the words put in, in order


def _sounds(text: str) -> tuple[str, ...]:
    return tuple(map(sound, text))


class Spelling:
    """What one version of the corpus knows, by sound and by letters."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @cached_property
    def _names(self) -> dict[int, dict[tuple[str, ...], list[str]]]:
        """Folded Chinese names by length and sound: of the lexicon, and the subjects of the ledger."""
        subjects = self._snapshot.subjects
        return _by_sound(
            [
                *lexicon_names(),
                *(s for s in subjects if _HAN.fullmatch(s) and 2 <= len(s) <= LONGEST_NAME and not word_frequency(s)),
            ]
        )

    @cached_property
    def _words(self) -> dict[int, dict[tuple[str, ...], list[str]]]:
        """Folded Chinese words by length and sound: of the lexicon and of the corpus."""
        own = [
            w for w in self._snapshot.terms.vocabulary() if _HAN.fullmatch(w) and 2 <= len(w) <= 4 and word_frequency(w)
        ]
        return _by_sound([*lexicon_words(), *lexicon("rag", "question")["spelling"]["terms"], *own])

    @cached_property
    def _latin(self) -> dict[str, str]:
        """Latin words of the corpus and the lexicon, as written, by their folded form."""
        named = {word.lower(): word for name in lexicon_names() if name.isascii() for word in name.split()}
        return named | dict(self._snapshot.latin)

    def warm_up(self) -> None:
        """Makes the tables that the first misspelt word needs."""
        self._names, self._words, self._latin, self._spelt_names  # noqa: B018

    def mend(self, text: str, lang: str) -> Mended:
        """A question with its typos mended.

        Args:
            lang: of the question; what is put in follows its script. In English only capitalised words are looked at.
        """
        if len(text) > LONGEST_TEXT:
            return Mended(text)
        folded, places = fold(text)
        found = sorted([*self._chinese(folded), *self._mistyped(text, folded, places, lang)])
        if len(found) > MOST:
            return Mended(text)
        result, done, instead = "", 0, []
        for start, end, term in found:
            if start < done:
                continue
            shown = to_traditional(term) if lang == "zh-Hant" else term
            result += text[_place(places, done) : _place(places, start)] + shown
            done = end
            instead.append(shown)
        return Mended(result + text[_place(places, done) :], tuple(instead)) if instead else Mended(text)

    def _knows(self, span: str) -> bool:
        """Whether the corpus writes every pair of characters of a Chinese stretch."""
        return all(self._snapshot.terms.holds(span[i : i + 2]) for i in range(len(span) - 1))

    def _chinese(self, folded: str) -> Iterator[tuple[int, int, str]]:
        for run in _HAN.finditer(folded):
            if not self._knows(run.group()):
                yield from self._in_run(run.group(), run.start())

    def _in_run(self, run: str, offset: int) -> Iterator[tuple[int, int, str]]:
        tokens = _tokens(run)
        at = 0
        while at < len(run):
            longest = min(LONGEST_NAME, len(run) - at)
            term = next((t for n in range(longest, 1, -1) if (t := self._meant(run[at : at + n], at, tokens))), None)
            if term is not None:
                yield offset + at, offset + at + len(term), term
            at += len(term or " ")

    def _meant(self, span: str, at: int, tokens: Mapping[int, str]) -> str | None:
        """The name or word that a stretch was meant to be; None where it may stand."""
        if self._knows(span):
            return None
        length, sounds = len(span), _sounds(span)
        loose = {n for n in range(length) if _may_be_wrong(tokens.get(at + n, ""))}
        rare = len(loose) == length or (tokens.get(at) == span and word_frequency(span) < RARE)
        names = self._names.get(length, {})
        meant = [t for t in names.get(sounds, []) if t != span and (rare or _shared(t, span))]
        if not meant and length > 2:
            alike = [t for same in names.values() for t in same if len(w := _wrong(t, span)) == 1 and w <= loose]
            meant = [t for t in alike if not self._is_name(span[1:] if _wrong(t, span) == {0} else span[:-1])]
        if not meant and not word_frequency(span) and _is_cut_at(tokens, at, at + length):
            single = {n for n in range(length) if len(c := tokens.get(at + n, "")) == 1 and c not in _stop()}
            meant = [
                t
                for t in self._words.get(length, {}).get(sounds, [])
                if t != span and _shared(t, span) and _wrong(t, span) <= single
            ]
        return max(meant, key=lambda t: (_shared(t, span), t), default=None)

    def _is_name(self, span: str) -> bool:
        """Whether a stretch is a name as it stands: 腾讯占 is 腾讯 and a word, not 腾讯云 mistyped."""
        return span in self._names.get(len(span), {}).get(_sounds(span), [])

    def _mistyped(self, text: str, folded: str, places: Sequence[int], lang: str) -> Iterator[tuple[int, int, str]]:
        tokens = list(LATIN_WORD.finditer(folded))
        for n, token in enumerate(tokens):
            word = token.group()
            original = text[_place(places, token.start()) : _place(places, token.end())]
            capital = lang != "en" or (original[:1].isupper() and token.start() > 0)
            if capital and (name := self._spelt(tokens[n : n + 4], folded)):
                yield token.start(), name[0], name[1]
                continue
            if len(word) < 4 or not capital or word in self._latin or word.rstrip("s") in self._latin:
                continue
            best = process.extractOne(
                word,
                [
                    w
                    for w in self._latin
                    if abs(len(w) - len(word)) <= 2 and re.findall(r"\d", w) == re.findall(r"\d", word)
                ],
                scorer=DamerauLevenshtein.normalized_similarity,
                score_cutoff=LIKE,
            )
            if best:
                yield token.start(), token.end(), self._latin[best[0]]

    def _spelt(self, tokens: Sequence[re.Match[str]], folded: str) -> tuple[int, str] | None:
        """A name spelt out in Latin letters (bai lian): where it ends, and the name."""
        for n in range(len(tokens), 0, -1):
            stretch = folded[tokens[0].start() : tokens[n - 1].end()]
            if re.search(r"[^a-z\s'\-]", stretch) or stretch in self._latin:
                continue
            letters = re.sub(r"[^a-z]", "", stretch)
            if len(letters) >= SPELT and letters in self._spelt_names:
                return tokens[n - 1].end(), self._spelt_names[letters]
        return None

    @cached_property
    def _spelt_names(self) -> dict[str, str]:
        """Chinese names by their pinyin in one word: of the corpus's words, its titles, then those surely names."""
        known = self._snapshot.terms.vocabulary()
        own = [w for w in known if _HAN.fullmatch(w) and 2 <= len(w) <= 4 and word_frequency(w) and may_name(w)]
        titles = [t for d in self._snapshot.documents.values() if _HAN.fullmatch(t := fold_text(d.title))]
        sure = [t for groups in self._names.values() for group in groups.values() for t in group]
        return {spelt(t): t for t in (*own, *titles, *sure) if len(t) <= LONGEST_NAME}


def _by_sound(terms: Sequence[str]) -> dict[int, dict[tuple[str, ...], list[str]]]:
    found: dict[int, dict[tuple[str, ...], list[str]]] = defaultdict(lambda: defaultdict(list))
    for term in dict.fromkeys(terms):
        if _HAN.fullmatch(term) and len(term) > 1:
            found[len(term)][_sounds(term)].append(term)
    return found


def _tokens(run: str) -> dict[int, str]:
    """The words of a Chinese stretch by where they start."""
    found, at = {}, 0
    for word, _ in tagged(run):
        found[at] = word
        at += len(word)
    return found


def _shared(a: str, b: str) -> int:
    """How many characters stand at the same place in both."""
    return sum(x == y for x, y in zip(a, b, strict=True))


def _may_be_wrong(word: str) -> bool:
    """Whether a word can be a wrong character in a name: one character that is no word of the grammar."""
    return len(word) == 1 and word not in _stop() and tagged(word)[0][1][0] not in "pcurdymq"


@cache
def _stop() -> frozenset[str]:
    return frozenset(lexicon("rag", "question")["stop"])


def _wrong(term: str, span: str) -> set[int]:
    """Where two stretches of one length differ."""
    return {n for n, (x, y) in enumerate(zip(term, span, strict=True)) if x != y}


def _is_cut_at(tokens: Mapping[int, str], start: int, end: int) -> bool:
    """Whether words start and end where a stretch does."""
    return start in tokens and (end in tokens or end == max(tokens) + len(tokens[max(tokens)]))


def _place(places: Sequence[int], at: int) -> int:
    """Where an offset of the folded text lies in the text it was folded from."""
    return next((i for i, p in enumerate(places) if p >= at), len(places) - 1)
