"""An answer as text to paste: a figure never without whose, when, in which 口径 and by whom it is said."""

from dataclasses import replace

import pytest

from rag.values import Answer
from tests.web.fake_service import DIGEST_CITATION, IDC_CITATION, SHARE_CITATION, FakeService
from web.labels import Labels
from web.quoting import figure_line, footnoted, quote_lines, scope_text, source_line
from web.render import headline

FIGURE = {
    "doc": "idc-2025h1",
    "start": SHARE_CITATION.start,
    "subject": "阿里云",
    "attribute": "份额",
    "value": "24.6%",
    "number": 0.246,
    "unit": "%",
    "hedge": "约",
    "as_of": "2025H1",
    "scope": "IDC;AI公有云服务",
}


def answer(**changed: object) -> Answer:
    return replace(FakeService().ask("对比"), **changed)  # type: ignore[arg-type]


def test_a_figure_is_one_line_with_everything_that_belongs_to_it() -> None:
    (line,) = quote_lines(answer(figures=(FIGURE,)), SHARE_CITATION, Labels("zh-Hans"))
    assert line == (
        "阿里云份额 约24.6%（2025年上半年；口径：IDC；AI公有云服务）——"
        "IDC《2025上半年中国AI公有云服务市场》，2025-10-16，https://example.org/idc?a=1&b=2"
    )
    assert "\n" not in line


@pytest.mark.parametrize(
    ("lang", "shown"),
    [
        ("en", "阿里云 份额 约24.6% (2025H1; Scope: IDC; AI公有云服务)"),
        ("zh-Hant", "阿里云份额 约24.6%（2025年上半年；口徑：IDC；AI公有云服务）"),
    ],
)
def test_in_the_language_of_the_page_with_the_source_in_its_own_words(lang: str, shown: str) -> None:
    assert figure_line(FIGURE, Labels(lang)) == shown


def test_a_figure_that_shares_its_unit_is_told_with_it() -> None:
    of_a_list = {**FIGURE, "attribute": "营收", "value": "17.5", "number": 1.75e9, "unit": "元", "hedge": None}
    assert figure_line(of_a_list, Labels("zh-Hans")).startswith("阿里云营收 17.5亿元（")
    assert figure_line({**of_a_list, "number": [1.0, 2.0]}, Labels("zh-Hans")).startswith("阿里云营收 17.5（")


def test_what_is_not_stated_is_said_not_to_be() -> None:
    bare = {**FIGURE, "as_of": None, "scope": None, "hedge": "以上"}
    assert figure_line(bare, Labels("zh-Hans")) == "阿里云份额 24.6%以上（时期未写明；口径：未写明）"


def test_a_remark_that_no_source_is_named_is_no_scope() -> None:
    for remark in ("文中未注明来源", "只写“据猿转述了报告”,未注明机构"):
        assert scope_text(remark, Labels("zh-Hans")) == "未写明"
        assert scope_text(f"{remark};中国", Labels("zh-Hans")) == "中国"


@pytest.mark.parametrize(
    ("figures", "shown"),
    [
        ((FIGURE,), "24.6%"),
        ((FIGURE, FIGURE), "24.6%"),
        ((FIGURE, {**FIGURE, "value": "14.8%"}), None),
        (({**FIGURE, "start": 0},), None),
        (({**FIGURE, "subject": "首次录得盈利"},), None),
        (({**FIGURE, "attribute": None},), None),
        ((), None),
    ],
    ids=["one", "twice", "two", "of another sentence", "of nobody", "of nothing", "none"],
)
def test_a_figure_stands_first_only_where_it_is_the_answer(figures: tuple[dict[str, object], ...], shown: str) -> None:
    found = headline(answer(kind="fact", figures=figures))
    assert (found["value"] if found else None) == shown
    assert headline(answer(kind="conflict", figures=figures)) is None


def test_a_sentence_without_figures_is_quoted_with_its_source() -> None:
    (line,) = quote_lines(answer(), IDC_CITATION, Labels("zh-Hans"))
    assert line.startswith(f"“{IDC_CITATION.readable}”——IDC《")


def test_our_digest_is_called_one_and_a_source_without_address_is_named_by_place() -> None:
    line = source_line(DIGEST_CITATION, Labels("zh-Hans"))
    assert "摘要,非原文" in line
    assert "日期不详" in line
    ours = source_line(DIGEST_CITATION, Labels("zh-Hans"), "http://127.0.0.1:8000/", "v-1")
    assert ours.endswith(f"&v=v-1#{DIGEST_CITATION.start}-{DIGEST_CITATION.end}")
    assert "http://127.0.0.1:8000/documents/" in ours


def test_the_whole_answer_carries_a_footnote_for_every_mark() -> None:
    text = footnoted(answer(), Labels("zh-Hans"))
    for citation in (SHARE_CITATION, DIGEST_CITATION):
        assert f"[{citation.marker}] " in text
        assert citation.readable in text
    assert text.endswith("索引版本 v-fake-1")
