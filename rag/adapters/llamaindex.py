"""`YuntuRetriever(Assistant.open("var/index"))`: the passages of an index, for LlamaIndex."""

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag.adapters import about
from rag.assistant import Assistant

HIDDEN = ["doc_id", "start", "end", "score"]  # from what a model is shown: no help to it


class YuntuRetriever(BaseRetriever):  # type: ignore[misc]  # untyped here: it is an extra
    """The best passages for a question, best first; the metadata say where each stands in the original."""

    def __init__(self, assistant: Assistant, top_k: int = 10) -> None:
        super().__init__()
        self._assistant = assistant
        self._top_k = top_k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits, _ = self._assistant.run(query_bundle.query_str, self._top_k)
        return [
            NodeWithScore(
                score=hit.score,
                node=TextNode(
                    id_=hit.passage.passage_id,
                    text=hit.passage.text.strip(),
                    metadata=about(hit, self._assistant.document(hit.passage.doc_id)),
                    excluded_llm_metadata_keys=HIDDEN,
                    excluded_embed_metadata_keys=HIDDEN,
                ),
            )
            for hit in hits
        ]
