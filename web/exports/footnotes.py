"""Footnotes for python-docx, which has none: the part of the file that holds them, and references to it.

Source: ECMA-376 part 1, 17.11 (footnotes) and 17.16.5.37 (NOTEREF).
"""

from collections.abc import Sequence
from typing import Any

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import XmlPart
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Pt
from docx.text.paragraph import Paragraph

from web.exports.conversation import Note
from web.exports.xml_text import xml_text

_TEXT, _REFERENCE = "footnote text", "footnote reference"  # Word's own names of the styles
_SEPARATORS = (
    ("-1", "separator", "separator"),
    ("0", "continuationSeparator", "continuationSeparator"),
)  # the line above the footnotes, which Word expects to be there
_FIRST_BOOKMARK = 1000  # ids are the document's; python-docx makes none


class Footnotes:
    """The footnotes of one document; the word processor numbers them in the order they are first referred to."""

    def __init__(self, document: Document, notes: Sequence[Note]) -> None:
        """`notes`: numbered from 1, in that very order."""
        self._referred: set[int] = set()
        self._styles = _styles(document)
        root = parse_xml(f"<w:footnotes {nsdecls('w', 'r')}/>")
        name, kind = PackURI("/word/footnotes.xml"), CONTENT_TYPE.WML_FOOTNOTES
        part = XmlPart(name, kind, root, document.part.package)
        document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
        settings = OxmlElement("w:footnotePr")
        for number, type_, element in _SEPARATORS:
            paragraph = _made("w:p", _made("w:r", _made(f"w:{element}")))
            root.append(_made("w:footnote", paragraph, {"w:type": type_, "w:id": number}))
            settings.append(_made("w:footnote", attributes={"w:id": number}))
        compat = document.settings.element.find(qn("w:compat"))
        assert compat is not None  # the template has it; the order of the elements is fixed
        compat.addprevious(settings)
        for note in notes:
            root.append(self._footnote(note, part))

    def refer(self, paragraph: Paragraph, number: int) -> None:
        """Puts a reference at the end of a paragraph: the footnote's own the first time, then one to its number."""
        name, own = f"yuntu_note_{number}", paragraph._p
        if number in self._referred:
            own.append(_made("w:r", _made("w:fldChar", attributes={"w:fldCharType": "begin"})))
            code = _made("w:instrText", attributes={"xml:space": "preserve"})
            code.text = f" NOTEREF {name} \\f \\h "
            own.append(_made("w:r", code))
            own.append(_made("w:r", _made("w:fldChar", attributes={"w:fldCharType": "separate"})))
            own.append(self._run(_text(str(number))))
            own.append(_made("w:r", _made("w:fldChar", attributes={"w:fldCharType": "end"})))
            return
        self._referred.add(number)
        bookmark = str(_FIRST_BOOKMARK + number)
        own.append(_made("w:bookmarkStart", attributes={"w:id": bookmark, "w:name": name}))
        own.append(self._run(_made("w:footnoteReference", attributes={"w:id": str(number)})))
        own.append(_made("w:bookmarkEnd", attributes={"w:id": bookmark}))

    def _run(self, child: Any) -> Any:
        style = _made("w:rStyle", attributes={"w:val": self._styles[1]})
        run = _made("w:r", _made("w:rPr", style))
        run.append(child)
        return run

    def _footnote(self, note: Note, part: XmlPart) -> Any:
        paragraph = _made("w:p", _made("w:pPr", _made("w:pStyle", attributes={"w:val": self._styles[0]})))
        paragraph.append(self._run(_made("w:footnoteRef")))
        paragraph.append(_made("w:r", _text(f" {note.about} ")))
        if note.address:
            address = xml_text(note.address)
            relation = part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
            link = _made("w:hyperlink", _made("w:r", _text(address)), {"r:id": relation})
            paragraph.append(link)
        paragraph.append(_made("w:r", _text(f" {note.words}{f' {note.also}' if note.also else ''}")))
        return _made("w:footnote", paragraph, {"w:id": str(note.number)})


def _styles(document: Document) -> tuple[str, str]:
    """The ids of the two styles, made: the template has neither."""
    text = document.styles.add_style(_TEXT, WD_STYLE_TYPE.PARAGRAPH)
    text.base_style = document.styles["Normal"]
    text.font.size = Pt(9)
    text.paragraph_format.space_after = Pt(2)
    text.paragraph_format.line_spacing = 1.0
    reference = document.styles.add_style(_REFERENCE, WD_STYLE_TYPE.CHARACTER)
    reference.font.superscript = True
    return text.style_id, reference.style_id


def _made(name: str, child: Any = None, attributes: dict[str, str] | None = None) -> Any:
    element = OxmlElement(name)
    for key, value in (attributes or {}).items():
        element.set(qn(key), value)
    if child is not None:
        element.append(child)
    return element


def _text(text: str) -> Any:
    element = _made("w:t", attributes={"xml:space": "preserve"})
    element.text = xml_text(text)
    return element
