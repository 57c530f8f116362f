"""Layout that carries meaning: spans, heads in two rows, raised numbers, number formats, what is hidden."""

import csv
import io
import re
import time
import zipfile
from pathlib import Path

import docx
import openpyxl
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from index.build import cleaned
from index.formats.sheet import _number
from index.formats.tables import table_lines
from index.formats.web_page import read as read_page
from index.load import load, read_file
from index.values import Document
from tests.index.formats import made

LONG = "二〇二五年上半年，衡山云在公有云市场的份额继续上升，比去年同期高四个百分点，仍居第一。"


def lines(*rows: list[str]) -> list[str]:
    return [line.text for line in table_lines(rows)]


def page(body: str) -> Document:
    found = read_page(
        f"<html><body><article><h1>题目在这里</h1><p>{LONG}</p>{body}<p>{LONG[::-1]}</p></article></body></html>".encode()
    )
    return Document("d", "题", found.text, marked=found.marked)


def text_of(body: str) -> str:
    return cleaned(page(body)).readable.text


# --- tables -----------------------------------------------------------------------------------------------------------


def test_heads_in_two_rows_are_joined() -> None:
    assert lines(
        ["公司", "2023年", "", "2024年", ""], ["", "收入", "份额", "收入", "份额"], ["阿里云", "10", "20%", "30", "40%"]
    )[-1] == "阿里云：2023年收入 10，2023年份额 20%，2024年收入 30，2024年份额 40%。"  # fmt: skip


def test_a_second_table_has_heads_of_its_own() -> None:
    own = lines(
        ["公司", "2023年", "2024年"],
        ["衡山云", "10", "12"],
        [],
        ["公司", "2024年毛利率", "员工"],
        ["衡山云", "30%", "500"],
    )
    assert own[-1] == "衡山云：2024年毛利率 30%，员工 500。"
    assert lines(["公司", "收入"], ["甲", "1"], ["部门", "人数"], ["乙", "2"])[-1] == "乙：人数 2。"


def test_an_empty_row_does_not_take_the_heads_away() -> None:
    assert lines(["公司", "收入"], ["甲", "1"], [], ["乙", "2"])[-1] == "乙：收入 2。"


def test_months_as_numbers_are_heads_and_a_note_below_is_none_of_a_column() -> None:
    own = lines(["公司", "202401", "202402"], ["甲", "1", "2"], ["", "", "", "以上未经审计"])
    assert own[1:] == ["甲：202401 1，202402 2。", "以上未经审计"]


def test_a_cell_over_several_rows_or_columns_stands_in_each() -> None:
    table = """<table><caption>表1 营收（单位：亿元）</caption>
    <tr><th rowspan=2>公司</th><th colspan=2>2025年</th></tr><tr><th>收入</th><th>份额</th></tr>
    <tr><td>衡山云</td><td>50</td><td>20%</td></tr><tr><td rowspan=2>泰岳云</td><td>120</td><td>30%</td></tr>
    <tr><td>130</td><td>31%</td></tr></table>"""
    text = text_of(table)
    assert "表1 营收（单位：亿元）" in text  # the caption holds the unit
    assert "衡山云：2025年收入 50，2025年份额 20%。" in text
    assert text.count("泰岳云：2025年收入 1") == 2


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (0.492, "0.0%", "49.2%"),
        (0.4925, "0.00 %", "49.25%"),
        (0.4925, "0.0?%", "49.25%"),
        (12.5, '0.0"亿元"', "12.5亿元"),
        (49.2, "0.0\\%", "49.2%"),
        (12_500_000, '0.00,,"M"', "12.50M"),
        (3.14159, "¥0.00", "¥3.14"),
        (1234567.0, "#,##0", "1234567"),
        (82.0, "General", "82"),
        (0.1 + 0.2, "General", "0.3"),
        (-3.5, "0.0_);[Red](0.0)", "-3.5"),
    ],
)
def test_a_number_is_read_as_its_format_shows_it(value: float, form: str, shown: str) -> None:
    assert _number(value, form) == shown


def test_formulas_without_a_value_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["公司", "收入"], ["甲", 1], ["合计", "=SUM(B2:B2)"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    (note,) = load([tmp_path]).notes
    assert "1 个公式" in note.why


def test_a_formula_with_its_value_is_read_as_the_value(tmp_path: Path) -> None:
    raw = made.sheets({"表": [["公司", "收入"], ["甲", 1], ["合计", 7]]})
    sheet = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b"<v>7</v>", b"<f>SUM(B2:B2)</f><v>7</v>") if name == sheet else content)
    loaded = load([tmp_path])
    assert not loaded.notes
    assert "合计：收入 7" in loaded.documents[0].text


def test_a_long_sheet_is_read_in_time() -> None:
    rows = [["公司", "产品"]] + [[f"公司{n}", f"产品{n}"] for n in range(50_000)]
    started = time.monotonic()
    assert sum(1 for _ in table_lines(rows)) == 50_001
    assert time.monotonic() - started < 5


def test_csv_keeps_quoted_commas_quotes_and_line_breaks(tmp_path: Path) -> None:
    out = io.StringIO()
    rows = [["公司", "评语", "收入"], ["甲", '他说"很好,不错"，真的', "60"], ["乙", "两行\n评语", "70"]]
    csv.writer(out).writerows(rows)
    for name, text in (
        ("a.csv", out.getvalue()),
        ("b.csv", "sep=;\n公司;收入\n甲;1\n"),
        ("c.csv", "公司,收入\r甲,1\r"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    texts = {d.doc_id: d.text for d in load([tmp_path]).documents}
    assert '他说"很好,不错"，真的，收入 60。' in texts["a"]
    assert "乙：评语 两行 评语，收入 70。" in texts["a"]
    assert texts["b"].splitlines()[-1] == texts["c"].splitlines()[-1] == "甲：收入 1。"


# --- web pages --------------------------------------------------------------------------------------------------------


def test_raised_numbers_stay_apart_from_the_digits_before_them() -> None:
    text = text_of("<p>衡山云的份额为49<sup>2</sup>%，参数有10<sup>12</sup>个，收入120亿元<sup>3</sup>。</p>")
    assert "49[2]%" in text
    assert "10^12个" in text
    assert "492" not in text
    assert "1012" not in text


def test_what_is_hidden_in_a_cell_is_not_read_and_lines_in_it_stay_apart() -> None:
    cells = "<td>10<br>20</td><td><span style='display:none'>99%</span>12%</td>"
    heads = "<tr><th>公司<script>var a=1;</script></th><th>收入</th><th>份额</th></tr>"
    text = text_of(f"<table>{heads}<tr><td>甲</td>{cells}</tr></table>")
    assert "10 20" in text
    assert "99%" not in text
    assert "var a" not in text


def test_an_article_that_a_script_would_show_is_read_though_it_is_hidden() -> None:
    body = f'<div id="js_content" style="visibility: hidden; opacity: 0"><p>{LONG}</p><p>{LONG[::-1]}</p></div>'
    found = read_page(f"<html><body><h1>题目</h1>{body}</body></html>".encode())
    assert LONG in cleaned(Document("d", "", found.text, marked=found.marked)).readable.text


def test_a_very_broad_page_is_read_whole() -> None:
    found = read_page(("<html><body>" + "<p>一句话说完了，后面还有。</p>" * 30_000 + "</body></html>").encode())
    assert found.text.count("\n") == 30_000


def test_no_date_is_made_of_a_year_in_the_text() -> None:
    found = read_page(
        f"<html><body><article><h1>题目</h1><p>2024年，{LONG}</p></article><p>© 2016 某网</p></body></html>".encode()
    )
    assert "published" not in found.fields


# --- Word -------------------------------------------------------------------------------------------------------------


def test_word_reads_what_is_seen_and_only_that(tmp_path: Path) -> None:
    document = docx.Document()
    body = document.element.body
    space = nsdecls("w")
    run = "<w:r>{}<w:t>{}</w:t></w:r>"
    inside = f"<w:p>{run.format('', '控件里的收入是44亿元。')}</w:p>"
    body.insert(0, parse_xml(f"<w:sdt {space}><w:sdtContent>{inside}</w:sdtContent></w:sdt>"))
    hidden = run.format("<w:rPr><w:vanish/></w:rPr>", "藏起来的77亿元。")
    raised = run.format('<w:rPr><w:vertAlign w:val="superscript"/></w:rPr>', "12")
    body.insert(
        1, parse_xml(f"<w:p {space}>{hidden}{run.format('', '参数有10')}{raised}{run.format('', '个。')}</w:p>")
    )
    moved = f"<w:moveFrom w:id='1' w:author='a'>{run.format('', '移走的88亿元。')}</w:moveFrom>"
    body.insert(2, parse_xml(f"<w:p {space}>{moved}{run.format('', '留下的一句。')}</w:p>"))
    table = document.add_table(1, 2)
    table.cell(0, 0).text = "外面"
    table.cell(0, 1).add_table(1, 1).cell(0, 0).text = "里面22亿元"
    document.save(tmp_path / "a.docx")
    text = read_file(tmp_path / "a.docx").text
    assert "控件里的收入是44亿元。" in text
    assert "参数有10^12个。" in text
    assert "里面22亿元" in text
    assert "留下的一句。" in text
    assert not re.search("77|88", text)


# --- PDF --------------------------------------------------------------------------------------------------------------


def test_figures_at_the_edge_of_a_page_are_no_running_header(tmp_path: Path) -> None:
    pages = [f"当季收入：{n}2.5亿元" for n in range(1, 6)]
    (tmp_path / "a.pdf").write_bytes(made.pdf(pages, header="衡山研究"))
    readable = cleaned(read_file(tmp_path / "a.pdf")).readable.text
    assert all(text in readable for text in pages)
    assert "衡山研究" not in readable


def test_pages_without_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(made.pdf([LONG * 2, "", "", LONG]))
    (note,) = load([tmp_path]).notes
    assert "第 2、3 页" in note.why
    assert "OCR" in note.why
