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
    r"(?:19|20)\d\d\s?(?:[Hh][12]|[Qq][1-4]|年?(?:[上下]半年)?)?|[1-4]?[Qq][1-4]?(?:19|20)\d\d|(?:19|20)\d\d(?:0[1-9]|1[0-2])|\d{1,2}月"
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
    """The rows of a table as lines; empty rows are left out, and rows without heads above them stand as they are.

    A first cell that is empty, under one with a word, means the same word again (cells merged downwards). An empty row,
    or a row of words after rows of values, may open another table with heads of its own.
    """
    filled = [[Cell(n, " ".join(text.split())) for n, text in enumerate(row) if text and text.strip()] for row in rows]
    blocks = _blocks(filled)
    heads: dict[int, str] = {}
    above = ""
    for n, cells in enumerate(filled):
        if not cells:
            above = ""
            continue
        if _is_head_row(filled, n, blocks[n], bool(heads)):
            heads = _heads(filled, n)
            above = ""
            yield RowLine(n, _joined(cells))
        elif not heads or not {c.column for c in cells} <= set(heads):
            yield RowLine(n, _joined(cells))
        else:
            first = min(heads)
            if cells[0].column == first:
                above = cells[0].text if not _NUMERIC.fullmatch(cells[0].text) else ""
            elif above and len(cells) > 1:
                cells = [Cell(first, above), *cells]
            yield RowLine(n, _told(cells, heads, first))


@dataclass(frozen=True, slots=True)
class _Block:
    """Where a row stands among the rows around it, up to the next empty one on either side."""

    end: int  # the first row behind it
    width: int  # cells of the widest row from this one on
    first: bool  # nothing above it in the block
    valued: bool  # a row above it holds values


def _blocks(rows: Sequence[Sequence[Cell]]) -> list[_Block]:
    """The block of every row, in two passes."""
    ends, widths = [0] * len(rows), [0] * len(rows)
    end, width = len(rows), 0
    for n in range(len(rows) - 1, -1, -1):
        end, width = (end, max(width, len(rows[n]))) if rows[n] else (n, 0)
        ends[n], widths[n] = end, width
    found, valued = [], False
    for n, cells in enumerate(rows):
        first = n == 0 or not rows[n - 1]
        valued = not first and (valued or _has_values(rows[n - 1]))
        found.append(_Block(ends[n], widths[n] if cells else 0, first, valued))
    return found


def _is_head_row(rows: Sequence[Sequence[Cell]], n: int, block: _Block, headed: bool) -> bool:
    """A row of words as wide as the rows under it: the first of its block, or one between values and values."""
    cells = rows[n]
    if len(cells) < max(2, block.width - 1) or n + 1 >= block.end or not all(map(_is_head, cells)):
        return False
    after = _has_values(rows[n + 1])
    if not block.first and _has_values(rows[n - 1]):
        return after
    if block.valued:
        return False
    # of two rows of heads, the lower one tells what stands in the columns
    two = n + 2 < block.end and not after and all(map(_is_head, rows[n + 1])) and _has_values(rows[n + 2])
    taken = headed and not block.first and any(map(_is_head, rows[n - 1])) and not after
    return not two and not taken


def _has_values(cells: Sequence[Cell]) -> bool:
    return any(_NUMERIC.fullmatch(c.text) and not _PERIOD.fullmatch(c.text) for c in cells)


def _heads(rows: Sequence[Sequence[Cell]], n: int) -> dict[int, str]:
    """The heads by column; a row of heads above spans the columns to its right: 2023年 over 收入 is 2023年收入."""
    heads = {c.column: c.text for c in rows[n]}
    upper = rows[n - 1] if n and len(rows[n - 1]) > 1 and all(map(_is_head, rows[n - 1])) else ()
    first = min([*heads, *(c.column for c in upper)])
    for column in heads:
        over = [c for c in upper if c.column <= column and (c.column != first or column == first)]
        if over and over[-1].text != heads[column]:
            heads[column] = over[-1].text + heads[column]
    return {**{c.column: c.text for c in upper}, **heads}


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


_ROW = re.compile(r"(?P<key>[^：，。\n]{1,30})：[^：，。\s]+ [^：，。]+(?:，[^：，。][^：，。 ]* [^：，。]+)*。")


def row_key(line: str) -> str | None:
    """Whom a line that `table_lines` made is about: the word it begins with; None for any other line."""
    found = _ROW.fullmatch(line.strip())
    return found.group("key") if found else None
