"""Cleaning rules that drop or mend characters inside lines. Each yields its edits of a text, under its name."""

import re
import unicodedata
from collections.abc import Callable, Iterator

from index.aligned import Edit
from index.unseen import BREAKS, UNSEEN

_HAN = "\u3400-\u9fff\uf900-\ufaff"
_READING = re.compile(rf"(?<=[{_HAN}])[(（]([a-zü\u00e0-\u01dc]{{1,7}})[)）]")
_INVISIBLE = re.compile(f"(?:{UNSEEN.pattern})+")
_BREAKS = re.compile(f"[{BREAKS}]")
_PRIVATE_USE = re.compile("[\ue000-\uf8ff\ufffd]+")  # a lost or mangled character: nothing a reader can use
_FULL_WIDTH = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_FOOTNOTE_ARROWS = re.compile(r"(?<![ \t])(?:[ \t]*(?:[↩↵⏎]|\^(?!\d)))+[ \t]*")
_GLUED_MARK = re.compile(r"(?<=[。！？!?；;])[ \t]+[-*•·][ \t]+(?=\S)")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)[^*_\n]*?(?<=\S)\1")
_LINE_MARKUP = re.compile(r"(?m)^[ \t]*(?:#{1,6}[ \t]+|>[ \t]*|[-*+•][ \t]+(?=\S))+|^[ \t\u3000]+(?=\S)")
_BLANK_BEFORE_MARK = re.compile(rf"(?<=[{_HAN}”」』）)%\w])[ \t\u00a0]+(?=[。，；：！？、])")
_BLANK = re.compile(r"(?<![ \t\u00a0\u3000])[ \t\u00a0\u3000]+$|\u00a0", re.MULTILINE)
_BLANK_LINES = re.compile(r"(?<=\n)(?:[ \t\u00a0\u3000]*\n){2,}")
_MARKDOWN_LINK = re.compile(r"!?\[([^\]\n]{0,120})\]\((?:https?://|/|#)[^)\s]*\)")


def stray_pinyin(text: str) -> Iterator[Edit]:
    """A reading in brackets after a Chinese character: told by its tone mark."""
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


def _full_width(text: str) -> Iterator[Edit]:
    """Latin letters and digits of double width."""
    for m in _FULL_WIDTH.finditer(text):
        yield Edit(m.start(), m.end(), "full_width", unicodedata.normalize("NFKC", m.group()))


def invisible(text: str) -> Iterator[Edit]:
    """What does not show; what breaks a line without a line feed does so plainly."""
    for m in _INVISIBLE.finditer(text):
        yield Edit(m.start(), m.end(), "invisible")
    for m in _BREAKS.finditer(text):
        yield Edit(m.start(), m.end(), "invisible", "\n")


CHARACTER_RULES: tuple[Callable[[str], Iterator[Edit]], ...] = (
    invisible,
    _simple("private_use", _PRIVATE_USE),
    stray_pinyin,
    _footnote_digits,
    _simple("footnote_arrow", _FOOTNOTE_ARROWS),
    _full_width,
    _simple("glued_list_mark", _GLUED_MARK, "\n"),
    _markdown,
    _simple("blank_before_mark", _BLANK_BEFORE_MARK),
    _blank,
)
