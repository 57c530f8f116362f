"""The market board in a real browser: marks that lead to their words, a phone's width, the keyboard, no JavaScript."""

from collections.abc import Iterator
from typing import Any

import pytest

from rag.board import Chart
from tests.web.browser import NEEDS_BROWSER, Site, Tab
from tests.web.fake_market import MarketService

pytestmark = NEEDS_BROWSER
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site(MarketService())
    yield site
    site.stop()


@pytest.fixture
def tab(browser: Any, site: Site) -> Iterator[Tab]:
    tab = Tab(browser, site, viewport={"width": 1400, "height": 860})
    yield tab
    tab.context.close()
    assert tab.complaints == []


def chart_of(kind: str) -> Chart:
    return next(c for c in MarketService().board() if c.kind == kind)


@pytest.mark.parametrize("kind", ["shares", "timeline", "compare", "conflict"])
def test_a_mark_leads_to_the_page_with_its_sentence_marked(tab: Tab, kind: str) -> None:
    chart = chart_of(kind)
    for n in range(len(chart.points)):
        tab.page.goto("/market")
        mark = tab.page.locator(f"#{chart.chart_id} svg a").nth(n)
        label = mark.get_attribute("aria-label") or ""
        mark.click()
        tab.page.wait_for_url("**/documents/**")
        cited = tab.page.locator("mark.cited").text_content()
        assert cited in {p.document.text[p.figure.start : p.figure.end] for p in chart.points}
        assert any(p.figure.value in cited and p.figure.value in label for p in chart.points)
        assert tab.page.locator("mark.cited").is_visible()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", ["/market", "/market?lang=en", "/market?lang=zh-Hant", "/figures", "/figures?lang=en"])
def test_nothing_sticks_out_of_a_narrow_window(browser: Any, site: Site, scheme: str, path: str) -> None:
    tab = Tab(browser, site, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    tab.page.goto(path)
    for details in tab.page.locator("details").all():
        details.locator("summary").click()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    for box in tab.page.evaluate(
        "[...document.querySelectorAll('svg.chart text')].map(e => { const b = e.getBoundingClientRect(),"
        " s = e.closest('.card').getBoundingClientRect(); return [b.left - s.left, s.right - b.right, b.height]; })"
    ):
        assert min(box[:2]) >= 0, "text sticks out of its card"
        assert box[2] >= 10, "text too small to read"
    tab.context.close()
    assert tab.complaints == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_and_marks_stand_out_from_the_card(browser: Any, site: Site, scheme: str) -> None:
    tab = Tab(browser, site, color_scheme=scheme)
    tab.page.goto("/market")
    card = tab.page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    texts = tab.page.evaluate("[...document.querySelectorAll('svg.chart text')].map(e => getComputedStyle(e).fill)")
    shapes = tab.page.evaluate(
        "[...document.querySelectorAll('svg.chart a path')].map(e => getComputedStyle(e).stroke)"
    )
    assert min(contrast(colour, card) for colour in set(texts)) >= 4.5
    assert min(contrast(colour, card) for colour in set(shapes)) >= 3
    tab.context.close()


def contrast(one: str, other: str) -> float:
    """WCAG contrast of two rgb(…) colours."""

    def light(colour: str) -> float:
        parts = [int(p) / 255 for p in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_marks_and_table_are_reached_by_keyboard(tab: Tab) -> None:
    chart = chart_of("shares")
    card = tab.page.locator(f"#{chart.chart_id}")
    tab.page.goto("/market")
    card.locator("svg a").first.focus()
    for _ in range(len(chart.points)):
        tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.tagName") == "SUMMARY"
    tab.page.keyboard.press("Enter")
    assert card.locator("table").is_visible()
    rows = card.locator("tbody tr")
    assert rows.count() == len(chart.points)
    assert chart.points[0].figure.value in rows.first.inner_text()
    tab.page.keyboard.press("Tab")  # the table scrolls by keyboard too
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/documents/**")
    assert chart.points[0].figure.value in (tab.page.locator("mark.cited").text_content() or "")


def test_filter_and_downloads_work_without_javascript(browser: Any, site: Site) -> None:
    tab = Tab(browser, site, java_script_enabled=False)
    tab.page.goto("/")
    tab.page.click("nav a[href^='/market']")
    tab.page.fill("input[name=subject]", "白鹭云")
    tab.page.click(".filter button")
    assert tab.page.locator(".card").count() == len(MarketService().board("白鹭云"))
    with tab.page.expect_download() as download:
        tab.page.locator("a[download]", has_text="PNG").first.click()
    assert download.value.suggested_filename.endswith(".png")
    tab.page.click("a[href^='/figures']")
    tab.page.fill("input[name=period]", "2024-11")
    tab.page.click(".filter button")
    tab.page.click("tbody a")
    tab.page.wait_for_url("**/documents/**")
    assert "5600万" in (tab.page.locator("mark.cited").text_content() or "")
    tab.context.close()
    assert tab.complaints == []
