"""Candidate questions: what they are made of, and what is left out because it would have no one answer."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from index.settings import Settings
from index.snapshot import open_current
from index.values import Figure
from rag.askable import wordings
from rag.assistant import Assistant
from rag.evaluate import gold_of, read_questions
from rag.make_questions import Made, as_row
from tests.fakes import FakeEncoder
from tests.index.small import build, write_corpus

ONE = """---
title: 两家公司的上半年
published: 2025-08-01
---
2025年上半年，阿里云的营收为300亿元。

2025年上半年，腾讯云的营收为120亿元。

截至2025年6月，豆包的月活跃用户为9000万。
"""
Asked = Callable[..., list[Made]]


@pytest.fixture
def asked(tmp_path: Path, fake_encoder: FakeEncoder) -> Asked:
    """Questions made from texts."""

    def made(*texts: str, count: int = 40) -> list[Made]:
        corpus = write_corpus(tmp_path / "corpus", {f"{n}.md": text for n, text in enumerate(texts)})
        build(corpus, tmp_path / "index")
        settings = Settings.from_env({}).model_copy(update={"index": tmp_path / "index"})
        return Assistant(open_current(tmp_path / "index"), fake_encoder, settings).questions(count)

    return made


def plain(made: list[Made], kind: str) -> dict[str, Made]:
    return {m.question: m for m in made if m.type == kind}


def test_a_fact_asks_whose_what_and_when_and_keeps_the_sentence_it_comes_from(asked: Asked) -> None:
    facts = {m.question: m for m in asked(ONE) if m.type == "fact" and m.lang == "zh-Hans"}
    made = facts["2025年上半年阿里云的营收是多少？"]
    assert any("300亿" in wording for wording in made.gold[0])
    assert "30 billion" in made.gold[0]
    assert made.evidence == (("0", "2025年上半年，阿里云的营收为300亿元。"),)


def test_what_nothing_says_is_to_be_refused_with_the_reason(asked: Asked) -> None:
    made = asked(ONE)
    other = [m for m in made if m.type in ("other_period", "other_subject")]
    assert {m.reason for m in other} >= {"other_period", "not_in_corpus"}
    assert all(m.gold == () for m in other)
    for m in other:
        row = as_row(m, 1)
        assert (row["answerable"], row["gold"], row["docs"]) == (False, [], [])


def test_a_year_that_a_sentence_names_beside_the_subject_is_not_asked_for_as_missing(asked: Asked) -> None:
    years = {m.question[:4] for m in asked(ONE) if m.type == "other_period" and "营收" in m.question}
    assert {"2024", "2026"} & years
    silent = asked(ONE + "\n阿里云说过2024年的事，腾讯云也说过2024年的事。\n")
    again = {m.question[:4] for m in silent if m.type == "other_period" and "营收" in m.question}
    assert again
    assert "2024" not in again


def test_two_of_one_count_are_compared_with_both_figures_as_gold(asked: Asked) -> None:
    (made,) = [m for m in asked(ONE) if m.type == "compare"]
    assert "阿里云和腾讯云" in made.question or "阿里雲和騰訊雲" in made.question
    assert [next(w for w in group if "亿" in w)[:3] for group in made.gold] == ["300", "120"]


def test_figures_that_a_question_could_both_mean_are_told_apart_by_who_says_so_or_not_asked_for(asked: Asked) -> None:
    said = asked(
        "据IDC数据，2025年上半年，火山引擎的营收为49.2亿元。\n",
        "据Omdia数据，2025年上半年，火山引擎的营收为14.8亿元。\n",
    )
    facts = [m for m in said if m.type == "fact"]
    assert facts
    assert all("IDC" in m.question or "Omdia" in m.question for m in facts)
    assert {m.gold[0][0] for m in facts if "IDC" in m.question} == {"49.2亿元"}
    conflicts = [m for m in said if m.type == "conflict"]
    assert conflicts
    assert {group[0] for m in conflicts for group in m.gold} == {"49.2亿元", "14.8亿元"}


def test_a_figure_that_the_corpus_gives_twice_without_saying_who_counts_is_not_asked_for(asked: Asked) -> None:
    once = "2025年，豆包的月活跃用户为9000万。\n"
    assert [m for m in asked(once) if m.type == "fact"]
    assert not [m for m in asked(once + "\n2025年，豆包的月活跃用户为7000万。\n") if m.type in ("fact", "english")]


def test_they_are_the_same_every_time_each_once_and_no_more_than_asked_for(asked: Asked) -> None:
    first = asked(ONE)
    assert first == asked(ONE)
    assert len({m.question for m in first}) == len(first)
    assert asked(ONE, count=3) == first[:3]


def test_every_document_comes_before_one_comes_again(asked: Asked) -> None:
    names = {"百度": 3, "京东": 4, "快手": 5}
    texts = [f"2025年上半年，{name}的营收为{n}00亿元，其毛利率为3{n}%。\n" for name, n in names.items()]
    facts = [m for m in asked(*texts) if m.type == "fact"]
    assert {m.evidence[0][0] for m in facts[:3]} == {"0", "1", "2"}


def test_some_are_in_traditional_characters_and_in_english(asked: Asked) -> None:
    made = asked(ONE)
    assert {m.lang for m in made} == {"zh-Hans", "zh-Hant", "en"}
    assert any(m.question == "What was Alibaba Cloud's revenue in 2025H1?" for m in made)
    assert any("雲" in m.question or "躍" in m.question for m in made if m.lang == "zh-Hant")


def test_a_corpus_without_figures_gives_no_questions(asked: Asked) -> None:
    assert asked("---\ntitle: 天气\n---\n今天下雨，明天天晴。\n") == []


def test_the_file_can_be_evaluated_as_it_is(asked: Asked, tmp_path: Path) -> None:
    rows = [as_row(m, n) for n, m in enumerate(asked(ONE), 1)]
    path = tmp_path / "made.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    read = read_questions(path)
    assert [r["id"] for r in read] == [r["id"] for r in rows]
    assert all(r["review"] is True and r["evidence"] for r in read)
    assert all(bool(gold_of(r)) == r["answerable"] for r in read)


@pytest.mark.parametrize(
    ("value", "number", "unit", "expected"),
    [
        ("482.4亿元人民币", 4.824e10, "元人民币", {"482.4亿元人民币", "482.4亿元", "482.4亿", "48.24 billion"}),
        ("49.2%", 0.492, "%", {"49.2%"}),
        ("50ms", 0.05, "ms", {"50ms", "50毫秒"}),
        ("5元", 5.0, "元", {"5元"}),
        ("1500万至1750万元", (1.5e7, 1.75e7), "元", {"1500万至1750万元"}),
    ],
)
def test_a_value_may_be_worded_in_several_ways_but_never_as_a_bare_digit_or_half_a_range(
    value: str, number: float | tuple[float, float], unit: str, expected: set[str]
) -> None:
    figure = Figure("d:1", "d", "甲", "营收", value, number, unit, None, None, None, None, 0, 1)
    assert expected <= set(wordings(figure))
    assert "5" not in wordings(figure)
    assert "1500万" not in wordings(figure)
