"""Several questions in one text."""

import pytest

from rag.several import parts_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("阿里云的份额是多少?腾讯云呢?", ["阿里云的份额是多少?", "腾讯云呢?"]),
        ("请看这份报告。豆包的用户有多少?靠什么涨的?", ["请看这份报告。豆包的用户有多少?", "靠什么涨的?"]),
        ("What is its share? Who leads?", ["What is its share?", "Who leads?"]),
        ("阿里云的份额是多少?", ["阿里云的份额是多少?"]),
        ("甲和乙各省了多少?省的是同一种成本吗?", ["甲和乙各省了多少?省的是同一种成本吗?"]),
        ("甲占多少?两篇写的一样吗?", ["甲占多少?两篇写的一样吗?"]),
        ("机房卖了多少钱，卖给谁了？", ["机房卖了多少钱，", "卖给谁了？"]),
        ("谁排第一，占多少？", ["谁排第一，占多少？"]),
        ("去年，甲卖了多少钱？", ["去年，甲卖了多少钱？"]),
        ("甲占多少?我是说去年", ["甲占多少?我是说去年"]),
        ("甲的份额是多少?依誰的統計?", ["甲的份额是多少?"]),
        ("甲的份额是多少?口径是什么?乙呢?", ["甲的份额是多少?", "乙呢?"]),
        ("What is its share? According to whom?", ["What is its share?"]),
        ("甲的份额是多少?第一名是谁?", ["甲的份额是多少?", "第一名是谁?"]),
        ("这是谁的统计?", ["这是谁的统计?"]),
        ("", [""]),
        ("???", ["???"]),
    ],
)
def test_the_questions_of_a_text(text: str, parts: list[str]) -> None:
    assert parts_of(text) == parts
