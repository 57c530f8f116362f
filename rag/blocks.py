"""An answer's text taken apart again for what shows it: paragraphs, bullets and tables, with marks resolved."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.values import Answer, Citation


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of an answer, or one mark [n] with what it stands for."""

    text: str
    citation: Citation | None = None


Line = tuple[Piece, ...]
Shape = Literal["lines", "bullets", "table"]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of an answer that belong together. `rows` holds one line a row, except in a table: its cells."""

    shape: Shape
    rows: tuple[tuple[Line, ...], ...]
    head: tuple[Line, ...] = ()  # a table's column names, where the answer gives them


def answer_blocks(answer: Answer) -> list[Block]:
    """The answer's text as paragraphs, bullets (`- …`) and tables (`| … | … |`), marks resolved to citations."""
    citations = {str(c.marker): c for c in answer.citations}
    blocks: list[Block] = []
    gathered: list[str] = []
    shape: Shape = "lines"
    for line in [*answer.text.splitlines(), ""]:
        this = _shape(line)
        if gathered and (this != shape or not line.strip()):
            blocks.append(_block(shape, gathered, citations))
            gathered = []
        if line.strip():
            shape = this
            gathered.append(line.strip())
    return blocks


def _shape(line: str) -> Shape:
    stripped = line.strip()
    if stripped.startswith("|") and stripped.count("|") > 1:
        return "table"
    return "bullets" if re.match(r"[-•] ", stripped) else "lines"


def _block(shape: Shape, lines: Sequence[str], citations: Mapping[str, Citation]) -> Block:
    if shape != "table":
        texts = [line[2:] for line in lines] if shape == "bullets" else lines
        return Block(shape, tuple((_pieces(text, citations),) for text in texts))
    rows = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:]] for line in lines]
    rows = [row[:-1] if row[-1] == "" else row for row in rows]
    width = max(len(row) for row in rows)
    cells = [tuple(_pieces(cell, citations) for cell in row + [""] * (width - len(row))) for row in rows]
    rules = [all(re.fullmatch(r":?-+:?", cell) for cell in row) for row in rows]
    head = cells[0] if len(cells) > 1 and rules[1] and not rules[0] else ()
    body = [row for row, rule in zip(cells, rules, strict=True) if not rule]
    return Block(shape, tuple(body[1:] if head else body), head)


def _pieces(text: str, citations: Mapping[str, Citation]) -> Line:
    pieces = []
    for part in re.split(r"(\[\d{1,3}\])", text):
        if part:
            pieces.append(Piece(part, citations.get(part[1:-1]) if part.startswith("[") else None))
    return tuple(pieces)
