"""Word (.docx) → text (python-docx): paragraphs and tables in their order, then the footnotes."""

import io
from collections.abc import Iterator
from typing import Any

import docx
from docx.table import Table
from docx.text.paragraph import Paragraph

from index.formats.extracted import Extracted, TextBuilder, titled
from index.formats.tables import table_lines
from index.formats.visible import raised_number
from index.formats.zipped import checked_zip

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_UNSEEN = {
    f"{_W}del",
    f"{_W}moveFrom",
    f"{_W}instrText",
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
}
_SAID = {f"{_W}tab": " ", f"{_W}br": " ", f"{_W}cr": " ", f"{_W}noBreakHyphen": "-"}


def read(raw: bytes) -> Extracted:
    """The text of a .docx file.

    Raises: ValueError when it is no archive or swells beyond reason; else what the library raises.
    """
    checked_zip(raw)
    document = docx.Document(io.BytesIO(raw))
    text = TextBuilder()
    paragraphs = tables = 0
    title = ""
    for element in _blocks(document.element.body):
        if element.tag == f"{_W}p":
            paragraph = Paragraph(element, document)
            if not (said := _text_of(element).strip()):
                continue
            paragraphs += 1
            if paragraph.style is not None and paragraph.style.name == "Title":
                title = title or said
            text.place("paragraph", str(paragraphs))
            for n, line in enumerate(said.splitlines()):
                text.line("#" * level + " " + line if n == 0 and (level := _level(paragraph)) else line)
        else:
            tables += 1
            for row in table_lines(_rows(Table(element, document))):
                text.place("row", f"{tables}.{row.row + 1}")
                text.line(row.text)
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


def _blocks(parent: Any) -> Iterator[Any]:
    """The paragraphs and tables of a body, those in content controls too."""
    for child in parent:
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag == f"{_W}sdt":
            yield from (block for content in child.iterfind(f"{_W}sdtContent") for block in _blocks(content))


def _text_of(element: Any) -> str:
    """All that is seen of a paragraph: links, fields and boxes too, not what is hidden, deleted or told twice.

    A box inside it is a line of its own; a raised number stays apart from the digits it stands behind.
    """
    pieces: list[str] = []
    stack = [element]
    while stack:
        node = stack.pop()
        tag = node.tag if isinstance(node.tag, str) else ""
        if tag in _UNSEEN or (tag == f"{_W}r" and node.find(f"{_W}rPr/{_W}vanish") is not None):
            continue
        if tag == f"{_W}t":
            raised = node.getparent().find(f"{_W}rPr/{_W}vertAlign")
            up = raised is not None and raised.get(f"{_W}val") == "superscript" and (node.text or "").strip().isdigit()
            pieces.append(raised_number(pieces, node.text) if up else node.text or "")
        elif tag in _SAID:
            pieces.append(_SAID[tag])
        elif tag in (f"{_W}p", f"{_W}tbl") and node is not element and pieces:
            pieces.append("\n")
        stack += reversed(node)
    return "\n".join(" ".join(line.split()) for line in "".join(pieces).split("\n") if line.strip())


def _rows(table: Table) -> list[list[str]]:
    """The cells of a table, by row; a merged cell counts once."""
    rows = []
    for row in table.rows:
        seen: set[int] = set()
        cells = []
        for cell in row.cells:
            cells.append("" if id(cell._tc) in seen else " ".join(_text_of(cell._tc).split()))
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
