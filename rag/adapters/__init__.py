"""Retrievers for other frameworks. Each needs its framework installed: `pip install 'yuntu-qa[langchain]'`."""

from typing import Any

from index.values import Document, Hit


def about(hit: Hit, document: Document) -> dict[str, Any]:
    """Where a passage stands and who published it: what an adapter tells beside the text."""
    return {
        "doc_id": document.doc_id,
        "start": hit.passage.start,
        "end": hit.passage.end,
        "title": document.title,
        "publisher": document.publisher,
        "published": document.published,
        "url": document.url,
        "source_kind": document.source_kind,
        "score": hit.score,
    }
