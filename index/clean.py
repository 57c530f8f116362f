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

import yaml

from index.aligned import Aligned, Edit
from index.data import lexicon
from index.fold import fold_text, to_simplified

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
def _pattern(rule: str) -> re.Pattern[str]:
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
class _Line:
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


def _lines(text: str) -> list[_Line]:
    lines = []
    start = 0
    for piece in text.splitlines(keepends=True):
        lines.append(_Line(start, start + len(piece), fold_text(piece).strip()))
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
    for line in _lines(text):
        parts = [p.strip() for p in re.split(r"[|｜丨_]", line.folded)]
        table = line.folded.startswith("|") or line.folded.endswith("|")
        words = [p for p in parts if p]
        if len(words) >= 5 and not table and not re.search(r"[。!?;]", line.folded) and max(map(len, words)) <= 24:
            yield Edit(line.start, line.end, "keyword_spam")


def _empty_list(text: str) -> Iterator[Edit]:
    """List items with nothing in them, and the heading that stands above nothing else."""
    lines = [line for line in _lines(text) if line.folded]
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
    for line in _lines(text):
        for rule in ("disclaimer", "reprint"):
            if line.folded and _pattern(rule).search(line.folded):
                yield Edit(line.start, line.end, rule)
                break


def _title_of(head: list[_Line]) -> _Line | None:
    """The first line above the running text that is long enough to be a title."""
    return next((line for line in head if len(line.folded) >= 8 and not _pattern("byline").search(line.folded)), None)


def _edges(text: str) -> Iterator[Edit]:
    """What stands above the first and below the last line of running text: navigation, byline, footer."""
    lines = [line for line in _lines(text) if line.folded]
    body = [n for n, line in enumerate(lines) if line.is_body]
    if not body:
        return
    head, tail = lines[: body[0]], lines[body[-1] + 1 :]
    title = _title_of(head)
    signed = any(_pattern("byline").search(line.folded) for line in head)
    names = re.compile(_words()["byline"]["publisher_suffix"] + "$")
    for line in head:
        if _pattern("navigation").search(line.folded):
            yield Edit(line.start, line.end, "navigation")
        elif _pattern("byline").search(line.folded) or (
            line is not title
            and len(line.folded) <= 20
            and not re.search(r"[。,;:!?]|^[#\d一二三四五六七八九十]", line.folded)
            and (signed or names.search(line.folded))
        ):
            yield Edit(line.start, line.end, "byline")
    if any(_pattern("footer").search(line.folded) for line in tail):
        for line in tail:
            if _pattern("footer").search(line.folded):
                yield Edit(line.start, line.end, "footer")
            elif _pattern("navigation").search(line.folded):
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


# --- what the dropped edges say about the document -----------------------------------------------------------------


def front_matter_of(text: str) -> tuple[dict[str, Any], int] | None:
    """The YAML block at the top and where it ends, or None when there is none (a rule of dashes is not one).

    Raises: ValueError when the block begins with a field and cannot be read as YAML.
    """
    m = re.match(r"\ufeff?---[ \t]*\r?\n(.*?\n)---[ \t]*(?:\r?\n|$)", text, re.DOTALL)
    if not m:
        return None
    try:
        fields = yaml.safe_load(m.group(1))
    except (yaml.YAMLError, ValueError, RecursionError) as e:  # ValueError: a date such as 2025-02-30
        if re.match(r"[a-z_]+:\s", m.group(1)) is None:
            return None
        raise ValueError(f"front matter: {' '.join(str(e).split())}") from e
    return (fields, m.end()) if isinstance(fields, dict) else None


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
    words = _words()["byline"]
    plain = Aligned.of(text)
    for rule in (_simple("invisible", _INVISIBLE), _stray_pinyin, _keyword_spam, _notices):
        plain = plain.edited(e for e in rule(plain.text) if e.rule != "reprint")
    lines = [line for line in _lines(plain.text) if line.folded]
    body = next((n for n, line in enumerate(lines) if line.is_body), 0)
    head = [line for line in lines[:body] if not _pattern("navigation").search(line.folded)]
    named = [line for line in head if not _pattern("byline").search(line.folded)]
    title = _title_of(named)
    dated = next((m for line in head if (m := _DATE.search(line.folded))), None)
    edges = [
        *head,
        *(line for line in lines[body:] if _pattern("reprint").search(line.folded) or len(line.folded) < 60),
    ]

    def shown(line: _Line) -> str:
        return re.sub(r"^[#\s]+", "", plain.text[line.start : line.end]).strip()

    def named_by(pattern: str, group: str) -> str | None:
        for text in map(shown, edges):
            if m := re.search(pattern, to_simplified(text), re.IGNORECASE):
                return text[m.start(group) : m.end(group)]
        return None

    suffix = words["publisher_suffix"]
    others = [line for line in named if line is not title and len(line.folded) <= 20]
    publisher = next((shown(line) for line in others if re.search(suffix + "$", line.folded)), None)
    name = next((shown(line) for line in others if dated and 2 <= len(line.folded) <= 4), None)
    notice = next((line.folded for line in edges if _pattern("reprint").search(line.folded)), "")
    url = re.search(r"https?://[!-~]+", notice)
    return Byline(
        title=shown(title) if title else None,
        publisher=publisher or named_by(rf"^(?P<credit>[\w一-鿿]{{2,10}}?{suffix})(?:[,，]未经|报料)", "credit"),
        author=named_by(words["author"], "author") or (name if name != publisher else None),
        published="{:0>4}-{:0>2}-{:0>2}".format(*dated.groups()) if dated else None,
        url=url.group() if url else None,
    )
