"""A sentence taken apart for comparison: its numbers, times, ranks and names, clause by clause, and whose each is."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from index.aliases import chinese_for, entities_in, entity_spans
from index.fold import fold_text
from index.tokenize import pairs
from index.values import Document, Figure, Sentence
from rag.mentions import Mention, mentions_in, pattern, ranks_in, times_in

_CLAUSE = re.compile(r"[，;；。！？!?]|,(?!\d{3}(?!\d))|\s(?:and|while|whereas|but|with)\s|——")
_BRACKETED = re.compile(r"[(（][^()（）]*[)）]")
NAMED = 0.6  # of a name's pairs of characters: it is named


@dataclass(frozen=True, slots=True)
class Name:
    """Somebody or something that figures are of, at `folded[start:end]`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Stated:
    """One folded sentence."""

    folded: str
    said: str  # … with the Chinese of its English words, to be held against Chinese evidence
    plain: str  # … with blanks where remarks in brackets stood
    clauses: tuple[tuple[int, int], ...]
    mentions: tuple[Mention, ...]
    time_spans: tuple[tuple[int, int], ...]
    times: frozenset[str]
    compared: frozenset[str]  # the times it compares with
    ranks: tuple[tuple[int, str], ...]
    names: tuple[Name, ...]

    def clause_at(self, at: int) -> tuple[int, int]:
        """The clause that holds a place."""
        return next(((a, b) for a, b in self.clauses if a <= at < b), (0, len(self.folded)))

    def in_clause(self, at: int) -> str:
        """Its words; remarks in brackets only where the place is in one."""
        start, end = self.clause_at(at)
        return (self.plain if self.plain[at].strip() else self.folded)[start:end]

    def around(self, mention: Mention) -> tuple[str, str]:
        """… before and behind a number."""
        start, end = self.clause_at(mention.start)
        text = self.plain if self.plain[mention.start].strip() else self.folded
        return text[start : mention.start], text[mention.end : end]

    def owner_of(self, at: int, skip: Iterable[str] = ()) -> Name | None:
        """The name that what stands at `at` belongs to: the last before it, else the first after it in its clause.

        Args:
            skip: folded words that names may be part of and then are nobody's: a source, what is measured.
        """
        free = [n for n in self.names if not any(n.text in words for words in skip) and not self._is_held_against(n)]
        start, end = self.clause_at(at)
        before = [n for n in free if n.end <= at]
        own = [n for n in before if n.start >= start]
        after = [n for n in free if at < n.start < end]
        return own[-1] if own else after[0] if after else before[-1] if before else None

    def times_at(self, at: int) -> frozenset[str]:
        """The times of its clause, else of the nearest one before that names any; none that is only compared with."""
        start, _ = self.clause_at(at)
        for a, b in reversed([c for c in self.clauses if c[0] <= start]):
            _, times, compared = times_in(self.folded[a:b])
            if times - compared:
                return times - compared
        return frozenset()

    def _is_held_against(self, name: Name) -> bool:
        start, _ = self.clause_at(name.start)
        return pattern("compared", "against").search(self.folded, start, name.start) is not None


def stated(text: str, subjects: Iterable[str] = ()) -> Stated:
    """Takes a text apart.

    Args:
        subjects: folded names that count besides those of the lexicon and the corpus.
    """
    folded = fold_text(text)
    spans, times, compared = times_in(folded)
    blank = list(folded)
    for a, b in spans:
        blank[a:b] = "\0" * (b - a)
    timeless = "".join(blank)
    cuts = [m.span() for m in _CLAUSE.finditer(folded)]
    bounds = list(zip([0, *(b for _, b in cuts)], [*(a for a, _ in cuts), len(folded)], strict=True))
    english = chinese_for(folded) if re.search(r"[a-z]{3}", folded) else []
    return Stated(
        folded,
        " ".join([folded, *english, *(form for forms in entities_in(folded) for form in forms)]),
        _BRACKETED.sub(lambda m: " " * len(m.group()), folded),
        tuple((a, b) for a, b in bounds if a < b),
        tuple(mentions_in(folded, spans)),
        tuple(spans),
        times,
        compared,
        tuple(ranks_in(timeless)),
        tuple(_names(folded, subjects)),
    )


def _names(folded: str, subjects: Iterable[str]) -> list[Name]:
    found = [Name(a, b, folded[a:b]) for a, b, _ in entity_spans(folded)]
    for subject in subjects:
        found += [Name(m.start(), m.end(), subject) for m in re.finditer(re.escape(subject), folded)]
    aside = [m.span() for m in _BRACKETED.finditer(folded)]
    found = [n for n in found if not any(a < n.start < b for a, b in aside)]
    longest = [n for n in found if not any(o.start <= n.start and n.end <= o.end and o != n for o in found)]
    return sorted(set(longest), key=lambda n: n.start)


def is_same(name: str, subject: str) -> bool:
    """Whether a name is of whose a figure is: one of its forms, or most of its words."""
    mine, theirs = entities_in(name), entities_in(subject)
    if mine and theirs:
        return any(forms in theirs for forms in mine)
    return name in subject or subject in name or covered(subject, name) >= NAMED


def covered(part: str, text: str) -> float:
    """The share of a folded text's pairs of characters, and Latin words, that another holds; 1 without any."""
    wanted = pairs(part) + re.findall(r"[a-z][a-z0-9]+", part)
    return sum(w in text for w in wanted) / len(wanted) if wanted else 1.0


def subject_of(figure: Figure | None) -> str:
    """Whose a figure is, folded; empty where the text does not say."""
    return fold_text((figure.subject if figure else None) or "")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A cited sentence, and what the ledger knows of its figures."""

    marker: int
    sentence: Sentence
    document: Document
    figures: Sequence[Figure]

    @property
    def known(self) -> str:
        """All it says, folded: with what the sentences above say of its figures, and who publishes it."""
        own = [w for f in self.figures for w in (f.subject, f.attribute, f.as_of, f.scope, f.said_by) if w]
        d = self.document
        return " ".join([self.sentence.folded, *map(fold_text, [*own, d.title, d.publisher or "", d.author or ""])])
