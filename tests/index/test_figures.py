"""The ledger: whose figure, of what, when, by which scope and said by whom. The companies are invented."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.build import passages_of
from index.figures import figures_of
from index.values import Document, Figure


def ledger(text: str, **fields: Any) -> list[Figure]:
    document = Document("d", fields.pop("title", "一篇关于市场竞争格局的长标题文章,不是名称"), text, **fields)
    return figures_of(document, [s for p in passages_of(document, max_chars=350) for s in p.sentences])


def told(text: str, **fields: Any) -> list[tuple[str | None, str | None, str, str | None]]:
    """(subject, attribute, value, as_of) of every figure."""
    return [(f.subject, f.attribute, f.value, f.as_of) for f in ledger(text, **fields)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("华星科技2024年营收达300亿元。", [("华星科技", "营收", "300亿元", "2024")]),
        (
            "2025年上半年,中国云市场规模为500亿元。",
            [("中国云", "市场规模", "500亿元", "2025H1")],
        ),
        ("华星科技的员工人数约为2000人。", [("华星科技", "员工人数", "2000人", None)]),
        ("华星科技在全国运营89个数据中心。", [("华星科技", "运营数据中心", "89个", None)]),
        (
            "华星科技的日均调用量在2024年12月达到16.5亿次,相较于2023年末增长了33倍。",
            [
                ("华星科技", "日均调用量", "16.5亿次", "2024-12"),
                ("华星科技", "日均调用量增长", "33倍", "2024-12 对 2023-12"),
            ],
        ),
        (
            "华星大模型使用量从2024年5月1200亿次增长253倍,至2025年9月的超30万亿次。",
            [
                ("华星大模型", "使用量", "1200亿次", "2024-05"),
                ("华星大模型", "使用量增长", "253倍", "2024-05 至 2025-09"),
                ("华星大模型", "使用量", "30万亿次", "2025-09"),
            ],
        ),
        (  # what is expected ends with its part of the sentence
            "2025年上半年中国云市场规模为223亿元,2025年全年预计增长148%,到2030年将达到1930亿元;份额方面,华星占比35.8%。",
            [
                ("中国云", "市场规模", "223亿元", "2025H1"),
                ("中国云", "市场规模增长", "148%", "2025"),
                ("中国云", "市场规模", "1930亿元", "2030"),
                ("华星", "占比", "35.8%", "2025H1"),
            ],
        ),
        (
            "华星、明达分别占比27%、17%。",
            [("华星", "占比", "27%", None), ("明达", "占比", "17%", None)],
        ),
        (  # in brackets, each of the name it stands behind
            "2025年下半年,大模型日均消耗前三名为:华星(32.1%)、明达(21.3%)和QianXun(18.4%)。",
            [
                ("华星", "大模型日均消耗占比", "32.1%", "2025H2"),
                ("明达", "大模型日均消耗占比", "21.3%", "2025H2"),
                ("QianXun", "大模型日均消耗占比", "18.4%", "2025H2"),
            ],
        ),
        (
            "2024年华星的市场份额约为8.5%,位居第三,仅次于QianXun(31.2%)和Mingda(20.8%)。",
            [
                ("华星", "市场份额", "8.5%", "2024"),
                ("QianXun", "市场份额", "31.2%", "2024"),
                ("Mingda", "市场份额", "20.8%", "2024"),
            ],
        ),
        (
            "2024年华星收入同比增长16.8%,高于QianXun(12.5%)和Mingda(14.7%)的增速。",
            [
                ("华星", "收入同比增长", "16.8%", "2024"),
                ("QianXun", "增速", "12.5%", "2024"),
                ("Mingda", "增速", "14.7%", "2024"),
            ],
        ),
        (  # a remark, not a name
            "得益于市场的稳定增长(国内收入同比增长21.3%)及东南亚市场的拓展(海外收入占比提升至18%)。",
            [(None, "国内收入同比增长", "21.3%", None), (None, "海外收入占比", "18%", None)],
        ),
        (  # as many figures a measure as there are names
            "华星和明达分别以3330万部和3320万部的出货量占据了10.1%和10.0%的市场份额。",
            [
                ("华星", "出货量", "3330万部", None),
                ("明达", "出货量", "3320万部", None),
                ("华星", "市场份额", "10.1%", None),
                ("明达", "市场份额", "10.0%", None),
            ],
        ),
        (
            "明达、华星的营收分别为30亿元和20亿元,利润分别为3亿元和2亿元。",
            [
                ("明达", "营收", "30亿元", None),
                ("华星", "营收", "20亿元", None),
                ("明达", "利润", "3亿元", None),
                ("华星", "利润", "2亿元", None),
            ],
        ),
        (  # a clause that is only a name says whom the next one tells of
            "上月刚发布新机的华星公司,出货量为5040万部,出货量较去年同期大涨20.8%。",
            [("华星公司", "出货量", "5040万部", None), ("华星公司", "出货量大涨", "20.8%", "较 2020")],
        ),
        (  # 同期 is the same part of another year
            "营销服务收入由2023年同期的182亿元增加13.3%至2024年第四季度的206亿元。",
            [
                ("营销服务", "收入", "182亿元", "2023Q4"),
                ("营销服务", "收入增加", "13.3%", "2023Q4 至 2024Q4"),
                ("营销服务", "收入", "206亿元", "2024Q4"),
            ],
        ),
        (  # one figure for each year
            "2022年至2024年,华星营收分别为3亿元、4亿元、5亿元,亏损1亿元、2亿元、3亿元。",
            [
                ("华星", "营收", "3亿元", "2022"),
                ("华星", "营收", "4亿元", "2023"),
                ("华星", "营收", "5亿元", "2024"),
                ("华星", "亏损", "1亿元", "2022"),
                ("华星", "亏损", "2亿元", "2023"),
                ("华星", "亏损", "3亿元", "2024"),
            ],
        ),
        (
            "华星2025E-2027E营收40.35/49.50/58.47亿元,同比增长21%/23%/18%。",
            [
                ("华星", "营收", "40.35", "2025"),
                ("华星", "营收", "49.50", "2026"),
                ("华星", "营收", "58.47亿元", "2027"),
                ("华星", "营收同比增长", "21%", "2025"),
                ("华星", "营收同比增长", "23%", "2026"),
                ("华星", "营收同比增长", "18%", "2027"),
            ],
        ),
        (  # … and one for each name, of all the years
            "2022年至2024年,华星科技、明达科技、千寻科技营收年均复合增长率分别为30%、40%、50%。",
            [
                ("华星科技", "营收年均复合增长率", "30%", "2022 至 2024"),
                ("明达科技", "营收年均复合增长率", "40%", "2022 至 2024"),
                ("千寻科技", "营收年均复合增长率", "50%", "2022 至 2024"),
            ],
        ),
        (  # the start of a change is of the time before
            "2025年第三季度,华星的月活从2502.5万环比增长23.6%至3092.1万。",
            [
                ("华星", "月活", "2502.5万", "2025Q2"),
                ("华星", "月活环比增长", "23.6%", "2025Q3"),
                ("华星", "月活", "3092.1万", "2025Q3"),
            ],
        ),
        ("该产品的训练成本较传统方案降低了40%。", [(None, "训练成本较传统方案降低", "40%", None)]),
        ("华星宣布未来三年投入3800亿元。", [("华星", "投入", "3800亿元", "未来三年")]),
    ],
)
def test_a_sentence_says_whose_what_and_when(
    text: str, expected: list[tuple[str | None, str | None, str, str | None]]
) -> None:
    assert told(text, published="2021-11-06") == expected


def test_what_a_sentence_leaves_out_stands_above_it() -> None:
    text = "华星科技发布了新品。其营收达300亿元,同比增长20%。"
    assert told(text) == [
        ("华星科技", "营收", "300亿元", None),
        ("华星科技", "营收同比增长", "20%", None),
    ]


def test_as_many_figures_as_years_above_are_one_for_each() -> None:
    text = "华星科技公布了2022年至2024年的营收。分别是3亿元、4亿元、5亿元。"
    assert [f.as_of for f in ledger(text)] == ["2022", "2023", "2024"]


def test_each_of_the_periods_named_above_has_its_figure() -> None:
    text = (
        "2022年、2023年及2024年上半年,华星科技的营收分别为1亿元、2亿元和3亿元,2022至2023年翻倍。"
        "同一时段的毛利率分别为54%、64%和56%。\n\n"
        "上述各期经调整净亏损分别为4亿元、5亿元和6亿元;年内亏损分别为7亿元、8亿元和9亿元。\n"
        "2022年至2024年上半年各期研发开支分别为5亿元、6亿元和7亿元。\n"
    )
    found = told(text)
    for measure in ("营收", "毛利率", "经调整净亏损", "研发开支"):
        assert [f[3] for f in found if f[1] == measure] == ["2022", "2023", "2024H1"], measure
    assert [f[2] for f in found if f[3] == "2023"] == ["2亿元", "64%", "5亿元", "8亿元", "6亿元"]


def test_a_known_name_before_a_figure_is_whose_it_is() -> None:
    assert told("2025年第四季度:阿里云8130万台,份额24.2%。")[0] == ("阿里云", None, "8130万台", "2025Q4")


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("腾讯交出一份超出市场所有人预期的成绩单", "腾讯"),
        ("腾讯与阿里云交出超出市场所有人预期的成绩", None),  # of which?
        ("IDC:这一年里市场上所有的大厂都交出了成绩单", None),  # who counts
    ],
)
def test_accounts_without_a_name_are_of_the_company_of_the_headline(title: str, subject: str | None) -> None:
    text = "总营收312亿元。\n\n这个市场的规模为500亿元。\n\n百度的营收为200亿元。\n"
    assert [f[0] for f in told(text, title=title) if f[1] and "营收" in f[1]] == [subject, "百度"]
    assert all(f[0] != "腾讯" for f in told(text, title=title) if f[2] == "500亿元")


def test_what_a_measure_counts_in_is_no_subject() -> None:
    assert told("华星科技公布财报。经调整净利润为3亿元。") == [("华星科技", "经调整净利润", "3亿元", None)]


def test_a_part_is_a_share_of_the_whole_above_it() -> None:
    text = "2025年上半年,中国公有云调用量达500万亿次。其中,华星以49.2%的市场份额居首。"
    assert told(text)[1] == ("华星", "调用量份额", "49.2%", "2025H1")


def test_a_bracket_tells_of_what_stands_before_it() -> None:
    assert told("华星的全球用户数突破2200万(其中海外占比超80%)。")[1] == ("华星", "海外占比", "80%", None)


def test_a_possessive_takes_the_subject_above_but_not_its_time() -> None:
    [_, share] = ledger("华星在2025年3月的日均调用量达到12万亿次。其在中国云市场的份额高达46.4%。")
    assert share.subject == "华星"
    assert share.as_of is None


def test_a_new_paragraph_takes_no_subject_from_the_one_before() -> None:
    [_, second] = ledger("华星科技营收达300亿元。\n\n增长了20%的那一年里,市场很好。")
    assert second.subject is None


def test_a_text_named_after_its_subject_needs_not_name_it_again() -> None:
    assert told("位于北部,面积35.2平方公里。", title="青石镇")[0][:2] == ("青石镇", "面积")


def test_who_says_so_holds_for_a_paragraph_and_falls_back_on_the_author() -> None:
    text = "根据调研机构甲乙的报告显示,华星份额为30%。明达份额为20%。\n\n华星有500名员工。\n"
    assert [f.said_by for f in ledger(text, author="某作者")] == ["甲乙", "甲乙", "某作者"]


def test_the_scope_names_market_and_counting_and_a_missing_source() -> None:
    [first] = ledger("甲乙报告显示,中国云市场中华星份额为30%(统计口径:只计外部客户)。")
    assert first.scope is not None
    assert {"甲乙", "只计外部客户"} <= set(first.scope.split(";"))
    [second] = ledger("数据显示,华星营收达300亿元。")
    assert second.scope == "只写“数据显示”,未注明机构"
    [third] = ledger("华星营收达300亿元。")
    assert third.scope == "文中未注明来源"


def test_a_forecast_is_called_one() -> None:
    [figure] = ledger("预计到2026年,华星营收将突破700亿元。")
    assert (figure.hedge, figure.as_of) == ("突破", "2026")
    assert "预测" in (figure.scope or "")


def test_periods_of_other_lengths_are_told() -> None:
    [figure] = ledger("2025年上半年,云市场规模较2024年全年增长400%。")
    assert figure.as_of == "2025H1 对 2024"
    assert "两个时期长短不同" in (figure.scope or "")


def test_a_damaged_numeral_is_no_figure() -> None:
    assert ledger("华星营收增长3?5%。") == []


def test_a_figure_without_a_subject_is_kept() -> None:
    [figure] = ledger("达到了300亿元。")
    assert (figure.subject, figure.value) == (None, "300亿元")


def test_a_value_is_written_as_the_source_writes_it() -> None:
    [figure] = ledger("華星科技營收約為300億元。", lang="zh-Hant")
    assert (figure.value, figure.number, figure.hedge) == ("300億元", 3e10, "约")


def test_a_heading_that_reports_a_period_dates_what_stands_below_it() -> None:
    text = "2024年全年业绩摘要\n华星平均日活跃用户为3.994亿,较2023年的3.799亿增长5.1%。\n"
    assert [f.as_of for f in ledger(text)] == ["2024", "2023", "2024 对 2023"]
    assert [f.as_of for f in ledger("经历了2023年的大战后\n华星营收达300亿元。\n")] == [None]


def test_english_texts_have_no_ledger() -> None:
    assert ledger("Revenue grew 20% to 300 million dollars.", lang="en") == []


SENTENCES = st.lists(
    st.sampled_from(
        [
            "华星营收达300亿元,",
            "其中明达占27%、甲乙占17%,",
            "2025年上半年",
            "(海外占比超80%)",
            "《报告,2025H1》",
            "数据显示,",
            "增长了3倍。",
            "它的",
            "百度",
            "从2024年5月的1200亿",
            "分别为1、2和3个百分点。",
            "\n\n",
            "?;",
            "「15+」模块",
        ]
    ),
    max_size=12,
).map("".join)


@given(SENTENCES)
def test_every_figure_stands_in_the_sentence_it_names(text: str) -> None:
    document = Document("d", "标题", text, published="2025-10-18")
    sentences = [s for p in passages_of(document, max_chars=350) for s in p.sentences]
    for n, figure in enumerate(figures_of(document, sentences), 1):
        assert figure.figure_id == f"d:{n}"
        [sentence] = [s for s in sentences if (s.start, s.end) == (figure.start, figure.end)]
        assert figure.value in sentence.text
        assert len(figure.value) <= 20
        assert len(figure.subject or "") <= 35


REPORT = "明达咨询发布2025年第三季度全球手机市场报告。\n\n华星的市场份额为19%。"


def test_a_report_of_one_quarter_dates_what_names_no_time() -> None:
    assert told(REPORT)[-1] == ("华星", "市场份额", "19%", "2025Q3")


@pytest.mark.parametrize("other", ["2025年9月,华星发布新机。", "2024年第一季度的报告没有这样写。"])
def test_a_text_of_several_periods_dates_nothing_by_its_opening(other: str) -> None:
    assert told(f"{REPORT}\n\n{other}")[0] == ("华星", "市场份额", "19%", None)


def test_a_row_that_begins_with_a_measure_is_of_what_heads_its_columns() -> None:
    told_of = told("转化率(CVR)：原图 0.8%，新图 1.1%，提升幅度 37.5%。\n")
    assert told_of[:2] == [("原图", "转化率", "0.8%", None), ("新图", "转化率", "1.1%", None)]
    assert told_of[2][0] == "转化率(CVR)"


@pytest.mark.parametrize(
    ("text", "said_by"),
    [
        (
            "根据远望咨询《2024年视觉营销技术报告》,使用新工具的卖家节省67%的时间。",
            "远望咨询《2024年视觉营销技术报告》",
        ),
        ("据远望大学2023年Q4调研,43%的卖家用新工具。", "远望大学"),
        ("Distant Merchant Center数据显示,新图的转化率为14.7%。", "Distant Merchant Center"),
    ],
)
def test_who_says_so_is_named_as_the_sentence_names_it(text: str, said_by: str) -> None:
    assert {f.said_by for f in ledger(text)} == {said_by}
