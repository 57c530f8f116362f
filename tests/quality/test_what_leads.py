"""What leads an answer is of the asked company, period, way of counting and end of a change. The pages are invented."""

from pathlib import Path

import pytest

from index.encode import Encoder
from rag.assistant import Assistant
from rag.reader.read import Reader
from tests.conftest import assistant_over

pytestmark = pytest.mark.slow
PAGES = {
    "shares.txt": """企业调用报告

沙洲咨询发布《企业大模型调用研究,2025H2》。报告显示,2025年下半年,企业级大模型日均调用量飙升至41.0万亿tokens,较上半年的12.6万亿增长225%。
2025年下半年,大模型日均tokens消耗前三名为:星澜(33.4%)、远山(22.1%)和BrightModel(17.5%)。
""",
    "cloud.txt": """公有云的座次

2025年上半年,远山云在公有云市场的份额约为38.2%,远超白石云(19.7%)、青禾云(14.9%)等对手。
按机柜数,青禾云以17.3%的占比居第二位。公有云市场的玩家有远山云、白石云、青禾云、苍梧云。
白石云2024下半年市场份额环比下降2.4%,同比下降6.1%。
""",
    "report.txt": """岚桥公布Q2财报
2025-08-13

岚桥创2021年6月以来新高。第二季度收入同比增长15%、环比增长2%至845亿元,超出市场预估的789亿元。
当季岚桥研发投入达62.5亿元,同比增长17%;资本开支更是大幅增长至91亿元,远超去年同期的47亿元。
""",
    "english.txt": """Cloud spending in Q3

Harbour Cloud, Summit Cloud and Meadow Cloud kept their places and collectively took 71% of the market.

Summit Cloud was next with 19 percent market share.
""",
    "years.txt": """栖霞软件的业绩

2023和2024年，栖霞软件营收分别为17.5、13.5亿元。

预计栖霞软件2025E-2027E归母净利润9.5/12.8/16.6亿元，同比增长21%/35%/29%。
""",
    "periods.txt": """紫金智能递表

2023年、2024年及2025年上半年，紫金智能的营收分别为3.1亿元、4.2亿元和2.6亿元，2023至2024年增长35%。同一时段的毛利率分别为51.5%、47.3%和44.9%。

紫金智能上半年的产业数字化收入达749亿元，AIDC收入同比增长7.4%。安全收入达91亿元，同比增长18.2%。第三季度毛利率为25.5%。

紫金智能2024年资本开支同比增长83%。2025年第四季度紫金智能出货7.5万台，2025年全年紫金智能出货28.4万台。
""",
    "images.md": """# 商品图的成本

在海宁,八成箱包商家已用上新工具,单件商品图成本从420元直降至31元。

根据远望咨询《2024年视觉营销报告》,使用新工具的卖家平均节省58%的设计时间。

指标 | 旧图 | 新图 | 提升幅度
---|---|---|---
点击率 | 2.4% | 2.9% | 20.8%
加购率 | 1.6% | 2.1% | 31.3%

另一家母婴商家的老客复购率提升15%。
""",
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, reader: Reader) -> Assistant:
    corpus = tmp_path_factory.mktemp("corpus")
    for name, text in PAGES.items():
        Path(corpus / name).write_text(text, encoding="utf-8")
    return assistant_over(corpus, tmp_path_factory.mktemp("index"), encoder, reader)


@pytest.mark.parametrize(
    ("question", "leads", "never"),
    [
        ("2025年下半年企业级大模型日均调用量是多少？", "41.0万亿", "12.6"),
        ("2025年上半年企业级大模型日均调用量是多少？", "12.6万亿", "41.0"),
        ("BrightModel的tokens消耗占比是多少？", "17.5%", "33.4"),
        ("青禾云在公有云市场的份额是多少？", "14.9%", "38.2"),
        ("白石云2024下半年市场份额环比下降多少？", "2.4%", "6.1"),
        ("白石云2024下半年市场份额同比下降多少？", "6.1%", "2.4"),
        ("单件商品图成本降到了多少？", "31元", "420"),
        ("单件商品图成本原来是多少？", "420元", ""),
        ("新图的点击率是多少？", "2.9%", "2.4"),
        ("旧图的加购率是多少？", "1.6%", "15"),
        ("加购率提升了多少？", "31.3%", "15"),
        ("岚桥第二季度收入环比增长多少？", "2%", ""),
        ("岚桥2024年第二季度的资本开支是多少？", "47亿元", "91"),
        ("栖霞软件2023年的营收是多少？", "17.5亿元(栖霞软件营收；2023年", "13.5"),
        ("栖霞软件2026年的归母净利润预计是多少？", "12.8亿元(栖霞软件归母净利润；2026年；预测", "16.6"),
        ("栖霞软件2027年的归母净利润预计同比增长多少？", "29%(栖霞软件归母净利润同比增长；2027年；预测", "21%"),
        ("紫金智能2024年的毛利率是多少？", "47.3%", "51.5"),
        ("紫金智能上半年的安全收入是多少？", "91亿元", "749"),
        ("紫金智能2025年全年出货多少台？", "28.4万台", "7.5"),
        ("What is Summit Cloud's market share?", "19 percent", "71"),
    ],
)
def test_the_asked_figure_leads_and_no_other(asked: Assistant, question: str, leads: str, never: str) -> None:
    """The first line gives the figure; another of the same sentence may only stand in that sentence, quoted whole."""
    answer = asked.ask(question)
    first = answer.text.split("[", 1)[0]
    assert not answer.refused
    assert leads in first, answer.text
    if never and never in first:  # the sentence itself: then in its own words, and the asked one stands in it
        assert any(first.strip("…\n ") in c.readable for c in answer.citations), answer.text


def test_no_level_leads_where_a_change_is_asked(asked: Assistant) -> None:
    """How much it grew is not said: the sentence is shown, and none of its other figures passes for the growth."""
    answer = asked.ask("岚桥资本开支同比增长多少？")
    first = answer.text.split("[", 1)[0].strip("…\n ")
    assert any(first in c.readable for c in answer.citations), answer.text  # the sentence, no figure of it by itself
    assert len(first) > 30


def test_who_is_in_a_list_has_no_place_in_it(asked: Assistant) -> None:
    assert "居第二位" in asked.ask("按机柜数青禾云排第几？").text
    answer = asked.ask("苍梧云在公有云市场排第几？")
    assert (answer.refused, answer.reason) == (True, "figure_not_stated"), answer.text


def test_no_figure_of_another_quarter_leads(asked: Assistant) -> None:
    answer = asked.ask("紫金智能对四季度毛利率的指引是多少？")
    assert "25.5%(" not in answer.text.split("[", 1)[0]


def test_the_growth_of_a_year_is_not_that_of_its_last_quarter(asked: Assistant) -> None:
    answer = asked.ask("紫金智能2024年第四季度资本开支同比增速是多少？")
    assert answer.refused, answer.text
    assert answer.reason == "other_period"
    assert "2024年" in answer.text  # what there is, is said


def test_a_year_of_a_record_is_not_the_year_of_the_report(asked: Assistant) -> None:
    told = [f["as_of"] for f in asked.figures() if f["value"] in ("845亿元", "62.5亿元")]
    assert told == ["2025Q2", "2025Q2"]


def test_who_says_so_is_named(asked: Assistant) -> None:
    answer = asked.ask("使用新工具的卖家平均节省多少设计时间？")
    assert "远望咨询《2024年视觉营销报告》" in answer.text.split("[", 1)[0]
