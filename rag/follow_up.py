"""A question that leans on the one before it → one that stands alone: what it names takes the place of the other."""

import re

from index.aliases import entities_in, measures_in
from index.data import lexicon
from index.dates import dates_in
from index.fold import fold_text


def resolved(last: str, earlier: str) -> str:
    """The earlier question, asked again of what the last one names (那阿里云呢, 2024年呢, 第二名呢); else both, joined.

    Args:
        last: a question that leans on `earlier`.
    """
    words = lexicon("rag", "question")["follow_up"]
    if len(fold_text(last)) != len(last) or len(fold_text(earlier)) != len(earlier):
        return f"{earlier} {last}"
    pronoun = re.search(words["of_it"], fold_text(last))
    topic = re.match(words["topic"], fold_text(earlier))
    if pronoun and topic:
        named = earlier[topic.start("topic") : topic.end("topic")]
        return f"{last[: pronoun.start()]}{named}{last[pronoun.end() :]}"
    asked = re.match(words["of"], fold_text(last))
    told = re.sub(words["asking"], "", fold_text(earlier))
    both = f"{earlier[: len(told)] if told.strip() else earlier} {last}"
    if asked is None:
        return both
    named = last[asked.start("what") : asked.end("what")].strip()
    for find in (_name, _rank, _period, _measure):
        new, old = find(fold_text(named)), find(fold_text(earlier))
        if find is _period and old and (year := re.match(r"\d{4}", named)) and "同期" in named:  # the same part of it
            start = old[0][0]
            if re.match(r"\d{4}", earlier[start:]):
                return f"{earlier[:start]}{year.group()}{earlier[start + 4 :]}"
        if new and old and len(new) == 1 and len(fold_text(named)) - (new[0][1] - new[0][0]) <= 2:
            start, end = old[0]
            return f"{earlier[:start]}{named}{earlier[end:]}"
        if new and not old and find in (_name, _period):
            return f"{named} {earlier}"
    return both


def _name(folded: str) -> list[tuple[int, int]]:
    """Where known names stand, the first first."""
    spans = []
    for forms in entities_in(folded):
        at = min((folded.find(f), -len(f)) for f in forms if f in folded)
        spans.append((at[0], at[0] - at[1]))
    return sorted(spans)


def _rank(folded: str) -> list[tuple[int, int]]:
    return [m.span() for m in re.finditer(r"第[一二三四五六七八九十\d]+(?:名|位)?|老[大二三]", folded)]


def _period(folded: str) -> list[tuple[int, int]]:
    return [(d.start, d.end) for d in dates_in(folded)]


def _measure(folded: str) -> list[tuple[int, int]]:
    forms = [max((f for f in group if f in folded), key=len) for group in measures_in(folded)]
    return sorted((folded.find(f), folded.find(f) + len(f)) for f in forms)
