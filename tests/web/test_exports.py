"""An answer as a file: the same text, citations and order as the page, and footnotes that a word processor knows."""

import csv
import io
import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn
from fastapi.testclient import TestClient
from lxml import etree

from rag.blocks import answer_blocks
from rag.values import Answer
from tests.web.fake_service import DIGEST_CITATION, SHARE_CITATION, FakeService
from web.app import create_app
from web.exports.conversation import asked_through, conversation, file_name
from web.exports.docx import as_docx
from web.exports.forms import CSV, DOCX, JSON, XLSX, preferred
from web.exports.markdown import as_markdown
from web.spreadsheet import as_xlsx

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MARKDOWN = "text/markdown"


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_app(FakeService()), base_url="http://localhost:8000")


def ask(question: str, **changed: Any) -> Answer:
    return replace(FakeService().ask(question), **changed)


def parts(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        return {n: etree.fromstring(file.read(n)) for n in file.namelist() if n.endswith((".xml", ".rels"))}


def words(element: Any) -> str:
    return "".join(element.itertext(f"{W}t")).strip()


def footnotes(content: bytes) -> dict[int, str]:
    """The number of each footnote and its text, separators left out."""
    found = parts(content)["word/footnotes.xml"].iter(f"{W}footnote")
    return {int(n.get(f"{W}id")): words(n) for n in found if n.get(f"{W}type") is None}


def word(question: str, **changed: Any) -> bytes:
    return as_docx(conversation([ask(question, **changed)], "http://localhost:8000/"))


# --- numbering --------------------------------------------------------------------------------------------------------


def test_the_footnotes_of_one_answer_have_the_numbers_of_the_page() -> None:
    told = conversation([ask("对比")])
    assert told.turns[0].numbers == {1: 1, 2: 2}
    assert [n.words for n in told.notes] == [f"“{SHARE_CITATION.readable}”", f"“{DIGEST_CITATION.readable}”"]


def test_they_are_numbered_through_a_conversation_in_the_order_they_are_first_named() -> None:
    second = ask("对比", text="先[2]后[1]再[2]。")
    told = conversation([ask("规模"), second])
    assert [t.numbers for t in told.turns] == [{1: 1}, {2: 2, 1: 3}]
    assert [n.number for n in told.notes] == [1, 2, 3]
    assert DIGEST_CITATION.title in told.notes[1].about


def test_a_citation_that_no_mark_names_is_exported_all_the_same() -> None:
    told = conversation([ask("对比", text="没有标记。")])
    assert told.turns[0].unmentioned == (1, 2)
    assert "[^1][^2]" in as_markdown(told)
    assert len(footnotes(word("对比", text="没有标记。"))) == 2


def test_each_question_is_asked_with_those_before_it() -> None:
    service = FakeService()
    asked_through(lambda q, turns: service.ask(q, turns), "丙", ["甲", "乙"])
    assert [(q, turns) for q, turns, _, _ in service.asked] == [("甲", ()), ("乙", ("甲",)), ("丙", ("甲", "乙"))]


# --- what a footnote says ---------------------------------------------------------------------------------------------


def test_a_footnote_names_publisher_title_date_address_and_the_words() -> None:
    (note,) = footnotes(word("规模")).values()
    assert note == (
        "IDC《2025上半年中国AI公有云服务市场》，2025-10-16 https://example.org/idc?a=1&b=2 "
        "“2025年上半年，中国AI公有云服务市场规模达223亿元。”"
    )


def test_a_digest_is_marked_as_one_and_leads_to_our_own_page() -> None:
    note = footnotes(word("对比"))[2]
    assert "日期不详，摘要,非原文 http://localhost:8000/documents/" in note


def test_without_an_address_the_place_in_the_corpus_is_named() -> None:
    (note,) = [n for n in conversation([ask("对比")]).notes if n.address is None]
    assert f"{DIGEST_CITATION.doc_id}:{DIGEST_CITATION.start}-{DIGEST_CITATION.end}" in note.about


# --- Word -------------------------------------------------------------------------------------------------------------


def test_word_finds_the_footnotes_their_references_and_their_links() -> None:
    content = word("对比")
    found = parts(content)
    overrides = {e.get("PartName"): e.get("ContentType") for e in found["[Content_Types].xml"]}
    assert overrides["/word/footnotes.xml"].endswith("wordprocessingml.footnotes+xml")
    relations = {e.get("Type").rpartition("/")[2]: e.get("Target") for e in found["word/_rels/document.xml.rels"]}
    assert relations["footnotes"] == "footnotes.xml"
    referred = [int(e.get(f"{W}id")) for e in found["word/document.xml"].iter(f"{W}footnoteReference")]
    assert referred == sorted(footnotes(content)) == [1, 2]
    separators = [e.get(f"{W}id") for e in found["word/footnotes.xml"] if e.get(f"{W}type")]
    declared = found["word/settings.xml"].find(f"{W}footnotePr")
    assert [e.get(f"{W}id") for e in declared] == separators == ["-1", "0"]
    assert declared.getnext().tag == f"{W}compat"  # the schema has an order
    targets = {e.get("Id"): e.get("Target") for e in found["word/_rels/footnotes.xml.rels"]}
    links = [targets[e.get(f"{R}id")] for e in found["word/footnotes.xml"].iter(f"{W}hyperlink")]
    assert links[0] == SHARE_CITATION.url


def test_a_second_mark_refers_to_the_footnote_that_is_there() -> None:
    body = parts(word("规模", text="甲[1]乙[1]。"))["word/document.xml"]
    assert len(list(body.iter(f"{W}footnoteReference"))) == 1
    (field,) = [e.text for e in body.iter(f"{W}instrText")]
    (bookmark,) = [e.get(f"{W}name") for e in body.iter(f"{W}bookmarkStart")]
    assert f"NOTEREF {bookmark} " in field


def test_the_styles_of_footnotes_are_words_own() -> None:
    document = docx.Document(io.BytesIO(word("规模")))
    assert document.styles["footnote reference"].font.superscript
    assert document.styles["footnote text"].font.size.pt == 9


def test_a_table_is_a_table_with_a_head_that_is_repeated() -> None:
    document = docx.Document(io.BytesIO(word("对比")))
    (table,) = document.tables
    assert [[c.text.strip() for c in row.cells] for row in table.rows] == [
        ["机构", "阿里云份额", "口径"],
        ["IDC", "24.6%", "AI 公有云服务"],
        ["某咨询机构", "35.8%", "含模型服务"],
    ]
    heads = [row._tr.trPr.find(qn("w:tblHeader")) is not None for row in table.rows]
    assert heads == [True, False, False]
    assert [p.text for p in document.paragraphs if p.style.name == "List Bullet"] == [
        "口径不同，不能直接相比",
        "没有第三个来源 [3]",
    ]


@pytest.mark.parametrize(("lang", "font", "code"), [("zh-Hans", "YaHei", "zh-CN"), ("zh-Hant", "JhengHei", "zh-TW")])
def test_fonts_and_language_are_those_of_the_answer(lang: str, font: str, code: str) -> None:
    styles = parts(word("规模", lang=lang))["word/styles.xml"]
    defaults = styles.find(f"{W}docDefaults")
    assert font in defaults.find(f".//{W}rFonts").get(f"{W}eastAsia")
    assert defaults.find(f".//{W}lang").get(f"{W}eastAsia") == code
    assert not [e for e in styles.iter(f"{W}rFonts") if e.get(f"{W}eastAsiaTheme")]


@pytest.mark.parametrize("text", ["\x00\x0b\x1b", "\ud800", "\ufffe", "</w:t>&<", "a\r\nb\tc", "🀄" * 300])
def test_whatever_a_document_holds_word_and_markdown_can_be_made(text: str) -> None:
    cited = replace(SHARE_CITATION, readable=text, title=text, publisher=text, url=f"https://example.org/{text}")
    answer = replace(ask("规模"), question=text, text=f"{text}[1]\n| {text} | b |\n", citations=(cited,))
    docx.Document(io.BytesIO(as_docx(conversation([answer]))))
    as_markdown(conversation([answer])).encode("utf-8")
    assert file_name(text, "md").encode("utf-8")


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not here")
def test_libreoffice_shows_every_footnote_with_its_number(tmp_path: Path) -> None:
    import pypdfium2

    answers = [ask("规模"), ask("对比", text=f"{ask('对比').text}\n\n再说一次[1]。"), ask("股票")]
    (tmp_path / "a.docx").write_bytes(as_docx(conversation(answers)))
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "pdf"]
    subprocess.run([*command, "a.docx"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    pages = pypdfium2.PdfDocument(tmp_path / "a.pdf")
    shown = re.sub(r"\s+", "", "".join(page.get_textpage().get_text_range() for page in pages))
    for n, note in enumerate(conversation(answers).notes, 1):
        assert re.sub(r"\s+", "", f"{n}{note.about}") in shown
        assert re.sub(r"\s+", "", note.words) in shown
    assert "再说一次2。" in shown  # a second mark has the number of the first


# --- Markdown ---------------------------------------------------------------------------------------------------------


def test_markdown_has_the_text_the_table_and_a_footnote_for_each_mark() -> None:
    text = as_markdown(conversation([ask("对比")]))
    assert "| IDC | 24.6% [^1] | AI 公有云服务 |" in text
    assert "| 机构 | 阿里云份额 | 口径 |\n| --- | --- | --- |" in text
    assert "- 没有第三个来源 \\[3\\]" in text  # a mark without a citation is no footnote
    assert re.findall(r"^\[\^(\d+)\]: ", text, re.MULTILINE) == ["1", "2"]
    assert f"<{SHARE_CITATION.url}> “{SHARE_CITATION.readable}”" in text


def test_a_footnote_stays_one_whatever_follows_it() -> None:
    text = as_markdown(conversation([ask("规模", text="甲[1](某报,2025)\n\n[1]: 乙")]))
    assert "甲[^1]\\(某报,2025)" in text  # else the bracket is a link's address
    assert "[^1]\\: 乙" in text  # else this defines the footnote


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("# 标题", "\\# 标题"),
        ("1. 第一", "1\\. 第一"),
        ("*强调*_下划线_`码`", "\\*强调\\*\\_下划线\\_\\`码\\`"),
        ("<script>", "\\<script\\>"),
        ("![x](javascript:1)", "!\\[x\\](javascript:1)"),
        ("[^1]", "\\[\\^1\\]"),
        ("---", "\\---"),
    ],
)
def test_nothing_in_an_answer_is_read_as_markup(raw: str, written: str) -> None:
    assert f"\n\n{written}\n\n" in as_markdown(conversation([ask("规模", text=raw)]))


# --- the doors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/html", JSON),
        (MARKDOWN, MARKDOWN),
        (f"{MARKDOWN}, */*;q=0.1", MARKDOWN),
        (f"{MARKDOWN};q=0.2, application/json;q=0.8", JSON),
        ("text/*", MARKDOWN),
        (DOCX.upper(), DOCX),
        (f"{DOCX};q=nonsense", JSON),
        (f"{JSON};q=0, {MARKDOWN};q=0.001", MARKDOWN),
    ],
)
def test_the_accept_header_chooses(client: TestClient, accept: str, kind: str) -> None:
    assert preferred(accept, [JSON, MARKDOWN, DOCX]) == kind
    reply = client.post("/api/ask", json={"question": "规模"}, headers={"Accept": accept})
    assert reply.headers["Content-Type"].partition(";")[0] == kind


def test_what_is_asked_for_as_markdown_or_word_is_what_json_says(client: TestClient) -> None:
    body = {"question": "对比", "history": [{"question": "规模"}]}
    answer = client.post("/api/ask", json=body).json()
    text = client.post("/api/ask", json=body, headers={"Accept": MARKDOWN}).text
    notes = footnotes(client.post("/api/ask", json=body, headers={"Accept": DOCX}).content)
    assert text.index("## 规模") < text.index("## 对比")
    quotes = [c["readable"] for c in answer["citations"]]
    assert [q for note in list(notes.values())[1:] for q in quotes if q in note] == quotes
    assert [q for line in text.splitlines()[-2:] for q in quotes if q in line] == quotes


@pytest.mark.parametrize(("form", "kind"), [("md", MARKDOWN), ("docx", DOCX), ("json", JSON)])
def test_the_page_links_to_each_file_of_the_conversation(client: TestClient, form: str, kind: str) -> None:
    page = client.get("/", params={"q": "对比", "turn": "规模"}).text
    (link,) = [
        m.replace("&amp;", "&") for m in re.findall(r'href="(/api/export\?[^"]+)"', page) if f"format={form}" in m
    ]
    reply = client.get(link)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].partition(";")[0] == kind
    assert (
        f"filename=\"yuntu.{form}\"; filename*=UTF-8''%E5%AF%B9%E6%AF%94.{form}" in reply.headers["Content-Disposition"]
    )
    if form == "json":
        assert [a["question"] for a in reply.json()["answers"]] == ["规模", "对比"]


def test_a_download_keeps_to_the_version_it_names_and_to_the_limits(client: TestClient) -> None:
    gone = client.get("/api/export", params={"q": "规模", "v": "v-gone"})
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "version_gone")
    assert client.get("/api/export", params={"q": " "}).status_code == 400
    assert client.get("/api/export", params={"q": "长" * 300}).status_code == 413
    assert client.get("/api/export", params={"q": "规模", "format": "exe"}).status_code == 422


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("../../etc/passwd", "-..-etc-passwd.md"),
        ('a"\r\nSet-Cookie: x', "a- Set-Cookie- x.md"),
        ("\u202egpj.exe", "-gpj.exe.md"),
        (" . ", "yuntu.md"),
        ("长" * 300, "长" * 60 + ".md"),
    ],
)
def test_a_file_is_named_after_the_question_and_nothing_in_it_does_harm(
    client: TestClient, question: str, name: str
) -> None:
    assert file_name(question, "md") == name
    if len(question) < 200:
        headers = client.get("/api/export", params={"q": question, "format": "md"}).headers
        assert "Set-Cookie" not in headers
        assert headers["Content-Disposition"].isascii()


# --- figures ----------------------------------------------------------------------------------------------------------

ROW = {"doc": "d", "quote": "引文", "subject": "阿里云", "number": 0.246, "unit": "%"}


def sheet(rows: list[dict[str, Any]]) -> Any:
    return openpyxl.load_workbook(io.BytesIO(as_xlsx(rows, list(ROW)))).active


def test_a_workbook_has_numbers_as_numbers_under_a_head_that_stays() -> None:
    made = sheet(
        [ROW, {**ROW, "number": 3_000_000.0, "unit": "元"}, {**ROW, "number": (1.0, 2.5)}, {**ROW, "number": None}]
    )
    assert made.freeze_panes == "A2"
    assert [c.value for c in made[1]] == ["doc", "quote", "subject", "number", "number_to", "unit"]
    assert [made.cell(n, 4).value for n in (2, 3, 4, 5)] == [0.246, 3_000_000, 1, None]
    assert made["E4"].value == 2.5
    assert made["D2"].data_type == "n"
    assert [made["D2"].number_format, made["D3"].number_format] == ["0.00%", "#,##0"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", '=HYPERLINK("http://x")', "＝1", "\t=1", "007", "1e5"])
def test_text_stays_text_in_a_workbook(text: str) -> None:
    cell = sheet([{**ROW, "subject": text}])["C2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)


@pytest.mark.parametrize("text", ["\x00\x0b", "\ud800", "长" * 40_000])
def test_a_workbook_can_be_made_of_whatever_a_document_holds(text: str) -> None:
    assert 0 < len(sheet([{**ROW, "quote": text}])["B2"].value) < 32_768


def test_the_ledger_comes_as_json_csv_or_workbook_by_name_or_by_header(client: TestClient) -> None:
    rows = client.get("/api/figures").json()["figures"]
    for reply in (
        client.get("/api/figures", params={"format": "xlsx"}),
        client.get("/api/figures", headers={"Accept": XLSX}),
    ):
        assert reply.headers["Content-Type"] == XLSX
        made = openpyxl.load_workbook(io.BytesIO(reply.content)).active
        head = [c.value for c in made[1]]
        assert [made.cell(n, head.index("quote") + 1).value for n in (2, 3)] == [r["quote"] for r in rows]
        assert [made.cell(n, head.index("scope") + 1).value for n in (2, 3)] == ["IDC", "=IDC"]
    reply = client.get("/api/figures", headers={"Accept": CSV})
    assert [r["value"] for r in csv.DictReader(io.StringIO(reply.text))] == [r["value"] for r in rows]
    named = client.get("/api/figures", params={"format": "json"}, headers={"Accept": CSV})
    assert named.json()["figures"] == rows


def test_the_blocks_that_are_exported_are_those_of_the_page() -> None:
    answer = ask("对比")
    assert list(conversation([answer]).turns[0].blocks) == answer_blocks(answer)
    assert json.loads(json.dumps(answer.as_json()))["text"] == answer.text
