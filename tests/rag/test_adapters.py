"""The retrievers, with the packages they are for."""

from pathlib import Path
from typing import Any

import pytest

from index.build import rebuild
from index.settings import Settings
from rag import Assistant
from tests.fakes import FakeEncoder

ADAPTERS = Path(__file__).parents[2] / "rag" / "adapters"
PAGE = """---
title: 星澜云的份额
publisher: 某机构
published: 2025-10-16
url: https://example.org/share
---
2025年上半年，星澜云的调用量份额为49.2%。

星澜云总部在杭州。
"""
QUESTION = "星澜云的调用量份额"


@pytest.fixture
def assistant(fake_encoder: FakeEncoder, tmp_path: Path) -> Assistant:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "share.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "corpus" / "other.md").write_text("# 天气\n\n今天下雨。\n", encoding="utf-8")
    rebuild([tmp_path / "corpus"], Settings(index=tmp_path / "index"), lambda: fake_encoder)
    return Assistant.open(tmp_path / "index")


def check(metadata: dict[str, Any], text: str, assistant: Assistant) -> None:
    document = assistant.document(metadata["doc_id"])
    own = document.text[metadata["start"] : metadata["end"]]
    assert "49.2%" in own
    assert text in own
    told = {name: metadata[name] for name in ("doc_id", "title", "publisher", "published", "url")}
    assert told == {
        "doc_id": "share",
        "title": "星澜云的份额",
        "publisher": "某机构",
        "published": "2025-10-16",
        "url": "https://example.org/share",
    }


def test_langchain_gets_documents_with_their_place_and_their_source(assistant: Assistant) -> None:
    pytest.importorskip("langchain_core")
    from langchain_core.runnables import RunnableLambda

    from rag.adapters.langchain import YuntuRetriever

    retriever = YuntuRetriever(assistant=assistant, top_k=2)
    found = retriever.invoke(QUESTION)
    hits, _ = assistant.run(QUESTION, 2)
    assert [d.id for d in found] == [h.passage.passage_id for h in hits]
    assert [d.metadata["score"] for d in found] == [h.score for h in hits]
    check(found[0].metadata, found[0].page_content, assistant)
    chained = retriever | RunnableLambda(lambda documents: documents[0].metadata["doc_id"])
    assert chained.invoke(QUESTION) == "share"


@pytest.mark.parametrize("top_k", [0, -1])
def test_langchain_takes_no_senseless_top_k(assistant: Assistant, top_k: int) -> None:
    pytest.importorskip("langchain_core")
    from rag.adapters.langchain import YuntuRetriever

    with pytest.raises(ValueError, match="top_k"):
        YuntuRetriever(assistant=assistant, top_k=top_k)


def test_llamaindex_gets_nodes_with_their_place_and_their_source(assistant: Assistant) -> None:
    pytest.importorskip("llama_index.core")
    from llama_index.core.schema import MetadataMode

    from rag.adapters.llamaindex import YuntuRetriever

    found = YuntuRetriever(assistant, top_k=2).retrieve(QUESTION)
    hits, _ = assistant.run(QUESTION, 2)
    assert [n.node.node_id for n in found] == [h.passage.passage_id for h in hits]
    assert [n.score for n in found] == [h.score for h in hits]
    check(found[0].node.metadata, found[0].node.get_content(), assistant)
    told = found[0].node.get_content(MetadataMode.LLM)
    assert "某机构" in told
    assert "doc_id" not in told


@pytest.mark.parametrize("name", ["langchain", "llamaindex"])
def test_an_adapter_stays_small(name: str) -> None:
    assert len((ADAPTERS / f"{name}.py").read_text(encoding="utf-8").splitlines()) < 50
