"""Haystack: the in-memory store with BM25 and embeddings, joined by reciprocal ranks, as in its hybrid tutorial.

BM25 with a token pattern for Chinese: single characters there, words elsewhere.
"""

from collections.abc import Callable
from typing import Any

from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore

try:
    from haystack.components.embedders import SentenceTransformersDocumentEmbedder, SentenceTransformersTextEmbedder
except ImportError:  # they have moved to a package of their own
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )

_TOKENS = r"(?u)[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+"


def build(documents: list[dict[str, Any]], model: str) -> Callable[[str, int], list[str]]:
    """A passage a document; the model cuts what is longer than it reads."""
    store = InMemoryDocumentStore(bm25_tokenization_regex=_TOKENS, embedding_similarity_function="dot_product")
    embedder = SentenceTransformersDocumentEmbedder(model=model, prefix="passage: ", progress_bar=False)
    embedder.warm_up()
    own = [Document(content=f"{d.get('title', '')}\n{d['text']}", meta={"id": d["id"]}) for d in documents]
    store.write_documents(embedder.run(own)["documents"])
    pipeline = Pipeline()
    pipeline.add_component("embed", SentenceTransformersTextEmbedder(model=model, prefix="query: ", progress_bar=False))
    pipeline.add_component("dense", InMemoryEmbeddingRetriever(store, top_k=10))
    pipeline.add_component("bm25", InMemoryBM25Retriever(store, top_k=10))
    pipeline.add_component("join", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=10))
    pipeline.connect("embed.embedding", "dense.query_embedding")
    pipeline.connect("dense", "join")
    pipeline.connect("bm25", "join")

    def search(query: str, k: int) -> list[str]:
        found = pipeline.run({"embed": {"text": query}, "bm25": {"query": query}})
        return [d.meta["id"] for d in found["join"]["documents"]][:k]

    return search
