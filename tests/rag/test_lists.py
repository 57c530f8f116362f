"""Lists as pages write them."""

import numpy as np
import pytest

from index.build import passages_of
from index.dense import Dense
from index.lexical import Lexical
from index.snapshot import Layout, Snapshot
from index.stores.local import LocalSearch
from index.values import Document
from rag.lists import asked_count, asked_rank, lists_as_many, section_of


def snapshot_of(text: str) -> Snapshot:
    document = Document("d", "题", text)
    passages = passages_of(document, max_chars=350)
    lexical = Lexical.build([["x"]])
    return Snapshot(
        "v",
        {},
        {"d": document},
        passages,
        LocalSearch(Dense.build(np.ones((len(passages), 1), np.float32)), lexical),
        lexical.terms,
        np.empty((0, 1), np.float16),
        Layout(np.array([0, len(passages)]), np.zeros(len(passages) + 1, np.int64), np.array([0, 0])),
        {"d": "zh-Hans"},
    )


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("有哪三个趋势?", 3),
        ("从哪四个方面看?", 4),
        ("靠哪两招?", 2),
        ("which three trends", 3),
        ("有哪些趋势?", None),
        ("2025年的份额?", None),
    ],
)
def test_how_many_are_asked_for(question: str, count: int | None) -> None:
    assert asked_count(question) == count


INTRO = "选择合作伙伴的时候，企业需要从下面几个方面来考虑，缺一不可。"


@pytest.mark.parametrize(
    ("text", "items"),
    [
        pytest.param(
            f"{INTRO}\n- 看场景。\n说明一。\n- 看工具。\n说明二。", ["看场景。", "看工具。"], id="marked-lines"
        ),
        pytest.param(
            f"{INTRO}\n说明一。 - 看工具。\n说明二。 - 看价格。\n",
            ["看工具。", "看价格。"],
            id="marks-glued-to-the-line-before",
        ),
        pytest.param(
            f"{INTRO}首先是看场景。其次是看工具。最后，看价格。",
            ["首先是看场景。", "其次是看工具。", "最后，看价格。"],
            id="ordinal-words",
        ),
        pytest.param(
            "背后有几个有利的因素：\n人口多，市场大；\n数据丰富，语料多；\n国产替代。\n另外一段话。",
            ["人口多，市场大；", "数据丰富，语料多；", "国产替代。"],
            id="lines-under-a-colon",
        ),
        pytest.param(f"{INTRO}没有列表。", [], id="none"),
    ],
)
def test_items(text: str, items: list[str]) -> None:
    assert [s.text for s in section_of(0, snapshot_of(text)).items] == items


@pytest.mark.parametrize(
    ("question", "rank"),
    [("份额前三名是谁?", 3), ("top 5 vendors", 5), ("排第三的是谁?", None), ("目前三家公司的份额?", None)],
)
def test_how_far_down_a_ranking_is_asked_for(question: str, rank: int | None) -> None:
    assert asked_rank(question) == rank


def test_a_list_with_as_many_items_as_are_asked_for_is_found() -> None:
    snapshot = snapshot_of(f"{INTRO}\n- 看场景。\n说明一。\n- 看工具。\n说明二。")
    assert lists_as_many("要看哪两个方面?", 0, snapshot)
    assert not lists_as_many("要看哪三个方面?", 0, snapshot)
    assert not lists_as_many("要看哪些方面?", 0, snapshot)
