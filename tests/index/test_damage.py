"""Characters that were decoded wrongly: what can be proven is mended, the rest is marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.build import cleaned, passages_of
from index.clean import clean
from index.figures import figures_of
from index.values import Document

SENTENCE = "二〇二五年上半年，中国公有云市场规模继续增长，远山云的总裁在会上表示份额为49.2%。"


def rules(text: str) -> set[str]:
    return {r.rule for r in clean(text).removals}


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        pytest.param("中国的市场".encode()[:-1].decode("latin-1"), None, id="bytes-lost-on-the-way"),
        pytest.param("份额”".encode().decode("latin-1"), "份额”", id="utf-8-as-latin-1"),
        pytest.param("他说â€œæ˜¯çš„â€\x9d。", "他说“是的”。", id="quotes-as-windows-1252"),
        pytest.param("的大模型，太贵了".encode().decode("gb18030"), "的大模型，太贵了", id="utf-8-as-gbk"),
        pytest.param("中国市场的份额".encode("gb18030").decode("latin-1"), "中国市场的份额", id="gbk-as-latin-1"),
    ],
)
def test_a_wrong_encoding_is_mended_where_it_is_sure(broken: str, mended: str | None) -> None:
    cleaned_text = clean(broken).readable.text
    if mended is None:
        assert "中国的市场" not in cleaned_text  # nothing is made up
    else:
        assert cleaned_text == mended
        assert "mojibake" in rules(broken)


@pytest.mark.parametrize("text", ["café à la carte, naïve Zoë", "Ångström ± 2 µm", "魑魅魍魉", "№ 5 · £20", "中文。"])
def test_what_is_only_rare_is_left_alone(text: str) -> None:
    assert clean(text).readable.text == text
    assert not {"mojibake", "misaligned"} & rules(text)


def test_gbk_that_lost_a_byte_is_read_one_byte_on_where_the_reading_is_plain() -> None:
    raw = SENTENCE.encode("gb18030")
    at = raw.index("远山云".encode("gb18030"))
    broken = (raw[:at] + raw[at + 1 :]).decode("gb18030", "replace")
    assert "总裁在会上表示" not in broken
    assert "总裁在会上表示" in clean(broken).readable.text
    assert "misaligned" in rules(broken)


def test_a_short_stretch_is_mended_only_if_the_text_has_the_words_elsewhere() -> None:
    broken = "数据?" + ("。远山引擎".encode("gb18030")[1:]).decode("gb18030", "ignore") + "表示"
    alone, beside = clean(broken), clean(f"{broken}。\n远山引擎的份额没有变化。")
    assert "远山引" not in alone.readable.text
    assert beside.readable.text.startswith("数据?远山引表示")  # half of 擎 is lost


@pytest.mark.parametrize("lost", ["锟斤拷锟斤拷", "烫烫烫烫"])
def test_what_cannot_be_mended_is_marked_and_gives_no_figure(lost: str) -> None:
    text = f"远山云2025年的收入{lost}为30亿元，员工有2000人。"
    document = Document("d", "题", text)
    done = cleaned(document)
    assert "damaged" in {r.rule for r in done.removals}
    sentences = [s for p in passages_of(document, done.readable, max_chars=350) for s in p.sentences]
    assert [f.value for f in figures_of(document, sentences, done.damaged)] == ["2000人"]
    assert "30亿元" in {f.value for f in figures_of(document, sentences)}  # without the mark it would be one


def test_a_private_use_character_is_nothing_to_read_and_goes() -> None:
    done = clean("远山云2025年的收入\ue430为30亿元。")
    assert done.readable.text == "远山云2025年的收入为30亿元。"
    assert [r.rule for r in done.removals] == ["private_use"]


def test_a_mended_stretch_is_quoted_as_it_was_written() -> None:
    broken = "的大模型，太贵了，没有人买得起这样的东西。".encode().decode("gb18030", "replace")
    document = Document("d", "题", broken)
    (passage,) = passages_of(document, cleaned(document).readable, max_chars=350)
    (sentence,) = passage.sentences
    assert "的大模型" in sentence.text
    assert document.text[sentence.start : sentence.end] == broken.rstrip("\ufffd")


@given(st.text("中国的市场份额云年在了，。鹕揭孀懿锰反?;Ã©â€œ\ue430锟斤拷ab 1", max_size=60))
def test_mending_twice_changes_nothing(text: str) -> None:
    once = clean(text).readable.text
    assert clean(once).readable.text == once
