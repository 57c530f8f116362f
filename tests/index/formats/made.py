"""Files of every format, made on the spot: what is written where is known, and so is what must be read."""

import io
import zipfile
from collections.abc import Sequence

import docx
import openpyxl
import pptx
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

FONT = "STSong-Light"
LINE = 36  # characters a line of a PDF page

pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def pdf(pages: Sequence[str], *, header: str = "", title: str = "", password: str = "") -> bytes:
    """A paragraph a page, set in lines; a running header above and a page number below."""
    out = io.BytesIO()
    paper = canvas.Canvas(out, encrypt=password or None)
    if title:
        paper.setTitle(title)
    for number, text in enumerate(pages, 1):
        paper.setFont(FONT, 12)
        if header:
            paper.drawString(60, 810, header)
            paper.drawString(280, 20, f"- {number} -")
        for n, start in enumerate(range(0, len(text), LINE)):
            paper.drawString(60, 770 - 18 * n, text[start : start + LINE])
        paper.showPage()
    paper.save()
    return out.getvalue()


def word(blocks: Sequence[str | Sequence[Sequence[str]]], *, title: str = "") -> bytes:
    """Paragraphs (text) and tables (rows); a title in Word's own style."""
    document = docx.Document()
    if title:
        document.add_heading(title, 0)
    for block in blocks:
        if isinstance(block, str):
            document.add_paragraph(block)
            continue
        table = document.add_table(len(block), len(block[0]))
        for i, row in enumerate(block):
            for j, text in enumerate(row):
                table.cell(i, j).text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def slides(texts: Sequence[tuple[str, str]]) -> bytes:
    """A title and a body a slide."""
    deck = pptx.Presentation()
    for title, body in texts:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def sheets(tables: dict[str, Sequence[Sequence[object]]], *, formats: dict[str, str] | None = None) -> bytes:
    """A workbook; `formats`: number formats by cell of the first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    for cell, form in (formats or {}).items():
        book.worksheets[0][cell].number_format = form
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def epub(chapters: Sequence[tuple[str, str]], *, title: str = "书", encrypted: bool = False) -> bytes:
    """A heading and a paragraph a chapter."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        )
        if encrypted:
            archive.writestr("META-INF/encryption.xml", "<encryption><EncryptedKey/></encryption>")
        items = "".join(f'<item id="c{n}" href="c%20{n}.xhtml"/>' for n in range(len(chapters)))
        spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
        archive.writestr(
            "OEBPS/book.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
            f"<dc:title>{title}</dc:title><dc:creator>甲</dc:creator><dc:date>2024-05-01</dc:date></metadata>"
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        for n, (heading, text) in enumerate(chapters):
            archive.writestr(f"OEBPS/c {n}.xhtml", f"<html><body><h1>{heading}</h1><p>{text}</p></body></html>")
    return out.getvalue()
