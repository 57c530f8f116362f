"""Figures as answers: conflicts, comparisons, timelines, and the period the corpus does not have."""

import re
from pathlib import Path

import pytest

from index.settings import Settings
from index.snapshot import open_current
from rag.assistant import Assistant
from rag.values import Answer
from tests.fakes import FakeEncoder
from tests.index.small import build, write_corpus

TEXTS = {
    "one.md": """---
title: 公有云大模型调用量的排名
publisher: 甲刊
published: 2025-10-18
---
根据调研机构甲乙的报告显示,2025年上半年,中国公有云大模型调用量达500万亿次。其中,阿里云以49.2%的市场份额居首,腾讯云的市场份额为27%。

阿里云的日均调用量在2024年5月为1200亿次。

阿里云的日均调用量在2025年9月达到30万亿次。
""",
    "two.md": """---
title: 从四家公司看大模型
publisher: 乙刊
published: 2025-07-23
---
据丙丁报告显示,2024年,阿里云的市场份额为46.4%。

阿里云的训练成本降低了40%。

腾讯云的训练成本降低了80%。

百度云App的日活为300万。

百度云App的月活已经达到900万。
""",
}


@pytest.fixture
def assistant(tmp_path: Path, fake_encoder: FakeEncoder) -> Assistant:
    build(write_corpus(tmp_path / "corpus", TEXTS), tmp_path / "index")
    settings = Settings.from_env({}).model_copy(update={"index": tmp_path / "index", "threshold": 0.0})
    return Assistant(open_current(tmp_path / "index"), fake_encoder, settings)


def rows(answer: Answer) -> list[list[str]]:
    """The cells of the table in an answer, without the head."""
    lines = [line for line in answer.text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_a_conflict_is_a_table_that_says_why_they_differ(assistant: Assistant) -> None:
    answer = assistant.ask("阿里云的市场份额到底是多少?两篇文章的数字不一样。")
    assert answer.kind == "conflict"
    assert {row[0] for row in rows(answer)} == {"49.2%", "46.4%"}
    assert answer.text.startswith("时期不同")
    by_value = {row[0]: row for row in rows(answer)}
    assert "2025年上半年(较新)" in by_value["49.2%"][2]
    assert "2024年" in by_value["46.4%"][2]
    assert "甲乙" in by_value["49.2%"][3]
    assert {f["value"] for f in answer.figures} == {"49.2%", "46.4%"}
    assert {c.doc_id for c in answer.citations} == {"one", "two"}


def test_every_cell_is_borne_out_by_what_its_row_cites(assistant: Assistant) -> None:
    answer = assistant.ask("阿里云的市场份额到底是多少?两篇文章的数字不一样。")
    quotes = {str(c.marker): c.quote for c in answer.citations}
    for row in rows(answer):
        cited = " ".join(quotes[n] for n in re.findall(r"\[(\d+)\]", row[4]))
        assert all(n in cited for n in re.findall(r"\d+(?:\.\d+)?", " ".join(row[:4])))


def test_a_comparison_sets_one_measure_side_by_side(assistant: Assistant) -> None:
    answer = assistant.ask("阿里云和腾讯云的训练成本各降低了多少?")
    assert answer.kind == "compare"
    assert {row[0] for row in rows(answer)} == {"40%", "80%"}


def test_what_one_count_gives_both_sides_stands_before_what_only_one_side_has(
    tmp_path: Path, fake_encoder: FakeEncoder
) -> None:
    texts = {
        "revenue.txt": "根据丙丁的报告,2025年上半年,阿里云的市场份额为35.8%,腾讯云的市场份额为14.8%。\n",
        "calls.txt": "按甲乙的口径,2025年上半年,阿里云占调用量的27%。\n\n"
        "按甲乙的口径,2025年上半年,腾讯云占调用量的49.2%。\n",
        "banks.txt": "腾讯云服务的银行占比为70%。\n",
    }
    build(write_corpus(tmp_path / "corpus", texts), tmp_path / "index")
    settings = Settings.from_env({}).model_copy(update={"index": tmp_path / "index", "threshold": 0.0})
    answer = Assistant(open_current(tmp_path / "index"), fake_encoder, settings).ask("对比阿里云和腾讯云的份额")
    assert {row[0] for row in rows(answer)} in ({"35.8%", "14.8%"}, {"35.8%", "14.8%", "27%", "49.2%"})
    assert "70%" not in answer.text


def test_a_timeline_is_in_order_of_period_and_shows_its_division(assistant: Assistant) -> None:
    answer = assistant.ask("阿里云的日均调用量是怎么变化的?")
    assert answer.kind == "timeline"
    assert [row[0] for row in rows(answer)] == ["1200亿次", "30万亿次"]
    assert "30万亿次 ÷ 1200亿次 = 250" in answer.text


def test_a_company_nobody_listed_is_not_given_its_neighbours_figure(tmp_path: Path, fake_encoder: FakeEncoder) -> None:
    title = "---\ntitle: 电脑厂商的座次\n---\n"
    text = "2023年第三季度,甲乙电脑的市场占有率为23.5%,位列第一。\n明达电脑的市场占有率在2023年第三季度为17.3%。\n"
    build(write_corpus(tmp_path / "corpus", {"pc.md": title + text}), tmp_path / "index")
    settings = Settings.from_env({}).model_copy(update={"index": tmp_path / "index", "threshold": 0.0})
    answer = Assistant(open_current(tmp_path / "index"), fake_encoder, settings).ask(
        "明达电脑2023年第三季度的市场占有率是多少?"
    )
    assert "17.3%" in answer.text
    assert "23.5%" not in answer.text


def test_another_period_is_named_and_not_passed_off(assistant: Assistant) -> None:
    answer = assistant.ask("腾讯云2023年的市场份额是多少?")
    assert (answer.refused, answer.reason) == (True, "other_period")
    assert "27%" in answer.text
    assert "2025年上半年" in answer.text


def test_a_table_in_english_keeps_the_figures_as_written(assistant: Assistant) -> None:
    answer = assistant.ask("阿里云的市场份额到底是多少?两篇文章的数字不一样。", lang="en")
    assert "| Value | What | Period |" in answer.text
    assert "49.2%" in answer.text


def test_the_same_question_gives_the_same_bytes(assistant: Assistant) -> None:
    asked = "阿里云的市场份额到底是多少?两篇文章的数字不一样。"
    assert assistant.ask(asked).text == assistant.ask(asked).text


def test_the_ledger_is_asked_by_subject_attribute_period_and_document(assistant: Assistant) -> None:
    everything = assistant.figures()
    assert len(everything) == 10
    assert {r["doc"] for r in assistant.figures(doc="two")} == {"two"}
    assert {r["value"] for r in assistant.figures(subject="alibaba cloud", attribute="份额")} == {"49.2%", "46.4%"}
    assert {r["value"] for r in assistant.figures(subject="阿里雲", period="2024", attribute="份额")} == {"46.4%"}
    assert assistant.figures(subject="没有这家") == []
    for row in everything:
        assert row["value"] in row["quote"]


def test_one_measure_over_time_is_a_timeline(assistant: Assistant) -> None:
    answer = assistant.ask("阿里云的日均调用量怎么变化?")
    assert answer.kind == "timeline"
    assert [row[0] for row in rows(answer)] == ["1200亿次", "30万亿次"]
    assert answer.text.startswith("按时期排列:30万亿次 ÷ 1200亿次 = 250。")


def test_a_ranking_is_a_table_with_the_greatest_first(assistant: Assistant) -> None:
    answer = assistant.ask("列出2025年上半年公有云大模型调用量的前两名和份额")
    assert answer.kind == "list"
    assert [row[0] for row in rows(answer)] == ["49.2%", "27%"]


def test_a_figure_of_another_time_is_not_passed_off(assistant: Assistant) -> None:
    answer = assistant.ask("阿里云2024年底的日均调用量是多少?")
    assert answer.refused
    assert "30万亿次" not in answer.text.splitlines()[0]


def test_growth_is_no_level(assistant: Assistant) -> None:
    answer = assistant.ask("阿里云的训练成本是多少元?")
    assert answer.refused
    assert answer.reason == "figure_not_stated"


@pytest.mark.parametrize(("asked", "figure"), [("一个月", "900万"), ("每天", "300万")])
def test_a_figure_a_day_is_none_a_month(assistant: Assistant, asked: str, figure: str) -> None:
    answer = assistant.ask(f"百度云App{asked}有多少活跃用户?")
    assert not answer.refused
    assert figure in answer.text.splitlines()[0]


def test_several_measures_of_one_subject_stand_side_by_side(assistant: Assistant) -> None:
    answer = assistant.ask("百度云App的日活和月活各是多少?")
    assert {row[0] for row in rows(answer)} == {"300万", "900万"}
    assert answer.text.startswith("统计的东西不同")


def test_a_share_asked_for_in_few_words_is_given_in_every_way_it_is_counted(
    tmp_path: Path, fake_encoder: FakeEncoder
) -> None:
    page = (
        "---\ntitle: 两份榜单\n---\n据甲乙研究院统计,2025年上半年,衡山云占中国大模型调用量的49.2%,位列第一。\n\n"
        "丙丁咨询按全部收入口径统计,2025年上半年衡山云的收入份额是14.8%,位列第二。\n\n衡山云服务了70%的大银行。\n"
    )
    build(write_corpus(tmp_path / "corpus", {"two.md": page}), tmp_path / "index")
    settings = Settings.from_env({}).model_copy(update={"index": tmp_path / "index", "threshold": 0.0})
    assistant = Assistant(open_current(tmp_path / "index"), fake_encoder, settings)
    answer = assistant.ask("衡山云的份额是多少?")
    assert answer.kind == "conflict"
    assert {row[0] for row in rows(answer)} == {"49.2%", "14.8%"}
    named = assistant.ask("衡山云的收入份额是多少?")
    assert named.kind == "fact"
    assert "14.8%" in named.text
