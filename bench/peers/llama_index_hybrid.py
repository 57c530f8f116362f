"""LlamaIndex: vector store and BM25 retriever, fused by relative scores; BM25 with a token pattern for Chinese.

Its own advice for Chinese is to give BM25 a pattern and no stemming: single characters here, words elsewhere.
"""

from collections.abc import Callable
from typing import Any

from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.retrievers.bm25 import BM25Retriever

_TOKENS = r"(?u)[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+"


def build(documents: list[dict[str, Any]], model: str) -> Callable[[str, int], list[str]]:
    """Chunks of 512 tokens, its splitter's unit; a document is as good as its best chunk."""
    Settings.llm = MockLLM()  # no language model is asked
    Settings.embed_model = HuggingFaceEmbedding(
        model_name=model, query_instruction="query: ", text_instruction="passage: ", device="cpu"
    )
    splitter = SentenceSplitter(chunk_size=512, chunk_overlap=50)
    nodes = splitter.get_nodes_from_documents(
        [
            Document(
                text=f"{d.get('title', '')}\n{d['text']}", metadata={"id": d["id"]}, excluded_embed_metadata_keys=["id"]
            )
            for d in documents
        ]
    )
    index = VectorStoreIndex(nodes)
    bm25 = BM25Retriever.from_defaults(
        nodes=nodes, similarity_top_k=10, token_pattern=_TOKENS, skip_stemming=True, language=[]
    )
    fused = QueryFusionRetriever(
        [index.as_retriever(similarity_top_k=10), bm25],
        similarity_top_k=10,
        num_queries=1,
        mode="relative_score",
        use_async=False,
    )

    def search(query: str, k: int) -> list[str]:
        return list(dict.fromkeys(n.node.metadata["id"] for n in fused.retrieve(query)))[:k]

    return search
