"""Tables drawn with bars, as Markdown writes them → readable lines, each value with the head of its column."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from index.aligned import Edit
from index.formats.tables import RowLine, table_lines

RULE = "pipe_table"
_DELIMITER = re.compile(r"(?m)^[ \t]*(?:\|[ \t]*)?(?::?-{2,}:?[ \t]*\|[ \t]*)+(?::?-{2,}:?[ \t]*)?\r?$")
_BAR = re.compile(r"(?<!\\)\|")
_MARKUP = re.compile(r"\*\*|__|`|\\(?=\|)")

Cell = tuple[int, int]  # where it stands in the text, blanks left out; empty where nothing stands


def pipe_tables(text: str) -> Iterator[Edit]:
    """The bars of each table become words and marks (formats/tables.py); its line of dashes goes."""
    done = 0
    for delimiter in _DELIMITER.finditer(text):
        above = text.rfind("\n", 0, max(0, delimiter.start() - 1)) + 1
        head = _cells(text, above, delimiter.start() - 1)
        columns = len(_cells(text, *delimiter.span()))
        if above < done or above >= delimiter.start() or len(head) < 2 or abs(len(head) - columns) > 1:
            continue
        rows, end = [head], delimiter.end()
        while end < len(text):
            stop = text.find("\n", end + 1)
            stop = len(text) if stop < 0 else stop
            if not _BAR.search(text, end + 1, stop):
                break
            rows.append(_cells(text, end + 1, stop))
            end = stop
        plain = [[" ".join(_MARKUP.sub("", text[a:b]).split()) for a, b in row] for row in rows]
        lines = list(table_lines(plain))
        told = all(line.text.endswith("。") for line in lines[1:]) and len(lines) > 1
        # where every row repeats the heads, their own row says nothing more
        yield Edit(above if told else delimiter.start(), min(delimiter.end() + 1, len(text)), RULE)
        for line in lines[told:]:
            yield from _row(text, rows[line.row], line)
        done = end


def _cells(text: str, start: int, end: int) -> list[Cell]:
    """The cells of a line; bars at its ends enclose none."""
    cuts = [start - 1, *(m.start() for m in _BAR.finditer(text, start, end)), end]
    found = []
    for a, b in pairwise(cuts):
        inner = text[a + 1 : b]
        left = a + 1 + len(inner) - len(inner.lstrip())
        found.append((left, max(left, a + 1 + len(inner.rstrip()))))
    if len(found) > 1 and found[0][0] >= found[0][1]:
        del found[0]
    if len(found) > 1 and found[-1][0] >= found[-1][1]:
        del found[-1]
    return found


def _row(text: str, cells: Sequence[Cell], line: RowLine) -> Iterator[Edit]:
    """What stands around and between the cells of a row is replaced by what the readable line has there."""
    start = text.rfind("\n", 0, cells[0][0]) + 1
    stop = text.find("\n", cells[-1][1])
    stop = len(text) if stop < 0 else stop
    at, put = start, ""
    for part, column in line.parts:
        plain = _MARKUP.sub("", text[slice(*cells[column])]) if column is not None and column < len(cells) else ""
        plain = " ".join(plain.split())
        if not plain:  # a mark, or a word of the row above
            put += part
            continue
        assert column is not None
        first, last = cells[column]
        inside = part.rindex(plain)
        yield from _put(text, at, first, put + part[:inside])
        at, put = last, part[inside + len(plain) :]
    yield from _put(text, at, stop, put)


def _put(text: str, start: int, end: int, words: str) -> Iterator[Edit]:
    """Puts words in the place of a stretch; where it is empty, beside the character before it, or behind it."""
    if text[start:end] == words:
        return
    if start < end:
        yield Edit(start, end, RULE, words)
    elif start and text[start - 1] != "\n":
        yield Edit(start - 1, start, RULE, text[start - 1] + words)
    else:
        yield Edit(start, start + 1, RULE, words + text[start])
