"""Edited text still knows where each of its characters came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.aligned import Aligned, Edit

TEXTS = st.text("甲乙丙丁abc1\n😀", max_size=30)


def edits_of(text: str) -> st.SearchStrategy[list[Edit]]:
    position = st.integers(0, len(text))
    return st.lists(st.builds(Edit, position, position, st.just("rule"), st.sampled_from(["", "x", "长的"])))


def test_the_original_stands_for_itself() -> None:
    aligned = Aligned.of("甲乙丙")
    assert aligned.text == "甲乙丙"
    assert [aligned.span(i, i + 1) for i in range(3)] == [(0, 1), (1, 2), (2, 3)]


def test_what_is_left_out_is_inside_the_span_and_between_the_runs() -> None:
    #                         0123456789
    aligned = Aligned.of("中國(guó)市場").edited([Edit(2, 7, "stray_pinyin")])
    assert aligned.text == "中國市場"
    assert aligned.span(0, 4) == (0, 9)
    assert aligned.runs(0, 4) == [(0, 2), (7, 9)]
    assert aligned.runs(2, 4) == [(7, 9)]
    assert aligned.span(1, 2) == (1, 2)


def test_a_replacement_stands_for_all_it_replaced() -> None:
    aligned = Aligned.of("甲。 - 乙").edited([Edit(2, 5, "glued_list_mark", "\n*")])
    assert aligned.text == "甲。\n*乙"
    assert [aligned.span(i, i + 1) for i in (1, 2, 3, 4)] == [(1, 2), (2, 5), (2, 5), (5, 6)]


def test_a_part_keeps_its_places() -> None:
    part = Aligned.of("甲乙丙丁")[1:3]
    assert (part.text, part.span(0, 2)) == ("乙丙", (1, 3))


@pytest.mark.parametrize(
    ("edits", "left"),
    [
        pytest.param([Edit(1, 3, "r"), Edit(2, 4, "r")], "甲丁", id="the-first-of-two-that-overlap"),
        pytest.param([Edit(1, 2, "r"), Edit(1, 3, "r")], "甲丁", id="the-longer-of-two-that-begin-together"),
        pytest.param([Edit(2, 3, "r"), Edit(0, 1, "r")], "乙丁", id="in-any-order"),
        pytest.param([Edit(2, 2, "r", "x"), Edit(3, 1, "r", "x")], "甲乙丙丁", id="none-that-spans-nothing"),
        pytest.param([Edit(0, 4, "r")], "", id="everything"),
        pytest.param([], "甲乙丙丁", id="nothing"),
    ],
)
def test_which_edits_are_applied(edits: list[Edit], left: str) -> None:
    assert Aligned.of("甲乙丙丁").edited(edits).text == left


@given(st.data())
def test_edits_upon_edits_keep_every_character_over_its_source(data: st.DataObject) -> None:
    text = data.draw(TEXTS)
    aligned = Aligned.of(text)
    for _ in range(3):
        aligned = aligned.edited(data.draw(edits_of(aligned.text)))
        assert len(aligned.text) == len(aligned.starts) == len(aligned.ends)
        assert (aligned.starts[:-1] <= aligned.starts[1:]).all()
        assert (aligned.ends[:-1] <= aligned.ends[1:]).all()
        for i, c in enumerate(aligned.text):
            start, end = aligned.span(i, i + 1)
            assert 0 <= start < end <= len(text)
            assert text[start:end] == c or c in "x长的"


@given(st.data())
def test_runs_cover_what_is_kept_and_nothing_that_is_left_out(data: st.DataObject) -> None:
    text = data.draw(TEXTS.filter(bool))
    aligned = Aligned.of(text).edited(Edit(e.start, e.end, e.rule) for e in data.draw(edits_of(text)))
    if aligned.text:
        runs = aligned.runs(0, len(aligned.text))
        assert "".join(text[a:b] for a, b in runs) == aligned.text
        assert (runs[0][0], runs[-1][1]) == aligned.span(0, len(aligned.text))
