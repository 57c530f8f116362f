"""`YuntuRetriever(assistant=Assistant.open("var/index"))`: the passages of an index, for LangChain."""

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from rag.adapters import about
from rag.assistant import Assistant


class YuntuRetriever(BaseRetriever):
    """The best passages for a question, best first; the metadata say where each stands in the original."""

    assistant: Assistant
    top_k: int = Field(10, ge=1)

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        hits, _ = self.assistant.run(query, self.top_k)
        return [
            Document(
                id=hit.passage.passage_id,
                page_content=hit.passage.text.strip(),
                metadata=about(hit, self.assistant.document(hit.passage.doc_id)),
            )
            for hit in hits
        ]
