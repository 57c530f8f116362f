"""Files → Documents: every format, every encoding, and what is said of files that cannot be read."""

import dataclasses
import gzip
import json
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.build import cleaned
from index.decode import decode
from index.errors import CorpusUnreadable
from index.load import Loaded, corpus_files, load
from index.values import Document

SIMPLIFIED = "二〇二五年上半年，中国公有云上大模型的调用量继续增长，阿里云、火山引擎和百度智能云位居前列。"
TRADITIONAL = "二〇二五年上半年，中國公有雲上大型語言模型的呼叫量持續成長，阿里雲、火山引擎與百度智慧雲位居前列。"
ENGLISH = "Calls to large models on China's public clouds kept growing in the first half of 2025."

Put = Callable[[str, str | bytes], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a file of the corpus folder."""

    def put(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


def jsonl(*rows: Any) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def only(loaded: Loaded) -> Document:
    assert loaded.unreadable == ()
    (document,) = loaded.documents
    return document


def why(loaded: Loaded) -> str:
    """Why the one unreadable thing was left out."""
    (unreadable,) = loaded.unreadable
    return unreadable.why


# --- formats ----------------------------------------------------------------------------------------------------------


def test_markdown_takes_its_metadata_from_the_front_matter_and_keeps_it_in_the_text(put: Put) -> None:
    text = f"""---
title: "云市场: 半年报告"
publisher: 某研究院
author: 张三
published: 2025-07-01
url: https://example.org/a
lang: zh-Hant
source_kind: research
keep: [footer]
examples:
  - 谁第一?
  - 规模多大?
---
{SIMPLIFIED}
"""
    put("a/report.md", text)
    assert only(load([put("a/report.md", text).parent])) == Document(
        doc_id="report",
        title="云市场: 半年报告",
        text=text,
        publisher="某研究院",
        author="张三",
        published="2025-07-01",
        url="https://example.org/a",
        lang="zh-Hant",
        source_kind="research",
        keep=("footer",),
        examples=("谁第一?", "规模多大?"),
    )


def test_plain_text_takes_its_metadata_from_its_first_lines(put: Put) -> None:
    text = f"从四大巨头看突围之路\n\n蓝鲸财经\n2025/07/23\n\n文|数据猿\n\n{SIMPLIFIED}\n"
    document = only(load([put("004_a1b2.txt", text)]))
    assert document.text == text
    assert (document.doc_id, document.title) == ("004_a1b2", "从四大巨头看突围之路")
    assert (document.publisher, document.author, document.published) == ("蓝鲸财经", "数据猿", "2025-07-23")
    assert (document.lang, document.source_kind) == ("zh-Hans", "press")


def test_front_matter_outranks_the_first_lines(put: Put) -> None:
    text = f"---\ntitle: 甲\n---\n从四大巨头看突围之路\n\n蓝鲸财经\n2025/07/23\n\n文|数据猿\n\n{SIMPLIFIED}\n"
    document = only(load([put("a.md", text)]))
    assert (document.title, document.publisher, document.published) == ("甲", "蓝鲸财经", "2025-07-23")


@pytest.mark.parametrize("name", ["page.html", "page.HTM"])
def test_a_web_page_gives_its_main_text_title_date_and_site(put: Put, name: str) -> None:
    page = f"""<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>大模型调用量半年报 - 某网</title>
    <meta property="og:title" content="大模型调用量半年报"><meta property="og:site_name" content="某网">
    <meta property="article:published_time" content="2025-08-12T08:00:00+08:00">
    <link rel="canonical" href="https://example.org/report"></head>
    <body><nav><a href="/">首页</a><a href="/login">登录</a></nav><article><h1>大模型调用量半年报</h1>
    <p>{SIMPLIFIED}</p><p>{SIMPLIFIED[::-1]}</p></article><footer>版权所有</footer></body></html>"""
    document = only(load([put(name, page)]))
    assert (document.title, document.published) == ("大模型调用量半年报", "2025-08-12")
    assert (document.publisher, document.url) == ("某网", "https://example.org/report")
    assert SIMPLIFIED in document.text
    assert "<p>" not in document.text
    assert {(m.rule, document.text[m.start : m.end].strip()) for m in document.marked} == {
        ("page_frame", "首页登录"),
        ("page_frame", "版权所有"),
    }
    assert "登录" not in cleaned(document).readable.text


def test_a_web_page_without_text_is_named(put: Put, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "trafilatura")
    put("empty.html", "<html><body><div id=app></div><script>render()</script></body></html>")
    loaded = load([put("good.txt", SIMPLIFIED).parent])
    assert "网页里没有正文" in why(loaded)
    assert [d.doc_id for d in loaded.documents] == ["good"]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_json_lines_give_a_document_each_with_their_id_as_doc_id(put: Put, name: str) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "DEV_1", "title": "甲", "text": SIMPLIFIED, "publisher": "某社", "published": "2025-07"},
        {"id": 7, "text": TRADITIONAL, "source_kind": "seo", "unknown": [1]},
        {"text": ENGLISH, "title": None},
        {"id": "", "title": "  ", "text": ENGLISH},
    ]
    raw = jsonl(*rows).replace("\n", "\n\n").encode()  # blank lines count, and are skipped
    loaded = load([put(name, gzip.compress(raw) if name.endswith(".gz") else raw)])
    first, second, third, fourth = loaded.documents
    assert (loaded.unreadable, loaded.encodings) == ((), ())
    assert (first.doc_id, first.title, first.text) == ("DEV_1", "甲", SIMPLIFIED)
    assert (first.publisher, first.published) == ("某社", "2025-07")
    assert (second.doc_id, second.lang, second.source_kind) == ("7", "zh-Hant", "seo")
    assert (third.doc_id, third.lang) == (f"{Path(name).stem}-5", "en")
    assert (fourth.doc_id, fourth.title) == (f"{Path(name).stem}-7", ENGLISH[:30] + "…")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        pytest.param("短标题\n" + SIMPLIFIED, "短标题", id="the-first-line"),
        pytest.param(SIMPLIFIED, SIMPLIFIED[:30] + "…", id="the-first-words-of-a-long-one"),
        pytest.param("\u200b\n", "notitle", id="the-name-of-the-file"),
    ],
)
def test_without_a_title_the_first_readable_line_stands_in(put: Put, text: str, title: str) -> None:
    assert only(load([put("notitle.txt", text)])).title == title


@pytest.mark.parametrize(
    ("text", "lang"), [(SIMPLIFIED, "zh-Hans"), (TRADITIONAL, "zh-Hant"), (ENGLISH, "en")], ids=["hans", "hant", "en"]
)
def test_the_language_is_told_from_the_text_unless_it_is_given_by_a_name_we_know(
    put: Put, text: str, lang: str
) -> None:
    for said in ({}, {"lang": "zh"}, {"lang": "x-klingon"}):
        assert only(load([put("a.jsonl", jsonl({"id": "a", "text": text, **said}))])).lang == lang
    assert only(load([put("a.jsonl", jsonl({"id": "a", "text": text, "lang": "en"}))])).lang == "en"


# --- which files ------------------------------------------------------------------------------------------------------


def test_a_folder_is_read_in_a_fixed_order_without_readmes_and_hidden_files(put: Put, tmp_path: Path) -> None:
    for name in ("b.md", "a.txt", "sub/c.TXT", "sub/deep/d.jsonl"):
        put(name, jsonl({"id": "d", "text": SIMPLIFIED}) if name.endswith("jsonl") else SIMPLIFIED)
    for name in ("README.md", "sub/readme.MD", ".hidden.md", ".git/x.md", "_draft.md", "_old/x.md", "x.png", "notes"):
        put(name, SIMPLIFIED)
    listed = corpus_files([tmp_path])
    found = [p.relative_to(tmp_path).as_posix() for p in listed.read]
    assert [p.name for p in listed.ignored] == ["notes", "x.png"]  # of other formats: counted, not silently missing
    assert found == ["a.txt", "b.md", "sub/c.TXT", "sub/deep/d.jsonl"]


def test_a_file_named_outright_is_read_whatever_its_name(put: Put) -> None:
    assert only(load([put("README.md", SIMPLIFIED)])).doc_id == "README"
    assert only(load([put("_notes", SIMPLIFIED)])).doc_id == "_notes"


def test_a_file_named_twice_is_read_once(put: Put, tmp_path: Path) -> None:
    file = put("a.txt", SIMPLIFIED)
    assert only(load([tmp_path, file])).doc_id == "a"


def test_a_path_that_is_not_there_stops_the_load_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(CorpusUnreadable, match=r"nowhere.*--corpus"):
        load([tmp_path / "nowhere"])


def test_a_folder_without_documents_stops_the_load_and_names_the_formats(put: Put, tmp_path: Path) -> None:
    put("README.md", SIMPLIFIED)
    with pytest.raises(CorpusUnreadable, match=r"\.md \.txt \.jsonl \.jsonl\.gz .*\.pdf"):
        load([tmp_path])


def test_of_documents_with_one_id_the_first_is_read_and_the_others_are_named(put: Put, tmp_path: Path) -> None:
    put("1/a.txt", SIMPLIFIED)
    second = put("2/a.txt", TRADITIONAL)
    third = put("3.jsonl", jsonl({"id": "b", "text": ENGLISH}, {"id": "a", "text": ENGLISH}))
    loaded = load([tmp_path])
    assert [(d.doc_id, d.lang) for d in loaded.documents] == [("a", "zh-Hans"), ("b", "en")]
    assert [u.where for u in loaded.unreadable] == [str(second), str(third)]
    assert all("1/a.txt" in u.why for u in loaded.unreadable)


# --- encodings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [SIMPLIFIED, TRADITIONAL], ids=["simplified", "traditional"])
@pytest.mark.parametrize(
    ("codec", "reported"),
    [("gb18030", "gb18030"), ("gbk", "gb18030"), ("utf-16-le", "utf-16"), ("utf-16-be", "utf-16")],
)
def test_chinese_in_another_encoding_is_read_as_written_and_reported(
    put: Put, text: str, codec: str, reported: str
) -> None:
    path = put("a.txt", ("\ufeff" * codec.startswith("utf-16") + text).encode(codec))
    loaded = load([path])
    assert only(loaded).text == text
    assert loaded.encodings == ((str(path), reported),)


def test_traditional_chinese_in_big5_is_not_taken_for_gb18030(put: Put) -> None:
    path = put("a.txt", TRADITIONAL.encode("big5hkscs"))
    loaded = load([path])
    assert only(loaded).text == TRADITIONAL
    assert loaded.encodings == ((str(path), "big5hkscs"),)


def test_a_byte_order_mark_stays_where_a_plain_reading_has_it(put: Put) -> None:
    text = "---\ntitle: 甲\n---\n" + SIMPLIFIED
    path = put("a.md", text.encode("utf-8-sig"))
    loaded = load([path])
    document = only(loaded)
    assert document.text == path.read_text(encoding="utf-8") == "\ufeff" + text
    assert document.title == "甲"
    assert loaded.encodings == ((str(path), "utf-8 (BOM)"),)


def test_a_byte_order_mark_does_not_lose_the_first_json_line(put: Put) -> None:
    raw = jsonl({"id": "a", "text": SIMPLIFIED}).encode("utf-8-sig")
    assert only(load([put("a.jsonl", raw)])).text == SIMPLIFIED


def test_plain_utf8_is_not_worth_a_word(put: Put) -> None:
    assert load([put("a.txt", SIMPLIFIED)]).encodings == ()


@pytest.mark.parametrize("raw", [b"%PDF-1.7\n\0\0\xff", b"PK\x03\x04\0\0", b"\0"], ids=["pdf", "zip", "nul"])
def test_bytes_that_are_no_text_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="binary"):
        decode(raw)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_line_ends_are_kept(put: Put, newline: str) -> None:
    text = newline.join([SIMPLIFIED, SIMPLIFIED])
    assert only(load([put("a.txt", text)])).text == text


# --- what cannot be read is named, and the rest is loaded -------------------------------------------------------------

GOOD_GZIP = gzip.compress(jsonl(*({"id": str(n), "text": SIMPLIFIED * n} for n in range(1, 40))).encode())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("bad.txt", b"\x89PNG\r\n\0\0\0\x0d", "png.*wrong extension", id="picture"),
        pytest.param("bad.txt", b"\x7fELF\0\0\0", "binary", id="binary"),
        pytest.param("bad.md", "", "empty", id="empty"),
        pytest.param("bad.txt", " \n\t\n", "empty", id="blank"),
        pytest.param("bad.txt", b"\xef\xbb\xbf\n", "empty", id="a-byte-order-mark-alone"),
        pytest.param("bad.html", "", "empty", id="empty-page"),
        pytest.param("bad.jsonl", "", "empty", id="empty-json-lines"),
        pytest.param("bad.txt", SIMPLIFIED.encode("utf-16")[:-1], "utf-16", id="utf-16-cut-off"),
        pytest.param("bad.jsonl.gz", GOOD_GZIP[:-20], "ended before", id="gzip-cut-off"),
        pytest.param("bad.jsonl.gz", b"{}", "gzip", id="gzip-that-is-none"),
        pytest.param("bad.jsonl.gz", GOOD_GZIP[:40] + b"\xff" * 40 + GOOD_GZIP[80:], "", id="gzip-overwritten"),
        pytest.param("bad.md", f"---\nsource_kind: blog\n---\n{SIMPLIFIED}", "'blog'.*self-media", id="unknown-kind"),
        pytest.param("bad.md", f"---\nkeep: [foter]\n---\n{SIMPLIFIED}", "foter.*footer", id="unknown-cleaning-rule"),
        pytest.param("bad.md", f"---\nkeep: 5\n---\n{SIMPLIFIED}", "keep 5", id="keep-is-no-list"),
        pytest.param("bad.md", f"---\ntitle: a: b\n---\n{SIMPLIFIED}", "front matter.*column 9", id="broken-yaml"),
        pytest.param("bad.md", f"---\npublished: 2025-02-30\n---\n{SIMPLIFIED}", "front matter.*day", id="no-such-day"),
        pytest.param("bad.md", f"---\na: {'[' * 500}\n---\n{SIMPLIFIED}", "front matter", id="endless-yaml"),
    ],
)
def test_an_unreadable_file_is_named_and_the_others_are_loaded(
    put: Put, name: str, content: str | bytes, said: str
) -> None:
    bad = put(name, content)
    loaded = load([put("good.txt", SIMPLIFIED).parent])
    assert [d.doc_id for d in loaded.documents] == ["good"]
    assert [u.where for u in loaded.unreadable] == [str(bad)]
    assert re.search(said, why(loaded))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param('{"id": "x", "text": ', "JSONDecodeError", id="broken"),
        pytest.param("正文", "JSONDecodeError", id="not-json"),
        pytest.param("[1, 2]", "TypeError", id="a-list"),
        pytest.param('"text"', "TypeError", id="a-string"),
        pytest.param('{"id": "x"}', "KeyError: 'text'", id="no-text"),
        pytest.param('{"id": "x", "text": " "}', "empty", id="blank-text"),
        pytest.param('{"id": "x", "text": ["a"]}', "empty", id="text-that-is-no-string"),
        pytest.param('{"id": "x", "text": "a", "source_kind": "blog"}', "source_kind", id="unknown-kind"),
        pytest.param('{"id": "x", "text": "a", "keep": 1}', "keep", id="keep-is-no-list"),
        pytest.param("[" * 100_000, "RecursionError", id="endless-nesting"),
    ],
)
def test_a_bad_json_line_is_named_by_its_number_and_the_others_are_loaded(put: Put, line: str, said: str) -> None:
    good = [jsonl({"id": name, "text": SIMPLIFIED}) for name in "ab"]
    path = put("rows.jsonl", f"{good[0]}\n{line}\n{good[1]}")
    loaded = load([path])
    assert [d.doc_id for d in loaded.documents] == ["a", "b"]
    assert [u.where for u in loaded.unreadable] == [f"{path}:3"]
    assert said in why(loaded)


def test_half_a_surrogate_pair_in_json_becomes_one_character_that_can_be_written(put: Put) -> None:
    path = put("a.jsonl", '{"id": "a\\udc00", "title": "甲\\uD83D", "text": "看\\ud83d好。\\ud83d\\ude00"}\n')
    document = only(load([path]))
    assert (document.doc_id, document.title, document.text) == ("a?", "甲?", "看?好。😀")


def test_text_that_looks_like_broken_front_matter_but_is_no_field_is_text(put: Put) -> None:
    text = f"---\n一条线下面: 是正文: 不是字段\n---\n{SIMPLIFIED}"
    assert only(load([put("a.txt", text)])).text == text


PIECES = [
    b"---\n",
    b"title: ",
    b"keep: ",
    b"[",
    b"{",
    b'{"id": "a", "text": "',
    b'"}\n',
    b"\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
]


@given(
    name=st.sampled_from(["a.md", "a.txt", "a.jsonl", "a.jsonl.gz"]),
    raw=st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=20), st.text(max_size=20).map(str.encode))).map(
        b"".join
    ),
    packed=st.booleans(),
)
def test_no_bytes_of_any_file_stop_the_load_and_all_that_is_loaded_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, name: str, raw: bytes, packed: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(gzip.compress(raw) if packed else raw)
    loaded = load([path])
    assert loaded.documents or loaded.unreadable
    for document in loaded.documents:
        assert document.text.strip()
        json.dumps(dataclasses.asdict(document), ensure_ascii=False).encode()


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "big5hkscs"])
def test_one_bad_byte_does_not_cost_the_file(put: Put, codec: str) -> None:
    raw = (TRADITIONAL if codec == "big5hkscs" else SIMPLIFIED).encode(codec)
    loaded = load([put("a.txt", raw[:20] + b"\xff" + raw[21:])])
    (document,) = loaded.documents
    assert document.text.endswith("位居前列。")
    assert "damaged" in loaded.encodings[0][1]


def test_aliases_in_metadata_are_refused_before_they_swell(put: Put) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    put("good.txt", SIMPLIFIED)
    loaded = load([put("bomb.md", f"---\ntitle: x\n{bomb}---\n{SIMPLIFIED}").parent])
    assert [d.doc_id for d in loaded.documents] == ["good"]
    assert "aliases" in why(loaded)


def test_a_name_that_is_no_utf8_and_a_link_to_itself_are_named(put: Put, tmp_path: Path) -> None:
    put("good.txt", SIMPLIFIED)
    with open(os.fsencode(tmp_path) + b"/\xd6\xd0\xb9\xfa.txt", "wb") as f:
        f.write(SIMPLIFIED.encode())
    (tmp_path / "loop.md").symlink_to(tmp_path / "loop.md")
    loaded = load([tmp_path])
    assert [d.doc_id for d in loaded.documents] == ["good"]
    assert len(loaded.unreadable) == 2
    assert any("UTF-8" in u.why for u in loaded.unreadable)
