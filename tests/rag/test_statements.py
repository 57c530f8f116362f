"""From a sentence to the words of an answer, and the check that the sentence bears them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.fold import fold_text
from index.values import Sentence
from rag.reader.read import Span
from rag.statements import focus, in_script, is_borne_out, lead_of, same_content
from rag.understand import understand

LONG = (
    "豆包大模型的调用量在这一年里增长很快,国内外的同行都在追赶,价格也一降再降,"
    "据第三方机构统计,资本支出总计将逾4,200亿美元,年增61%,创下新高,"
    "而另一家机构给出的数字与此不同,口径也不一样,两者不能直接比较,读者要小心。"
)


def sentence(text: str) -> Sentence:
    return Sentence("d", 0, len(text), text, fold_text(text))


def test_a_short_sentence_is_given_whole() -> None:
    assert focus(sentence("份额为49.2%。"), understand("份额多少?"), 90) == "份额为49.2%。"


def test_a_long_one_is_cut_to_the_clauses_that_bear_the_question_and_says_so() -> None:
    said = focus(sentence(LONG), understand("资本支出总计多少亿美元?"), 60)
    assert "资本支出总计将逾4,200亿美元" in said
    assert len(said) <= 62
    assert said.startswith("…")
    assert said.endswith("…")


@given(st.sampled_from(["价格怎么样?", "资本支出多少?", "口径一样吗?", "x"]), st.integers(20, 200))
def test_no_cut_falls_inside_a_number(question: str, width: int) -> None:
    said = focus(sentence(LONG), understand(question), width)
    assert is_borne_out(said, sentence(LONG))


@pytest.mark.parametrize(
    ("said", "borne"),
    [
        ("阿里云占27%", True),
        ("阿里雲占27%", True),
        ("阿里云占2%", False),
        ("阿里云占7%", False),
        ("IDC:27%", True),
        ("Omdia:27%", False),
        ("IDC…27%", True),
    ],
)
def test_every_number_and_name_must_stand_in_the_sentence(said: str, borne: bool) -> None:
    assert is_borne_out(said, sentence("IDC 统计,阿里云占27%。")) is borne


def test_the_cut_holds_the_asked_company() -> None:
    each = ";".join(f"{name}8130万部,份额24.2%,同比增长4.9%" for name in ("苹果", "三星", "小米", "荣耀"))
    assert "荣耀8130万部" in focus(sentence(f"2025年第四季度:{each}。"), understand("荣耀2025年第四季度出货量"), 60)


def test_a_year_within_a_range_is_borne_out() -> None:
    told = sentence("衡山云2022年至2024年的营收分别为3亿元、4亿元、5亿元。")
    assert is_borne_out("2023年", told)
    assert not is_borne_out("2021年", told)


def test_the_script_is_the_askers_and_only_a_foreign_one_is_converted() -> None:
    assert in_script("阿里雲的市占率", "zh-Hans", "zh-Hant") == "阿里云的市占率"
    assert in_script("阿里云的份额", "zh-Hant", "zh-Hans") == "阿里雲的份額"
    assert in_script("阿里雲的市占率", "zh-Hant", "zh-Hant") == "阿里雲的市占率"
    assert in_script("阿里雲", "en", "zh-Hant") == "阿里雲"


def test_a_reprint_is_the_same_content() -> None:
    assert same_content("阿里云份额为27%,位列第二", "阿里云份额为27%，位列第二")
    assert not same_content("阿里云份额为27%", "火山引擎份额为49.2%")


def span_of(text: str, words: str) -> Span:
    at = text.index(words)
    return Span(0, at, at + len(words), -0.1)


BOOKS = (
    "他在一九八五年的春天,于北京的一家出版社出版了小说《平凡的世界(上)》和散文集,"
    "销量超过30万亿册,此后再没有写过别的东西,也不再见人。"
)


@pytest.mark.parametrize(
    ("words", "most", "expected"),
    [
        pytest.param("一九八五年", 38, "他在一九八五年的春天", id="its-clause"),
        pytest.param("世界(上", 20, "《平凡的世界(上)》", id="not-through-a-bracket"),
        pytest.param("0万亿", 10, "销量超过30万亿册", id="a-short-clause"),
        pytest.param("0万亿", 5, "30万亿", id="not-through-a-number"),
        pytest.param("于北京的一家出版社出版了小说《平凡的世界(上)》和散文集", 20, None, id="too-long-to-lead"),
    ],
)
def test_the_answer_leads_in_whole_words(words: str, most: int, expected: str | None) -> None:
    assert lead_of(sentence(BOOKS), span_of(BOOKS, words), most) == expected


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("虽然星澜以补贴换市场(第二季度,星澜平均投入1.5亿元。)", "1.5亿元", "星澜平均投入1.5亿元"),
        ("“市场还小,星澜只投入1.5亿元”,他说。", "1.5亿元", "星澜只投入1.5亿元"),
        ("星澜(远山旗下,投入1.5亿元)。", "1.5亿元", "投入1.5亿元"),
    ],
)
def test_no_half_of_a_bracket_leads(text: str, words: str, expected: str) -> None:
    assert lead_of(sentence(text), span_of(text, words), 20) == expected


@given(st.integers(0, len(BOOKS) - 1), st.integers(1, 30), st.integers(1, 60))
def test_whatever_leads_stands_in_the_sentence_and_is_short(start: int, length: int, most: int) -> None:
    lead = lead_of(sentence(BOOKS), Span(0, start, min(len(BOOKS), start + length), 0.0), most)
    assert lead is None or (lead in BOOKS and 0 < len(lead) <= most and is_borne_out(lead, sentence(BOOKS)))


def test_what_is_kept_of_a_long_sentence_holds_the_answer() -> None:
    span = span_of(LONG, "4,200亿美元")
    assert "4,200亿美元" in focus(sentence(LONG), understand("口径和数字有什么不同?"), 60, span)
