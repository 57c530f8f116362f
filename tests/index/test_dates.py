"""When: resolved against the years around it, or left as the words of the text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.dates import dates_in
from index.fold import fold_text


def when(text: str, **known: str) -> list[str]:
    return [d.iso for d in dates_in(fold_text(text), **known)]


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2025年上半年", ["2025H1"]),
        ("2025上半年与1H25", ["2025H1", "2025H1"]),
        ("2024年第四季度", ["2024Q4"]),
        ("Q3 2024", ["2024Q3"]),
        ("2024年12月15日", ["2024-12-15"]),
        ("2024/05/06", ["2024-05-06"]),
        ("二〇二五年三月", ["2025-03"]),
        ("民国19年", ["1930"]),
        ("2023年底", ["2023-12"]),
        ("2024年Q2至2025年Q1", ["2024Q2 至 2025Q1"]),
        ("2024年第二季度(Q2)至2025年第一季度(Q1)", ["2024Q2 至 2025Q1"]),
        ("2024年上半年(H1)", ["2024H1"]),
        ("1985年-1989年", ["1985 至 1989"]),
        ("2024年5月是1200亿,同年12月是4万亿", ["2024-05", "2024-12"]),
        ("2024年底到次年3月", ["2024-12 至 2025-03"]),
        ("未来三年投入,过去一年增长", ["未来三年", "过去一年"]),
        ("September 2024", ["2024-09"]),
        ("公元260年", ["260"]),
        ("2025年前三季度,前九个月", ["2025Q1 至 2025Q3", "2025-01 至 2025-09"]),
        ("2025年1—9月", ["2025-01 至 2025-09"]),
        ("2023、2024和2025年", ["2023", "2024", "2025"]),
        ("2023/2024年,2024、2025两年", ["2023", "2024", "2024", "2025"]),
        ("2025—2027年,2025–2027", ["2025 至 2027", "2025 至 2027"]),
        ("2024A,2025E-2027E", ["2024", "2025 至 2027"]),
        ("3Q25,4Q2024", ["2025Q3", "2024Q4"]),
        ("2024年最后一个季度", ["2024Q4"]),
        ("2025年第三季营收与前一季持平", ["2025Q3"]),
    ],
)
def test_a_time_is_read(text: str, iso: list[str]) -> None:
    assert when(text) == iso


def test_a_month_takes_the_year_above_or_of_publication_else_stays_words() -> None:
    assert when("9月达到") == ["9月"]
    assert when("9月达到", year="2024") == ["2024-09"]
    assert when("今年9月", published="2025-10-18") == ["2025-09"]
    assert when("去年底", published="2025-10-18") == ["2024-12"]
    assert when("今年9月") == ["今年9月"]
    assert when("截至目前", published="2025-07-23") == ["2025-07-23"]
    assert when("第四季度营收", published="2026-02-18") == ["2025Q4"]  # it is not over before it began
    assert when("11月将发布新品", published="2025-07-23") == ["2025-11"]


def test_the_date_of_a_record_dates_nothing_behind_it() -> None:
    assert when("创2021年6月以来新高,第二季度营收增长", published="2025-08-13") == ["2021-06", "2025Q2"]


@pytest.mark.parametrize(
    "text", ["18个月", "月活过亿", "售价1999-2099元", "2000亿元", "1,2024个", "20世纪", "3月票", "90年代"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert when(text) == []


@given(st.text(max_size=200), st.sampled_from([None, "2024"]), st.sampled_from([None, "2025-10-18"]))
def test_any_text_is_read_in_order(text: str, year: str | None, published: str | None) -> None:
    folded = fold_text(text)
    dates = dates_in(folded, year=year, published=published)
    assert all(0 <= d.start < d.end <= len(folded) and d.iso for d in dates)
    assert all(a.end <= b.start for a, b in pairwise(dates))
