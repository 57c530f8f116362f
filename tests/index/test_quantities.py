"""Numbers with their units, as Chinese business writing gives them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.fold import fold_text
from index.quantities import Number, parsed, quantities_in


def found(text: str) -> list[tuple[str, Number, str | None, str | None]]:
    """(as written, number, unit, hedge) of every quantity."""
    folded = fold_text(text)
    return [(folded[q.start : q.end], q.number, q.unit, q.hedge) for q in quantities_in(folded)]


@pytest.mark.parametrize(
    ("text", "written", "number", "unit", "hedge"),
    [
        ("调用量超30万亿Tokens", "30万亿tokens", 3e13, "tokens", "超"),
        ("份额为49.2%", "49.2%", 0.492, "%", None),
        ("規模約294.16億元人民幣", "294.16亿元人民币", 2.9416e10, "元人民币", "约"),
        ("效率提高5倍以上", "5倍", 5.0, "倍", "以上"),
        ("八成车企已经用上", "八成", 0.8, "成", None),
        ("打七折出售", "七折", 0.7, "折", None),
        ("点击率提升15%-20%", "15%-20%", (0.15, 0.2), "%", None),
        ("花费1500万至1750万元", "1500万至1750万元", (1.5e7, 1.75e7), "元", None),
        ("调用3—5个模块", "3—5个", (3.0, 5.0), "个", None),
        ("成本降到同行的1/10", "1/10", 0.1, None, None),
        ("约占三分之一", "三分之一", 0.333333333333, None, "约"),
        ("百分之二十三的人", "百分之二十三", 0.23, "%", None),
        ("占百分之十四点八", "百分之十四点八", 0.148, "%", None),
        ("占比百分之零点五", "百分之零点五", 0.005, "%", None),
        ("同比增长百分之一百零三", "百分之一百零三", 1.03, "%", None),
        ("提高零点八个百分点", "零点八个百分点", 0.008, "个百分点", None),
        ("三百二十一人到场", "三百二十一人", 321.0, "人", None),
        ("月活已经过亿", "过亿", 1e8, None, "过"),
        ("接入700余个业务", "700余个", 700.0, "个", "余"),
        ("海拔2,303米", "2,303米", 2303.0, "米", None),
        ("服务数十家券商", "数十家", (20.0, 99.0), "家", "数"),
        ("得分达87.3,高于对手", "87.3", 87.3, None, None),
        ("突破700亿元；其余不明", "700亿元", 7e10, "元", "突破"),
        ("下载１２５０万次", "1250万次", 1.25e7, "次", None),
        ("毛利率为-24.7%", "-24.7%", -0.247, "%", None),
        ("净利润-3.5亿元", "-3.5亿元", -3.5e8, "元", None),
        ("华东-30%", "30%", 0.3, "%", None),
    ],
)
def test_a_quantity_is_read_with_number_unit_and_hedge(
    text: str, written: str, number: Number, unit: str | None, hedge: str | None
) -> None:
    assert found(text) == [(written, number, unit, hedge)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("差距分别为17.5、13.5和31.6个百分点", [0.175, 0.135, 0.316]),
        ("营收分别为17.5、13.5亿元", [1.75e9, 1.35e9]),
        ("月活分别为17.5、13.5和12.1亿", [1.75e9, 1.35e9, 1.21e9]),
        ("营收40.35/49.50/58.47亿元", [4.035e9, 4.95e9, 5.847e9]),
        ("同比+17.6%/-29%/8%", [0.176, -0.29, 0.08]),
        ("支持24/7小时服务", []),
        ("每年的9/10/11月", []),
        ("5元/1000次", []),  # a price without what it is for
    ],
)
def test_numbers_that_share_a_unit_are_read_each(text: str, numbers: list[Number]) -> None:
    assert [number for _, number, _, _ in found(text)] == numbers


@pytest.mark.parametrize(
    "text",
    [
        "GPT-4 与 Qwen2.5 发布",  # names
        "第3名和 Top 10",  # ordinals
        "百度与千问",  # words that begin with a numeral
        "一家公司的一次尝试",  # a manner of speaking
        "两大阵营,三线城市",
        "电话 021-962866",
        "许可证31120170006号",
        "利润增长3?5%",  # damaged
        "数?;12%",
        "千亿级模型",
        "七个月增长",  # how long, not what
        "百度、阿里、腾讯三家",  # the list says so
        "这四家企业",
        "每百万token的价格",
    ],
)
def test_what_only_looks_like_a_quantity_is_none(text: str) -> None:
    assert found(text) == []


def test_dates_are_no_quantities() -> None:
    folded = "2024年5月"
    assert quantities_in(folded, ((0, len(folded)),)) == []


@given(st.integers(1, 9_999_999), st.sampled_from(["万", "亿", "万亿"]), st.sampled_from(["元", "次", "家"]))
def test_every_multiple_is_read_back(n: int, power: str, unit: str) -> None:
    [(written, number, read, _)] = found(f"达{n}{power}{unit}")
    assert written == f"{n}{power}{unit}"
    assert number == pytest.approx(n * {"万": 1e4, "亿": 1e8, "万亿": 1e12}[power])
    assert read == unit


@given(st.text(max_size=200))
def test_any_text_is_read_without_overlap(text: str) -> None:
    folded = fold_text(text)
    quantities = quantities_in(folded)
    assert all(0 <= q.start < q.end <= len(folded) for q in quantities)
    assert all(a.end <= b.start for a, b in pairwise(quantities))


@pytest.mark.parametrize(("numeral", "number"), [("二千三百", 2300), ("1,250", 1250), ("百", 100), ("十二", 12)])
def test_numerals_are_numbers(numeral: str, number: float) -> None:
    assert parsed(numeral) == number
