"""Names that mean the same and English words for Chinese measures, from the editable lexicon/aliases.toml."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import Any

from index.data import lexicon
from index.fold import fold_text


def _lexicon() -> dict[str, Any]:
    return lexicon("index", "aliases")


def _form(name: str) -> str:
    """A pattern for one form of a name: whole words for Latin ones, anywhere for Chinese ones.

    One Latin word is not the name where a word follows that makes it another: Yuheng Group is not Yuheng Cloud.
    """
    escaped = re.escape(fold_text(name))
    kind = "" if " " in name else rf"(?!\s(?:{_lexicon()['latin_kinds']})\b)"
    return rf"(?<![a-z0-9]){escaped}(?![a-z]){kind}" if name.isascii() else escaped


Groups = tuple[tuple[str, ...], ...]
_learned: ContextVar[Groups] = ContextVar("names a corpus says are one", default=())


@contextmanager
def known_names(groups: Groups) -> Iterator[None]:
    """Within it, the names of a corpus (index.names) count like those of the lexicon."""
    token = _learned.set(groups)
    try:
        yield
    finally:
        _learned.reset(token)


def _entities() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    return _patterns(_learned.get())


@lru_cache(maxsize=8)
def _patterns(learned: Groups) -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    groups = _joined(learned)
    return tuple((g, re.compile("|".join(map(_form, sorted(g, key=len, reverse=True))))) for g in groups)


def _joined(learned: Groups) -> list[tuple[str, ...]]:
    """The lexicon's groups, each with what a learned one that shares a form adds; then those that share none."""
    result = [[fold_text(name) for name in group] for group in _lexicon()["entities"]]
    for group in learned:
        own = next((g for g in result if not set(g).isdisjoint(group)), None)
        if own is None:
            result.append(list(group))
        else:
            own += [n for n in group if n not in own]
    return [tuple(g) for g in result]


@cache
def _glossary() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    return tuple(
        (re.compile(rf"\b(?:{english})\b"), tuple(fold_text(chinese).split()))
        for english, chinese in _lexicon()["glossary"].items()
    )


def entities_in(folded: str) -> list[tuple[str, ...]]:
    """The names a folded text holds, each as all its forms, in order, without repeats."""
    return list(dict.fromkeys(forms for _, _, forms in entity_spans(folded)))


def entity_spans(folded: str) -> list[tuple[int, int, tuple[str, ...]]]:
    """Where a folded text names somebody, and all forms of each name; the longest reading wins (阿里云 is not 阿里)."""
    return list(_spans_of(_learned.get(), folded))


@lru_cache(maxsize=8192)
def _spans_of(groups: Groups, folded: str) -> tuple[tuple[int, int, tuple[str, ...]], ...]:
    found = [(m.start(), -m.end(), forms) for forms, pattern in _patterns(groups) for m in pattern.finditer(folded)]
    kept: list[tuple[int, int, tuple[str, ...]]] = []
    for start, minus_end, forms in sorted(found):
        if not kept or start >= kept[-1][1]:
            kept.append((start, -minus_end, forms))
    return tuple(kept)


def entity_at(folded: str) -> int:
    """Where the known name that a folded text opens with ends; 0 when it opens with none."""
    return max((m.end() for _, pattern in _entities() if (m := pattern.match(folded))), default=0)


@lru_cache(maxsize=8)
def _forms(learned: Groups) -> dict[str, tuple[str, ...]]:
    known = _lexicon()
    same = [tuple(map(fold_text, g)) for g in (*known["measures"], *known["words"], known["share"])]
    groups = [*_joined(learned), *same]
    found: dict[str, tuple[str, ...]] = {}
    for group in groups:
        for form in group:
            found[form] = (*found.get(form, ()), *group)
    for english, chinese in known["glossary"].items():  # one language is met by the other
        plain, words = _plain(english), tuple(fold_text(chinese).split())
        for a, others in ((plain, words), (words, plain)):
            for form in a:
                found[form] = tuple(dict.fromkeys((*found.get(form, (form,)), *others)))
    return found


def _plain(pattern: str) -> tuple[str, ...]:
    """The words of a glossary pattern without their endings: `revenues?|sales` → revenue, sales."""
    bare = re.sub(r"\((?:[^()]*)\)|.\?|\\.|\[.*?\]", lambda m: " " if m.group().startswith("[") else "", pattern)
    return tuple(w for part in bare.split("|") if len(w := part.strip()) > 2)


def forms_of(word: str) -> tuple[str, ...]:
    """A folded word and all that the lexicon says means the same."""
    known = _forms(_learned.get())
    return known.get(word) or (known.get(word.rstrip("s"), (word,)) if word.isascii() else (word,))


@cache
def _folded_group(group: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(fold_text, group))


def lexicon_names() -> list[str]:
    """Every form of every name in the lexicon, folded."""
    return [form for forms, _ in _entities() for form in forms]


def lexicon_words() -> list[str]:
    """Every word for a measure or a share, and those that mean the same, folded."""
    known = _lexicon()
    return [fold_text(w) for group in (*known["measures"], *known["words"], known["share"]) for w in group]


def names_share(folded: str) -> bool:
    """Whether a folded text speaks of a share of something."""
    return any(word in folded for word in _folded_group(tuple(_lexicon()["share"])))


def share_word() -> str:
    """The word that stands for every word for a share: 份额 for 占比."""
    return _folded_group(tuple(_lexicon()["share"]))[0]


def measures_in(folded: str) -> list[tuple[str, ...]]:
    """The measures a folded text names (份额, 营收 …), each as all its forms; general words are left out."""
    return list(_measures_in(folded))


@lru_cache(maxsize=8192)
def _measures_in(folded: str) -> tuple[tuple[str, ...], ...]:
    return tuple(group for group in _measures() if any(f in folded for f in group))


@cache
def _measures() -> tuple[tuple[str, ...], ...]:
    """… with the English words for them."""
    english: dict[str, list[str]] = {}
    for pattern, chinese in _lexicon()["glossary"].items():
        for word in fold_text(chinese).split():
            english.setdefault(word, []).extend(w for w in _plain(pattern) if len(w) > 3)
    return tuple(
        tuple(dict.fromkeys([*group, *(w for form in group for w in english.get(form, ()))]))
        for group in (_folded_group(tuple(g)) for g in _lexicon()["measures"])
    )


def glossary_words() -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The English words of the glossary with the Chinese words for them."""
    return [(_plain(english), tuple(fold_text(chinese).split())) for english, chinese in _lexicon()["glossary"].items()]


def glossary_spans(folded: str) -> list[tuple[int, int, tuple[str, ...]]]:
    """Where a folded text has an English word of the glossary, and the Chinese words for each."""
    return [(m.start(), m.end(), chinese) for pattern, chinese in _glossary() for m in pattern.finditer(folded)]


def chinese_for(folded: str) -> list[str]:
    """Chinese words for the English ones in a folded text, in the lexicon's order, without repeats."""
    words = [w for pattern, chinese in _glossary() if pattern.search(folded) for w in chinese]
    return list(dict.fromkeys(words))
