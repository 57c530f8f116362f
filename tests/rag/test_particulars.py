"""Company, measure and kind are the same, but not the region, product or business that was asked of."""

from dataclasses import replace
from pathlib import Path

import pytest

from index.snapshot import Snapshot, open_current
from rag.evidence import Scored
from rag.fitting import Ledger
from rag.particulars import is_of_another_part, with_particulars
from rag.understand import Question, understand
from tests.index.small import build, write_corpus

TEXT = """---
title: 衡山电子的财报
---
衡山电子第三季度中国区营收占比达86.2%，美国区占比10.8%，欧亚区占比3.0%。

衡山电子的商品收入同比增长12%，达30亿元。衡山电子收入达50亿元。

排名其后的分别是丰收科技，市占率约32%，以及必达机器，约占7%。
"""


@pytest.fixture
def snapshot(tmp_path: Path, fake_encoder: None) -> Snapshot:
    build(write_corpus(tmp_path / "corpus", {"a.md": TEXT}), tmp_path / "i")
    return open_current(tmp_path / "i")


def told_apart(snapshot: Snapshot, asked: str) -> tuple[Question, dict[str, bool]]:
    """The question as completed, and whether each value of the text is of another part."""
    ledger = Ledger(snapshot.figures_of)
    ranked = []
    for row, passage in enumerate(snapshot.passages):
        above = ""
        for place, sentence in enumerate(passage.sentences):
            ranked.append(Scored(sentence, passage, row, place, f"{above} {sentence.folded}", (), 0.0))
            above = sentence.folded
    question = with_particulars(understand(asked), ranked, snapshot.figures)
    return question, {f.value: is_of_another_part(question, f, c) for c in ranked for f in ledger.at(c.sentence)}


def test_the_part_that_is_asked_of_tells_figures_apart(snapshot: Snapshot) -> None:
    question, other = told_apart(snapshot, "衡山电子第三季度欧亚区的营收占比是多少？")
    assert "欧亚区" in question.parts or "欧亚" in question.parts
    assert (other["86.2%"], other["10.8%"], other["3.0%"]) == (True, True, False)


def test_a_business_is_not_the_whole(snapshot: Snapshot) -> None:
    _, other = told_apart(snapshot, "衡山电子的商品收入是多少？")
    assert (other["50亿元"], other["30亿元"]) == (True, False)


def test_a_name_nobody_knows_is_of_what_follows_it(snapshot: Snapshot) -> None:
    question, other = told_apart(snapshot, "必达机器的市占率是多少？")
    assert question.opening == "必达机器"
    assert (other["32%"], other["7%"]) == (True, False)


@pytest.mark.parametrize("asked", ["衡山电子第三季度营收占比是多少？", "衡山电子的盘子有多大？", "总共多少？"])
def test_what_no_figure_is_told_by_rules_none_out(snapshot: Snapshot, asked: str) -> None:
    question, other = told_apart(snapshot, asked)
    assert question.parts == ()
    assert not any(other[value] for value in ("50亿元", "30亿元"))


def test_without_sentences_a_question_stays_as_it_is() -> None:
    question = understand("衡山电子的商品收入是多少？")
    assert with_particulars(question, [], []) == replace(question, parts=())


@pytest.mark.parametrize("asked", ["多少台在中国区出货？", "IDC统计的市占率第一是谁？", "备受关注的市占率是多少？"])
def test_neither_asking_words_nor_who_counts_are_a_name(snapshot: Snapshot, asked: str) -> None:
    ranked = [
        Scored(s, p, row, 0, s.folded, (), 0.0)
        for row, p in enumerate(snapshot.passages)
        for s in [replace(p.sentences[0], folded=f"多少人备受关注,idc统计:{p.sentences[0].folded}")]
    ]
    assert with_particulars(understand(asked), ranked, snapshot.figures).opening == ""
