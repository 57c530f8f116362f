"""A question that leans on the one before it → one that stands alone: what it names takes the place of the other."""

import re

from index.aliases import entity_spans, measures_in
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
    if (moved := _year_before(last, earlier)) is not None:
        return moved
    if (beside := _at_same_word(last, earlier)) is not None:
        return beside
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
    who = re.search(words["who"], fold_text(earlier))
    if who and _name(fold_text(named)):  # 谁第一?那北屿云呢 → 北屿云第几?
        return f"{earlier[: who.start()]}{named}{re.sub(words['first'], '第几', earlier[who.end() :])}"
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


def _year_before(last: str, earlier: str) -> str | None:
    """去年同期才多少啊 → the earlier question, of the year before."""
    asked = re.fullmatch(lexicon("rag", "question")["follow_up"]["year_before"], fold_text(last))
    years = list(re.finditer(r"(?<!\d)20\d\d(?=年)", earlier))
    if asked is None or len(years) != 1:
        return None
    year = years[0]
    return f"{earlier[: year.start()]}{int(year.group()) - 1}{earlier[year.end() :]}"


def _at_same_word(last: str, earlier: str) -> str | None:
    """它给禾川云的呢 after 远石给星澜云的份额 → the name that follows the same word takes the other's place."""
    if not re.fullmatch(r".{0,12}呢[?？]*", last):
        return None
    for start, end in _name(fold_text(last)):
        for a, b in _name(fold_text(earlier)):
            if start and a and last[start - 1] == earlier[a - 1] and not re.match(r"[的,，那]", last[start - 1]):
                return f"{earlier[:a]}{last[start:end]}{earlier[b:]}"
    return None


def _name(folded: str) -> list[tuple[int, int]]:
    """Where known names stand, the first first; those that only say whose report it is come last."""
    source = lexicon("rag", "question")["follow_up"]["source"]
    spans = [(re.match(source, folded[end:]) is not None, start, end) for start, end, _ in entity_spans(folded)]
    return [(start, end) for _, start, end in sorted(spans)]


def _rank(folded: str) -> list[tuple[int, int]]:
    return [m.span() for m in re.finditer(r"第[一二三四五六七八九十\d]+(?:名|位)?|老[大二三]", folded)]


def _period(folded: str) -> list[tuple[int, int]]:
    return [(d.start, d.end) for d in dates_in(folded)]


def _measure(folded: str) -> list[tuple[int, int]]:
    forms = [max((f for f in group if f in folded), key=len) for group in measures_in(folded)]
    return sorted((folded.find(f), folded.find(f) + len(f)) for f in forms)
