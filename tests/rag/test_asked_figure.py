"""A figure answers only when its sentence has the asked shape, subject, period and measure."""

import pytest

from index.fold import fold_text
from index.periods import match, periods_in
from index.values import Passage, Sentence
from rag.asked_figure import asks_for_place, counted_thing, is_asked_for, may_lead, stating
from rag.evidence import FEATURES, Scored
from rag.understand import understand

TWO_DATES = "2024年5月调用量约1200亿次;2024年12月调用量到了4万亿次。"
TWO_NAMES = "阿里云的份额是35.8%;火山引擎的份额是14.8%。"
TWO_MEASURES = "夸克的月活已经过亿;月活与日活3369万不是同一指标。"


def candidate(text: str, above: str, asked: str) -> Scored:
    question = understand(asked)
    folded = fold_text(text)
    s = Sentence("d", 0, len(text), text, folded)
    known = {"period_match": match(question.periods, periods_in(folded))}
    passage = Passage("d#0", "d", 0, len(text), text, folded, "", (s,))
    features = tuple(known.get(name, 0.5) for name in FEATURES)
    return Scored(s, passage, 0, 0, fold_text(f"{above} {text}"), features, 0.0)


ASKED = "2025年上半年火山引擎的份额是多少?"


@pytest.mark.parametrize(
    ("text", "above", "states"),
    [
        pytest.param("2025年上半年火山引擎的份额为49.2%。", "", True, id="all-in-the-sentence"),
        pytest.param("其中，份额为49.2%。", "2025年上半年的火山引擎：", True, id="subject-above-and-no-other-named"),
        pytest.param("其份额高达46.4%，超过阿里云。", "火山引擎的模型", True, id="goes-on-about-the-subject-above"),
        pytest.param("阿里云的份额为27%。", "火山引擎的份额为49.2%。", False, id="another-companys-figure"),
        pytest.param("2024年火山引擎的份额为20%。", "", False, id="another-year"),
        pytest.param("2025年上半年火山引擎的营收增长60%。", "", False, id="another-measure"),
        pytest.param("2025年上半年火山引擎的份额领先。", "", False, id="no-figure"),
    ],
)
def test_states_the_asked_figure(text: str, above: str, states: bool) -> None:
    assert bool(stating(understand(ASKED), [candidate(text, above, ASKED)])) is states


RANKED = "按调用量,阿里云排第几?"


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("按调用量,阿里云占27%,排第二位。", True),
        ("阿里云的调用量居首。", True),
        ("阿里云位列调用量前三。", True),
        ("阿里云的调用量占27%。", False),  # a share is no place
        ("列出的玩家有火山引擎、阿里云、华为云。", False),  # nor is a list
        ("第一季度阿里云的调用量翻倍。", False),
        ("前三季度阿里云的调用量翻倍。", False),
        ("按调用量,火山引擎排第一。", False),
        ("按收入,阿里云排第一。", False),
    ],
)
def test_a_place_is_told_in_words_of_places(text: str, states: bool) -> None:
    assert bool(stating(understand(RANKED), [candidate(text, "", RANKED)])) is states


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("阿里雲在公有雲市場排第幾?", True),
        ("火山引擎排名第几", True),
        ("腾讯云的排名如何?", True),
        ("它居第几位?", True),
        ("Where does Alibaba Cloud rank in the AI cloud market?", True),
        ("第几家云厂商盈利了?", False),
        ("这是第几代模型?", False),
        ("排名前三的是哪几家?", False),
        ("有多少家上榜?", False),
    ],
)
def test_what_asks_for_a_place(question: str, place: bool) -> None:
    assert asks_for_place(understand(question).folded) is place


def test_a_question_for_no_figure_is_not_held_to_one() -> None:
    asked = "谁是火山引擎的总裁?"
    assert stating(understand(asked), [candidate("总裁是谭待。", "", asked)]) == []


@pytest.mark.parametrize(
    ("question", "sentence", "lead", "may"),
    [
        pytest.param(
            "2024年12月的调用量是多少?", TWO_DATES, "调用量约1200亿次", False, id="undated-words-of-two-dates"
        ),
        pytest.param(
            "2024年12月的调用量是多少?", TWO_DATES, "2024年12月调用量到了4万亿次", True, id="words-with-the-asked-date"
        ),
        pytest.param("火山引擎的份额是多少?", TWO_NAMES, "份额是35.8%", False, id="nameless-words-of-two-names"),
        pytest.param("火山引擎的份额是多少?", TWO_NAMES, "火山引擎的份额是14.8%", True, id="words-with-the-asked-name"),
        pytest.param("夸克的月活是多少?", TWO_MEASURES, "月活与日活3369万不是同一指标", False, id="another-measure"),
        pytest.param("夸克的月活是多少?", TWO_MEASURES, "夸克的月活已达1亿", True, id="the-asked-measure"),
        pytest.param("火山引擎的份额是多少?", "火山引擎的份额居首。", "火山引擎的份额居首", False, id="no-figure"),
        pytest.param("谁提出了这个说法?", "张三提出了这个说法。", "张三提出了这个说法", True, id="no-figure-asked"),
    ],
)
def test_what_leads_is_of_the_asked_subject_period_and_measure(
    question: str, sentence: str, lead: str, may: bool
) -> None:
    assert may_lead(understand(question), lead, sentence) is may


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("哪家的收入最高?", False),
        ("谁的份额最大?", False),
        ("哪家的收入是多少?", True),
        ("朝廷收入的大宗是哪一种税收?", False),
    ],
)
def test_a_question_for_a_name_wants_no_figure_whatever_measure_it_mentions(question: str, asked: bool) -> None:
    assert is_asked_for(understand(question)) is asked


def test_taking_a_place_is_no_share() -> None:
    assert "percent" not in understand("1264年攻占库页岛派了多少人的军队?").wants
    assert "percent" in understand("大厂占了多少?").wants


@pytest.mark.parametrize(
    ("asked", "counted"),
    [
        ("how many employees does it have?", {"员工", "employee"}),
        ("how many paying users are in brazil?", {"用户", "user"}),
        ("它有多少员工?", {"员工"}),
        ("how many?", set()),
    ],
)
def test_what_is_counted(asked: str, counted: set[str]) -> None:
    assert counted <= set(counted_thing(asked))
    assert bool(counted) == bool(counted_thing(asked))
