"""The market board: which figures meet in a chart, and which never do. Companies are invented."""

import itertools
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.aliases import known_names
from index.values import Document, Figure
from rag.assistant import Assistant
from rag.board import KINDS, MOST_POINTS, Chart, about, board, scope_of
from rag.levels import measure_words, months_of
from rag.relation import counted

A = Document("a", "甲刊", "x" * 100_000, publisher="甲刊", author="张三", published="2025-01-01")
B = Document("b", "乙刊", "x" * 100_000, publisher="乙刊", published="2025-02-01")
C = Document("c", "丙刊", "x" * 100_000, publisher="丙刊", published="2025-03-01")
DOCUMENTS = {d.doc_id: d for d in (A, B, C)}
_ids = itertools.count()


def figure(subject: str | None, attribute: str | None, value: str, number: Any, **given: Any) -> Figure:
    n = next(_ids)
    fields = {"unit": "%" if "%" in value else "元", "hedge": None, "as_of": "2025H1", "scope": None, "said_by": None}
    fields |= {"doc_id": "a", "start": 10 * n % 90_000} | given
    fields.setdefault("end", fields["start"] + 10)
    return Figure(f"{fields['doc_id']}:{n}", subject=subject, attribute=attribute, value=value, number=number, **fields)


def share(subject: str, percent: float, scope: str = "云衡研究;只算外部客户", **given: Any) -> Figure:
    given.setdefault("attribute", "市场份额")
    return figure(subject, given.pop("attribute"), f"{percent}%", percent / 100, scope=scope, **given)


def charts(*figures: Figure, kind: str | None = None, reprints: Any = ()) -> list[Chart]:
    return [c for c in board(figures, DOCUMENTS, reprints) if kind in (None, c.kind)]


def subjects(chart: Chart) -> list[str]:
    return [p.subject for p in chart.points]


def values(chart: Chart) -> list[str]:
    return [p.figure.value for p in chart.points]


# --- shares


def test_shares_of_one_scope_period_and_source_make_a_chart_greatest_first() -> None:
    [chart] = charts(share("青禾云", 20), share("白鹭云", 45.5), kind="shares")
    assert subjects(chart) == ["白鹭云", "青禾云"]
    assert chart.scope == "云衡研究;只算外部客户"
    assert chart.period == "2025H1"


def test_shares_counted_two_ways_never_share_a_chart_and_stand_side_by_side_as_a_conflict() -> None:
    calls = [share("青禾云", 49, "云衡研究;调用量"), share("白鹭云", 27, "云衡研究;调用量")]
    revenue = [share("白鹭云", 36, "远望咨询;全链条收入"), share("青禾云", 15, "远望咨询;全链条收入")]
    found = charts(*calls, *revenue)
    assert sorted(c.scope or "" for c in found if c.kind == "shares") == ["云衡研究;调用量", "远望咨询;全链条收入"]
    disputes = [c for c in found if c.kind == "conflict"]
    assert sorted(c.subject or "" for c in disputes) == ["白鹭云", "青禾云"]
    assert not any(c.contradicts for c in found)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(share("白鹭云", 27, as_of="2024H2"), id="another period"),
        pytest.param(share("白鹭云", 27, as_of=None), id="no period"),
        pytest.param(share("白鹭云", 27, scope="远望咨询;收入"), id="another scope"),
        pytest.param(share("白鹭云", 27, scope="云衡研究;只算外部客户;预测"), id="a forecast"),
        pytest.param(share("白鹭云", 81), id="more than the whole"),
        pytest.param(share("白鹭云", 27, attribute="海外用户占比"), id="a share of something else"),
        pytest.param(share("", 27), id="nobody's"),
        pytest.param(share("白鹭云,第二次", 27), id="a piece of a sentence"),
    ],
)
def test_what_is_not_alike_makes_no_share_chart(other: Figure) -> None:
    assert charts(share("青禾云", 49, attribute="调用量份额"), other, kind="shares") == []


def test_a_share_that_does_not_say_of_what_goes_with_the_only_one_that_does() -> None:
    [chart] = charts(
        share("青禾云", 49, attribute="公有云调用量占比"), share("白鹭云", 17, attribute="占比"), kind="shares"
    )
    assert chart.measure == "公有云调用量占比"


def test_without_a_scope_only_one_source_is_charted() -> None:
    assert charts(share("青禾云", 49, "张三"), share("白鹭云", 27, "乙刊", doc_id="b"), kind="shares") == []
    assert len(charts(share("青禾云", 49, "张三"), share("白鹭云", 27, "张三"), kind="shares")) == 1


# --- timelines


def users(number: float, as_of: str, subject: str = "青禾", **given: Any) -> Figure:
    return figure(subject, "用户数", f"{number:g}", number, as_of=as_of, unit=None, **given)


def test_a_measure_of_one_subject_at_several_times_is_a_timeline_in_order() -> None:
    [chart] = charts(users(5e7, "2024-11"), users(2e7, "2024-06"))
    assert (chart.kind, chart.subject, chart.log) == ("timeline", "青禾", False)
    assert [p.figure.as_of for p in chart.points] == ["2024-06", "2024-11"]


def test_a_wide_timeline_has_a_logarithmic_axis_but_not_with_a_zero() -> None:
    assert charts(users(1e9, "2024-01"), users(3e10, "2025-01"))[0].log
    assert not charts(users(0, "2024-01"), users(3e10, "2025-01"))[0].log


def test_a_forecast_is_marked_and_stands_beside_what_was() -> None:
    [chart] = charts(
        figure("青禾市场", "规模", "200亿元", 2e10, as_of="2024"),
        figure("青禾市场", "规模", "700亿元", 7e10, as_of="2026", scope="预测"),
    )
    assert [p.forecast for p in chart.points] == [False, True]


def test_a_year_is_not_compared_to_a_month_unless_both_count_by_the_day() -> None:
    assert charts(users(2e7, "2024"), users(5e7, "2024-11")) == []
    daily = [
        figure("青禾", "日均调用量", v, n, as_of=t, unit="次")
        for v, n, t in (("1亿", 1e8, "2024"), ("9亿", 9e8, "2025-03"))
    ]
    assert len(charts(*daily, kind="timeline")) == 1


def test_a_measure_that_names_its_unit_counts_in_it() -> None:
    [chart] = charts(
        figure("青禾", "使用量", "3亿Tokens", 3e8, unit="tokens", as_of="2024-01"),
        figure("青禾", "日均调用tokens量", "1200亿", 1.2e11, unit=None, as_of="2024-05"),
        figure("青禾", "日均Token调用量", "12万亿次", 1.2e13, unit="次", as_of="2025-03"),
    )
    assert (chart.unit, values(chart)) == ("token", ["1200亿", "12万亿次"])


def test_growth_is_never_drawn_among_levels() -> None:
    rate = figure("青禾", "收入增速", "20%", 0.2, as_of="2024")
    assert charts(figure("青禾", "收入", "5亿元", 5e8, as_of="2023"), rate) == []
    assert charts(figure("青禾", "用户数", "3倍", 3.0, unit="倍", as_of="2024"), users(5e7, "2023")) == []


def test_several_subjects_share_a_timeline_only_when_all_else_is_the_same() -> None:
    def two(**given: Any) -> list[Figure]:
        return [
            users(n, t, s, **(given if s == "白鹭" else {"scope": "云衡研究"}))
            for n, t, s in [
                (2e7, "2024-06", "青禾"),
                (5e7, "2024-12", "青禾"),
                (3e7, "2024-06", "白鹭"),
                (4e7, "2024-12", "白鹭"),
            ]
        ]

    assert [len(c.points) for c in charts(*two(scope="云衡研究"))] == [4]
    assert all(len({p.subject for p in c.points}) == 1 for c in charts(*two(scope="远望咨询")))


def test_all_names_of_a_subject_are_one() -> None:
    with known_names((("青禾", "qinghe"),)):
        [chart] = charts(users(2e7, "2024-06", "青禾"), users(5e7, "2024-11", "Qinghe"), users(6e7, "2024-12"))
        assert chart.subject == "青禾"
        assert about([chart], "QINGHE") == (chart,)
        assert about([chart], "白鹭") == ()


# --- comparisons


def test_one_measure_unit_and_period_of_several_subjects_is_compared() -> None:
    [chart] = charts(users(2e7, "2024-06"), users(5e7, "2024-06", "白鹭"))
    assert (chart.kind, subjects(chart)) == ("compare", ["白鹭", "青禾"])


def test_without_a_period_only_one_sentence_is_compared() -> None:
    price = [
        figure(s, "平均成本", v, n, as_of=None, start=50)
        for s, v, n in (("青禾", "38元", 38.0), ("白鹭", "158元", 158.0))
    ]
    assert [c.kind for c in charts(*price)] == ["compare"]
    apart = [figure(s, "平均成本", v, n, as_of=None) for s, v, n in (("青禾", "38元", 38.0), ("白鹭", "158元", 158.0))]
    assert charts(*apart) == []


@pytest.mark.parametrize(("unit", "region"), [("美元", None), ("元", "全球")])
def test_other_money_and_other_regions_are_not_compared(unit: str, region: str | None) -> None:
    one = figure("青禾", "收入", "5亿元", 5e8, scope="云衡研究;中国")
    other = figure("白鹭", "收入", "5亿", 6e8, unit=unit, scope=f"云衡研究;{region or '中国'}")
    assert charts(one, other) == []


# --- conflicts


def test_two_numbers_of_one_scope_and_period_are_a_contradiction_and_marked_wherever_they_stand() -> None:
    found = charts(
        users(2e7, "2024-06", doc_id="a"),
        users(3e7, "2024-06", doc_id="b"),
        users(5e7, "2024-11", doc_id="c"),
    )
    [dispute] = [c for c in found if c.kind == "conflict"]
    [line] = [c for c in found if c.kind == "timeline"]
    assert dispute.contradicts
    assert [p.conflict for p in dispute.points] == [True, True]
    assert [p.conflict for p in line.points] == [True, True, False]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"hedge": "超", "number": 1.5e7}, id="more than less"),
        pytest.param({"number": (1.5e7, 3e7)}, id="a range around it"),
        pytest.param({"number": 2.01e7}, id="rounded"),
        pytest.param({"number": 3e7, "scope": "预测"}, id="a forecast"),
        pytest.param({"number": 3e7, "scope": "全球"}, id="another region"),
        pytest.param({"number": 3e7, "as_of": "2024"}, id="a longer period"),
    ],
)
def test_what_may_both_be_true_is_no_contradiction(other: dict[str, Any]) -> None:
    given = {"as_of": "2024-06", "unit": None, "doc_id": "b", "scope": None} | other
    found = charts(users(2e7, "2024-06", scope="中国"), figure("青禾", "用户数", "x", **given))
    assert not any(c.contradicts for c in found)


def test_another_scope_is_shown_beside_and_not_called_a_contradiction() -> None:
    one = figure("青禾", "收入", "5亿元", 5e8, scope="云衡研究", said_by="云衡研究")
    other = figure("青禾", "收入", "9亿元", 9e8, scope="远望咨询", said_by="远望咨询", doc_id="b")
    [chart] = charts(one, other)
    assert (chart.kind, chart.contradicts) == ("conflict", False)
    assert {scope_of(p) for p in chart.points} == {"云衡研究", "远望咨询"}


# --- told once


def test_what_one_document_says_twice_is_one_point_and_what_another_says_too_is_noted() -> None:
    first, again = users(2e7, "2024-06"), users(2e7, "2024-06")
    other, later = users(2e7, "2024-06", doc_id="b"), users(5e7, "2024-11")
    [chart] = charts(first, again, other, later)
    assert values(chart) == [first.value, later.value]
    assert [p.figure.figure_id for p in chart.points[0].also] == [other.figure_id]
    [reprinted] = charts(first, again, other, later, reprints=[("a", "b")])
    assert reprinted.points[0].also == ()


def test_best_evidenced_charts_come_first() -> None:
    thin = [users(1e7, "2024-06", "白鹭"), users(2e7, "2024-12", "白鹭")]
    thick = [users(1e6, "2024-06"), users(2e6, "2024-12", doc_id="b"), users(3e6, "2025-03", doc_id="c")]
    assert [c.subject for c in charts(*thin, *thick, kind="timeline")] == ["青禾", "白鹭"]


def test_two_numbers_of_one_sentence_for_one_thing_are_both_left_out() -> None:
    clear = [share("青禾云", 38, start=7), share("白鹭云", 24, start=7)]
    mixed = [share("苍梧", 12, start=7), share("苍梧", 8, start=7)]
    [chart] = charts(*clear, *mixed)
    assert subjects(chart) == ["青禾云", "白鹭云"]


# --- periods and measures


@pytest.mark.parametrize(
    ("as_of", "months"),
    [
        ("2024", (0, 11)),
        ("2024H2", (6, 11)),
        ("2024Q3", (6, 8)),
        ("2024-12-15", (11, 11)),
        ("2024-06上旬", (5, 5)),
        ("2024-05 至 2025-09", (4, 20)),
        ("2024-13", None),
        ("未来三年", None),
        ("2025H1 对 2024", None),
        ("较 2024", None),
        (None, None),
        ("", None),
    ],
)
def test_months_of_a_period(as_of: str | None, months: tuple[int, int] | None) -> None:
    start = 2024 * 12
    assert months_of(as_of) == (months and (start + months[0], start + months[1]))


def test_forms_of_a_measure_are_one() -> None:
    assert measure_words("使用量") == measure_words("调用量")
    assert measure_words("广告金额") != measure_words("融资金额")


# --- whatever the ledger holds

HOSTILE = st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x>', "=cmd()", "\u202e云", "云\x00衡", "🙂", " ", "a" * 500]
)
NAMES = st.sampled_from(["青禾", "白鹭", "Qinghe", "青禾云"]) | HOSTILE
NUMBERS = st.floats() | st.integers(-5, 5).map(float) | st.tuples(st.floats(), st.floats()) | st.just(0.5)
FIGURES = st.builds(
    lambda subject, attribute, number, unit, as_of, scope, hedge, doc_id, start: figure(
        subject, attribute, "9", number, unit=unit, as_of=as_of, scope=scope, hedge=hedge, doc_id=doc_id, start=start
    ),
    st.none() | NAMES,
    st.none() | st.sampled_from(["用户数", "市场份额", "份额", "收入", "收入增速", "日均token调用量"]) | HOSTILE,
    NUMBERS,
    st.none() | st.sampled_from(["%", "元", "元人民币", "美元", "tokens", "次", "倍"]) | HOSTILE,
    st.none()
    | st.sampled_from(["2024", "2024H1", "2025H1", "2024-06", "2025-01 至 2025-03", "去年", "9999-99"])
    | HOSTILE,
    st.none() | st.sampled_from(["云衡研究", "远望咨询;预测", "张三", "中国;云衡研究", "全球"]) | HOSTILE,
    st.none() | st.sampled_from(["超", "不到", "近"]) | HOSTILE,
    st.sampled_from(["a", "b", "c", "gone"]),
    st.integers(0, 300),
)


LIKELY = st.builds(
    lambda subject, kind, as_of, scope, number, doc_id, start: figure(
        subject, kind[0], "9", number / kind[2], unit=kind[1], as_of=as_of, scope=scope, doc_id=doc_id, start=start
    ),
    st.sampled_from(["青禾", "白鹭", "苍梧"]),
    st.sampled_from([("用户数", None, 1e-6), ("市场份额", "%", 100), ("份额", "%", 100), ("收入", "元", 1e-8)]),
    st.sampled_from(["2024", "2025", "2025H1"]),
    st.sampled_from([None, "云衡研究", "远望咨询", "远望咨询;预测", "中国", "全球"]),
    st.integers(1, 40),
    st.sampled_from("abc"),
    st.integers(0, 300),
)


@given(st.lists(FIGURES, max_size=30), st.lists(LIKELY, max_size=60), st.randoms(use_true_random=False))
def test_properties_of_any_board(hostile: list[Figure], likely: list[Figure], chance: random.Random) -> None:
    figures = hostile + likely
    found = board(figures, DOCUMENTS)
    shuffled = list(figures)
    chance.shuffle(shuffled)
    assert board(shuffled, DOCUMENTS) == found
    assert len({c.chart_id for c in found}) == len(found)
    for chart in found:
        points = [p for q in chart.points for p in (q, *q.also)]
        assert chart.kind in KINDS
        assert 1 < len(chart.points) <= MOST_POINTS
        assert all(p.figure in figures and p.document is DOCUMENTS[p.figure.doc_id] for p in points)
        own = [counted(p.figure) - {"张三", "甲刊", "乙刊", "丙刊"} for p in points]
        if chart.kind != "conflict":
            assert len(set(own)) == 1, "two 口径 in one chart"
        if chart.kind in ("shares", "conflict"):
            assert len({p.period for p in points}) == 1
        if chart.kind in ("shares", "compare"):
            assert len({p.subject for p in chart.points}) > 1
        if chart.kind == "timeline":
            assert len({p.period for p in points}) > 1
        if chart.kind == "shares":
            assert chart.unit == "%"
        if chart.log:
            assert min(p.low for p in points) > 0


def test_five_thousand_figures_are_charted_in_seconds_and_cut_to_what_can_be_seen() -> None:
    chance = random.Random(7)
    figures = [
        users(chance.randrange(1, 10**9), f"20{10 + n % 20}-{1 + n % 12:02}", f"公司{n % 120}", doc_id="abc"[n % 3])
        for n in range(4000)
    ] + [users(chance.random() * 1e6, "2024-06", f"甲{n}", scope="云衡研究") for n in range(1000)]
    found = board(figures, DOCUMENTS)
    assert all(len(c.points) <= MOST_POINTS for c in found)
    assert any(c.left_out for c in found)


def test_an_empty_ledger_and_a_single_figure_make_no_chart() -> None:
    assert board([], {}) == ()
    assert charts(share("青禾云", 49)) == []


@pytest.mark.slow
def test_the_shipped_corpus_has_its_shares_apart_by_scope_and_its_steepest_rise_on_a_log_axis(
    shipped: Assistant,
) -> None:
    found = shipped.board()
    apart = [c for c in found if c.kind == "shares"]
    both = set.intersection(*({p.subject for p in c.points} for c in apart))
    assert len({c.scope for c in apart}) == len(apart) > 1
    assert both, "two counts of one market tell of the same companies"
    for subject in both:
        assert any(c.kind == "conflict" and c.subject == subject and not c.contradicts for c in shipped.board(subject))
    rise = max((c for c in found if c.kind == "timeline"), key=lambda c: c.points[-1].high / c.points[0].low)
    assert rise.log
    assert rise.unit == "token"
    ledger = {(row["doc"], row["start"], row["value"]) for row in shipped.figures()}
    for point in (p for c in found for p in c.points):
        f = point.figure
        assert (f.doc_id, f.start, f.value) in ledger
        assert re.sub(r"\s", "", f.value) in re.sub(r"\s", "", point.document.text[f.start : f.end])
