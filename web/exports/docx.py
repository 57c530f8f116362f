"""A conversation as a Word document: headings, real tables, real footnotes."""

import io
from collections.abc import Sequence

import docx
from docx.document import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from rag.blocks import Block, Line
from web.chart_words import colon
from web.exports.conversation import Conversation, Turn
from web.exports.footnotes import Footnotes
from web.exports.xml_text import xml_text
from web.labels import Labels

_LATIN = "Calibri"
_FONTS = {"zh-Hant": "Microsoft JhengHei"}  # of Chinese; every other language shows simplified or mixed sources
_FONT = "Microsoft YaHei"
_LANGUAGES = {"zh-Hans": ("en-US", "zh-CN"), "zh-Hant": ("en-US", "zh-TW"), "en": ("en-US", "zh-CN")}
_A4 = (Mm(210), Mm(297))
_GREY = RGBColor(0x60, 0x60, 0x60)
_THEMES = ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme")


def as_docx(told: Conversation) -> bytes:
    """The bytes of a .docx."""
    document = docx.Document()
    document.sections[0].page_width, document.sections[0].page_height = _A4
    _set_language(document, told.lang)
    properties = document.core_properties
    properties.title = xml_text(told.title)[:255]
    properties.author = Labels(told.lang)("brand")
    properties.language = _LANGUAGES[told.lang][0 if told.lang == "en" else 1]
    properties.comments = ""
    notes = Footnotes(document, told.notes)
    for turn in told.turns:
        _turn(document, turn, notes)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _turn(document: Document, turn: Turn, notes: Footnotes) -> None:
    t = Labels(turn.answer.lang)
    document.add_heading(xml_text(turn.answer.question), level=1)
    for remark in turn.remarks:
        _aside(document, remark)
    for block in turn.blocks:
        _block(document, block, turn, notes)
    if turn.unmentioned:
        rest = document.add_paragraph(f"{t('citations')}{colon(t)}")
        for number in turn.unmentioned:
            notes.refer(rest, number)
    _aside(document, turn.closing)


def _aside(document: Document, text: str) -> None:
    run = document.add_paragraph().add_run(xml_text(text))
    run.font.size, run.font.color.rgb = Pt(9), _GREY


def _block(document: Document, block: Block, turn: Turn, notes: Footnotes) -> None:
    if block.shape == "table":
        _table(document, block, turn, notes)
        return
    if block.shape == "bullets":
        for row in block.rows:
            for line in row:
                _write(document.add_paragraph(style="List Bullet"), line, turn, notes)
        return
    paragraph = document.add_paragraph()
    for n, line in enumerate(line for row in block.rows for line in row):
        if n:
            paragraph.add_run().add_break()
        _write(paragraph, line, turn, notes)


def _table(document: Document, block: Block, turn: Turn, notes: Footnotes) -> None:
    rows = [*([block.head] if block.head else []), *block.rows]
    table = document.add_table(len(rows), max(map(len, rows)), style="Table Grid")
    for n, (cells, lines) in enumerate(zip(table.rows, rows, strict=True)):
        _fill(cells.cells, lines, turn, notes, bold=bool(block.head) and n == 0)
        own = cells._tr.get_or_add_trPr()
        own.append(OxmlElement("w:cantSplit"))
        if block.head and n == 0:  # again at the top of the next page
            own.append(OxmlElement("w:tblHeader"))
    document.add_paragraph().paragraph_format.space_after = Pt(0)  # apart from what follows


def _fill(cells: Sequence[_Cell], lines: Sequence[Line], turn: Turn, notes: Footnotes, *, bold: bool) -> None:
    for cell, line in zip(cells, lines, strict=False):
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_after = Pt(2)
        _write(paragraph, line, turn, notes, bold=bold)


def _write(paragraph: Paragraph, line: Line, turn: Turn, notes: Footnotes, *, bold: bool = False) -> None:
    for piece in line:
        if piece.citation is not None:
            notes.refer(paragraph, turn.numbers[piece.citation.marker])
        else:
            paragraph.add_run(xml_text(piece.text)).bold = bold or None


def _set_language(document: Document, lang: str) -> None:
    """Fonts that have the characters, and the language a spelling checker goes by; the template's are English."""
    latin, eastern = _LANGUAGES[lang]
    styles = document.styles.element
    for fonts in styles.iter(qn("w:rFonts")):
        for theme in _THEMES:  # would win over the names
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        for script, name in (("ascii", _LATIN), ("hAnsi", _LATIN), ("eastAsia", _FONTS.get(lang, _FONT))):
            fonts.set(qn(f"w:{script}"), name)
    for own in styles.iter(qn("w:lang")):
        own.set(qn("w:val"), latin)
        own.set(qn("w:eastAsia"), eastern)
    theme = document.settings.element.find(qn("w:themeFontLang"))
    if theme is not None:
        theme.set(qn("w:eastAsia"), eastern)
