"""sentence-transformers and a flat FAISS index: what a script of twenty lines does."""

from collections.abc import Callable
from typing import Any

import faiss
from sentence_transformers import SentenceTransformer


def build(documents: list[dict[str, Any]], model: str) -> Callable[[str, int], list[str]]:
    """A passage a document; the model cuts what is longer than it reads."""
    encoder = SentenceTransformer(model, prompts={"query": "query: ", "document": "passage: "}, device="cpu")
    ids = [d["id"] for d in documents]
    vectors = encoder.encode_document([f"{d.get('title', '')}\n{d['text']}" for d in documents], batch_size=32)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)

    def search(query: str, k: int) -> list[str]:
        _, rows = index.search(encoder.encode_query([query]), k)
        return [ids[n] for n in rows[0] if n >= 0]

    return search
