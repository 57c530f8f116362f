"""A figure put forward is asked openly."""

import pytest

from rag.claims import claim_in
from rag.understand import understand


@pytest.mark.parametrize(
    ("put", "asked", "value"),
    [
        ("阿里云以49.2%的份额排第一,对吧?", "阿里云以多少的份额排第一,", "49.2%"),
        ("豆包的份额是不是从12.5%掉到9.8%了?", "豆包的份额从12.5%掉到多少了?", "9.8%"),
        ("快手2024年收入同比翻倍了吧?", "快手2024年收入同比增长多少了", "翻倍"),
        ("它一年收100亿元,是吗?", "它一年收多少元,", "100亿元"),
    ],
)
def test_a_figure_put_forward_is_asked_for(put: str, asked: str, value: str) -> None:
    claim = claim_in(understand(put))
    assert claim is not None
    assert claim.question.understood == asked
    assert claim.value == value


@pytest.mark.parametrize(
    "question", ["阿里云的份额是多少?", "2025年的份额对吗?", "它们的说法一样,对吧?", "豆包是什么?"]
)
def test_what_puts_no_figure_forward_is_no_claim(question: str) -> None:
    assert claim_in(understand(question)) is None
