"""The lines of a text as the cleaning rules see them, and the word lists that match them."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from index.data import lexicon
from index.fold import fold_text

_BODY_CHARS = 30  # a line this long with sentence punctuation is running text
_LONGEST = 300  # characters of a line that a list of words is held against: no junk line needs more to be known
SEPARATORS = re.compile(r"\s*[|｜丨·•]\s*|\s*[_、,，/]\s*|\s+[-—]\s+|\s+")  # of short items in one line
SENTENCE_MARK = re.compile(r"[。!?;]")
_SENTENCE = re.compile(r"[。!?](?!\s*\d{4})|\.\s|\.$")
_ENDS = re.compile(r"[。.][\"”’」』)\]]*$")


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text with its line break, and what the rules match: its folded form, stripped."""

    start: int
    end: int  # with the line break
    folded: str  # stripped

    @property
    def is_body(self) -> bool:
        """Running text: long enough, and ending sentences, as a title or a licence line does not."""
        length = len(self.folded)
        return length >= _BODY_CHARS and (
            _SENTENCE.search(self.folded) is not None or (length >= 80 and not self.is_row)
        )

    @property
    def is_row(self) -> bool:
        """A row of short words or of values, as menus and tickers are."""
        items = self.folded.split()
        short = len(items) >= 4 and han_count(self.folded) >= 4 and max(map(len, items)) <= 8
        return short or (len(re.findall(r"\d\.\d|%", self.folded)) >= 4 and _SENTENCE.search(self.folded) is None)

    @property
    def ends_sentence(self) -> bool:
        """Whether it closes with a full stop: titles may end in other marks."""
        return _ENDS.search(self.folded) is not None

    def matches(self, rule: str, *keys: str) -> bool:
        """Whether a word list of lexicon/cleaning.toml knows it."""
        return pattern_of(rule, *keys).search(self.folded[:_LONGEST]) is not None


def han_count(text: str) -> int:
    """How many Chinese characters a text has."""
    return sum("\u3400" <= c <= "\u9fff" for c in text)


def cleaning_words() -> dict[str, dict[str, Any]]:
    """lexicon/cleaning.toml."""
    return lexicon("index", "cleaning")


@cache
def pattern_of(rule: str, *keys: str) -> re.Pattern[str]:
    """The word lists of a line rule (all, or those under `keys`) as one pattern over a folded line."""
    lists = cleaning_words()[rule]
    forms = {
        "whole": r"^\s*(?:{})\s*$",
        "head": r"^\s*(?:{})\s*$",
        "start": r"^\s*(?:{})",
        "line": "(?:{})",
        "part": "(?:{})",
    }
    chosen = [key for key in forms if key in lists and (not keys or key in keys)]
    return re.compile("|".join(forms[key].format(p) for key in chosen for p in lists[key]))


@cache
def word_list(rule: str, key: str) -> re.Pattern[str]:
    """A list of alternatives as a pattern that must match a whole item."""
    listed = cleaning_words()[rule][key]
    return re.compile("|".join(listed) if isinstance(listed, list) else listed)


@lru_cache(maxsize=8)
def text_lines(text: str) -> tuple[TextLine, ...]:
    """The lines of a text, in order. Several rules in a row ask for those of one text."""
    lines = []
    start = 0
    for piece in text.splitlines(keepends=True):
        lines.append(TextLine(start, start + len(piece), fold_text(piece).strip()))
        start += len(piece)
    return tuple(lines)
