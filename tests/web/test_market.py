"""The market board and the figures page: routes, files, and SVG that can do nothing but lead to its sentences."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from lxml import etree
from starlette.testclient import TestClient

from rag.board import Chart
from rag.levels import Point
from tests.web.fake_market import DOCUMENTS, FIGURES, MarketService
from tests.web.test_app import HTML, Page, error_of
from web import charts
from web.app import create_app
from web.chart_words import number_text, width_of, wrapped
from web.labels import LANGS, Labels
from web.timelines import axis_ticks

SVG = "{http://www.w3.org/2000/svg}"
SERVICE = MarketService()
BOARD = SERVICE.board()


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(SERVICE), raise_server_exceptions=False) as client:
        yield client


def client_over(*figures: Any) -> TestClient:
    return TestClient(create_app(MarketService(figures)), raise_server_exceptions=False)


def of_kind(kind: str) -> Chart:
    return next(c for c in BOARD if c.kind == kind)


# --- the page


def test_the_page_has_a_chart_of_each_kind_with_its_heading_scope_and_table(client: TestClient) -> None:
    response = client.get("/market", headers=HTML)
    assert response.status_code == 200
    page = Page(response.text)
    assert page.open == []
    assert {c.kind for c in BOARD} == {"shares", "timeline", "compare", "conflict"}
    for chart in BOARD:
        assert f'id="{chart.chart_id}"' in response.text
    assert "口径：云衡研究；按调用量" in response.text
    assert "对数坐标" in response.text
    assert "空心、虚线是预测" in response.text
    assert "各条口径不同，不能直接相比" in response.text
    assert "看不出口径有别，数字却对不上" in response.text
    ids = page.having("id")
    assert len(ids) == len(set(ids))
    assert "http:" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", response.text)


@pytest.mark.parametrize("lang", LANGS)
def test_every_language_has_its_own_words(client: TestClient, lang: str) -> None:
    text = client.get("/market", params={"lang": lang}).text
    assert {"zh-Hans": "白鹭云", "zh-Hant": "白鷺雲", "en": "Unit: 次 · logarithmic axis"}[lang] in text
    assert {"zh-Hans": "市场看板", "zh-Hant": "市場看板", "en": "Market board"}[lang] in text


def test_the_filter_takes_any_part_of_a_name_and_keeps_charts_whole(client: TestClient) -> None:
    text = client.get("/market", params={"subject": "白鷺云"}).text
    assert "白鹭云" in text
    assert "青禾云" in text  # what it is compared to stays
    assert "日均调用量" not in text
    assert "没有可以画在一起的数字" in client.get("/market", params={"subject": "没有的公司"}).text


def test_an_empty_ledger_says_so() -> None:
    with client_over() as client:
        assert "没有可以画在一起的数字" in client.get("/market").text
        assert "没有这样的数字" in client.get("/figures").text


def test_many_charts_come_a_page_at_a_time() -> None:
    one, two = (f for f in FIGURES if f.figure_id in ("second:8", "second:10"))
    many = [replace(f, subject=f"公司{n}", figure_id=f"{f.figure_id}-{n}") for n in range(20) for f in (one, two)]
    many = [replace(f, attribute=f"第{n}项用户数") for n, f in zip((m // 2 for m in range(40)), many, strict=True)]
    with client_over(*many) as client:
        first, second = client.get("/market?lang=en").text, client.get("/market?lang=en&page=2").text
        assert (first.count("<figure"), second.count("<figure")) == (12, 8)
        assert 'href="/market?lang=en&amp;page=2"' in first


# --- the drawings


def marks(svg: str) -> list[tuple[str, str]]:
    return [(a.get("href", ""), a.get("aria-label", "")) for a in etree.fromstring(svg.encode()).iter(f"{SVG}a")]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("chart", BOARD, ids=lambda c: c.chart_id)
def test_an_inline_drawing_is_inert_and_each_mark_leads_to_its_sentence(chart: Chart, lang: str) -> None:
    svg = charts.inline_svg(chart, lang)
    root = etree.fromstring(svg.encode())
    for element in root.iter():
        assert element.tag not in (f"{SVG}script", f"{SVG}style", f"{SVG}foreignObject", f"{SVG}image", f"{SVG}use")
        assert not [a for a in element.attrib if a.startswith("on") or a in ("style", "id")]
    assert root.get("viewBox")
    assert root.get("width") is None
    found = marks(svg)
    assert len(found) == len(chart.points)
    by_id = {d.doc_id: d for d in DOCUMENTS}
    for href, label in found:
        parts = urlsplit(href)
        assert (parts.scheme, parts.netloc) == ("", "")
        document = by_id[unquote(parts.path.removeprefix("/documents/"))]
        place = parse_qs(parts.query)
        assert parts.fragment == f"{place['start'][0]}-{place['end'][0]}"
        quoted = document.text[int(place["start"][0]) : int(place["end"][0])]
        [point] = [p for p in chart.points if p.document is document and p.figure.value in quoted and _named(p, label)]
        assert (place.get("lang") or ["zh-Hans"]) == [lang]
        assert point.figure.start == int(place["start"][0])


def _named(point: Point, label: str) -> bool:
    """Whether a mark's name tells value and subject, in Chinese as it is written or in the other script."""
    return re.sub(r"\D", "", point.figure.value) in re.sub(r"\D", "", label.split("；" if "；" in label else "; ")[1])


def test_a_mark_says_whose_how_much_when_and_in_which_scope() -> None:
    labels = [label for c in BOARD for _, label in marks(charts.inline_svg(c, "zh-Hans")) if c.kind == "shares"]
    assert "青禾云；49.2%；2025年上半年；云衡研究；按调用量；甲刊" in labels
    assert "白鹭云；35.8%；2025年上半年；远望咨询；全链条收入；甲刊" in labels


def test_a_timeline_is_given_to_vega_on_the_axis_the_board_chose() -> None:
    scales = {
        chart.log: {
            layer["encoding"]["y"]["scale"]["type"]
            for layer in charts.spec(chart, "zh-Hans")["layer"]
            if "domain" in (layer["encoding"]["y"]["scale"] or {})
        }
        for chart in BOARD
        if chart.kind == "timeline"
    }
    assert scales == {True: {"log"}, False: {"linear"}}


def test_a_forecast_is_hollow_and_its_line_dashed() -> None:
    layers = charts.spec(next(c for c in BOARD if c.log), "zh-Hans")["layer"]
    hollow = [row for layer in layers if layer["mark"].get("fill") == "transparent" for row in layer["data"]["values"]]
    dashed = [row for layer in layers if layer["mark"].get("strokeDash") for row in layer["data"]["values"]]
    assert [row["forecast"] for row in hollow] == [True]
    assert len(dashed) == 1


def test_what_is_contradicted_says_so_without_colour() -> None:
    chart = next(c for c in BOARD if c.contradicts)
    assert "⚠" in charts.inline_svg(chart, "zh-Hans")
    assert any("矛盾" in label for _, label in marks(charts.inline_svg(chart, "zh-Hans")))


def test_every_colour_of_a_drawing_has_its_place_in_the_style_sheet(client: TestClient) -> None:
    css = client.get("/static/style.css").text
    for chart in BOARD:
        for name, colour in re.findall(r'(fill|stroke)="(#[0-9a-f]{6})"', charts.inline_svg(chart, "zh-Hans")):
            assert f'.chart [{name}="{colour}"]' in css


EXTREME = [(0.0, 0.0), (0.0, 1e24), (-5e8, 3e8), (-3.0, -1.0), (1e-9, 1e24), (1.0, 1.0), (7e-9, 0.0)]


@pytest.mark.parametrize("numbers", EXTREME)
@pytest.mark.parametrize("kind", ["timeline", "compare"])
def test_any_numbers_can_be_drawn(kind: str, numbers: tuple[float, float]) -> None:
    when = ("2024-01", "2024-02") if kind == "timeline" else ("2024-01", "2024-01")
    who = ("青禾", "青禾") if kind == "timeline" else ("青禾", "白鹭")
    figures = tuple(
        replace(FIGURES[7], figure_id=str(n), number=numbers[n], value=f"v{n}", as_of=when[n], subject=who[n], start=n)
        for n in (0, 1)
    )
    for chart in MarketService(figures).board():
        svg = charts.inline_svg(chart, "en")
        assert len(marks(svg)) == 2
        assert "NaN" not in svg
        assert "Infinity" not in svg
        ticks = axis_ticks(chart)
        assert ticks == sorted(set(ticks))


@pytest.mark.parametrize(
    ("number", "unit", "lang", "text"),
    [
        (3e13, "次", "zh-Hans", "30万亿"),
        (3e13, "次", "zh-Hant", "30萬億"),
        (1.5e9, "元", "en", "1.5B"),
        (0.05, "%", "en", "5%"),
        (0.15, "百分点", "zh-Hans", "15"),
        (-2e8, "元", "zh-Hans", "-2亿"),
        (0.0, "", "en", "0"),
        (1e24, "", "zh-Hans", "1e+24"),
    ],
)
def test_numbers_of_an_axis(number: float, unit: str, lang: str, text: str) -> None:
    assert number_text(number, unit, Labels(lang)) == text


@pytest.mark.parametrize("text", ["", "云" * 100, "a" * 100, "IaaS+PaaS+MaaS 三层合计的全链条收入", "🙂 \u202e<b>"])
def test_wrapped_lines_fit_and_lose_nothing_where_there_is_room(text: str) -> None:
    lines = wrapped(text, 12, 99)
    assert all(width_of(line) <= 12.01 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert len(wrapped(text, 12, 2)) <= 2


# --- the files


def test_the_csv_is_the_table(client: TestClient) -> None:
    for chart in BOARD:
        response = client.get(f"/market/{chart.chart_id}.csv")
        assert response.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
        assert [row["value"].lstrip("'") for row in rows] == [
            ("超" if p.figure.hedge else "") + p.figure.value for p in chart.points
        ]
        assert not any(cell[:1] in "=+@-" for row in rows for cell in row.values() if cell)
        for row in rows:
            text = SERVICE.document(row["document"].lstrip("'")).text
            assert text[int(row["start"]) : int(row["end"])] == row["quote"]


def test_files_are_attachments_with_a_name_that_says_what_they_show(client: TestClient) -> None:
    chart = of_kind("shares")
    for form, kind, begin in (("svg", "image/svg+xml", b"<svg"), ("png", "image/png", b"\x89PNG\r\n\x1a\n")):
        response = client.get(f"/market/{chart.chart_id}.{form}")
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith(kind)
        assert response.content.startswith(begin)
        name = response.headers["content-disposition"]
        assert name.startswith(f'attachment; filename="{chart.chart_id}.{form}"')
        assert quote("2025年上半年") in name


def test_an_svg_file_stands_alone(client: TestClient) -> None:
    chart = of_kind("shares")
    svg = client.get(f"/market/{chart.chart_id}.svg").text
    root = etree.fromstring(svg.encode())
    assert marks(svg) == []
    assert root.get("width")
    assert "2025年上半年" in svg
    assert (chart.scope or "").split(";")[0] in svg
    assert "甲刊" in svg
    assert 'fill="#ffffff"' in svg


def test_without_a_chinese_font_there_is_an_error_and_no_boxes(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.charts._writes_chinese", lambda: False)
    response = client.get(f"/market/{BOARD[0].chart_id}.png")
    assert response.status_code == 503
    assert "fonts-noto-cjk" in error_of(response)["hint"]
    assert client.get(f"/market/{BOARD[0].chart_id}.svg").status_code == 200


@pytest.mark.parametrize("path", ["/market/shares-00000000.svg", "/market/%3Cscript%3E.csv", "/market/x.png"])
def test_an_unknown_chart_is_404(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert error_of(response)["code"] == "chart_missing"
    assert "<script>" not in client.get(path, headers=HTML).text


def test_an_unknown_format_is_refused(client: TestClient) -> None:
    assert client.get(f"/market/{BOARD[0].chart_id}.exe").status_code == 422


def test_hostile_strings_stay_text(client: TestClient) -> None:
    chart = next(c for c in BOARD if "script" in c.points[0].subject)
    assert "&lt;script&gt;甲" in client.get("/market").text
    for path in ("/market", "/figures", f"/market/{chart.chart_id}.svg"):
        text = client.get(path).text
        assert "<script>" not in text
        assert "<i>" not in text
        assert "<svg onload" not in text
    assert "'=cmd" in client.get(f"/market/{chart.chart_id}.csv").text


# --- the ledger


def test_the_ledger_shows_each_figure_with_a_link_to_its_sentence(client: TestClient) -> None:
    text = client.get("/figures").text
    assert f"{len(FIGURES)} 条" in text
    for f in FIGURES:
        assert f"/documents/{quote(f.doc_id, safe='')}?start={f.start}&amp;end={f.end}#{f.start}-{f.end}" in text
    assert "超30万亿次" in text


@pytest.mark.parametrize(
    ("asked", "count"),
    [({"subject": "青禾云"}, 2), ({"attribute": "份额"}, 4), ({"period": "2024-06"}, 3), ({"document": "third"}, 1)],
)
def test_the_ledger_filters_as_the_api_does(client: TestClient, asked: dict[str, str], count: int) -> None:
    text = client.get("/figures", params=asked).text
    found = client.get("/api/figures", params=asked).json()["figures"]
    assert len(found) >= count
    assert len(re.findall(r"#\d+-\d+\"", text)) == len(found)
    assert "/api/figures?format=csv&amp;" + "&amp;".join(f"{k}={quote(v)}" for k, v in asked.items()) in text


def test_a_long_ledger_comes_200_a_page() -> None:
    many = [replace(FIGURES[7], figure_id=f"second:{n}", subject=f"公司{n}") for n in range(450)]
    with client_over(*many) as client:
        pages = [client.get("/figures", params={"page": n, "attribute": "用户"}).text for n in (1, 2, 3, 99)]
    assert [len(re.findall(r"#\d+-\d+\"", p)) for p in pages] == [200, 200, 50, 50]
    assert "page=2" in pages[0]
    assert f"attribute={quote('用户')}&amp;page=2" in pages[0]
