"""EPUB → text: the pages of its spine in order, a chapter each. (An EPUB is a ZIP of XHTML; no library of a free
enough licence reads it.)"""

import posixpath
from typing import Any
from urllib.parse import unquote

from lxml import etree

from index.formats.extracted import Extracted, TextBuilder
from index.formats.visible import page_of, seen_lines, tree_of
from index.formats.zipped import checked_zip

_CONTAINER = "META-INF/container.xml"
_NS = {
    "c": "urn:oasis:names:tc:opendocument:xmlns:container",
    "opf": "http://www.idpf.org/2007/opf",
    "dc": "http://purl.org/dc/elements/1.1/",
}


def read(raw: bytes) -> Extracted:
    """The text of an EPUB. Raises: ValueError when it is damaged, locked, or swells beyond reason."""
    archive = checked_zip(raw)
    if "META-INF/encryption.xml" in archive.namelist() and b"EncryptedKey" in archive.read("META-INF/encryption.xml"):
        raise ValueError("加密的 EPUB (encrypted, DRM)")
    try:
        package_path = str(_xml(archive.read(_CONTAINER)).xpath("string(//c:rootfile/@full-path)", namespaces=_NS))
        package = _xml(archive.read(package_path))
        files = {item.get("id"): item.get("href") for item in package.iterfind(".//opf:manifest/opf:item", _NS)}
        spine = [files[ref.get("idref")] for ref in package.iterfind(".//opf:spine/opf:itemref", _NS)]
    except (KeyError, etree.XMLSyntaxError) as e:
        raise ValueError(f"EPUB 已损坏 (damaged): {e}") from e
    text = TextBuilder()
    for number, href in enumerate(spine, 1):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(package_path), unquote(href)))
        try:
            tree = tree_of(page_of(archive.read(path)))
        except KeyError as e:
            raise ValueError(f"EPUB 缺少 {href} (a chapter is missing)") from e
        lines = list(seen_lines(tree)) if tree is not None else []
        if not lines:
            continue
        heading = next((line.text for line in lines if line.level), "")
        text.place("chapter", heading[:60] or str(number))
        for line in lines:
            text.line("#" * line.level + " " + line.text if line.level else line.text)

    def said(name: str) -> str:
        return str(package.xpath(f"string(//dc:{name})", namespaces=_NS)).strip()

    fields = {"title": said("title"), "author": said("creator"), "publisher": said("publisher")}
    fields["published"] = said("date")[:10]
    return text.done({name: value for name, value in fields.items() if value})


def _xml(raw: bytes) -> Any:
    return etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
