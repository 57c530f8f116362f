"""Whether a sentence that a language model wrote is borne out by the evidence it cites.

Every number with its unit, every time, name and word of substance must stand in what is cited; whose a number is, of
when, by whose count, and which way it went must be as the evidence has it; nothing may be turned round. What cannot be
told from the evidence does not pass: the answer has a sentence that does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from index.aliases import entities_in, forms_of, glossary_spans
from index.bilingual import Translations, stems
from index.fold import fold_text
from index.tokenize import tagged
from rag.bearing import candidates, is_negated, misfit
from rag.mentions import pattern, words_of
from rag.stated import Evidence, Stated, covered, is_same, stated, subject_of

MARKER = re.compile(r"\[(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\]")
BORNE = 0.55  # of a sentence without a number: how much of it must stand in the evidence
GIVES = 0.25  # … and of one of several that are cited
LIKE = 0.5  # of a clause: it says the same as one of the evidence, or the opposite
_DIGITS = re.compile(r"[a-z]*[\-.]?\d[\d.,]*\d|[a-z]*[\-.]?\d[a-z]*")
_LATIN = re.compile(r"[a-z][a-z0-9]*(?:[.\-][a-z0-9]+)*")
_NOUNS = ("n", "j", "l", "i", "b", "x", "eng", "s")


def markers_of(text: str) -> list[int]:
    """The markers of a sentence, in order, without repeats."""
    return list(dict.fromkeys(int(n) for m in MARKER.finditer(text) for n in re.findall(r"\d+", m[1])))


def fault_in(text: str, evidence: Mapping[int, Evidence], lang: str, translations: Translations) -> str | None:
    """Why a sentence may not be shown as grounded; None when it may.

    Args:
        text: one sentence with its markers [n].
        evidence: what was given to cite, by marker.
        lang: of the answer.
        translations: English stems → Chinese words of the corpus, for English sentences over Chinese evidence.
    """
    markers = markers_of(text)
    if not markers:
        return "no_marker"
    if any(n not in evidence for n in markers):
        return "unknown_marker"
    body = MARKER.sub(" ", text)
    if fault := _form(body, lang):
        return fault
    cited = [evidence[n] for n in markers]
    subjects = {s for e in cited for f in e.figures if len(s := subject_of(f)) > 1}
    claim = stated(body, subjects)
    borne = [stated(e.sentence.text, subjects) for e in cited]
    return next(_faults(claim, cited, borne, lang, translations), None)


def _form(body: str, lang: str) -> str | None:
    folded = fold_text(body)
    if any("\ud800" <= c <= "\udfff" or (c < " " and c not in "\t\n") for c in body) or not folded.strip():
        return "unreadable"
    if pattern("form", "never").search(folded) or re.search(r"[\[\]]", folded):
        return "form"
    if pattern("form", "refusal").search(folded):
        return "refusal"
    han, latin = len(re.findall(r"[\u4e00-\u9fff]", folded)), len(re.findall(r"[a-z]+", folded))
    if (lang == "en" and latin < 3) or (lang != "en" and (han < 4 or latin > han)):
        return "language"
    return None


def _faults(
    claim: Stated, cited: Sequence[Evidence], borne: Sequence[Stated], lang: str, translations: Translations
) -> Iterator[str]:
    """Every fault there is."""
    known = " ".join(e.known for e in cited)
    of_evidence = frozenset(t for b in borne for t in b.times)
    of_figures = frozenset(p for e in cited for f in e.figures for p in re.findall(r"[\w\-]+", f.as_of or ""))
    published = {e.document.published for e in cited if e.document.published}
    dated = {d[:n] for d in published for n in (4, 7, 10)}
    if not claim.times <= of_evidence | of_figures | dated:
        yield "other_period"
    if not claim.compared <= frozenset(t for b in borne for t in b.compared):
        yield "other_comparison"
    if any(forms not in entities_in(known) for forms in entities_in(claim.folded)):
        yield "other_name"
    yield from _loose_digits(claim, known)
    bearing: set[int] = set()
    for mention in claim.mentions:
        found = [(n, misfit(claim, mention, c)) for n, c in candidates(mention, cited, borne)]
        if not found:
            yield "other_figure"
        elif all(fault for _, fault in found):
            yield found[0][1] or ""
        bearing |= {n for n, fault in found if not fault}
    yield from _misplaced(claim, borne)
    yield from _turned(claim, borne)
    yield from _unheard(claim, known, lang, translations)
    if not claim.mentions and not _comparisons(claim) and lang != "en" and covered(_content(claim), known) < BORNE:
        yield "not_said"
    if len(cited) > 1:
        for n, e in enumerate(cited):
            if n not in bearing and (claim.mentions or covered(_content(claim), e.known) < GIVES):
                yield "idle_marker"


def _loose_digits(claim: Stated, known: str) -> Iterator[str]:
    """Digits that are no number and no time must stand in the evidence as they are: GPT-4, 1.6, H20."""
    blank = list(claim.folded)
    for a, b in [*((m.start, m.end) for m in claim.mentions), *claim.time_spans]:
        blank[a:b] = " " * (b - a)
    rest = "".join(blank)
    there = set(_DIGITS.findall(known))
    if any(d not in there for d in _DIGITS.findall(rest)) or re.search(words_of("english")["spelt"], rest):
        yield "other_figure"


def _misplaced(claim: Stated, borne: Sequence[Stated]) -> Iterator[str]:
    """A place in an order that the evidence gives to nobody, or to somebody else."""
    for at, rank in claim.ranks:
        owner = claim.owner_of(at)
        theirs = [b.owner_of(there) for b in borne for there, other in b.ranks if other == rank]
        if not any(owner is None or t is None or is_same(owner.text, t.text) for t in theirs):
            yield "other_rank"


def _turned(claim: Stated, borne: Sequence[Stated]) -> Iterator[str]:
    """A comparison that the evidence does not make, or a clause that it denies."""
    theirs = {pair for b in borne for pair in _comparisons(b)}
    for higher, lower in _comparisons(claim):
        if not any(is_same(higher, h) and is_same(lower, low) for h, low in theirs):
            yield "other_comparison"
    clauses = [b.folded[x:y] for b in borne for x, y in b.clauses]
    for x, y in claim.clauses:
        if any(x <= m.start < y for m in claim.mentions):
            continue  # its number has been looked at with its own clause
        own = stated(claim.folded[x:y]).said
        nearest = max(clauses, key=lambda c: covered(c, own), default="")
        denied = is_negated(claim.folded[x:y])
        if (covered(nearest, own) >= LIKE and denied != is_negated(nearest)) or (
            denied and not any(map(is_negated, clauses))
        ):
            yield "negated"


def _comparisons(text: Stated) -> list[tuple[str, str]]:
    """Who is said to be above whom: the higher, the lower."""
    found = []
    for table in ("higher", "lower"):
        for m in pattern("compared", table).finditer(text.folded):
            _, end = text.clause_at(m.start())
            above = next((n.text for n in reversed(text.names) if n.end <= m.start()), None)
            below = next((n.text for n in text.names if m.end() <= n.start < end), None)
            if (
                above
                and below
                and not any(m.end() <= q.start < text.folded.find(below, m.end()) for q in text.mentions)
            ):
                found.append((above, below) if table == "higher" else (below, above))
    return found


def _content(claim: Stated) -> str:
    """A sentence without its times and numbers, and the words that need no evidence."""
    blank = list(claim.folded)
    for a, b in [*((m.start, m.end) for m in claim.mentions), *claim.time_spans]:
        blank[a:b] = " " * (b - a)
    rest = "".join(blank)
    for word in sorted(words_of("plain")["chinese"], key=len, reverse=True):
        rest = rest.replace(word, " " * len(word))  # places stay
    return rest


def _unheard(claim: Stated, known: str, lang: str, translations: Translations) -> Iterator[str]:
    """Words of substance that the evidence does not have, in any form."""
    content = _content(claim)
    for word, tag in tagged(re.sub(r"[^\u4e00-\u9fff]+", " ", content)):
        if len(word) > 1 and tag.startswith(_NOUNS) and not _has(known, word):
            yield f"not_in_evidence: {word}"
    if lang != "en":
        for word in _LATIN.findall(content):
            if not re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", known):
                yield f"not_in_evidence: {word}"
        return
    told = [(a, b) for a, b, chinese in glossary_spans(content) if any(_has(known, c) for c in chinese)]
    told += [(n.start, n.end) for n in claim.names]
    plain = re.compile(rf"(?:{words_of('plain')['english']})")
    for stem, a, b in stems(content):
        word = content[a:b]
        if any(x <= a < y for x, y in told) or plain.fullmatch(word) or not word[0].isalpha() or len(word) == 1:
            continue
        meant = translations.get(stem, {})
        if not re.search(rf"(?<![a-z]){re.escape(word)}", known) and not any(c in known for c in meant if len(c) > 1):
            yield f"not_in_evidence: {word}"


def _has(known: str, word: str) -> bool:
    return any(form in known for form in (word, *forms_of(word)))
