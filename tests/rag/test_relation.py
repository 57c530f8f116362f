"""How two figures relate: the reason they differ is named, and a contradiction only where nothing else explains it."""

from dataclasses import replace

import pytest

from index.values import Figure
from rag.relation import relation, relations

SHARE = Figure(
    "d:1", "d", "华星云", "调用量份额", "49.2%", 0.492, "%", None, "2025H1", "甲乙;中国公有云市场", "甲乙", 0, 10
)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"doc_id": "e", "number": 0.4921}, None),  # rounded
        ({"number": 0.464, "as_of": "2024"}, "period"),
        ({"number": 0.464, "scope": "丙丁;中国公有云市场", "said_by": "丙丁"}, "scope"),
        ({"number": 0.464, "attribute": "收入份额"}, "measure"),
        ({"number": 3e8, "unit": "次"}, "unit"),
        ({"number": 0.464}, "contradiction"),
        ({"number": 0.464, "as_of": None}, "unknown_period"),
    ],
)
def test_what_tells_two_figures_apart(change: dict[str, object], why: str | None) -> None:
    other = replace(SHARE, start=20, **change)  # type: ignore[arg-type]
    assert relation(SHARE, other) == why


def test_one_sentence_counts_one_way_at_one_time() -> None:
    undated = replace(SHARE, as_of=None, scope="只计外部客户")
    assert relation(undated, replace(undated, number=0.27, attribute="激活参数", scope="甲乙")) == "measure"


def test_one_counting_worded_twice_is_one() -> None:
    first = replace(SHARE, scope="只算云厂商向外部客户提供的调用量", said_by="某作者")
    second = replace(first, start=20, subject="明达云", number=0.27, scope="只计外部客户的调用量")
    assert relations([first, second]) == []


def test_shares_that_do_not_say_of_what_contradict_nothing() -> None:
    bare = replace(SHARE, attribute="占比", scope="文中未注明来源", said_by="某作者")
    assert relation(bare, replace(bare, start=20, number=0.27)) == "unknown_scope"
    of_calls = replace(bare, attribute="调用量占比")
    assert relation(of_calls, replace(of_calls, start=20, number=0.27)) == "contradiction"


def test_one_number_for_two_periods_in_words_contradicts_itself() -> None:
    future = replace(SHARE, attribute="投入", number=3.8e11, unit="元", as_of="未来三年")
    assert relation(future, replace(future, as_of="过去三年")) == "same_number"


def test_figures_of_two_companies_do_not_contradict_each_other() -> None:
    other = replace(SHARE, subject="明达云", number=0.27)
    assert relations([SHARE, other]) == []
    assert relations([SHARE, replace(other, subject="华星云")]) == ["contradiction"]
