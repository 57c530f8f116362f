"""Who says so, and counted how."""

import pytest

from index.attribution import market_of, scope_note, source_of


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("根据调研机构甲乙9月公布的《年度报告》显示,规模增长", "甲乙《年度报告》"),
        ("甲乙报告指出,空间还大", "甲乙"),
        ("甲乙预测,规模将达到5亿元", "甲乙"),
        ("某公司总裁张三在接受采访时表示,收入增长", "某公司总裁张三"),
        ("据官方信息显示,用户过亿", "官方"),
        ("qingce较早前的市场报告则是另一番景象:规模为5亿元", "qingce"),
        ("青禾咨询最新的报告则相反:甲占30%", "青禾咨询"),
        ("在市场调研机构甲乙发布的另一份报告中——《中国市场》,阿里居首", "甲乙《中国市场》"),
    ],
)
def test_a_source_is_named(text: str, who: str) -> None:
    source = source_of(text)
    assert source is not None
    assert source.who == who


@pytest.mark.parametrize("text", ["市场的数据如下:增长20%", "今年的统计结果:增长20%", "该公司的报告很长:共20页"])
def test_what_a_colon_follows_is_no_source_without_a_name(text: str) -> None:
    assert source_of(text) is None


@pytest.mark.parametrize("text", ["数据显示,用户增长", "市场数据显示,规模扩大", "最新证据表明,差距在缩小"])
def test_words_that_name_nobody_are_no_source(text: str) -> None:
    source = source_of(text)
    assert source is not None
    assert source.who is None
    assert source.words in text


def test_a_company_report_is_its_own() -> None:
    source = source_of("据2024年财报显示,收入增长")
    assert source is not None
    assert source.who is None
    assert source.own


def test_a_sentence_without_a_source_has_none() -> None:
    assert source_of("收入增长了两成。") is None
    assert source_of("数据?;某人表示,收入增长") is None or source_of("数据?;某人表示,收入增长").who != "某人"  # type: ignore[union-attr]


def test_the_scope_is_what_the_text_says_it_counts() -> None:
    assert scope_note("调用量达5亿(统计口径:只计外部客户)。") == "只计外部客户"
    assert scope_note("口径为全链条收入,甲居首") == "全链条收入"
    assert scope_note("甲居首") is None


def test_the_market_is_named_with_its_region() -> None:
    assert market_of("甲在中国模型调用量市场中约占两成") == "中国模型调用量市场"
    assert market_of("甲居首") is None
