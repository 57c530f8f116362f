"""Word (.docx) → text (python-docx): paragraphs and tables in their order, then the footnotes."""

import io
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph

from index.formats.extracted import Extracted, TextBuilder, titled
from index.formats.tables import table_lines
from index.formats.zipped import checked_zip

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def read(raw: bytes) -> Extracted:
    """The text of a .docx file. Raises: ValueError when it is damaged or swells beyond reason."""
    checked_zip(raw)
    try:
        document = docx.Document(io.BytesIO(raw))
    except (PackageNotFoundError, KeyError, ValueError) as e:
        raise ValueError(f"Word 文件已损坏 (damaged): {e}") from e
    text = TextBuilder()
    paragraphs = tables = 0
    title = ""
    for block in document.iter_inner_content():
        if isinstance(block, Paragraph):
            if not (said := _text_of(block._p).strip()):
                continue
            paragraphs += 1
            if block.style is not None and block.style.name == "Title":
                title = title or said
            text.place("paragraph", str(paragraphs))
            text.line("#" * level + " " + said if (level := _level(block)) else said)
        else:
            tables += 1
            for line in table_lines(_rows(block)):
                text.place("row", f"{tables}.{line.row + 1}")
                text.line(line.text)
    for note in _footnotes(document):
        paragraphs += 1
        text.place("paragraph", str(paragraphs))
        text.line(note)
    return text.done(titled(title or document.core_properties.title))


def _level(paragraph: Paragraph) -> int:
    """1-6 for a heading (Title counts as the first), else 0."""
    name = (paragraph.style.name if paragraph.style is not None else "") or ""
    if name == "Title":
        return 1
    digits = name.removeprefix("Heading ").removeprefix("标题 ")
    return min(6, int(digits)) if digits != name and digits.isdigit() else 0


def _text_of(element: Any) -> str:
    """All that is written in a paragraph, links, fields and boxes included."""
    pieces = []
    for node in element.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}cr"):
        pieces.append(node.text or "" if node.tag == f"{_W}t" else " ")
    return "".join(pieces)


def _rows(table: Table) -> list[list[str]]:
    """The cells of a table, by row; a merged cell counts once."""
    rows = []
    for row in table.rows:
        seen: set[int] = set()
        cells = []
        for cell in row.cells:
            cells.append("" if id(cell._tc) in seen else " ".join(cell.text.split()))
            seen.add(id(cell._tc))
        rows.append(cells)
    return rows


def _footnotes(document: Any) -> Iterator[str]:
    from lxml import etree

    for part in document.part.package.iter_parts():
        if str(part.partname) in ("/word/footnotes.xml", "/word/endnotes.xml"):
            root = etree.fromstring(part.blob, etree.XMLParser(resolve_entities=False, no_network=True))
            for note in root:
                if (said := _text_of(note).strip()) and not note.get(f"{_W}type"):
                    yield said
