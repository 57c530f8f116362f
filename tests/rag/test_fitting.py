"""The ledger by the sentence that bears each figure."""

from pathlib import Path

import pytest

from index.snapshot import open_current
from rag.fitting import Ledger
from tests.index.small import build, write_corpus

TEXT = "衡山云的收入是30亿元，利润是2亿元。\n它的员工没有变化。\n泰岳云的收入是40亿元。\n"


@pytest.mark.usefixtures("fake_encoder")
def test_a_sentence_has_the_figures_that_stand_in_it_and_a_document_is_grouped_once(tmp_path: Path) -> None:
    build(
        write_corpus(tmp_path / "corpus", {"a.txt": TEXT, "b.txt": "没有数字的一篇，什么也没有说。\n"}), tmp_path / "i"
    )
    snapshot = open_current(tmp_path / "i")
    asked: list[str] = []
    ledger = Ledger(lambda doc_id: asked.append(doc_id) or snapshot.figures_of(doc_id))
    found = []
    for sentence in (s for p in snapshot.passages for s in p.sentences):
        own = list(ledger.at(sentence))
        assert own == [f for f in snapshot.figures if (f.doc_id, f.start) == (sentence.doc_id, sentence.start)]
        found += own
    assert sorted(f.value for f in found) == ["2亿元", "30亿元", "40亿元"]
    assert sorted(asked) == ["a", "b"]
