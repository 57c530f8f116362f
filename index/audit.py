"""What cleaning did to a document, gathered for people: whole lines each by itself, the rest by rule."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from index.clean import FURNITURE
from index.values import Document, Removal

EXAMPLES = 3  # of what a rule did inside lines


@dataclass(frozen=True, slots=True)
class Finding:
    """A line that was left out (`times` is 1), or what one rule did inside lines."""

    rule: str
    start: int
    end: int
    times: int
    chars: int
    texts: tuple[str, ...]  # the line, or a few examples; `a → b` where something was mended


def findings(document: Document, removals: Sequence[Removal]) -> tuple[Finding, ...]:
    """Everything cleaning did, lines first, in the order of the text.

    Args:
        removals: of the document, sorted.
    """
    lines = [
        Finding(r.rule, r.start, r.end, 1, r.end - r.start, (text,))
        for r in _joined(removals)
        if (text := _said(document, r))
    ]
    inside: dict[str, list[Removal]] = {}
    for r in removals:
        if r.rule not in FURNITURE:
            inside.setdefault(r.rule, []).append(r)
    for rule, own in inside.items():
        texts = dict.fromkeys(text for r in own if (text := _said(document, r)))
        chars = sum(r.end - r.start for r in own)
        lines.append(Finding(rule, own[0].start, own[0].end, len(own), chars, tuple(texts)[:EXAMPLES]))
    return tuple(lines)


def _said(document: Document, removal: Removal) -> str:
    text = " ".join(document.text[removal.start : removal.end].split())
    new = removal.replacement.strip()
    return f"{text} → {new}" if new and new != text else text


def _joined(removals: Sequence[Removal]) -> list[Removal]:
    """The lines that were dropped, each in one piece: what other rules took out of its middle belongs to it."""
    taken = {n for r in removals for n in range(r.start, r.end)}
    found: list[Removal] = []
    for r in removals:
        if r.rule not in FURNITURE:
            continue
        last = found[-1] if found else None
        if (
            last is not None
            and last.rule == r.rule
            and last.end < r.start
            and taken.issuperset(range(last.end, r.start))
        ):
            found[-1] = Removal(last.start, r.end, r.rule)
        else:
            found.append(r)
    return found


def rule_counts(document: Document, removals: Sequence[Removal]) -> tuple[tuple[str, int], ...]:
    """How many characters each rule left out or mended, the most first."""
    counts: Counter[str] = Counter()
    for r in removals:
        counts[r.rule] += min(r.end, len(document.text)) - r.start
    return tuple(counts.most_common())
