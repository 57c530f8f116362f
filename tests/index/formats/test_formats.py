"""Every format: what is read, in which words, and where in the file it stands."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.build import cleaned, passages_of
from index.formats.worker import extract
from index.load import load, read_file
from index.places import Location, location_of
from index.values import Document
from tests.index.formats import made

SHARE = "二〇二五年上半年，衡山云在公有云市场的份额为31.5%，比去年同期高四个百分点。"
COST = "同一时期，泰岳云的平均单价下降了两成，客户数增加到一千二百家，续约率没有公布。"
CLIENTS = "松木云把机房迁到了西部，两年里一共投入八十二亿元，预计二〇二八年收回成本。"


def read(tmp_path: Path, name: str, raw: bytes) -> Document:
    path = tmp_path / name
    path.write_bytes(raw)
    return read_file(path)


def where(document: Document, text: str) -> Location | None:
    """The place of the citation that holds a text: of the sentence the index would cite."""
    readable = cleaned(document).readable
    for p in passages_of(document, readable, max_chars=350):
        for s in p.sentences:
            if text in s.text:
                assert document.text[s.start : s.end].strip()
                return location_of(document.places, s.start, s.end)
    raise AssertionError(f"{text} is not in a sentence")


def test_pdf_keeps_its_pages_joins_its_lines_and_drops_running_headers(tmp_path: Path) -> None:
    raw = made.pdf([SHARE * 3, COST * 3, CLIENTS * 3], header="衡山研究 2025年报", title="衡山云年报")
    document = read(tmp_path, "a.pdf", raw)
    assert document.title == "衡山云年报"
    assert document.published is None  # when the file was made is not when it was published
    readable = cleaned(document).readable.text
    for text in (SHARE, COST, CLIENTS):
        assert readable.count(text) == 3  # whole, over the ends of the lines
    assert "衡山研究" not in readable
    assert not re.search(r"- \d -", readable)
    assert {m.rule for m in document.marked} == {"running_header"}
    assert where(document, SHARE) == Location("page", "1", "1")
    assert where(document, CLIENTS) == Location("page", "3", "3")


def test_a_sentence_over_two_pages_is_one_and_cited_with_both(tmp_path: Path) -> None:
    text = (SHARE + COST + CLIENTS + SHARE)[: made.LINE * 4]
    rest = CLIENTS  # the page before ends inside a sentence, at the end of a full line
    document = read(tmp_path, "a.pdf", made.pdf([text, rest, COST * 2], header="衡山研究"))
    readable = cleaned(document).readable.text
    assert text + rest in readable
    across = (text + rest)[len(text) - 8 : len(text) + 4]
    assert where(document, across) == Location("page", "1", "2")


def test_word_keeps_headings_tables_and_paragraph_numbers(tmp_path: Path) -> None:
    table = [["厂商", "份额", "收入（亿元）"], ["衡山云", "31.5%", "82"], ["泰岳云", "22.1%", "57"]]
    document = read(tmp_path, "a.docx", made.word([SHARE, table, COST], title="衡山云年报"))
    assert (document.title, document.published, document.author) == ("衡山云年报", None, None)
    assert "泰岳云：份额 22.1%，收入 57亿元。" in document.text
    assert where(document, SHARE) == Location("paragraph", "2", "2")
    assert where(document, "泰岳云：份额") == Location("row", "1.3", "1.3")
    assert where(document, COST) == Location("paragraph", "3", "3")


def test_slides_keep_their_numbers_and_notes_are_read(tmp_path: Path) -> None:
    document = read(tmp_path, "a.pptx", made.slides([("市场概况", SHARE), ("成本", COST)]))
    assert document.title == "市场概况"
    assert where(document, SHARE) == Location("slide", "1", "1")
    assert where(document, COST) == Location("slide", "2", "2")


def test_a_sheet_gives_a_line_a_row_and_every_cell_has_its_name(tmp_path: Path) -> None:
    rows = [["2025年上半年"], ["厂商", "份额", "收入（亿元）"], ["衡山云", 0.315, 82.0], ["泰岳云", 0.2214, 57.25]]
    raw = made.sheets({"份额": rows, "客户": [["年份", "客户数"], [2024, 1200]]}, formats={"B3": "0.0%", "B4": "0.0%"})
    document = read(tmp_path, "云市场.xlsx", raw)
    assert document.title == "云市场"
    assert "衡山云：份额 31.5%，收入 82亿元。" in document.text  # as a spreadsheet shows it: percent, unit
    assert "年份 2024，客户数 1200。" in document.text
    assert where(document, "泰岳云：份额") == Location("cell", "份额!A4", "份额!C4")
    assert where(document, "客户数 1200") == Location("cell", "客户!A2", "客户!B2")
    at = document.text.index("收入 57.25亿元")
    assert location_of(document.places, at, at + 5) == Location("cell", "份额!C4", "份额!C4")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_is_read_in_any_encoding_with_any_separator(tmp_path: Path, encoding: str, mark: str) -> None:
    rows = [["厂商", "份额", "客户数"], ["衡山云", "31.5%", "1200"], ["", "29.0%", "1100"]]
    raw = "\n".join(mark.join(row) for row in rows).encode(encoding)
    document = read(tmp_path, "云.csv", raw)
    assert "衡山云：份额 31.5%，客户数 1200。\n衡山云：份额 29.0%，客户数 1100。" in document.text  # merged downwards
    assert where(document, "29.0%") == Location("cell", "A3", "C3")


def test_an_epub_keeps_its_chapters(tmp_path: Path) -> None:
    raw = made.epub([("第一章 起步", SHARE), ("第二章 扩张", COST)], title="云的十年")
    document = read(tmp_path, "a.epub", raw)
    assert (document.title, document.author, document.published) == ("云的十年", "甲", "2024-05-01")
    assert where(document, COST) == Location("chapter", "第二章 扩张", "第二章 扩张")


def test_a_web_page_keeps_every_line_and_marks_what_is_not_its_article(tmp_path: Path) -> None:
    page = f"""<html><head><title>半年报</title><style>p{{}}</style></head><body>
    <nav><a href="/">首页</a> <a href="/a">云计算</a></nav><div style="display:none">云计算 云计算价格</div>
    <article><h1>大模型调用量半年报</h1><p>{SHARE}</p>
    <table><tr><th>厂商</th><th>份额</th></tr><tr><td>衡山云</td><td>31.5%</td></tr></table><p>{COST}</p></article>
    <footer>某网 版权所有</footer><script>var a = "不是文字";</script></body></html>"""
    document = read(tmp_path, "a.html", page.encode())
    assert {m.rule for m in document.marked} == {"page_frame", "hidden_text"}
    dropped = "".join(document.text[m.start : m.end] for m in document.marked)
    assert "首页" in dropped
    assert "云计算价格" in dropped
    assert "版权所有" in dropped
    assert "不是文字" not in document.text  # nobody sees a script
    readable = cleaned(document).readable.text
    assert [line for line in readable.splitlines() if line] == [
        "大模型调用量半年报",
        SHARE,
        "厂商，份额",
        "衡山云：份额 31.5%。",
        COST,
    ]


def test_the_sidecar_of_a_file_says_what_it_cannot(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(made.pdf([SHARE * 3]))
    sidecar = tmp_path / "a.pdf.yaml"
    sidecar.write_text("title: 年报\npublisher: 某院\npublished: 2025-07-01\nsource_kind: research\nkeep: [footer]\n")
    (document,) = load([tmp_path]).documents
    assert (document.title, document.publisher, document.published) == ("年报", "某院", "2025-07-01")
    assert (document.source_kind, document.keep) == ("research", ("footer",))
    sidecar.write_text("- 年报\n")
    (tmp_path / "b.txt").write_text(COST)
    (named,) = load([tmp_path]).unreadable
    assert "a.pdf.yaml" in named.why


WORDS = st.text("云市份额公司增长年上半的在了和据显示31。，%", min_size=20, max_size=300).filter(
    lambda t: t.strip("。，")
)
MAKERS = {
    ".docx": lambda texts: made.word(texts),
    ".pptx": lambda texts: made.slides([("标题", t) for t in texts]),
    ".xlsx": lambda texts: made.sheets({"表": [["名", "话"], *[[f"甲{n}", t] for n, t in enumerate(texts)]]}),
    ".epub": lambda texts: made.epub([(f"第{n}章", t) for n, t in enumerate(texts)]),
    ".pdf": lambda texts: made.pdf([*texts]),
}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(MAKERS)), st.lists(WORDS, min_size=1, max_size=4))
def test_of_any_file_each_citation_is_verbatim_and_each_place_in_order(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("made") / f"a{suffix}"
    path.write_bytes(MAKERS[suffix](texts))
    found = extract(str(path), suffix)
    document = Document("a", "题", found.text, places=found.places, marked=found.marked)
    readable = cleaned(document).readable
    passages = passages_of(document, readable, max_chars=350)
    assert "".join(p.text for p in passages) == (readable.text if readable.text.strip() else "")
    starts = [p.start for p in document.places]
    assert starts == sorted(starts)
    for s in (s for p in passages for s in p.sentences):
        assert 0 <= s.start < s.end <= len(document.text)
        assert s.end - s.start <= 200
        bare = "".join(document.text[s.start : s.end].split())
        assert all(c in bare for c in "".join(s.text.split()))
        assert location_of(document.places, s.start, s.end) is not None
