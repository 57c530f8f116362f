"""What is built around an article (menus, share bars, related links, footers): which lines of a page it is.

First what each line is by itself, then what its place says of the others, and what a model learned from labelled pages
says of all of them (index/line_model.py). The word lists live in lexicon/cleaning.toml.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from index.aligned import Edit
from index.line_model import scores as looks_of
from index.lines import SENTENCE_MARK, SEPARATORS, TextLine, cleaning_words, han_count, text_lines, word_list

MIN_LINES = 8  # of a page; fewer lines tell nothing of what stands around them
HEAD_LINES = 6  # among the first so many that no rule knows, the title is looked for
VETO = -3.0  # a line that looks so much like text is text, though it holds words of the rules below
DOUBTFUL = frozenset(("advert", "navigation", "related", "share_bar", "comments", "pagination", "footer", "end_mark"))
END_MARKS = {"end_mark", "footer", "comments", "related", "pagination", "disclaimer", "reprint"}
RELATED_LINES = 15  # titles under one heading
TAIL_SHARE = 0.2  # at most this share of the running text may follow the mark that ends an article
_HEADING = re.compile(r"#{1,6} ")


def title_line(head: Sequence[TextLine]) -> TextLine | None:
    """The first line above the running text that is long enough to be a title, and no row of words or values."""
    chinese = any(han_count(line.folded) >= 8 for line in head)

    def is_title(line: TextLine) -> bool:
        long = han_count(line.folded) >= 6 if chinese else len(line.folded) >= 8
        return long and not line.matches("byline") and not line.is_row

    return next((line for line in head if is_title(line)), None)


def furniture(text: str) -> Iterator[Edit]:
    """The lines of a text that are not its own."""
    lines = [line for line in text_lines(text) if line.folded]
    rules = [own_rule(line.folded) for line in lines]
    looks = looks_of(lines, rules).tolist() if len(lines) >= MIN_LINES else [0.0] * len(lines)
    rules = [None if look < VETO and rule in DOUBTFUL else rule for rule, look in zip(rules, looks, strict=True)]
    title = title_line([line for line, rule in zip(lines, rules, strict=True) if rule is None][:HEAD_LINES])
    _follow_heads(lines, rules)
    body = [n for n, line in enumerate(lines) if rules[n] is None and line.is_body]
    if body:
        _after_the_end(lines, rules, body)
        _above_the_title(lines, rules, body[0])
    for n, line in enumerate(lines):
        if rules[n] is None and looks[n] > 0 and line is not title and not _HEADING.match(line.folded):
            rules[n] = "unlike_text"
        if (rule := rules[n]) is not None:
            yield Edit(line.start, line.end, rule)


@lru_cache(maxsize=65536)
def own_rule(folded: str) -> str | None:
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
    runs = line.is_body and len(folded) > 60 and not folded.startswith("©")
    if not runs and not about and line.matches("footer"):
        return "footer"
    if line.matches("pagination"):
        return "pagination"
    items = [p for p in SEPARATORS.split(folded) if p]
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
    if _is_hash_tags(items):
        return "related"
    return "advert" if len(folded) < 80 and not about and line.matches("advert") else None


def _quotes(folded: str) -> bool:
    """Whether the line speaks of such words instead of being one: it holds them in quotation marks, in a sentence."""
    return re.search(r"[“「\"].{2,40}[”」\"]", folded) is not None and SENTENCE_MARK.search(folded) is not None


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
                if (lines[m].is_body and len(lines[m].folded) > 40) or _tells(lines[m]):
                    break
                rules[m] = "related"
        elif rules[n] == "disclaimer" and n + 1 < len(lines) and rules[n + 1] is None and n > len(lines) / 2:
            goes_on = word_list("disclaimer", "more").search(lines[n + 1].folded)
            rules[n + 1] = "disclaimer" if goes_on else None


def _tells(line: TextLine) -> bool:
    """A sentence, or a figure with its year: no title of another page."""
    figure = re.search(r"(?:19|20)\d\d年?.{0,20}\d[\d.]*\s?(?:%|[万亿]|元)", line.folded)
    return (line.ends_sentence and len(line.folded) > 20) or figure is not None


def _after_the_end(lines: Sequence[TextLine], rules: list[str | None], body: Sequence[int]) -> None:
    """What follows the mark that ends the article, when next to no running text does, in place."""
    own = frozenset(body)
    total = sum(len(lines[n].folded) for n in body)
    left = total
    for n in range(len(lines)):
        left -= len(lines[n].folded) if n in own else 0
        if rules[n] not in END_MARKS:
            continue
        if left > TAIL_SHARE * total or (n and not body[0] < n):
            continue
        talk = False
        for m in range(n + 1, len(lines)):
            talk = talk or rules[m] == "comments" or rules[n] == "comments"
            said = lines[m].ends_sentence and (not talk or (lines[m].is_body and len(lines[m].folded) > 60))
            if rules[m] is None and not said:
                rules[m] = "comments" if talk else "navigation"
        return


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
