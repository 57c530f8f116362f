"""Questions that lean on the one before."""

import pytest

from rag.follow_up import resolved
from rag.understand import understand

FIRST = "火山引擎2025年上半年的调用量份额是多少?"


@pytest.mark.parametrize(
    ("last", "earlier", "whole"),
    [
        pytest.param("那阿里云呢?", FIRST, "阿里云2025年上半年的调用量份额是多少?", id="someone-else"),
        pytest.param("2024年呢?", FIRST, "火山引擎2024年的调用量份额是多少?", id="another-year"),
        pytest.param("2024年同期呢?", FIRST, "火山引擎2024年上半年的调用量份额是多少?", id="its-part"),
        pytest.param("那第三名呢?", "调用量谁排第一?", "调用量谁排第三名?", id="another-rank"),
        pytest.param("它有多少用户?", "豆包是做什么的?", "豆包有多少用户?", id="a-pronoun"),
        pytest.param("And Baidu?", "What is Alibaba Cloud's share?", "What is Baidu's share?", id="english"),
        pytest.param("那百度呢?", "按收入谁第一?", "按收入百度第几?", id="who-was-asked"),
        pytest.param(
            "去年同期才多少啊", "快手2025年二季度的收入是多少?", "快手2024年二季度的收入是多少?", id="a-year-before"
        ),
        pytest.param("它给百度的呢?", "IDC给阿里云的份额是多少?", "IDC给百度的份额是多少?", id="after-the-same-word"),
        pytest.param("那腾讯呢?", "IDC的报告里阿里云占多少?", "IDC的报告里腾讯占多少?", id="not-whose-report"),
        pytest.param("占多少?", "谁排第一?", "谁排第一? 占多少?", id="else-both"),
    ],
)
def test_what_the_last_names_takes_the_place_of_the_other(last: str, earlier: str, whole: str) -> None:
    assert resolved(last, earlier) == whole


@pytest.mark.parametrize(
    "question",
    [
        "阿里云的份额是多少?",
        "豆包2025年3月的日均调用量是多少?",
        "Who leads the AI cloud market in China?",
        "DeepSeek的训练成本是多少?",
        "国内大模型的头部玩家到底是哪几家?讲五强的和讲四巨头的对不上。",
        "给企业办事的那个AI专员叫什么?",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert understand(question, ["快手2024年的收入是多少?"]).understood == question


def test_fifty_turns_are_no_slower_than_three() -> None:
    turns = [f"快手{2000 + n}年的收入是多少?" for n in range(50)]
    assert understand("利润呢?", turns).understood == "快手2049年的利润是多少?"
