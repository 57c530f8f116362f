"""Telling language and script from the characters alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.script import language_of
from index.values import LANGS


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param("2025年上半年阿里云的份额是多少", "zh-Hans", id="simplified"),
        pytest.param("2025年上半年阿里雲的份額是多少", "zh-Hant", id="traditional"),
        pytest.param("What is Alibaba Cloud's share?", "en", id="english"),
        pytest.param("你好", "zh-Hans", id="characters-of-both-scripts"),
        pytest.param("Which models does 阿里云 offer in mainland China?", "en", id="a-chinese-name-in-english"),
        pytest.param("对比GPT-5、Gemini和DeepSeek的价格", "zh-Hans", id="english-names-in-chinese"),
        pytest.param("Doubao 1.6 的價格", "zh-Hant", id="english-name-in-traditional"),
        pytest.param("2025", "zh-Hans", id="digits-alone"),
        pytest.param("??? ...", "zh-Hans", id="marks-alone"),
        pytest.param("AI", "en", id="one-short-word"),
        pytest.param("a b c", "zh-Hans", id="letters-that-are-no-words"),
        pytest.param("", "zh-Hans", id="nothing"),
        pytest.param("中国市场的規模", "zh-Hans", id="mostly-simplified"),
    ],
)
def test_language_of(text: str, language: str) -> None:
    assert language_of(text) == language


@given(st.text(max_size=50))
def test_every_text_has_one_of_three_languages(text: str) -> None:
    assert language_of(text) in LANGS
