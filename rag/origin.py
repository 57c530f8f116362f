"""Whose a document is: one source cannot speak for all by publishing more."""

from urllib.parse import urlsplit

from index.fold import fold_text
from index.values import Document


def source_of(document: Document) -> str:
    """Its publisher, else the site it comes from, else the document itself."""
    if document.publisher and (publisher := fold_text(document.publisher).strip()):
        return publisher
    return _host(document.url or "") or document.doc_id


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # not an address
        return ""
