"""The chat page in a real browser: typing, the side panel, follow-ups, a narrow window, no JavaScript."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.web.browser import NEEDS_BROWSER, Site, Tab
from tests.web.fake_service import (
    DIGEST_CITATION,
    HOSTILE,
    HOSTILE_CITATION,
    IDC_CITATION,
    MESSY_CITATION,
)

pytestmark = NEEDS_BROWSER


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def tab(browser: Any, site: Site) -> Iterator[Tab]:
    tab = Tab(browser, site, viewport={"width": 1400, "height": 860})
    yield tab
    tab.context.close()
    assert tab.complaints == []


def test_enter_asks_and_the_address_answers_the_same_after_a_reload(tab: Tab) -> None:
    tab.page.goto("/")
    turn = tab.ask("市场规模是多少？")
    assert "223亿元" in turn.inner_text()
    assert tab.page.input_value("#q") == ""
    turn.locator(".more").wait_for()
    shown = turn.inner_text().split()
    assert "q=" in tab.page.url
    tab.page.reload()
    assert tab.page.locator(".turn").inner_text().split() == shown


def test_shift_enter_and_an_input_method_do_not_send(tab: Tab, site: Site) -> None:
    tab.page.goto("/")
    tab.page.fill("#q", "第一行")
    tab.page.press("#q", "Shift+Enter")
    tab.page.locator("#q").press_sequentially("第二行")
    assert tab.page.input_value("#q") == "第一行\n第二行"
    for fields in ("isComposing: true", "keyCode: 229"):
        tab.page.evaluate(
            "document.getElementById('q').dispatchEvent("
            f"new KeyboardEvent('keydown', {{key: 'Enter', bubbles: true, cancelable: true, {fields}}}))"
        )
    tab.page.wait_for_timeout(100)
    assert site.service.asked == []


@pytest.mark.parametrize(
    ("question", "citation"),
    [("市场规模？", IDC_CITATION), ("香港呢？", MESSY_CITATION), ("<b>标签", HOSTILE_CITATION)],
    ids=["plain", "pinyin-and-crlf", "hostile"],
)
def test_a_mark_opens_the_source_at_the_very_characters(tab: Tab, question: str, citation: Any) -> None:
    tab.page.goto("/")
    mark = tab.ask(question).locator(".text .mark").first
    mark.click()
    cited = tab.page.locator("#panel .cited")
    cited.wait_for()
    assert cited.evaluate("node => node.textContent") == citation.quote
    assert citation.title in tab.page.locator("#panel").inner_text()
    assert cited.evaluate("node => document.activeElement.matches('.panel-title')")
    tab.page.keyboard.press("Escape")
    assert tab.page.locator("#panel").is_hidden()
    assert mark.evaluate("node => node === document.activeElement")


def test_a_mark_opens_with_the_keyboard_too(tab: Tab) -> None:
    tab.page.goto("/")
    tab.ask("市场规模？").locator(".text .mark").first.focus()
    tab.page.keyboard.press("Enter")
    tab.page.locator("#panel .cited").wait_for()
    tab.page.click("#panel-close")
    assert tab.page.locator("#panel").is_hidden()


def test_the_panel_scrolls_to_a_citation_far_down(tab: Tab) -> None:
    tab.page.goto("/")
    mark = tab.ask("香港呢？").locator(".text .mark").first
    far = f"/panel/{quote('香港報告')}?start=9000&end=9010"
    mark.evaluate("(node, far) => node.dataset.panel = far", far)
    mark.click()
    cited = tab.page.locator("#panel .cited")
    cited.wait_for()
    box = cited.bounding_box()
    assert box is not None
    assert 56 < box["y"] < 860
    bar, about = tab.page.locator("#panel .panel-bar").bounding_box(), tab.page.locator("#panel .about").bounding_box()
    assert bar is not None
    assert about is not None
    # whose words these are stays in view: right under the panel's bar, above the citation
    assert bar["y"] + bar["height"] - 1 <= about["y"] < bar["y"] + bar["height"] + 2
    assert about["y"] + about["height"] <= box["y"]


def test_a_digest_is_marked_in_the_answer_and_in_the_panel(tab: Tab) -> None:
    tab.page.goto("/")
    turn = tab.ask("对比两家机构")
    assert turn.locator(".source-digest").inner_text() == "摘要,非原文"
    assert turn.locator("table tbody tr").count() == 2
    turn.locator(".text .mark", has_text="[2]").click()
    tab.page.locator("#panel .cited").wait_for()
    assert tab.page.locator("#panel .source-digest").inner_text() == "摘要,非原文"
    assert tab.page.locator("mark.cited").inner_text() == DIGEST_CITATION.quote


def test_a_follow_up_sends_what_was_asked_before_even_after_a_reload(tab: Tab, site: Site) -> None:
    tab.page.goto("/")
    tab.ask("市场规模？")
    turn = tab.ask("那香港呢？")
    assert "理解为" in turn.inner_text()
    assert site.service.asked[-1][:2] == ("那香港呢？", ("市场规模？",))
    tab.page.reload()
    tab.ask("再说一遍")
    assert site.service.asked[-1][:2] == ("再说一遍", ("市场规模？", "那香港呢？"))


def test_an_example_asks_and_the_language_choice_is_kept(tab: Tab, site: Site) -> None:
    tab.page.goto("/")
    tab.page.select_option("#lang", "en")
    tab.page.locator(".chip").first.click()
    tab.page.locator(".turn[data-asked]").wait_for()
    assert site.service.asked[-1][2] == "en"
    assert "Sources" in tab.page.locator(".turn").inner_text()
    assert tab.page.locator("#hero").is_hidden()
    assert "lang=en" in tab.page.url


def test_a_hostile_page_runs_nothing(tab: Tab) -> None:
    question = """<script>alert("q")</script><img src=x onerror="alert(2)">"""
    tab.page.goto("/")
    assert tab.ask(question).locator(".asked").inner_text().endswith(question)
    tab.page.goto(f"/documents/{quote(HOSTILE.doc_id, safe='')}")
    assert tab.page.locator(".source-text").inner_text() == HOSTILE.text


@pytest.mark.parametrize(
    ("question", "words"),
    [("崩溃", "服务内部出错"), ("没有索引", "yuntu rebuild"), ("长" * 300, "最多 200 个"), ("x" * 100_000, "64 KB")],
    ids=["crash", "no-index", "too-long", "huge"],
)
def test_an_error_is_shown_in_words_and_nothing_typed_is_lost(
    browser: Any, site: Site, question: str, words: str
) -> None:
    tab = Tab(browser, site)  # the browser itself logs the failed request, so the console is not looked at
    tab.page.goto("/")
    tab.page.fill("#q", question)
    tab.page.press("#q", "Enter")
    card = tab.page.locator(".failed")
    card.wait_for()
    assert words in card.inner_text()
    assert tab.page.input_value("#q") == question
    tab.ask("市场规模？")
    assert tab.page.locator(".failed").count() == 0
    assert site.service.asked[-1][1] == ()  # a question that failed is no part of the conversation
    tab.context.close()


def test_a_server_that_is_gone_is_said_to_be_and_can_be_tried_again(browser: Any, site: Site) -> None:
    tab = Tab(browser, site)
    tab.page.goto("/")
    tab.page.route("**/ask", lambda route: route.abort())
    tab.page.fill("#q", "市场规模？")
    tab.page.press("#q", "Enter")
    tab.page.locator(".failed").wait_for()
    assert "连不上服务" in tab.page.locator(".failed").inner_text()
    tab.page.unroute("**/ask")
    tab.page.click("[data-retry]")
    tab.page.locator(".turn[data-asked]").wait_for()
    assert tab.page.input_value("#q") == ""
    tab.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_of_a_narrow_window(browser: Any, site: Site, scheme: str) -> None:
    tab = Tab(browser, site, viewport={"width": 360, "height": 740}, color_scheme=scheme, has_touch=True)

    def fits() -> bool:
        width: int = tab.page.evaluate("document.documentElement.scrollWidth")
        return width <= 360

    tab.page.goto("/")
    assert fits()
    turn = tab.ask("对比两家机构，" + "https://example.org/" + "long" * 30)
    assert fits()
    turn.locator(".text .mark").first.click()
    tab.page.locator("#panel .cited").wait_for()
    sheet = tab.page.locator("#panel").bounding_box()
    assert sheet is not None
    assert sheet["width"] == 360
    assert sheet["y"] > 100  # a sheet from below: the answer stays in sight
    assert fits()
    tab.page.mouse.click(180, 60)  # beside the sheet
    assert tab.page.locator("#panel").is_hidden()
    for path in ("/?lang=en", "/documents", f"/documents/{quote(HOSTILE.doc_id, safe='')}", "/documents?lang=en"):
        tab.page.goto(path)
        assert fits(), path
    tab.context.close()
    assert tab.complaints == []


def test_everything_works_without_javascript(browser: Any, site: Site) -> None:
    tab = Tab(browser, site, java_script_enabled=False)
    tab.page.goto("/")
    tab.page.fill("#q", "香港市场多大？")
    tab.page.click("#send")
    assert "3,000億元" in tab.page.locator(".turn .text").inner_text()
    tab.page.fill("#q", "对比两家机构")
    tab.page.click("#send")
    assert site.service.asked[-1][:2] == ("对比两家机构", ("香港市场多大？",))
    tab.page.locator(".text .mark", has_text="[2]").click()
    tab.page.wait_for_url("**/documents/**")
    assert tab.page.locator("mark.cited").text_content() == DIGEST_CITATION.quote
    assert tab.page.locator(".source-digest").first.inner_text() == "摘要,非原文"
    tab.page.go_back()
    tab.page.locator(".earlier a").click()
    assert "3,000億元" in tab.page.locator(".turn .text").inner_text()
    tab.page.locator(".turn .text .mark").click()
    tab.page.wait_for_url("**/documents/**")
    assert tab.page.locator("mark.cited").text_content() == MESSY_CITATION.quote
    tab.context.close()
    assert tab.complaints == []
