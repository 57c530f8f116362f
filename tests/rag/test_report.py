"""The judge, and the report of what it found."""

import re
from typing import Any

import pytest

from rag.evaluate import judge, summary
from rag.gate import Floor, Held
from rag.report import Case, Report, written
from rag.values import Answer, Citation

TEXT = "二〇二五年上半年，星澜云的份额是46.4%，居首；另一家是1200亿。"
HOSTILE = '<script>alert(1)</script> | [x](javascript:alert(1)) `a` **b** \u202e"'


def answered(text: str, *, quote: str | None = TEXT, reason: str | None = None, start: int = 0, **more: Any) -> Answer:
    """An answer that says `text` and cites `quote`."""
    end = start + len(quote or "")
    citations = (Citation(1, "one", "标题", None, None, None, "press", start, end, quote, quote),) if quote else ()
    return Answer(
        **{
            "question": "?",
            "understood_as": "?",
            "kind": "refusal" if reason else "fact",
            "text": text,
            "refused": reason is not None,
            "reason": reason,
            "citations": citations,
            "figures": (),
            "newest_evidence": None,
            "index_version": "v-1",
            "mode": "full",
            "timings_ms": {"understand": 1.0, "read": 9.0, "total": 10.0},
            "support": 0.9,
            "lang": "zh-Hans",
            **more,
        }
    )


ASKED: dict[str, Any] = {"id": "1", "type": "fact", "question": "份额?", "gold": [["46.4%"]], "docs": ["one"]}
TEXTS = {"one": TEXT}


def why(answer: Answer, **more: Any) -> str:
    return judge({**ASKED, **more}, answer, TEXTS).why


@pytest.mark.parametrize(
    ("text", "gold", "right"),
    [
        ("份额是46.4%[1]", "46.4%", True),
        ("份额是百分之46.4", "46.4%", True),
        ("46.4 percent", "46.4%", True),
        ("份額是46.4％", "46.4%", True),
        ("一共1200亿", "200亿", False),
        ("一共10万亿", "10万", False),
        ("1,250家", "1250家", True),
        ("来自 IDC 的数据", "IDC", True),
        ("两个 idcs", "IDC", False),
        ("字" * 119 + "46.4%", "46.4%", False),
    ],
)
def test_what_is_expected_counts_whole_and_where_a_hurried_reader_sees_it(text: str, gold: str, right: bool) -> None:
    assert why(answered(text), gold=[[gold]]) == ("" if right else "no gold")


def test_a_long_answer_is_read_further_than_a_short_one() -> None:
    assert why(answered("字" * 200 + "46.4%"), type="compare") == ""


def test_every_group_needs_one_of_its_wordings() -> None:
    assert why(answered("46.4%"), gold=[["46.4%", "46.4"], ["1200亿"]]) == "no gold"
    assert why(answered("46.4%,1200亿"), gold=[["a", "46.4%"], ["1200亿"]]) == ""


def test_a_short_answer_that_leads_with_a_forbidden_figure_is_wrong() -> None:
    assert why(answered("27%,不对,是46.4%"), forbidden=["27%"]) == "forbidden first"
    assert why(answered("46.4%,不是27%"), forbidden=["27%"]) == ""


def test_a_citation_of_another_document_or_of_other_words_is_none() -> None:
    assert why(answered("46.4%"), docs=["two"]) == "not cited"
    assert why(answered("46.4%", quote=None)) == "not cited"
    elsewhere = answered("46.4%", quote="另一家是1200亿。", start=TEXT.index("另一家"))
    assert why(elsewhere) == ""  # the document was all that was asked for
    assert why(elsewhere, evidence=["二〇二五年上半年，星澜云的份额是"]) == "not cited"
    assert why(answered("46.4%"), evidence=[{"doc": "one", "quote": "二〇二五年上半年，星澜云的份额是"}]) == ""


def test_a_refusal_is_right_where_the_corpus_does_not_say_and_only_there() -> None:
    refused = answered("资料里没有。", reason="other_period")
    assert why(refused) == "refused"
    assert why(refused, answerable=False, gold=[]) == ""
    assert why(answered("46.4%"), answerable=False, gold=[]) == "not refused"


def test_a_quote_that_does_not_stand_where_it_says_is_not_verbatim() -> None:
    assert judge(ASKED, answered("46.4%"), TEXTS).verbatim
    assert not judge(ASKED, answered("46.4%", start=1), TEXTS).verbatim


def test_the_summary_tells_right_refusals_from_wrong_and_missed_ones_with_their_reasons() -> None:
    refused = answered("没有。", reason="other_period")
    asked = [
        judge(ASKED, answered("46.4%"), TEXTS),
        judge({**ASKED, "type": "list"}, refused, TEXTS),
        judge({**ASKED, "answerable": False}, refused, TEXTS),
        judge({**ASKED, "answerable": False}, answered("46.4%"), TEXTS),
    ]
    found = summary(asked)
    assert found["accuracy"] == 0.5
    assert found["by_type"] == {"fact": {"n": 3, "accuracy": 0.6667}, "list": {"n": 1, "accuracy": 0.0}}
    assert found["refusals"] == {"wrongly": {"other_period": 1}, "rightly": {"other_period": 1}, "missed": 1}
    assert (found["false_refusals"], found["correct_refusals"]) == (0.5, 0.5)
    assert found["wrong"] == {"refused": 1, "not refused": 1}
    assert found["latency_ms"] == {"p50": 10.0, "p95": 10.0}
    assert found["stages_ms"]["read"] == {"p50": 9.0, "p95": 9.0}


def report_of(*cases: tuple[dict[str, Any], Answer]) -> Report:
    held = [Held(Floor("accuracy", 0.9, upper=False), 0.5)]
    return Report("q.jsonl", "v-1", [Case(q, a, judge(q, a, TEXTS)) for q, a in cases], held)


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_a_report_lists_what_failed_with_what_was_expected_and_leaves_out_what_was_right(suffix: str) -> None:
    wrong = {**ASKED, "id": "2", "question": "谁领先呢", "turns": ["先前的问题"], "gold": [["无人说过"]]}
    page = written(report_of((ASKED, answered("46.4%,对的那条")), (wrong, answered("居首的是星澜云"))), suffix)
    for said in ("v-1", "谁领先呢", "先前的问题", "无人说过", "居首的是星澜云", "没有说出标准答案", "50.0%", "不过"):
        assert said in page
    assert "对的那条" not in page


def test_nothing_in_a_question_or_an_answer_becomes_markup_of_the_page() -> None:
    asked = {**ASKED, "question": HOSTILE, "type": HOSTILE, "gold": [[HOSTILE + "x"]]}
    page = written(report_of((asked, answered(HOSTILE, reason=None))), ".html")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert "U+202E" in page
    assert not re.search(r"<(script|link|img|iframe)|src=|url\(", page)  # it needs nothing else, and runs nothing


def test_nothing_in_a_question_or_an_answer_becomes_markup_in_markdown() -> None:
    asked = {**ASKED, "question": HOSTILE, "type": HOSTILE, "gold": [[HOSTILE + "x"]]}
    page = written(report_of((asked, answered("一行\n# 标题\n" + HOSTILE))), ".md")
    assert "<script" not in re.sub(r"\\<", "", page)
    assert "\\[x\\](javascript" in page
    assert "\n# 标题" not in page
    assert all(row.replace("\\|", "").count("|") == 4 for row in page.splitlines() if "alert" in row and row[0] == "|")


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_no_questions_make_an_empty_report(suffix: str) -> None:
    assert "0" in written(Report("q.jsonl", "v-1", []), suffix)
