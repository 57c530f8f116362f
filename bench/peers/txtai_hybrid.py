"""txtai: hybrid search (dense and BM25, joined by its convex combination), as its documentation sets it up.

Its tokenizer for BM25 is given two-character pieces (`ngrams`), which it offers for languages without spaces.
"""

from collections.abc import Callable
from typing import Any

from txtai import Embeddings


def build(documents: list[dict[str, Any]], model: str) -> Callable[[str, int], list[str]]:
    """A passage a document; the model cuts what is longer than it reads."""
    embeddings = Embeddings(
        path=model,
        instructions={"query": "query: ", "data": "passage: "},
        hybrid=True,
        scoring={"method": "bm25", "terms": True, "normalize": True, "tokenizer": {"alphanum": False, "ngrams": 2}},
        gpu=False,
    )
    embeddings.index((d["id"], f"{d.get('title', '')}\n{d['text']}", None) for d in documents)

    def search(query: str, k: int) -> list[str]:
        return [str(found[0]) for found in embeddings.search(query, k)]

    return search
