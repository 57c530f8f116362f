"""The HTTP door: every route, every error, every header, over a fake service."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from tests.web.fake_service import (
    DIGEST,
    DIGEST_CITATION,
    DOCUMENTS,
    HOSTILE,
    HOSTILE_CITATION,
    IDC,
    IDC_CITATION,
    JUNK,
    MESSY,
    MESSY_CITATION,
    MESSY_QUOTE,
    SHARE_CITATION,
    FakeService,
)
from web.app import MAX_BODY_BYTES, create_app

HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def client(service: FakeService) -> Iterator[TestClient]:
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield client


class Page(HTMLParser):
    """What a browser would make of a page: tags with attributes, the text of one element, the visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}  # by id or tag name
        self.open: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "input", "img"):
            self.open.append((tag, dict(attrs).get("id")))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        for name in {name for pair in self.open for name in pair if name}:
            self.texts[name] = self.texts.get(name, "") + data

    def having(self, attribute: str) -> list[str]:
        return [value or "" for _, attrs in self.tags for name, value in attrs.items() if name == attribute]


def error_of(response: Any) -> dict[str, str]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "hint"}
    assert "Traceback" not in response.text
    assert "secret" not in response.text
    error: dict[str, str] = body["error"]
    return error


def streamed(client: TestClient, body: dict[str, Any], path: str = "/ask") -> dict[str, Any]:
    """The last event of each name that answers a question."""
    text = client.post(path, json=body).text
    found = (re.search(r"^event: (\w+)\ndata: (.*)$", block, re.MULTILINE) for block in text.split("\n\n"))
    return {m[1]: json.loads(m[2]) for m in found if m}


def document_path(doc_id: str) -> str:
    return f"/documents/{quote(doc_id, safe='')}"


# --- /api/ask


def test_ask_gives_the_answer_as_json(client: TestClient, service: FakeService) -> None:
    response = client.post("/api/ask", json={"question": "市场规模是多少？"})
    assert response.status_code == 200
    assert response.json()["text"].startswith("2025年上半年")
    assert set(response.json()) == set(service.ask("市场规模是多少？").as_json())
    [citation] = response.json()["citations"]
    assert IDC.text[citation["start"] : citation["end"]] == citation["quote"] == IDC_CITATION.quote


def test_ask_passes_history_language_and_top_k_on(client: TestClient, service: FakeService) -> None:
    history = [{"question": "第一问", "answer": "ignored"}, {"question": "第二问"}]
    client.post("/api/ask", json={"question": "那香港呢？", "history": history, "lang": "zh-Hant", "top_k": 7})
    assert service.asked == [("那香港呢？", ("第一问", "第二问"), "zh-Hant", 7)]


NOT_ASKED = [
    pytest.param('{"question": ""}', 400, "bad_question", id="empty"),
    pytest.param('{"question": " \\n\\u3000"}', 400, "bad_question", id="white space"),
    pytest.param('{"question": "%s"}' % ("长" * 201), 413, "question_too_long", id="too long"),
    pytest.param('{"question": "%s"}' % ("x" * 100_000), 413, "body_too_large", id="100 000 characters"),
    pytest.param('{"question": ', 400, "bad_json", id="malformed JSON"),
    pytest.param("", 422, "bad_request", id="no body"),
    pytest.param("[" * 60_000, 400, "bad_request", id="deep JSON"),
    pytest.param("{}", 422, "bad_request", id="no question"),
    pytest.param('{"question": 5}', 422, "bad_request", id="not a string"),
    pytest.param('{"question": "\\ud800"}', 422, "bad_request", id="half a surrogate pair"),
    pytest.param('{"question": "问", "history": ["上一问"]}', 422, "bad_request", id="history of strings"),
    pytest.param('{"question": "问", "lang": "fr"}', 422, "bad_request", id="unknown language"),
    pytest.param('{"question": "问", "top_k": 0}', 422, "bad_request", id="top_k 0"),
    pytest.param('{"question": "问", "top_k": 51}', 422, "bad_request", id="top_k 51"),
]
FAILING = [
    pytest.param('{"question": "没有索引"}', 503, "index_missing", id="no index"),
    pytest.param('{"question": "坏索引"}', 503, "index_damaged", id="damaged index"),
    pytest.param('{"question": "崩溃"}', 500, "internal_error", id="crash"),
]


@pytest.mark.parametrize(("body", "status", "code"), FAILING)
def test_an_answer_that_fails_gets_an_error(client: TestClient, body: str, status: int, code: str) -> None:
    check_error(client, "/api/ask", body, status, code)


@pytest.mark.parametrize("path", ["/api/ask", "/api/ask/stream", "/ask"])
@pytest.mark.parametrize(("body", "status", "code"), NOT_ASKED)
def test_a_question_that_cannot_be_asked_gets_an_error_before_anything_streams(
    client: TestClient, path: str, body: str, status: int, code: str
) -> None:
    check_error(client, path, body, status, code)


def check_error(client: TestClient, path: str, body: str, status: int, code: str) -> None:
    response = client.post(path, content=body.encode(), headers={"Content-Type": "application/json"})
    assert response.status_code == status
    error = error_of(response)
    assert error["code"] == code
    assert error["message"]
    assert "default-src 'self'" in response.headers["content-security-policy"]


def test_a_body_that_is_not_utf8_gets_an_error(client: TestClient) -> None:
    body = '{"question": "规模"}'.encode("gb18030")
    response = client.post("/api/ask", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert error_of(response)["code"] == "bad_request"


def test_a_body_in_chunks_is_measured_too(client: TestClient) -> None:
    def chunks(size: int) -> Iterator[bytes]:
        yield b'{"question": "'
        for _ in range(size // 1024):
            yield b"x" * 1024
        yield b'"}'

    response = client.post("/api/ask", content=chunks(MAX_BODY_BYTES), headers={"Content-Type": "application/json"})
    assert response.status_code == 413
    assert error_of(response)["code"] == "body_too_large"
    assert "64 KB" in error_of(response)["message"]
    assert "200" in error_of(response)["hint"]


def test_a_declared_huge_body_is_turned_away_unread(client: TestClient) -> None:
    response = client.post("/api/ask", content=b"{}", headers={"Content-Length": str(10**12)})
    assert response.status_code == 413


def test_a_body_just_under_the_limit_comes_through(client: TestClient, service: FakeService) -> None:
    history = [{"question": "旧问题" * 60}] * 90
    response = client.post("/api/ask", json={"question": "规模？", "history": history})
    assert response.status_code == 200
    assert len(service.asked[0][1]) == 90


# --- /api/search, /api/documents, health


def test_search_answers_the_same_by_address_and_by_post(client: TestClient) -> None:
    by_address = client.get("/api/search", params={"q": "市场规模", "top_k": 3}).json()
    assert by_address == client.post("/api/search", json={"query": "市场规模", "top_k": 3}).json()
    [hit] = by_address["hits"]
    assert set(hit) == {"passage", "score", "dense", "lexical"}
    assert hit["passage"]["text"] == IDC.text[hit["passage"]["start"] : hit["passage"]["end"]]


@pytest.mark.parametrize(
    ("params", "status"), [({"q": ""}, 400), ({"q": "长" * 201}, 413), ({"q": "x", "top_k": "many"}, 422), ({}, 422)]
)
def test_a_bad_search_gets_an_error(client: TestClient, params: dict[str, str], status: int) -> None:
    response = client.get("/api/search", params=params)
    assert response.status_code == status
    error_of(response)


def test_documents_lists_every_document_without_its_text(client: TestClient) -> None:
    listed = client.get("/api/documents").json()["documents"]
    assert [d["doc_id"] for d in listed] == [d.doc_id for d in DOCUMENTS]
    assert all("text" not in d for d in listed)
    assert listed[1]["source_kind"] == "digest"
    assert listed[2]["chars"] == len(MESSY.text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=["plain", "slash", "chinese", "script"])
def test_a_document_comes_whole_whatever_its_id(client: TestClient, document: Any) -> None:
    body = client.get("/api" + document_path(document.doc_id)).json()
    assert body["doc_id"] == document.doc_id
    assert body["text"] == document.text


def test_a_document_names_what_cleaning_left_out(client: TestClient) -> None:
    dropped = client.get("/api" + document_path(MESSY.doc_id)).json()["dropped"]
    assert [(MESSY.text[d["start"] : d["end"]], d["rule"]) for d in dropped] == [
        (JUNK, "coupon-line"),
        ("(guó)", "stray-pinyin"),
        ("版權所有", "footer"),
    ]


def test_an_unknown_document_is_404(client: TestClient) -> None:
    response = client.get("/api/documents/没有/这篇", headers=HTML)  # JSON under /api, whatever the client accepts
    assert response.status_code == 404
    assert error_of(response)["code"] == "document_missing"


def test_the_ledger_comes_as_json_filtered(client: TestClient) -> None:
    body = client.get("/api/figures").json()
    assert body["index_version"] == "v-fake-1"
    assert [row["value"] for row in body["figures"]] == ["223亿元", "24.6%"]
    [row] = client.get("/api/figures", params={"subject": "阿里雲", "attribute": "份额", "period": "2025"}).json()[
        "figures"
    ]
    assert (row["doc"], row["as_of"], row["number"]) == ("idc-2025h1", "2025H1", 0.246)
    assert client.get("/api/figures", params={"document": "没有"}).json()["figures"] == []


def test_the_ledger_comes_as_csv_that_no_spreadsheet_runs(client: TestClient) -> None:
    response = client.get("/api/figures", params={"format": "csv", "subject": "阿里云"})
    assert response.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(response.text))
    assert (row["value"], row["number"], row["scope"]) == ("24.6%", "0.246", "'=IDC")
    assert client.get("/api/figures", params={"format": "xml"}).status_code == 422


def test_health_and_readiness(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready", "index_version": "v-fake-1"}
    assert client.head("/healthz").status_code == 200


def test_without_an_index_the_list_says_503(client: TestClient, service: FakeService) -> None:
    service.ready = False
    response = client.get("/api/documents")
    assert response.status_code == 503
    assert "yuntu rebuild" in error_of(response)["hint"]
    assert "yuntu rebuild" in client.get("/documents", headers=HTML).text


def test_an_unknown_route_and_method_get_errors(client: TestClient) -> None:
    assert error_of(client.get("/nowhere"))["code"] == "not_found"
    response = client.get("/api/ask")
    assert response.status_code == 405
    assert error_of(response)["code"] == "method_not_allowed"
    assert response.headers["allow"] == "POST"


# --- headers


@pytest.mark.parametrize(
    "path", ["/", "/?q=规模", "/documents", "/static/chat.js", "/healthz", "/nowhere", "/?q=崩溃", "/documents/nope"]
)
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_every_response_carries_the_security_headers(client: TestClient, path: str, accept: str) -> None:
    headers = client.get(path, headers={"Accept": accept}).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_static_files_are_served_and_nothing_beside_them(client: TestClient) -> None:
    for name, kind in (("style.css", "text/css"), ("chat.js", "javascript"), ("icon.svg", "image/svg+xml")):
        response = client.get(f"/static/{name}")
        assert response.status_code == 200
        assert kind in response.headers["content-type"]
    assert client.get("/static/%2e%2e/app.py").status_code == 404
    assert client.get("/static/..%2fapp.py").status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/?q=对比&turn=规模", "/?q=推荐股票&lang=en", "/documents", document_path(HOSTILE.doc_id), "/nowhere"]
)
def test_no_page_holds_inline_script_or_style_or_anything_from_elsewhere(client: TestClient, path: str) -> None:
    page = Page(client.get(path, headers=HTML).text)
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on") or name == "style"]
    assert not page.texts.get("script")
    assert "style" not in page.texts
    assert all(src.startswith("/static/") for src in page.having("src"))
    assert page.open == []


# --- the chat page


def test_the_start_page_offers_examples_that_are_links(client: TestClient, service: FakeService) -> None:
    page = Page(client.get("/").text)
    assert page.having("data-example") == service.examples()
    assert service.asked == []


def test_the_page_answers_without_javascript(client: TestClient, service: FakeService) -> None:
    response = client.get("/", params={"q": "那么阿里云呢？", "turn": ["规模？", "份额？"], "lang": "zh-Hans"})
    assert service.asked == [("那么阿里云呢？", ("规模？", "份额？"), "zh-Hans", None)]
    page = Page(response.text)
    assert page.having("data-asked") == ["规模？", "份额？", "那么阿里云呢？"]
    hidden = [attrs["value"] for tag, attrs in page.tags if tag == "input"]
    assert hidden == ["规模？", "份额？", "那么阿里云呢？"]
    assert "/?q=%E4%BB%BD%E9%A2%9D%EF%BC%9F&turn=%E8%A7%84%E6%A8%A1%EF%BC%9F&lang=zh-Hans" in page.having("href")
    assert "理解为" in response.text


def test_the_conversation_an_address_carries_stays_short(client: TestClient, service: FakeService) -> None:
    client.get("/", params={"q": "问", "turn": [f"第{n}问" for n in range(20)]})
    assert service.asked[0][1] == tuple(f"第{n}问" for n in range(12, 20))
    client.get("/", params={"q": "问", "turn": ["旧" * 150, "新" * 150]})
    assert service.asked[1][1] == ("新" * 150,)


def test_a_mark_leads_to_the_characters_it_stands_for(client: TestClient) -> None:
    page = Page(client.get("/", params={"q": "规模"}).text)
    marks = [attrs for tag, attrs in page.tags if tag == "a" and attrs.get("class") == "mark"]
    span = f"start={IDC_CITATION.start}&end={IDC_CITATION.end}"
    here = f"{IDC_CITATION.start}-{IDC_CITATION.end}"
    assert marks[0]["href"] == f"/documents/idc-2025h1?{span}&v=v-fake-1#{here}"
    assert marks[0]["data-panel"] == f"/panel/idc-2025h1?{span}&v=v-fake-1"
    assert len(marks) == 2  # one in the text, one in the list; [9] stands for nothing and stays text
    assert "[9]" in page.texts["article"]


def test_lines_bullets_and_tables_are_shown_as_such(client: TestClient) -> None:
    html = client.get("/", params={"q": "对比"}).text
    assert re.findall(r"<th scope[^>]*>(.*?)</th>", html) == ["机构", "阿里云份额", "口径"]
    assert [re.sub("<.*?>", "", cell) for cell in re.findall(r"<td role[^>]*>(.*?)</td>", html)] == [
        *("IDC", "24.6% [1]", "AI 公有云服务"),
        *("某咨询机构", "35.8% [2]", "含模型服务"),
    ]
    assert "<li>口径不同，不能直接相比</li>" in html
    assert "[1]</a><br>第二行没有出处[9]。" in client.get("/", params={"q": "规模"}).text


@pytest.mark.parametrize("lang", ["zh-Hans", "zh-Hant", "en"])
def test_a_digest_is_called_one_wherever_it_is_shown(client: TestClient, lang: str) -> None:
    span = {"start": str(DIGEST_CITATION.start), "end": str(DIGEST_CITATION.end), "lang": lang}
    path = quote(DIGEST.doc_id, safe="")
    for html in (
        client.get("/", params={"q": "对比", "lang": lang}).text,
        streamed(client, {"question": "对比", "lang": lang})["turn"],
        client.get(f"/panel/{path}", params=span).text,
        client.get(f"/documents/{path}", params=span).text,
        client.get("/documents", params={"lang": lang}).text,
    ):
        badge = re.search(r'<span class="source-kind source-digest"[^>]*>(.*?)</span>', html)
        assert badge
        assert "摘要,非原文" in badge[1]


def test_a_refusal_says_why_and_shows_the_nearest(client: TestClient) -> None:
    html = client.get("/", params={"q": "推荐股票"}).text
    assert 'class="answer kind-refusal refused"' in html
    assert "资料里能回答的问题" in html
    assert "不提供建议或预测" in html
    assert SHARE_CITATION.readable in html
    assert "Questions the corpus answers" in client.get("/", params={"q": "推荐股票", "lang": "en"}).text


def test_the_fragments_are_the_same_turn_as_on_the_page(client: TestClient) -> None:
    for question in ("规模", "对比", "推荐股票", "<b>香港"):
        sent = streamed(client, {"question": question})
        page = client.get("/", params={"q": question}).text
        assert sent["turn"].rpartition("</article>")[0].rstrip() in page
        assert sent["more"].strip() in page


def test_undated_sources_are_called_undated(client: TestClient) -> None:
    assert "阿里云份额（摘要） · 日期不详" in client.get("/", params={"q": "对比"}).text
    assert "undated" in client.get("/", params={"q": "对比", "lang": "en"}).text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/?q=没有索引", 503, "yuntu rebuild"),
        ("/?q=" + "长" * 201, 413, "最多 200 个"),
        ("/?q=崩溃", 500, "服务内部出错"),
        ("/?q=x&lang=fr", 422, "query.lang"),
        ("/documents/nope", 404, "no such document"),
        ("/documents/idc-2025h1?start=x", 422, "query.start"),
        ("/nowhere", 404, "no such page"),
    ],
)
def test_a_page_that_fails_says_so_in_words(client: TestClient, path: str, status: int, words: str) -> None:
    response = client.get(path, headers=HTML)
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    assert words in response.text
    assert "secret" not in response.text


@pytest.mark.parametrize("path", ["//evil.example/x", "///evil.example", "/\\evil.example"])
def test_no_link_of_our_own_leads_to_another_host(client: TestClient, path: str) -> None:
    page = Page(client.get(path, headers=HTML).text)
    assert not [href for href in page.having("href") if href.startswith(("//", "/\\"))]


@pytest.mark.parametrize(
    "path", ["/figures?subject=", "/market?subject=", "/coverage?subject=", "/documents/idc-2025h1?v="]
)
def test_a_parameter_of_any_length_is_turned_away(client: TestClient, path: str) -> None:
    assert client.get(path + "x" * 5000, headers=HTML).status_code == 422


# --- documents


def test_the_document_page_marks_exactly_the_cited_characters(client: TestClient) -> None:
    for document, citation in ((IDC, IDC_CITATION), (MESSY, MESSY_CITATION), (HOSTILE, HOSTILE_CITATION)):
        span = f"start={citation.start}&end={citation.end}"
        page = Page(client.get(f"{document_path(document.doc_id)}?{span}").text)
        assert page.texts["mark"] == citation.quote
        panel = Page(client.get(f"/panel/{quote(document.doc_id, safe='')}?{span}").text)
        assert panel.texts["mark"] == citation.quote


def test_junk_is_shown_grey_with_its_rule_even_inside_a_citation(client: TestClient) -> None:
    html = client.get(f"{document_path(MESSY.doc_id)}?start={MESSY.text.index(MESSY_QUOTE)}&end=45").text
    assert '<span class="junk" title="清洗时略去: stray-pinyin">(guó)</span>' in html
    assert re.search(r"<mark.*?guó.*?</mark>", html, re.DOTALL)


def test_the_page_shows_the_whole_text_and_the_panel_what_is_near(client: TestClient) -> None:
    span = f"start={MESSY_CITATION.start}&end={MESSY_CITATION.end}"
    page = client.get(f"{document_path(MESSY.doc_id)}?{span}").text
    panel = client.get(f"/panel/{quote(MESSY.doc_id)}?{span}").text
    assert page.count("補充說明") == 2000
    assert 700 < panel.count("補充說明") < 900
    assert "……" in panel


@pytest.mark.parametrize("span", ["start=5&end=99999", "start=-1&end=4", "start=9&end=3", "start=3"])
def test_a_span_outside_the_text_is_said_to_be_so(client: TestClient, span: str) -> None:
    response = client.get(f"/documents/idc-2025h1?{span}")
    assert response.status_code == 200
    assert "<mark" not in response.text
    assert "没有标出" in response.text


def test_the_list_links_to_every_document(client: TestClient) -> None:
    links = [href for href in Page(client.get("/documents").text).having("href") if href.startswith("/documents/")]
    assert len(links) == len(DOCUMENTS)
    for link, document in zip(links, DOCUMENTS, strict=True):
        page = Page(client.get(link).text)
        assert page.texts["h1"] == document.title
    assert client.get("/documents/").url.path == "/documents"


# --- hostile sources


def test_nothing_from_a_source_or_a_question_becomes_markup(client: TestClient) -> None:
    question = """<script>alert('q')</script>"&'"""
    span = f"?start={HOSTILE_CITATION.start}&end={HOSTILE_CITATION.end}"
    for html in (
        client.get("/", params={"q": question, "turn": ["""<img src=x onerror="alert(1)">"""]}).text,
        *streamed(client, {"question": question}).values(),
        client.get(document_path(HOSTILE.doc_id) + span).text,
        client.get("/panel/" + quote(HOSTILE.doc_id, safe="") + span).text,
        client.get("/documents").text,
        client.get("/documents/" + quote("<script>alert(1)</script>"), headers=HTML).text,
    ):
        page = Page(html if isinstance(html, str) else "")
        own = ({"type": "module", "src": f"/static/{name}.js"} for name in ("chat", "document"))
        assert [attrs for tag, attrs in page.tags if tag == "script"] in ([], *([script] for script in own))
        assert not [tag for tag, _ in page.tags if tag in ("b", "i")]
        assert all(src.startswith("/static/") for src in page.having("src"))
        assert not [href for href in page.having("href") if not re.match(r"[/#]|https?://", href)]  # no javascript:
    page = Page(client.get("/", params={"q": question}).text)
    assert page.having("data-asked") == [question]


def test_the_audit_names_every_rule_in_words_and_links_to_the_place(client: TestClient) -> None:
    overview = client.get("/audit")
    assert overview.status_code == 200
    assert "/audit/" in overview.text
    assert "idc-2025h1" in overview.text  # reprints are named
    page = client.get(f"/audit/{quote(MESSY.doc_id, safe='')}", params={"lang": "en"})
    assert page.status_code == 200
    assert "<code>footer</code>" in page.text
    assert "footer" in page.text
    assert f"start={MESSY.text.index('版權所有')}" in page.text
    assert client.get("/audit/nowhere").status_code == 404
