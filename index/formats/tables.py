"""Tables → one readable line a row, each value with the head of its column.

`火山引擎：份额 49.2%，收入 30亿元。` A row that begins with a word is about it; any other row is told whole
(`年份 2024，份额 30%。`). A unit that stands in the head (`收入（亿元）`) goes with the value.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_CELL = 200  # characters; a longer one is running text in a frame, not a value
_NUMBER = re.compile(r"[-+−]?[\d,]+(?:\.\d+)?")
_PERIOD = re.compile(
    r"(?:19|20)\d\d\s?(?:[Hh][12]|[Qq][1-4]|年?(?:[上下]半年)?)?|[1-4]?[Qq][1-4]?(?:19|20)\d\d|\d{1,2}月"
)
_NUMERIC = re.compile(r"[-+−]?[\d,.]+\s?(?:%|％|[\u4e00-\u9fffA-Za-z]{0,3})")
_HEAD_UNIT = re.compile(
    r"\s*[（(]\s*(?:单位|單位)?[:：]?\s*"
    r"(?P<unit>%|％|[百千万萬亿億兆]*(?:元|美元|港元|人民币|人民幣|次|人|家|个|個|台|件|吨|噸|倍|tokens?|GW|MW)?)\s*[)）]\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with something in it; `column` counts from 0."""

    column: int
    text: str


@dataclass(frozen=True, slots=True)
class RowLine:
    """A row as a line; `parts` are its pieces, each with the column it comes from (None: what is put between)."""

    row: int  # counts from 0
    parts: tuple[tuple[str, int | None], ...]

    @property
    def text(self) -> str:
        """The line."""
        return "".join(text for text, _ in self.parts)


def table_lines(rows: Sequence[Sequence[str]]) -> Iterator[RowLine]:
    """The rows of a table as lines; empty rows are left out, and rows above the heads stand as they are.

    A first cell that is empty, under one with a word, means the same word again (cells merged downwards).
    """
    filled = [[Cell(n, " ".join(text.split())) for n, text in enumerate(row) if text and text.strip()] for row in rows]
    head_at = _head_row(filled)
    heads = {c.column: c.text for c in filled[head_at]} if head_at is not None else {}
    first = min(heads, default=0)
    above = ""
    for n, cells in enumerate(filled):
        if not cells:
            continue
        if head_at is None or n <= head_at:
            yield RowLine(n, _joined(cells))
        else:
            if cells[0].column == first:
                above = cells[0].text if not _NUMERIC.fullmatch(cells[0].text) else ""
            elif above and len(cells) > 1:
                cells = [Cell(first, above), *cells]
            yield RowLine(n, _told(cells, heads, first))


def _head_row(rows: Sequence[Sequence[Cell]]) -> int | None:
    """The first row of words that is as wide as the rows under it."""
    width = max((len(cells) for cells in rows), default=0)
    if width < 2:
        return None
    for n, cells in enumerate(rows):
        under = next((c for c in rows[n + 1 :] if c), None)
        if len(cells) >= 2 and under is not None and len(cells) >= width - 1:
            return n if all(map(_is_head, cells)) else None
    return None


def _is_head(cell: Cell) -> bool:
    return len(cell.text) <= 40 and (not _NUMERIC.fullmatch(cell.text) or _PERIOD.fullmatch(cell.text) is not None)


def _joined(cells: Sequence[Cell]) -> tuple[tuple[str, int | None], ...]:
    parts: list[tuple[str, int | None]] = []
    for cell in cells:
        parts += [("，", None)] if parts else []
        parts.append((cell.text, cell.column))
    return tuple(parts)


def _told(cells: Sequence[Cell], heads: dict[int, str], first: int) -> tuple[tuple[str, int | None], ...]:
    parts: list[tuple[str, int | None]] = []
    about = cells[0].column == first and not _NUMERIC.fullmatch(cells[0].text) and len(cells) > 1
    for n, cell in enumerate(cells):
        if n:
            parts.append(("：" if n == 1 and about else "，", None))
        if n == 0 and about:
            parts.append((cell.text, cell.column))
            continue
        head, value = _with_unit(heads.get(cell.column, ""), cell.text)
        parts.append((f"{head} {value}" if head else value, cell.column))
    parts.append(("。", None))
    return tuple(parts)


def _with_unit(head: str, value: str) -> tuple[str, str]:
    unit = _HEAD_UNIT.search(head)
    if unit and unit.group("unit") and _NUMBER.fullmatch(value):
        return head[: unit.start()], value + unit.group("unit")
    return head, value


_ROW = re.compile(
    r"(?P<key>[^：，。\n]{1,30})：[^：，。\s]+(?: [^：，。\s]+)* [^：，。]+(?:，[^：，。]+ [^：，。]+)*。"
)


def row_key(line: str) -> str | None:
    """Whom a line that `table_lines` made is about: the word it begins with; None for any other line."""
    found = _ROW.fullmatch(line.strip())
    return found.group("key") if found else None
