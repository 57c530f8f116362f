"""PowerPoint (.pptx) → text (python-pptx): slide by slide, shapes from top to bottom, then the notes."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import pptx
from pptx.enum.shapes import MSO_SHAPE_TYPE

from index.formats.extracted import Extracted, TextBuilder, titled
from index.formats.tables import table_lines
from index.formats.zipped import checked_zip


def read(raw: bytes) -> Extracted:
    """The text of a .pptx file.

    Raises: ValueError when it is no archive or swells beyond reason; else what the library raises.
    """
    checked_zip(raw)
    deck = pptx.Presentation(io.BytesIO(raw))
    text = TextBuilder()
    first_title = ""
    for number, slide in enumerate(deck.slides, 1):
        text.place("slide", str(number))
        title = slide.shapes.title
        if title is not None and title.has_text_frame and title.text_frame.text.strip():
            said = " ".join(title.text_frame.text.split())
            first_title = first_title or said
            text.line(f"# {said}")
        for shape in _in_reading_order(slide.shapes):
            if title is not None and shape.shape_id == title.shape_id:
                continue
            for line in _lines(shape):
                text.line(line)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            for line in slide.notes_slide.notes_text_frame.text.splitlines():
                if line.strip():
                    text.line(line.strip())
    return text.done(titled(deck.core_properties.title) or titled(first_title))


def _in_reading_order(shapes: Iterable[Any]) -> list[Any]:
    return sorted(shapes, key=lambda s: (s.top or 0, s.left or 0))


def _lines(shape: Any) -> Iterator[str]:
    if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
        for inner in _in_reading_order(shape.shapes):
            yield from _lines(inner)
    elif getattr(shape, "has_table", False) and shape.has_table:
        rows = [[" ".join(cell.text.split()) for cell in row.cells] for row in shape.table.rows]
        yield from (line.text for line in table_lines(rows))
    elif shape.has_text_frame:
        for paragraph in shape.text_frame.paragraphs:
            if said := "".join(run.text for run in paragraph.runs).strip():
                yield said
