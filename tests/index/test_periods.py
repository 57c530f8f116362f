"""Periods are read in any notation, and one answers for another only where one lies in the other."""

import pytest

from index.periods import compatible, match, parts_in, periods_in


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025年上半年", {"2025H1"}),
        ("2025上半年", {"2025H1"}),
        ("1h25", {"2025H1"}),
        ("h1 2025", {"2025H1"}),
        ("first half of 2025", {"2025H1"}),
        ("2024年第四季度", {"2024Q4"}),
        ("2024年q3至2025年2月", {"2024Q3", "2025-02"}),
        ("25年1月", {"2025-01"}),
        ("february 2025", {"2025-02"}),
        ("2024年12月15日", {"2024-12"}),
        ("截至2025年9月", {"2025-09"}),
        ("2023年底和2024年底", {"2023-12", "2024-12"}),
        ("2024年6月到11月", {"2024-06", "2024-11"}),
        ("2025年3月和9月", {"2025-03", "2025-09"}),
        ("2022年至2024年", {"2022", "2023", "2024"}),
        ("2025e-2027e", {"2025", "2026", "2027"}),
        ("1900年至2024年", {"1900", "2024"}),  # an age, not its years
        ("3q25,而3q24", {"2025Q3", "2024Q3"}),
        ("24年最后一个季度", {"2024Q4"}),
        ("12025年", set()),
        ("豆包1.6 与 gpt-4", set()),
    ],
)
def test_periods(text: str, expected: set[str]) -> None:
    assert periods_in(text) == expected


@pytest.mark.parametrize(
    ("asked", "stated", "fits"),
    [
        ("2025", "2025H1", True),
        ("2025H1", "2025-03", True),
        ("2025Q2", "2025H1", True),
        ("2025Q2", "2025-02", False),
        ("2025H1", "2025H2", False),
        ("2024", "2025", False),
    ],
)
def test_compatible(asked: str, stated: str, fits: bool) -> None:
    assert compatible(asked, stated) is fits
    assert compatible(stated, asked) is fits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("四季度毛利率的指引", {"Q4"}),
        ("2025年第三季度与3q24", {"Q3"}),
        ("前三季净利", {"Q1-Q3"}),
        ("1-9月的营收", {"Q1-Q3"}),
        ("上半年和h2", {"H1", "H2"}),
        ("较上一季增长,每一季如此", set()),
        ("2025年营收", set()),
    ],
)
def test_parts_of_whichever_year(text: str, expected: set[str]) -> None:
    assert parts_in(text) == expected


def test_no_period_on_one_side_says_neither_yes_nor_no() -> None:
    assert match(frozenset(), frozenset({"2024"})) == match(frozenset({"2024"}), frozenset()) == 0.5
    assert match(frozenset({"2024"}), frozenset({"2025"})) == 0.0
