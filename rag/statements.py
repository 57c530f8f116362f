"""Sentences → the few words that answer: the clauses that bear the question, in the asker's script."""

import re
from dataclasses import dataclass

from index.aliases import entities_in
from index.fold import fold_text, to_simplified, to_traditional
from index.periods import match, periods_in, year_spans
from index.tokenize import words
from index.values import Document, Figure, Sentence
from rag.evidence import SHAPES
from rag.reader.read import Span
from rag.understand import Question

_CLAUSE = re.compile(r"(?:[^，,；;。！？!?]|,(?=\d))*(?:(?:[，；;。！？!?]|,(?!\d))+[”’」』》）)\"]*|$)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing the answer says, and the sentence that bears it."""

    text: str  # in the asker's script
    sentence: Sentence
    document: Document
    leads: bool = False  # the answer in a few words, before the sentence it is taken from
    agreeing: tuple[tuple[Sentence, Document], ...] = ()  # of other documents, that say the same
    bearing: tuple[Sentence, ...] = ()  # of the same document: where a period or a source stands that is said here
    figure: Figure | None = None

    @property
    def sources(self) -> tuple[tuple[Sentence, Document], ...]:
        """All that is cited for it, in the order of the marks."""
        own = (self.sentence, *self.bearing)
        return (*((s, self.document) for s in own), *self.agreeing)


def focus(sentence: Sentence, question: Question, max_chars: int, span: Span | None = None) -> str:
    """The sentence when it is short; else its run of clauses, within `max_chars`, that bears the question best.

    What is left out at an end shows as “…”. With `span`, of the runs that hold it whole, if one is short enough.
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
        own = sum(any(f in folded for f in forms) for forms in question.entities) / max(1, len(question.entities))
        # whose it is before all; of equal ones the longest: answers follow names
        return covered + named + 3 * own + dated + 0.5 * shaped + 0.0005 * (end - start)

    runs = [
        (clauses[i][0], clauses[j][1])
        for i in range(len(clauses))
        for j in range(i, len(clauses))
        if clauses[j][1] - clauses[i][0] <= max_chars
    ]
    if span is not None:
        shift = len(sentence.text) - len(sentence.text.lstrip())
        runs = [r for r in runs if r[0] <= span.start - shift and span.end - shift <= r[1]] or runs
    if not runs:
        return text[: max_chars - 1] + "…"
    start, end = max(runs, key=lambda run: worth(*run))
    kept = text[start:end].strip()
    if end < len(text):
        kept = re.sub(r"[，,；;：:、\s]+$", "", kept) + "…"
    return ("…" if start else "") + kept


def lead_of(sentence: Sentence, span: Span, max_chars: int) -> str | None:
    """The answer itself: the clause the span stands in, or, where that is long, the span with what belongs to it.

    None when even the span is longer than `max_chars`.
    """
    text = sentence.text
    start, end = _whole(text, span.start, span.end)
    clauses = [m.span() for m in _CLAUSE.finditer(text) if m.group() and m.start() < end and m.end() > start]
    if clauses and clauses[-1][1] - clauses[0][0] <= max_chars + 1:  # one more: its comma goes
        start, end = clauses[0][0], clauses[-1][1]
    start, end = _beside_bracket(text, start, end, span)
    lead = _without_loose(text[start:end].strip().strip(_AROUND)).strip(_AROUND)
    return lead if 0 < len(lead) <= max_chars else None


_AROUND = "，,；;。：:、"
_PAIRED = {"《": "》", "“": "”", "「": "」", "『": "』", "（": "）", "(": ")", "〈": "〉", "[": "]"}
_TOGETHER = re.compile(  # what is not cut: a title, a number with its unit, a Latin name
    r"《[^》]*》|「[^」]*」|『[^』]*』|[约超近逾]?\d[\d.,]*(?:[-—–~～至到]\d[\d.,]*)?\s?(?:%|％|[万亿千百]+|[年月日号时分秒个家名人位次届项座])*|[A-Za-z][A-Za-z0-9.\-]*"
)


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """A span widened to whole numbers, names and brackets."""
    for m in _TOGETHER.finditer(text):
        if m.start() < end and m.end() > start:
            start, end = min(start, m.start()), max(end, m.end())
    for opener, closer in _PAIRED.items():
        inside = text[start:end]
        if inside.count(opener) > inside.count(closer) and (at := text.find(closer, end)) >= 0:
            end = at + 1
        elif inside.count(closer) > inside.count(opener) and (at := text.rfind(opener, 0, start)) >= 0:
            start = at
    return start, end


def _beside_bracket(text: str, start: int, end: int, span: Span) -> tuple[int, int]:
    """The side of a bracket left open in `text[start:end]` on which the span stands."""
    for opener, closer in ("()", "（）"):
        at = text.rfind(opener, start, end)
        if at >= 0 and closer not in text[at:end]:
            start, end = (start, at) if span.end <= at else (at + 1, end) if span.start > at else (start, end)
    return start, end


def _without_loose(text: str) -> str:
    """A cut text without the brackets at its ends whose other half was left behind."""
    for opener, closer in _PAIRED.items():
        if text.endswith(closer) and text.count(closer) > text.count(opener):
            text = text[:-1]
        if text.startswith(opener) and text.count(opener) > text.count(closer):
            text = text[1:]
    return text


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


def is_borne_out(text: str, *sentences: Sentence) -> bool:
    """Whether every number, every Latin name and every known entity of `text` stands in the sentences, whole."""
    said, source = fold_text(text.replace("…", " ")), " ".join(s.folded for s in sentences)
    numbers = set(_NUMBER.findall(source))
    for first, last in year_spans(source):  # 2023 is among 2022年至2024年
        numbers |= set(map(str, range(first, last)))
    return (
        all(n in numbers for n in _NUMBER.findall(said))
        and all(re.search(rf"(?<![a-z]){re.escape(n)}(?![a-z])", source) for n in _NAME.findall(said))
        and all(forms in entities_in(source) for forms in entities_in(said))
    )


def same_content(a: str, b: str) -> bool:
    """Whether two folded sentences say the same words (a reprint, or a repeated line), and none other numbers."""
    x, y = set(_NUMBER.findall(a)), set(_NUMBER.findall(b))
    if not (x <= y or y <= x):
        return False
    x, y = set(words(a)), set(words(b))
    return len(x & y) >= 0.8 * max(1, min(len(x), len(y)))
