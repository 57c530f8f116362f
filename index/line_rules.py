"""Cleaning rules that drop whole lines. Each yields its edits of a text, under its name.

Structure is the evidence before words are: how many short items a line is made of, how often they repeat, in which
script they are, where the line stands, what stands around it. The word lists live in lexicon/cleaning.toml.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache

from index.aligned import Edit
from index.fold import to_simplified
from index.front_matter import front_matter_of
from index.lines import TextLine, cleaning_words, han_count, text_lines, word_list

SPAM_ITEMS = 5  # items of a line of search words
END_MARKS = {"end_mark", "footer", "comments", "related", "pagination", "disclaimer", "reprint"}
RELATED_LINES = 15  # titles under one heading
TAIL_SHARE = 0.2  # at most this share of the running text may follow the mark that ends an article
_SEPARATORS = re.compile(r"\s*[|｜丨·•]\s*|\s*[_、,，/]\s*|\s+[-—]\s+|\s+")
_BARS = re.compile(r"[|｜丨_]")
_SENTENCE_MARK = re.compile(r"[。!?;]")


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
        if len(folded) > 2000 or _SENTENCE_MARK.search(folded) or folded.startswith("|") or folded.endswith("|"):
            continue
        barred = [p.strip() for p in _BARS.split(folded) if p.strip()]
        if len(barred) >= SPAM_ITEMS and max(map(len, barred)) <= 24 and not _is_row(barred):
            yield Edit(line.start, line.end, "keyword_spam")
            continue
        items = [p for p in _SEPARATORS.split(folded) if p]
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
    stems = Counter(stem for item in items for stem in {item[i : i + 3] for i in range(len(item) - 2)})
    most = stems.most_common(1)
    return bool(most) and most[0][1] >= max(4, 0.7 * len(items))


def _empty_list(text: str) -> Iterator[Edit]:
    """List items with nothing in them, and the heading that stands above nothing else."""
    lines = [line for line in text_lines(text) if line.folded]
    empty = [re.fullmatch(r"(?:[-*•]|\d{1,3}[.、)])?\s*\d{0,3}[.、)]?", line.folded) is not None for line in lines]
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


def title_line(head: Sequence[TextLine]) -> TextLine | None:
    """The first line above the running text that is long enough to be a title, and no row of words or values."""
    chinese = any(han_count(line.folded) >= 8 for line in head)

    def is_title(line: TextLine) -> bool:
        long = han_count(line.folded) >= 6 if chinese else len(line.folded) >= 8
        return long and not line.matches("byline") and not line.is_row

    return next((line for line in head if is_title(line)), None)


def _furniture(text: str) -> Iterator[Edit]:
    """What is built around an article: first what each line is by itself, then what its place says of the others."""
    lines = [line for line in text_lines(text) if line.folded]
    rules = [_own_rule(line.folded) for line in lines]
    _follow_heads(lines, rules)
    body = [n for n, line in enumerate(lines) if rules[n] is None and line.is_body]
    if body:
        _after_the_end(lines, rules, body)
        _above_the_title(lines, rules, body[0])
    for line, rule in zip(lines, rules, strict=True):
        if rule is not None:
            yield Edit(line.start, line.end, rule)


@lru_cache(maxsize=65536)
def _own_rule(folded: str) -> str | None:
    """The rule that knows a line by itself, wherever it stands."""
    line = TextLine(0, len(folded), folded)
    if line.matches("disclaimer", "start"):
        return "disclaimer"
    about = _quotes(folded)  # it speaks of such words
    if line.matches("reprint", "start") or (len(folded) < 80 and line.matches("reprint", "part") and not about):
        return "reprint"
    if len(folded) > 120:
        return None
    if line.matches("end_mark"):
        return "end_mark"
    if (
        not (line.is_body and len(folded) > 60 and not folded.startswith("©"))
        and line.matches("footer")
        and not _quotes(folded)
    ):
        return "footer"
    if line.matches("pagination"):
        return "pagination"
    items = [p for p in _SEPARATORS.split(folded) if p]
    if _mostly(items, "footer", "links", 3):
        return "footer"
    if line.matches("share_bar"):
        return "share_bar"
    if line.matches("comments", "head"):
        return "comments"
    if line.matches("related"):
        return "related"
    if line.matches("navigation") or re.search(cleaning_words()["navigation"]["crumb"], folded):
        return "navigation"
    if _mostly(items, "navigation", "menu", 3):
        return "navigation"
    if _mostly(_without_counts(items), "share_bar", "words", 2):
        return "share_bar"
    if (len(folded) < 80 and line.matches("advert") and not _quotes(folded)) or _is_hash_tags(items):
        return "advert" if not _is_hash_tags(items) else "related"
    return None


def _quotes(folded: str) -> bool:
    """Whether the line speaks of such words instead of being one: it holds them in quotation marks, in a sentence."""
    return re.search(r"[“「\"].{2,40}[”」\"]", folded) is not None and _SENTENCE_MARK.search(folded) is not None


def _mostly(items: Sequence[str], rule: str, key: str, least: int) -> bool:
    """Whether a line is a row of words of one list: most of its items, and at least so many."""
    known = sum(word_list(rule, key).fullmatch(item) is not None for item in items)
    return known >= least and known * 2 > len(items)


def _without_counts(items: Sequence[str]) -> list[str]:
    return [item for item in items if not re.fullmatch(r"[\d,.]+[万k+]?", item)]


def _is_hash_tags(items: Sequence[str]) -> bool:
    return len(items) >= 2 and all(item.startswith("#") for item in items)


def _follow_heads(lines: Sequence[TextLine], rules: list[str | None]) -> None:
    """Titles under “related”, and what goes on with a notice, in place."""
    for n, rule in enumerate(rules):
        if rule == "related" and lines[n].matches("related", "head"):
            for m in range(n + 1, min(len(lines), n + 1 + RELATED_LINES)):
                if rules[m] is not None and rules[m] != "related":
                    break
                if (lines[m].is_body and len(lines[m].folded) > 40) or _is_numbered_sentence(lines[m]):
                    break
                rules[m] = "related"
        elif rules[n] == "disclaimer" and n + 1 < len(lines) and rules[n + 1] is None and n > len(lines) / 2:
            goes_on = word_list("disclaimer", "more").search(lines[n + 1].folded)
            rules[n + 1] = "disclaimer" if goes_on else None


def _is_numbered_sentence(line: TextLine) -> bool:
    return line.ends_sentence and len(line.folded) > 20


def _after_the_end(lines: Sequence[TextLine], rules: list[str | None], body: Sequence[int]) -> None:
    """What follows the mark that ends the article, when next to no running text does, in place."""
    total = sum(len(lines[n].folded) for n in body)
    left = total
    for n in range(len(lines)):
        left -= len(lines[n].folded) if n in set_of(body) else 0
        if rules[n] not in END_MARKS:
            continue
        if left > TAIL_SHARE * total or (n and not any(b < n for b in body)):
            continue
        talk = False
        for m in range(n + 1, len(lines)):
            talk = talk or rules[m] == "comments" or rules[n] == "comments"
            said = lines[m].ends_sentence and (not talk or (lines[m].is_body and len(lines[m].folded) > 60))
            if rules[m] is None and not said:
                rules[m] = "comments" if talk else "navigation"
        return


def set_of(body: Sequence[int]) -> Collection[int]:
    """For membership tests."""
    return body if len(body) < 8 else frozenset(body)


def _above_the_title(lines: Sequence[TextLine], rules: list[str | None], first: int) -> None:
    """The page's name above the title, and who and when below it, in place."""
    head = [n for n in range(first) if rules[n] is None]
    title = title_line([lines[n] for n in head])
    at = next((n for n in head if lines[n] is title), first)  # a long title counts as running text
    framed = any(rules[n] is not None for n in range(at))
    names = re.compile(cleaning_words()["byline"]["publisher_suffix"] + "$")
    for n in head:
        line = lines[n]
        short = len(line.folded) <= 20 and not re.search(r"[。,;:!?]|^[#\d一二三四五六七八九十]", line.folded)
        if line.matches("byline"):
            rules[n] = "byline"
        elif n < at and framed and (short or line.is_row):
            rules[n] = "navigation"
        elif n != at and short and (names.search(line.folded) or _beside_byline(lines, n)):
            rules[n] = "byline"


def _beside_byline(lines: Sequence[TextLine], n: int) -> bool:
    """A name next to a date or to who wrote it; a heading is longer or stands elsewhere."""
    near = lines[max(0, n - 1) : n + 2]
    return len(lines[n].folded) <= 8 and any(line.matches("byline") for line in near)


LINE_RULES: tuple[Callable[[str], Iterator[Edit]], ...] = (_front_matter, _keyword_spam, _furniture, _empty_list)
