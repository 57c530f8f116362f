"""Names that a corpus says are one. The companies are invented."""

import pytest

from index.aliases import entities_in, forms_of, known_names
from index.names import names_in
from index.values import Document


def names(*texts: str) -> tuple[tuple[str, ...], ...]:
    return names_in(Document(str(n), "题", text) for n, text in enumerate(texts))


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("昨日,星澜云（Xinglan Cloud）公布业绩。", ("星澜云", "xinglan cloud", "xinglan")),
        ("研究机构云析研究（Cloudlytix）说。云析研究还说。据云析研究。", ("云析研究", "cloudlytix")),
        ("工具「鋪映」（ShopLens）收費。", ("铺映", "shoplens")),
        ("Xinglan Cloud (星澜云) reported results.", ("星澜云", "xinglan cloud", "xinglan")),
        ("昨日，松木科技（Pinewood）公布数据。", ("松木科技", "pinewood")),
        ("本港維景數碼（Weiking Digital）成立。", ("维景数码", "weiking digital", "weiking")),
        ("发布了玄鹿2.0（Xuanlu 2.0）。", ("玄鹿", "xuanlu")),
        ("墨舟科技（以下简称“墨舟”）。", ("墨舟科技", "墨舟")),
    ],
)
def test_a_name_in_brackets_is_the_one_before_it(text: str, group: tuple[str, ...]) -> None:
    assert names(text) == (group,)


@pytest.mark.parametrize(
    "text", ["人工智能（AI）很热。", "日活跃用户（DAU）很多。", "成本（Cost）很高。", "（Apple）", "没有括号。", ""]
)
def test_what_is_no_name_is_not_learned(text: str) -> None:
    assert names(text) == ()


def test_documents_share_what_they_say() -> None:
    assert names("星澜云（Xinglan Cloud）。", "星澜云（以下简称星澜）。") == (
        ("星澜云", "xinglan cloud", "星澜", "xinglan"),
    )


def test_the_first_word_of_a_latin_name_stands_for_it_where_no_other_name_opens_with_it() -> None:
    both = names("星澜云（Xinglan Cloud）和星澜集团（Xinglan Group）。")
    assert all("xinglan" not in group for group in both)


def test_learned_names_count_only_where_they_are_known() -> None:
    group = ("星澜云", "xinglan cloud")
    assert entities_in("xinglan cloud's share") == []
    with known_names((group,)):
        assert entities_in("xinglan cloud's share") == [group]
        assert "星澜云" in forms_of("xinglan cloud")
    assert entities_in("星澜云") == []


def test_a_learned_name_joins_the_lexicon_s_group() -> None:
    with known_names((("阿里云", "aliyun intl"),)):
        (found,) = entities_in("aliyun intl")
        assert "阿里云" in found
