"""What of a document is worth reading: small named rules drop or repair the rest, and say so.

Rules work on the text alone and are applied until none finds anything more, so cleaning a cleaned text changes nothing.
Structure is the evidence before words are: separators, length, position, emptiness; the word lists live in
lexicon/cleaning.toml. A document's `keep:` switches rules off by name.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from index.aligned import Aligned, Edit
from index.data import lexicon
from index.fold import fold_text
from index.front_matter import front_matter_of

_HAN = "\u3400-\u9fff\uf900-\ufaff"
_BODY_CHARS = 30  # a line this long with sentence punctuation is running text


@dataclass(frozen=True, slots=True)
class Removal:
    """`document.text[start:end]` was left out of the readable text, or replaced in it, by this rule."""

    start: int
    end: int
    rule: str
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The readable text, aligned to the original, and everything that is not in it."""

    readable: Aligned
    removals: tuple[Removal, ...]


def _words() -> dict[str, dict[str, Any]]:
    return lexicon("index", "cleaning")


@cache
def pattern_of(rule: str) -> re.Pattern[str]:
    """The word list of a line rule as one pattern over a folded line."""
    lists = _words()[rule]
    parts = [rf"^\s*(?:{p})\s*$" for p in lists.get("whole", ())]
    parts += [rf"^\s*(?:{p})" for p in lists.get("start", ())] + [f"(?:{p})" for p in lists.get("part", ())]
    return re.compile("|".join(parts))


# --- rules on characters -------------------------------------------------------------------------------------------

_READING = re.compile(rf"(?<=[{_HAN}])[(（]([a-zü\u00e0-\u01dc]{{1,7}})[)）]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\u202a-\u202e\u2066-\u2069\ufeff\ufe0e\ufe0f]+")
_PRIVATE_USE = re.compile("[\ue000-\uf8ff\ufffd]+")  # a lost or mangled character: nothing a reader can use
_FOOTNOTE_ARROWS = re.compile(r"(?<![ \t])(?:[ \t]*[↩↵⏎^])+[ \t]*")
_GLUED_MARK = re.compile(r"(?<=[。！？!?；;])[ \t]+[-*•·][ \t]+(?=\S)")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)[^*_\n]*?(?<=\S)\1")
_LINE_MARKUP = re.compile(r"(?m)^[ \t]*(?:#{1,6}[ \t]+|>[ \t]*|[-*+•][ \t]+(?=\S))+|^[ \t\u3000]+(?=\S)")
_BLANK_BEFORE_MARK = re.compile(rf"(?<=[{_HAN}”」』）)%\w])[ \t\u00a0]+(?=[。，；：！？、])")
_BLANK = re.compile(r"(?<![ \t\u00a0\u3000])[ \t\u00a0\u3000]+$|\u00a0", re.MULTILINE)
_BLANK_LINES = re.compile(r"(?<=\n)(?:[ \t\u00a0\u3000]*\n){2,}")
_MARKDOWN_LINK = re.compile(r"!?\[([^\]\n]{0,120})\]\((?:https?://|/|#)[^)\s]*\)")


def _stray_pinyin(text: str) -> Iterator[Edit]:
    for m in _READING.finditer(text):
        if unicodedata.normalize("NFD", m.group(1)) != m.group(
            1
        ):  # a tone mark: a reading, not a remark such as (token)
            yield Edit(m.start(), m.end(), "stray_pinyin")


def _footnote_digits(text: str) -> Iterator[Edit]:
    """Digits glued to a sentence, when the page ends in a numbered list of notes that return arrows give away."""
    notes = [int(m.group(1)) for m in re.finditer(r"(?m)^[ \t]*(\d{1,3})[.、\]][ \t]*\S[^\n]*[↩↵⏎]", text)]
    if not notes:
        return
    last = max(notes)
    for m in re.finditer(
        rf"(?<=[{_HAN}。！？”’」』）)])[ \t]?(\d{{1,3}})(?=[。，；：！？、,;]|[ \t]*$)", text, re.MULTILINE
    ):
        if 1 <= int(m.group(1)) <= last:
            yield Edit(m.start(), m.end(), "footnote_digit")


def _simple(rule: str, pattern: re.Pattern[str], replacement: str = "") -> Callable[[str], Iterator[Edit]]:
    def edits(text: str) -> Iterator[Edit]:
        for m in pattern.finditer(text):
            if m.group() != replacement:
                yield Edit(m.start(), m.end(), rule, replacement)

    return edits


def _blank(text: str) -> Iterator[Edit]:
    for m in _BLANK.finditer(text):
        inner = text[m.end() : m.end() + 1] not in ("", "\n")
        yield Edit(m.start(), m.end(), "blank", " " if inner else "")
    for m in _BLANK_LINES.finditer(text):
        yield Edit(m.start(), m.end(), "blank", "\n")


def _markdown(text: str) -> Iterator[Edit]:
    for m in _MARKDOWN_LINK.finditer(text):
        if m.group().startswith("!"):
            yield Edit(m.start(), m.end(), "markdown")
        else:
            yield Edit(m.start(), m.start(1), "markdown")
            yield Edit(m.end(1), m.end(), "markdown")
    for m in _EMPHASIS.finditer(text):
        yield Edit(m.start(), m.start() + 2, "markdown")
        yield Edit(m.end() - 2, m.end(), "markdown")
    for m in _LINE_MARKUP.finditer(text):
        yield Edit(m.start(), m.end(), "markdown")


# --- rules on lines ------------------------------------------------------------------------------------------------


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
            length >= 80 or re.search(r"[。!?](?!\s*\d{4})|\.\s|\.$", self.folded) is not None
        )


def text_lines(text: str) -> list[TextLine]:
    """The lines of a text, in order."""
    lines = []
    start = 0
    for piece in text.splitlines(keepends=True):
        lines.append(TextLine(start, start + len(piece), fold_text(piece).strip()))
        start += len(piece)
    return lines


def _front_matter(text: str) -> Iterator[Edit]:
    try:
        block = front_matter_of(text)
    except ValueError:  # broken: `load` names the file
        return
    if block is not None:
        yield Edit(0, block[1], "front_matter")


def _keyword_spam(text: str) -> Iterator[Edit]:
    """A line of search words: many separators, no sentence, not a table."""
    for line in text_lines(text):
        parts = [p.strip() for p in re.split(r"[|｜丨_]", line.folded)]
        table = line.folded.startswith("|") or line.folded.endswith("|")
        words = [p for p in parts if p]
        if len(words) >= 5 and not table and not re.search(r"[。!?;]", line.folded) and max(map(len, words)) <= 24:
            yield Edit(line.start, line.end, "keyword_spam")


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


def _notices(text: str) -> Iterator[Edit]:
    for line in text_lines(text):
        for rule in ("disclaimer", "reprint"):
            if line.folded and pattern_of(rule).search(line.folded):
                yield Edit(line.start, line.end, rule)
                break


def title_line(head: list[TextLine]) -> TextLine | None:
    """The first line above the running text that is long enough to be a title."""
    return next((line for line in head if len(line.folded) >= 8 and not pattern_of("byline").search(line.folded)), None)


def _edges(text: str) -> Iterator[Edit]:
    """What stands above the first and below the last line of running text: navigation, byline, footer."""
    lines = [line for line in text_lines(text) if line.folded]
    body = [n for n, line in enumerate(lines) if line.is_body]
    if not body:
        return
    head, tail = lines[: body[0]], lines[body[-1] + 1 :]
    title = title_line(head)
    signed = any(pattern_of("byline").search(line.folded) for line in head)
    names = re.compile(_words()["byline"]["publisher_suffix"] + "$")
    for line in head:
        if pattern_of("navigation").search(line.folded):
            yield Edit(line.start, line.end, "navigation")
        elif pattern_of("byline").search(line.folded) or (
            line is not title
            and len(line.folded) <= 20
            and not re.search(r"[。,;:!?]|^[#\d一二三四五六七八九十]", line.folded)
            and (signed or names.search(line.folded))
        ):
            yield Edit(line.start, line.end, "byline")
    if any(pattern_of("footer").search(line.folded) for line in tail):
        for line in tail:
            if pattern_of("footer").search(line.folded):
                yield Edit(line.start, line.end, "footer")
            elif pattern_of("navigation").search(line.folded):
                yield Edit(line.start, line.end, "navigation")


_LINE_RULES = (_front_matter, _keyword_spam, _notices, _edges, _empty_list)
_CHARACTER_RULES = (
    _simple("invisible", _INVISIBLE),
    _simple("private_use", _PRIVATE_USE),
    _stray_pinyin,
    _footnote_digits,
    _simple("footnote_arrow", _FOOTNOTE_ARROWS),
    _simple("glued_list_mark", _GLUED_MARK, "\n"),
    _markdown,
    _simple("blank_before_mark", _BLANK_BEFORE_MARK),
    _blank,
)
RULES = (
    "front_matter",
    "keyword_spam",
    "disclaimer",
    "reprint",
    "navigation",
    "byline",
    "footer",
    "empty_list",
    "invisible",
    "private_use",
    "stray_pinyin",
    "footnote_digit",
    "footnote_arrow",
    "glued_list_mark",
    "markdown",
    "blank_before_mark",
    "blank",
)


def clean(text: str, keep: Collection[str] = ()) -> Cleaned:
    """The readable part of `text`, and every removal with the rule that made it.

    Args:
        text: the decoded original.
        keep: names from RULES not to apply.
    """
    readable = Aligned.of(text)
    removals: list[Removal] = []
    # Pinyin and invisible characters go first, since they hide words from the line rules; then whole lines; then the
    # rest. Again until nothing changes: a dropped line can bring the next to an edge. Every round shortens the text.
    while True:
        before = readable.text
        for rule in (_simple("invisible", _INVISIBLE), _stray_pinyin, *_LINE_RULES, *_CHARACTER_RULES):
            edits = [e for e in rule(readable.text) if e.rule not in keep]
            if not edits:
                continue
            for e in edits:
                removals += [Removal(a, b, e.rule, e.replacement) for a, b in readable.runs(e.start, e.end)]
            readable = readable.edited(edits)
        if readable.text == before:
            return Cleaned(readable, tuple(sorted(removals, key=lambda r: (r.start, r.end))))
