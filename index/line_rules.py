"""Cleaning rules that drop whole lines. Each yields its edits of a text, under its name.

Structure is the evidence before words are: how many short items a line is made of, how often they repeat, in which
script they are, where the line stands, what stands around it. The word lists live in lexicon/cleaning.toml.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

from index.aligned import Edit
from index.fold import to_simplified
from index.front_matter import front_matter_of
from index.furniture import furniture
from index.lines import SENTENCE_MARK, SEPARATORS, text_lines, word_list

SPAM_ITEMS = 5  # items of a line of search words
_BARS = re.compile(r"[|｜丨_]")


def _front_matter(text: str) -> Iterator[Edit]:
    try:
        block = front_matter_of(text)
    except ValueError:  # broken: `load` names the file
        return
    if block is not None:
        yield Edit(0, block[1], "front_matter")


def site_lines(text: str, site: Collection[str]) -> Iterator[Edit]:
    """Lines that the site prints on every page."""
    if site:
        for line in text_lines(text):
            if line.folded in site:
                yield Edit(line.start, line.end, "site_line")


def _keyword_spam(text: str) -> Iterator[Edit]:
    """A line of search words: many short items, no sentence, not a table; and their words repeat, or are known spam."""
    traditional = _is_traditional(text)
    lines = [line for line in text_lines(text) if line.folded]
    widths = [len(_BARS.findall(line.folded)) for line in lines]
    for n, line in enumerate(lines):
        folded = line.folded
        if widths[n] and widths[n] in (*widths[max(0, n - 1) : n], *widths[n + 1 : n + 2]):
            continue  # a table: the row above or below has as many bars
        if len(folded) > 2000 or SENTENCE_MARK.search(folded) or folded.startswith("|") or folded.endswith("|"):
            continue
        barred = [p.strip() for p in _BARS.split(folded) if p.strip()]
        if len(barred) >= SPAM_ITEMS and max(map(len, barred)) <= 24 and not _is_row(barred):
            yield Edit(line.start, line.end, "keyword_spam")
            continue
        items = [p for p in SEPARATORS.split(folded) if p]
        if len(items) < SPAM_ITEMS - 1 or max(map(len, items)) > 24:
            continue
        known = sum(word_list("spam", "words").search(item) is not None for item in items)
        foreign = traditional and not _is_traditional(text[line.start : line.end]) and len(items) >= SPAM_ITEMS
        if (known >= 2 and (known * 3 >= len(items) or foreign)) or _repeats(items):
            yield Edit(line.start, line.end, "keyword_spam")


def _is_row(items: Sequence[str]) -> bool:
    """A row of a table that is written with bars: some of its items are values."""
    return sum(re.search(r"\d", item) is not None for item in items) * 3 >= len(items)


def _is_traditional(text: str) -> bool:
    sample = text[:4000]
    return sum(a != b for a, b in zip(sample, to_simplified(sample), strict=True)) * 20 > len(sample)


def _repeats(items: Sequence[str]) -> bool:
    """Whether one word of three letters or more stands in most of the items: how people do not write."""
    if len(items) < SPAM_ITEMS - 1 or sum(map(len, items)) / len(items) < 4:
        return False
    stems = Counter(
        stem for item in items for stem in {item[i : i + 3] for i in range(len(item) - 2)} if stem.isalpha()
    )
    most = stems.most_common(1)
    return bool(most) and most[0][1] >= max(4, 0.7 * len(items))


def _is_empty_item(folded: str) -> bool:
    """A list mark with nothing behind it, or with its own number again: `3. 3`. A bare number is a value."""
    m = re.fullmatch(r"(?:[-*•]|(\d{1,3})[.、)])\s*(\d{0,3})", folded)
    return m is not None and (not m.group(2) or m.group(1) == m.group(2))


def _empty_list(text: str) -> Iterator[Edit]:
    """List items with nothing in them, and the heading that stands above nothing else."""
    lines = [line for line in text_lines(text) if line.folded]
    empty = [_is_empty_item(line.folded) for line in lines]
    for n in range(len(lines)):
        if n and empty[n - 1]:
            continue
        run = n
        while run < len(lines) and empty[run]:
            run += 1
        if run - n >= 3:
            if n and len(lines[n - 1].folded) <= 12 and not re.search(r"[。,;!?]", lines[n - 1].folded):
                yield Edit(lines[n - 1].start, lines[n - 1].end, "empty_list")
            for item in lines[n:run]:
                yield Edit(item.start, item.end, "empty_list")


def line_rules(site: Collection[str], *, around: bool) -> tuple[Callable[[str], Iterator[Edit]], ...]:
    """The rules on lines, in their order.

    Args:
        site: folded lines that the site prints on every page.
        around: with the rules that look at what stands around a line.
    """
    neighbours = (furniture,) if around else ()
    return (_front_matter, _keyword_spam, *neighbours, _empty_list, lambda text: site_lines(text, site))
