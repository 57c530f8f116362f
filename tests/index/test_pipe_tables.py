"""Tables drawn with bars become readable lines whose every character still points at the page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.clean import clean

SHARES = """前文。

| 公司 | 收入（亿元） | 份额 |
|:---|---:|---|
| **星澜** | 30 | 20% |
|  | 40 | 25%|
| 远山 | | 5% |

后文。
"""


def readable(text: str) -> list[str]:
    return [line for line in clean(text).readable.text.splitlines() if line]


def test_every_value_stands_with_its_head_and_its_unit() -> None:
    assert readable(SHARES) == [
        "前文。",
        "星澜：收入 30亿元，份额 20%。",
        "星澜：收入 40亿元，份额 25%。",
        "远山：份额 5%。",
        "后文。",
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("年份|份额\n--|--\n2023|20%\n2024|25%\n后文", ["年份 2023，份额 20%。", "年份 2024，份额 25%。", "后文"]),
        ("指标 | 原图 | 新图 |\r\n---|---|---|\r\n转化率 | 0.8% | 1.1% |\r\n", ["转化率：原图 0.8%，新图 1.1%。"]),
        ("产品|简介\n--|--\n星图|会画图", ["星图：简介 会画图。"]),
        ("一行|两格\n没有横线", ["一行|两格", "没有横线"]),
        ("---|---\n星图|20%", ["---|---", "星图|20%"]),  # dashes under nothing
    ],
)
def test_only_a_line_of_dashes_under_heads_makes_a_table(text: str, lines: list[str]) -> None:
    assert readable(text) == lines


def test_a_user_can_keep_the_bars() -> None:
    assert "| **星澜** |" in clean(SHARES, keep=["pipe_table", "markdown"]).readable.text


@given(st.lists(st.lists(st.text("星澜远山 20%.|-:\\\\*\n", max_size=8), min_size=2, max_size=4), max_size=6))
def test_what_is_kept_stands_on_the_page(rows: list[list[str]]) -> None:
    text = "头|脑|口\n---|---|---\n" + "\n".join("|".join(row) for row in rows)
    cleaned = clean(text)
    for n, c in enumerate(cleaned.readable.text):
        start, end = cleaned.readable.span(n, n + 1)
        replaced = any(r.start < end and start < r.end for r in cleaned.removals)
        assert replaced or text[start:end] == c
    assert clean(cleaned.readable.text).readable.text == cleaned.readable.text
