"""Which documents are one text, and what a site prints on every page."""

import random

from index.build import cleaned_corpus
from index.fold import fold_text
from index.repeated import repeated_lines
from index.reprints import reprints
from index.values import Document

WORDS = "云市份额公司增长上半的在了和据显示模型调用量价格客户机房投入成本收益合同年度季度平均单价需求供给".strip()


def story(seed: int, sentences: int = 12) -> str:
    pick = random.Random(seed)
    made = ("".join(pick.choice(WORDS) for _ in range(30)) + f"{pick.randint(10, 999)}%。" for _ in range(sentences))
    return "\n".join(made) + "\n"


def groups(*documents: Document) -> tuple[tuple[str, ...], ...]:
    return reprints(documents, {d.doc_id: fold_text(d.text) for d in documents})


def test_a_reprint_with_a_line_more_is_the_same_text_and_the_earliest_is_the_original() -> None:
    text = story(1)
    first = Document("b", "题", text, published="2025-01-02", source_kind="press")
    again = Document("a", "题", f"本报转载\n{text}", published="2025-01-03")
    other = Document("c", "题", story(2))
    assert groups(again, first, other) == (("b", "a"),)


def test_of_one_day_the_kind_of_source_decides() -> None:
    text = story(1)
    copy = Document("a", "题", text, source_kind="self-media")
    official = Document("b", "题", text, source_kind="official")
    assert groups(copy, official) == (("b", "a"),)


def test_traditional_characters_and_blanks_make_no_other_text() -> None:
    assert groups(Document("a", "", "云计算的市场份额。"), Document("b", "", "雲計算 的市場份額。")) == (("a", "b"),)


def test_an_excerpt_is_one_text_with_the_whole() -> None:
    text = story(1, 20)
    assert groups(Document("a", "", text), Document("b", "", text[: len(text) * 2 // 3])) == (("a", "b"),)


def test_two_reports_of_one_mould_with_other_numbers_are_two_texts() -> None:
    text = story(1)
    changed = "".join(str(9 - int(c)) if c.isdigit() else c for c in text)
    assert groups(Document("a", "", text), Document("b", "", changed)) == ()


def test_different_texts_are_different_and_empty_ones_are_none() -> None:
    assert (
        groups(*(Document(str(n), "", story(n)) for n in range(20)), Document("x", "", ""), Document("y", "", "")) == ()
    )


def test_what_a_site_prints_on_every_page_goes_without_any_list_of_words() -> None:
    slogan = "远山之声 让世界听见远山"
    documents = [
        Document(str(n), f"题{n}", f"{slogan}\n{story(n)}{slogan}说明\n", publisher="远山网") for n in range(4)
    ] + [Document("other", "题", f"{slogan}\n{story(9)}", publisher="别的网")]
    texts, _ = cleaned_corpus(documents)
    assert all(slogan not in texts[str(n)].readable.text for n in range(4))
    assert slogan in texts["other"].readable.text  # another site may have said it once
    assert "site_line" in {r.rule for r in texts["0"].removals}
    kept, _ = cleaned_corpus(documents, keep=["site_line"])
    assert slogan in kept["0"].readable.text


def test_reprints_on_one_site_do_not_make_their_own_text_a_repeated_line() -> None:
    documents = [Document(str(n), "题", story(1), publisher="远山网") for n in range(5)]
    found = groups(*documents)
    assert len(found) == 1
    assert repeated_lines(documents, found) == {}


def test_metadata_headings_and_tables_of_a_series_are_no_site_lines() -> None:
    documents = [
        Document(
            str(n),
            f"题{n}",
            f"---\ntitle: 月报{n}\n---\n## 一、收入\n| 公司 | 收入 |\n|---|---|\n| 甲 | 3 |\n{story(n)}",
            publisher="某院",
        )
        for n in range(4)
    ]
    texts, _ = cleaned_corpus(documents)
    assert all("title" not in t.readable.text and "一、收入" in t.readable.text for t in texts.values())
    assert all("甲：收入 3。" in t.readable.text for t in texts.values())
