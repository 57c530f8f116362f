"""Where text is cut, and where never."""

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.clean import clean
from index.split import MAX_QUOTE_CHARS, split
from index.values import Document, Passage


def passages(text: str, max_chars: int = 350) -> tuple[Passage, ...]:
    return split(Document("d", "题", text), clean(text).readable, max_chars=max_chars)


def sentences(text: str, max_chars: int = 350) -> list[str]:
    return [s.text for p in passages(text, max_chars) for s in p.sentences]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("甲到了。乙走了！丙呢？", ["甲到了。", "乙走了！", "丙呢？"], id="full-stops"),
        pytest.param("他说：“甲。乙。”然后走了。", ["他说：“甲。乙。”", "然后走了。"], id="a-quotation-is-kept-whole"),
        pytest.param(
            "到处是“太卷了！”的焦虑。", ["到处是“太卷了！”的焦虑。"], id="a-sentence-goes-on-after-a-quotation"
        ),
        pytest.param("他说：“甲。乙。”。丙。", ["他说：“甲。乙。”。", "丙。"], id="the-closing-quote-stays"),
        pytest.param(
            "「當下，我們要「通才」還是「專才」？下一句。",
            ["「當下，我們要「通才」還是「專才」？", "下一句。"],
            id="an-unclosed-quote-protects-nothing",
        ),
        pytest.param(
            "增长12.7万亿，同比1,250%。完。", ["增长12.7万亿，同比1,250%。", "完。"], id="points-inside-numbers"
        ),
        pytest.param("已搭建“AI 全?!斌w系:一层。", ["已搭建“AI 全?!斌w系:一层。"], id="a-lost-character-ends-nothing"),
        pytest.param(
            "1. SEO策略优化。2. Price war.", ["1. SEO策略优化。", "2. Price war."], id="an-item-number-is-no-sentence"
        ),
        pytest.param("It grew 3.5%. Then it fell.", ["It grew 3.5%.", "Then it fell."], id="english"),
        pytest.param("第一行\n第二行", ["第一行", "第二行"], id="lines"),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_an_overlong_sentence_is_cut_at_clauses_so_that_it_can_be_quoted() -> None:
    text = "，".join(f"第{n}家厂商在上半年的调用量达到{n}.5万亿" for n in range(1, 40)) + "。"
    pieces = [s for p in passages(text) for s in p.sentences]
    assert len(pieces) > 1
    assert all(s.end - s.start <= MAX_QUOTE_CHARS for s in pieces)
    assert all(s.text.endswith(("，", "。")) for s in pieces)


def test_stray_pinyin_counts_towards_the_length_of_a_quote() -> None:
    text = "，".join("中國(guó)市場(chǎng)發(fā)展很快" for _ in range(30)) + "。"
    assert all(s.end - s.start <= MAX_QUOTE_CHARS for p in passages(text) for s in p.sentences)


def test_a_number_keeps_its_unit_even_where_there_is_no_clause() -> None:
    text = "调用量" * 30 + "达到30万亿Tokens" + "增长" * 80
    for piece in sentences(text, max_chars=100):
        assert not piece.endswith(("30", "30万"))


def test_headings_open_passages_and_stand_above_what_follows() -> None:
    body = "这一节讲的是市场份额的变化，以及背后的原因，还有它对厂商意味着什么，最后谈到了未来。"
    found = passages(f"# 总题\n\n{body * 3}\n\n## 第一节\n\n{body * 5}\n\n## 第二节\n\n{body * 5}")
    assert [p.heading for p in found][-1] == "总题 › 第二节"
    assert sum(p.text.startswith("第一节") for p in found) == 1


def test_a_short_text_stays_one_passage() -> None:
    assert len(passages("第一节\n甲。\n\n乙。\n丙。")) == 1


def test_empty_and_blank_texts_have_no_passages() -> None:
    assert passages("") == ()
    assert passages("\n \n") == ()


ALPHABET = "的市场份额增长2025年上半49.2%万亿豆包AI云，。、；：！？“”「」（）()\n \t-—…abc.,\u3000(guó)"


@pytest.mark.parametrize("seed", range(60))
def test_passages_join_back_into_the_kept_text(seed: int) -> None:
    rng = random.Random(seed)
    text = "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(1500)))
    check(text, max_chars=rng.choice([50, 80, 350]))


@settings(max_examples=150)
@given(st.text(ALPHABET, max_size=400))
def test_no_text_breaks_the_splitter(text: str) -> None:
    check(text, max_chars=60)


@pytest.mark.parametrize("pattern", ["云计算市场", "云计算市场，", "（", "“云”", "，1", "字1。", "![", "A. ", "3.5 "])
def test_no_odd_line_takes_longer_than_it_is_long(pattern: str) -> None:
    """20,000 characters take a second at most; looking at all that is left for every cut took minutes."""
    text = pattern * (20_000 // len(pattern))
    readable = clean(text).readable
    began = time.process_time()
    split(Document("d", "", text), readable, max_chars=350)
    assert time.process_time() - began < 10


def test_a_long_quotation_is_not_cut_while_there_is_a_cut_before_it() -> None:
    quoted = "“" + "，".join(["这句话很长"] * 60) + "。”"
    first, *_ = sentences("，".join(["他在会上说了很多"] * 15) + "：" + quoted)
    assert first.endswith("：")


def check(text: str, max_chars: int) -> None:
    readable = clean(text).readable
    found = split(Document("d", "", text), readable, max_chars=max_chars)
    assert "".join(p.text for p in found).strip() == readable.text.strip()
    for p in found:
        assert len(p.text.strip()) <= max_chars + MAX_QUOTE_CHARS
        inside = "".join(s.text for s in p.sentences)
        assert "".join(inside.split()) == "".join(p.text.split())
        for s in p.sentences:
            assert 0 < s.end - s.start <= MAX_QUOTE_CHARS
            assert p.start <= s.start < s.end <= p.end
    spans = [(s.start, s.end) for p in found for s in p.sentences]
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
