"""The ledger by the sentence that bears each figure."""

from pathlib import Path

import pytest

from index.build import passages_of
from index.figures import figures_of
from index.fold import fold_text
from index.snapshot import open_current
from index.values import Document
from rag.figure_kinds import is_start
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


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("衡山云的价格从350元降到28元。", ["350元"]),
        ("衡山云的利润从1.7亿元下滑14%至1.46亿元。", ["1.7亿元"]),
        ("衡山云的利润由-3亿元收窄至-1亿元。", ["-3亿元"]),
        ("衡山云的收入从云服务增长30%。", []),
    ],
)
def test_what_a_change_started_from_is_a_start_and_the_change_is_none(text: str, starts: list[str]) -> None:
    document = Document("d", "衡山云", text)
    figures = figures_of(document, [s for p in passages_of(document, max_chars=350) for s in p.sentences])
    assert [f.value for f in figures if is_start(f, fold_text(text))] == starts
