"""What a question asks: its language, the terms that matter, what kind of thing would answer it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from index.aliases import chinese_for, entities_in, entity_spans, measures_in
from index.data import lexicon
from index.fold import fold_text
from index.periods import parts_in, periods_in
from index.quantities import parsed
from index.script import language_of
from index.tokenize import pairs, words
from index.unseen import visible
from rag.follow_up import resolved

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LATIN_NAME = re.compile(r"[a-z]轮|[a-z][a-z0-9]*(?:[.\-][a-z0-9]+)*")  # A轮, GLM-4, R1
_YEAR_OR_NUMBER = re.compile(r"[\d.,]+|(?:\d{4})?[HhQq]\d|\d[Hh]\d\d")
BARE = 5  # content words of a question that opens with a measure and names nobody
_MANY_QUESTIONS = 3  # earlier turns that may add to a follow-up


def _language() -> dict[str, Any]:
    return lexicon("rag", "question")


@cache
def _stop() -> frozenset[str]:
    return frozenset(_language()["stop"])


@dataclass(frozen=True, slots=True)
class Question:
    """A question, read. `wants` are names of tables in lexicon/question.toml."""

    asked: str  # as it was put
    understood: str  # as it is searched: without instructions, with what earlier turns add
    lang: str  # of the question: zh-Hans, zh-Hant or en
    folded: str  # an English one with the Chinese words for what it names
    terms: tuple[str, ...]  # for BM25: words and pairs
    words: tuple[str, ...]  # content words, folded, without repeats
    pairs: tuple[str, ...]  # character pairs that hold no asking word
    names: tuple[str, ...]  # Latin names and model names, those of known entities left out
    entities: tuple[tuple[str, ...], ...]  # known companies and products, each as all its forms
    numbers: tuple[str, ...]
    periods: frozenset[str]  # as index/periods.py writes them
    wants: frozenset[str]
    sources: tuple[tuple[str, ...], ...]  # whose report or figures are asked for, each as all its forms
    cross: bool  # the pages are taken to be in another language
    instruction: bool  # an order to the assistant was left out
    quarters: frozenset[str] = frozenset()  # parts of a year asked of, whichever year: Q3, H1, Q1-Q3
    opening: str = ""  # a name that nobody knew, as it stands in a found sentence too (rag/particulars.py)
    parts: tuple[str, ...] = ()  # what it names besides, that found sentences say: a region, a product, a business


def wants_of(folded: str) -> frozenset[str]:
    """Which kinds of answer a folded question asks for."""
    return frozenset(name for name, pattern in _language()["wants"].items() if re.search(pattern, folded))


def kind_of(question: Question) -> str:
    """The kind of answer a question calls for."""
    wants = question.wants
    for kind in ("conflict", "timeline", "compare", "list"):
        if kind in wants and not (kind == "timeline" and wants & {"list", "name", "person"}):  # “哪三个变化” is a list
            return kind
    return "explain" if wants & {"reason", "method", "define"} else "fact"


def asks_for_amount(folded: str) -> bool:
    """Whether a folded question asks how much or how many in so many words."""
    return re.search(_language()["amount"]["asked"], folded) is not None


def leans_on_earlier(folded: str) -> bool:
    """Whether a folded question cannot stand without the one before it."""
    follow = _language()["follow_up"]
    if re.search(follow["whole"], folded) or re.search(follow["start"], folded):
        return True
    content = [w for w in words(folded) if w not in _stop()]
    if len(content) <= BARE and re.search(follow["bare"], folded) and not entities_in(folded):
        return True
    return len(content) <= 1 or (len(content) <= 6 and re.search(follow["pronoun"], folded) is not None)


def asks_for_advice(folded: str) -> bool:
    """Whether a folded question wants a decision, not a fact."""
    return re.search(_language()["refuse"]["advice"], folded) is not None


def asks_for_junk(folded: str) -> bool:
    """Whether a folded question wants what stands around an article on its page."""
    return re.search(_language()["refuse"]["junk"], folded) is not None


def orders_only(folded: str) -> bool:
    """Whether a folded question is an order to the assistant and asks nothing of the corpus."""
    return re.search(_language()["instruction"]["whole"], folded) is not None


def understand(asked: str, turns: Sequence[str] = (), *, part: bool = False) -> Question:
    """Reads a question.

    Args:
        asked: the question, not empty.
        turns: the same user's earlier questions, oldest first; used only when the question leans on them.
        part: it stands in one text with the last of `turns`, and leans on it unless it names somebody itself.
    """
    text = re.sub(r"\s+", " ", visible(asked)).strip()
    stripped = _strip_instructions(text)
    chain = [stripped]
    for earlier in reversed(turns[-_MANY_QUESTIONS:]):
        beside = part and len(chain) == 1 and not entities_in(fold_text(stripped))
        if not beside and not leans_on_earlier(fold_text(chain[-1])):
            break
        chain.append(_strip_instructions(re.sub(r"\s+", " ", earlier).strip()))
    understood = chain.pop()
    while chain:
        understood = resolved(chain.pop(), understood)
    folded = fold_text(understood)
    lang = language_of(text)
    last = fold_text(stripped) if understood.endswith(stripped) else folded  # asked again of something else
    # “那腾讯云呢” asks the same of someone else: its own subject and period take the place of the earlier ones
    entities, sources = _whom_and_whose(last)
    if not entities and not sources:
        entities, sources = _whom_and_whose(folded)
    # an English question is searched with the Chinese words for what it names, too
    added = [*(f for forms in entities for f in forms if not f.isascii()), *chinese_for(folded)] if lang == "en" else []
    searched = " ".join([folded, *added])
    asking = re.compile(
        "|".join(sorted((re.escape(w) for w in _stop() if len(w) > 1 and not w.isascii()), key=len, reverse=True))
    )
    known = {word for forms in entities for form in forms for word in form.split()}
    return Question(
        asked=asked,
        understood=understood,
        lang=lang,
        folded=searched,
        terms=tuple(words(searched) + pairs(searched)),
        words=tuple(dict.fromkeys(w for w in words(searched) if w not in _stop())),
        pairs=tuple(dict.fromkeys(pairs(asking.sub(" ", searched)))),
        names=_names(understood, lang, known),
        entities=entities,
        numbers=tuple(dict.fromkeys(_NUMBER.findall(folded))),
        periods=periods_in(last) or _moved(last, periods_in(folded)),
        wants=wants_of(last) or wants_of(folded),
        sources=sources,
        cross=lang == "en",
        instruction=stripped != text,
        quarters=parts_in(last) or parts_in(folded),
    )


def _whom_and_whose(folded: str) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    """The names in a folded question: whom it is about, and whose report it asks for (says IDC)."""
    whose = _language()["source"]
    whom: list[tuple[str, ...]] = []
    sources: list[tuple[str, ...]] = []
    for start, end, forms in entity_spans(folded):
        said = re.match(whose["after"], folded[end:]) or re.search(whose["before"], folded[:start])
        kind = sources if said else whom
        if forms not in kind:
            kind.append(forms)
    return tuple(whom), tuple(s for s in sources if s not in whom)


def _moved(last: str, periods: frozenset[str]) -> frozenset[str]:
    """The periods asked about before, so many years later or earlier if the question says so (“一年后呢”)."""
    for name, sign in (("later", 1), ("earlier", -1)):
        if periods and (m := re.search(_language()["follow_up"][name], last)):
            years = sign * int(parsed(m.group("years")))
            return frozenset(f"{int(p[:4]) + years}{p[4:]}" for p in periods)
    return periods


def _names(text: str, lang: str, known: set[str]) -> tuple[str, ...]:
    """Folded Latin names in a question, known entities left out: in English those written with a capital or a digit."""
    if lang == "en":
        written = re.findall(r"(?<!^)\b[A-Z][\w.\-]*\w|\b[A-Za-z]*\d[\w.\-]*", text)
        folded = [fold_text(w) for w in written if not _YEAR_OR_NUMBER.fullmatch(w)]
    else:
        folded = _LATIN_NAME.findall(fold_text(text))
    others = _stop() | known | {form for forms in measures_in(fold_text(text)) for form in forms}  # capex is no name
    return tuple(
        dict.fromkeys(n for n in folded if n not in others and len(n) > 1 and not _YEAR_OR_NUMBER.fullmatch(n))
    )


def _strip_instructions(text: str) -> str:
    """The question without orders to the assistant; if nothing else is left, the text itself."""
    return re.sub(_language()["instruction"]["strip"], "", text, flags=re.IGNORECASE).strip() or text
