"""Ten reprints are one piece of evidence, with all who print it; a changed sentence is another."""

from pathlib import Path

from index.encode import Encoder
from rag.copies import copies_in
from tests.conftest import assistant_over

STORY = (
    "衡山云第三季度收入为30亿元，同比增长12%。\n公司没有说明利润，也没有给出全年的预测。\n"
    "同一时期，它的员工人数从二千人增加到二千三百人，机房从四座增加到五座。\n分析人士认为，价格战仍会持续到明年。\n"
    "机房的平均上架率是46%，去年同期是39%。\n前五大客户贡献了67%的收入，合同平均为期26个月。\n"
)


def corpus(folder: Path) -> Path:
    folder.mkdir()
    for n, publisher in enumerate(["远山日报", "松木网", "明达财经"]):
        text = f"---\ntitle: 衡山云三季报\npublisher: {publisher}\npublished: 2025-10-0{n + 1}\n---\n{STORY}"
        (folder / f"{n}.md").write_text(text, encoding="utf-8")
    changed = STORY.replace("30亿元", "31亿元")
    (folder / "3.md").write_text(f"---\ntitle: 转载\npublisher: 别的网\n---\n{changed}", encoding="utf-8")
    (folder / "4.md").write_text("---\ntitle: 另一篇\n---\n泰岳云的收入没有公布，市场也没有等它。\n", encoding="utf-8")
    return folder


def test_reprints_are_one_citation_with_every_source(tmp_path: Path, encoder: Encoder) -> None:
    assistant = assistant_over(corpus(tmp_path / "c"), tmp_path / "index", encoder)
    answer = assistant.ask("衡山云的员工人数增加到多少?")
    cited = [c for c in answer.citations if "二千三百人" in c.quote]
    assert [c.doc_id for c in cited] == ["0"]  # the earliest is the original
    assert [s.publisher for s in cited[0].also_in] == ["松木网", "明达财经", "别的网"]
    for s in cited[0].also_in:
        assert assistant.document(s.doc_id).text[s.start : s.end] == cited[0].quote
    assert {h.passage.doc_id for h in assistant.search("衡山云 员工", 10)} <= {"0", "3", "4"}


def test_a_sentence_that_a_reprint_changed_is_evidence_of_its_own(tmp_path: Path, encoder: Encoder) -> None:
    assistant = assistant_over(corpus(tmp_path / "c"), tmp_path / "index", encoder)
    copies = copies_in(assistant._snapshot)
    copied = {doc_id for doc_id, _ in copies.sentences}
    assert copied == {"1", "2", "3"}
    texts = {assistant.document(d).text[start:][:12] for d, start in copies.sentences if d == "3"}
    assert not any(text.startswith("衡山云第三季度收入") for text in texts)
    answer = assistant.ask("衡山云第三季度收入是多少?")
    assert "30亿元" in answer.text
    assert "31亿元" in answer.text  # the sources disagree, and that is shown
