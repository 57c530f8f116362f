"""What a plain text says about itself at its edges: title, publisher, author, date, address."""

import re
from dataclasses import dataclass

from index.clean import RULES, clean
from index.data import lexicon
from index.fold import to_simplified
from index.furniture import title_line
from index.lines import TextLine, pattern_of, text_lines

_EDGE = 4000  # characters at either end that are looked at
_HIDES_WORDS = ("invisible", "stray_pinyin", "keyword_spam", "disclaimer")  # what is cleaned away before looking


@dataclass(frozen=True, slots=True)
class Byline:
    """What a plain text says about itself at its edges; what it does not say is None."""

    title: str | None
    publisher: str | None
    author: str | None
    published: str | None
    url: str | None


_DATE = re.compile(r"((?:19|20)\d\d)\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})")


def byline_of(text: str) -> Byline:
    """Reads title, publisher, author, date and address from the lines around the running text."""
    words = lexicon("index", "cleaning")["byline"]
    text = text if len(text) <= 2 * _EDGE else f"{text[:_EDGE]}\n{text[-_EDGE:]}"
    # as the line rules see it, but for what they drop because it tells of the document
    plain = clean(text, keep=[rule for rule in RULES if rule not in _HIDES_WORDS]).readable.text
    lines = [line for line in text_lines(plain) if line.folded]
    body = next((n for n, line in enumerate(lines) if line.is_body), 0)
    head = [line for line in lines[:body] if not pattern_of("navigation").search(line.folded)]
    named = [line for line in head if not pattern_of("byline").search(line.folded)]
    title = title_line(named)
    dated = next((m for line in head if (m := _DATE.search(line.folded))), None)
    edges = [
        *head,
        *(line for line in lines[body:] if pattern_of("reprint").search(line.folded) or len(line.folded) < 60),
    ]

    def shown(line: TextLine) -> str:
        return re.sub(r"^[#\s]+", "", plain[line.start : line.end]).strip()

    def named_by(pattern: str, group: str) -> str | None:
        for text in map(shown, edges):
            if m := re.search(pattern, to_simplified(text), re.IGNORECASE):
                return text[m.start(group) : m.end(group)]
        return None

    suffix = words["publisher_suffix"]
    others = [line for line in named if line is not title and len(line.folded) <= 20]
    publisher = next((shown(line) for line in others if re.search(suffix + "$", line.folded)), None)
    name = next((shown(line) for line in others if dated and 2 <= len(line.folded) <= 4), None)
    notice = next((line.folded for line in edges if pattern_of("reprint").search(line.folded)), "")
    url = re.search(r"https?://[!-~]+", notice)
    return Byline(
        title=shown(title) if title else None,
        publisher=publisher or named_by(rf"^(?P<credit>[\w一-鿿]{{2,10}}?{suffix})(?:[,，]未经|报料)", "credit"),
        author=named_by(words["author"], "author") or (name if name != publisher else None),
        published="{:0>4}-{:0>2}-{:0>2}".format(*dated.groups()) if dated else None,
        url=url.group() if url else None,
    )
