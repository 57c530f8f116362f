"""Chinese quantities in English words, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.english import gloss, in_words


@pytest.mark.parametrize(
    ("number", "unit", "words"),
    [
        ("482.4", "亿", "48.24 billion"),
        ("1250", "万", "12.5 million"),
        ("30", "万亿", "30 trillion"),
        ("536.7", "萬億", "536.7 trillion"),
        ("29", "万", "290,000"),
        ("1.5225", "亿", "152.25 million"),
        ("10", "亿", "1 billion"),
        ("1,200", "亿", "120 billion"),
    ],
)
def test_in_words(number: str, unit: str, words: str) -> None:
    assert in_words(number, unit) == words


def test_gloss_lists_every_quantity_once() -> None:
    assert gloss("从1200亿涨到30万亿,仍是1200亿的250倍") == "1200亿 = 120 billion; 30万亿 = 30 trillion"
    assert gloss("占49.2%") == ""


@given(st.integers(1, 10**6), st.sampled_from(["万", "亿", "万亿"]))
def test_no_digit_is_lost(number: int, unit: str) -> None:
    size = {"万": 10**4, "亿": 10**8, "万亿": 10**12}[unit]
    said = in_words(str(number), unit).replace(",", "").split()
    scale = {"million": 10**6, "billion": 10**9, "trillion": 10**12}[said[1]] if len(said) > 1 else 1
    assert round(float(said[0]) * scale) == number * size
