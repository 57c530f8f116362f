"""Sentences → the few words that answer: the clauses that bear the question, in the asker's script."""

import re
from dataclasses import dataclass

from index.aliases import entities_in
from index.fold import fold_text, to_simplified, to_traditional
from index.tokenize import words
from index.values import Document, Sentence
from rag.evidence import SHAPES
from rag.periods import match, periods_in
from rag.understand import Question

_CLAUSE = re.compile(r"(?:[^，,；;。！？!?]|,(?=\d))*(?:(?:[，；;。！？!?]|,(?!\d))+[”’」』》）)\"]*|$)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing the answer says, and the sentence that bears it."""

    text: str  # in the asker's script
    sentence: Sentence
    document: Document


def focus(sentence: Sentence, question: Question, max_chars: int) -> str:
    """The sentence when it is short; else its run of clauses, within `max_chars`, that bears the question best.

    What is left out at an end shows as “…”.
    """
    text = sentence.text.strip()
    if len(text) <= max_chars:
        return text
    clauses = [(m.start(), m.end()) for m in _CLAUSE.finditer(text) if m.group()]
    shapes = [SHAPES[w] for w in question.wants if w in SHAPES]

    def worth(start: int, end: int) -> float:
        folded = fold_text(text[start:end])
        covered = sum(p in folded for p in question.pairs) / max(1, len(question.pairs))
        named = sum(w in folded for w in question.words) / max(1, len(question.words))
        shaped = sum(bool(s.search(folded)) for s in shapes) / max(1, len(shapes))
        dated = match(question.periods, periods_in(folded)) if question.periods else 0.0
        return (
            covered + named + dated + 0.5 * shaped + 0.0005 * (end - start)
        )  # of equal ones the longest: answers follow names

    runs = [
        (clauses[i][0], clauses[j][1])
        for i in range(len(clauses))
        for j in range(i, len(clauses))
        if clauses[j][1] - clauses[i][0] <= max_chars
    ]
    if not runs:
        return text[: max_chars - 1] + "…"
    start, end = max(runs, key=lambda run: worth(*run))
    kept = text[start:end].strip()
    if end < len(text):
        kept = re.sub(r"[，,；;：:、\s]+$", "", kept) + "…"
    return ("…" if start else "") + kept


def in_script(text: str, lang: str, source_lang: str) -> str:
    """Evidence as the asker reads it: in the asker's script if that differs from the source's, untouched in English."""
    if lang == source_lang:
        return text
    if lang == "zh-Hans":
        return to_simplified(text)
    if lang == "zh-Hant":
        return to_traditional(text)
    return text


_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"[a-z](?:[a-z0-9.\-]*[a-z0-9])?")


def is_borne_out(text: str, sentence: Sentence) -> bool:
    """Whether every number, every Latin name and every known entity of `text` stands in the sentence, whole."""
    said, source = fold_text(text.replace("…", " ")), sentence.folded
    numbers = set(_NUMBER.findall(source))
    names = set(_NAME.findall(source))
    return (
        all(n in numbers for n in _NUMBER.findall(said))
        and all(n in names for n in _NAME.findall(said))
        and all(forms in entities_in(source) for forms in entities_in(said))
    )


def same_content(a: str, b: str) -> bool:
    """Whether two folded sentences say the same words (a reprint, or a repeated line)."""
    x, y = set(words(a)), set(words(b))
    return len(x & y) >= 0.8 * max(1, min(len(x), len(y)))
