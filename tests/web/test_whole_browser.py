"""The whole thing as users have it, nothing faked: real answers over real pages, in a real browser."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.assistant import Assistant
from tests.conftest import ROOT
from tests.web.browser import NEEDS_BROWSER, Site, Tab

pytestmark = [pytest.mark.alone, *NEEDS_BROWSER, pytest.mark.slow]

SCREENS = ROOT / "var" / "screenshots"  # to be looked at, and kept by CI; never in git


@pytest.fixture(scope="module")
def site(shipped: Assistant) -> Iterator[Site]:
    site = Site(shipped)
    yield site
    site.stop()


@pytest.fixture(scope="module")
def article_site(articles: Assistant) -> Iterator[Site]:
    site = Site(articles)
    yield site
    site.stop()


@pytest.fixture
def tab(browser: Any, site: Site) -> Iterator[Tab]:
    tab = Tab(browser, site, viewport={"width": 1440, "height": 900})
    yield tab
    tab.context.close()
    assert tab.complaints == []


def cited(tab: Tab, mark: Any) -> str:
    """What the panel highlights when a mark is clicked."""
    mark.click()
    tab.page.locator("#panel .cited").wait_for()
    text: str = tab.page.locator("#panel .cited").evaluate("node => node.textContent")
    return text


@pytest.mark.parametrize(
    "question",
    [
        "2025年上半年火山引擎在中國公有雲大模型調用量裡占多大份額？",
        "2024年中国AI大模型市场规模是多少？",
        "豆包日均Token調用量2025年3月是多少？",
    ],
)
def test_what_a_mark_highlights_is_what_is_quoted_in_damaged_and_traditional_sources(
    browser: Any, article_site: Site, question: str
) -> None:
    tab = Tab(browser, article_site, viewport={"width": 1440, "height": 900})
    tab.page.goto("/")
    turn = tab.ask(question)
    answer = article_site.service.ask(question)
    assert not answer.refused
    for citation in answer.citations:
        mark = turn.locator(".text .mark", has_text=f"[{citation.marker}]").first
        document = article_site.service.document(citation.doc_id)
        assert cited(tab, mark) == citation.quote == document.text[citation.start : citation.end]
    tab.context.close()
    assert tab.complaints == []


def test_a_conflict_is_a_table_with_the_scope_of_every_figure(tab: Tab) -> None:
    tab.page.goto("/")
    turn = tab.ask("火山引擎的份额是多少？")
    rows = turn.locator(".text tbody tr").all_inner_texts()
    assert len(rows) >= 2
    assert any("IDC" in row for row in rows)
    assert any("Omdia" in row for row in rows)


def test_a_refusal_gives_its_reason_and_three_questions_that_are_answered(tab: Tab) -> None:
    question = "腾讯云2025年上半年的份额是多少？"
    tab.site.service.suggestions(tab.site.service.ask(question), budget_s=60)  # a busy machine finds fewer in time
    tab.page.goto("/")
    turn = tab.ask(question)
    assert turn.locator(".refused .reason").inner_text()
    chips = turn.locator(".more .chip")
    chips.first.wait_for()
    assert chips.count() == 3
    for n in range(3):
        chips.nth(n).click()
        answered = tab.page.locator(".turn[data-asked]").nth(n + 1)
        answered.wait_for()
        assert answered.locator(".refused").count() == 0
        chips = turn.locator(".more .chip")


def test_the_first_words_come_soon(site: Site) -> None:
    questions = [*site.service.examples(), "火山引擎的份额是多少？", "豆包日均tokens怎么变化的？", "红烧肉怎么做？"]
    waits = []
    with httpx.Client(base_url=site.url, timeout=60) as client:
        for question in questions * 2:
            began = time.perf_counter()
            with client.stream("POST", "/api/ask/stream", json={"question": question}) as reply:
                for line in reply.iter_lines():
                    if line == "event: text":
                        waits.append(time.perf_counter() - began)
                        break
    assert len(waits) == 2 * len(questions)
    print(f"first words after {statistics.median(waits) * 1000:.0f} ms (median)")
    assert statistics.median(waits) <= 2.0  # 0.43 measured on an idle machine (docs/pages.md); this one is shared


@pytest.mark.parametrize(("width", "height"), [(360, 740), (1440, 900)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_pictured_and_none_sticks_out(
    browser: Any, site: Site, width: int, height: int, scheme: str
) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    tab = Tab(browser, site, viewport={"width": width, "height": height}, color_scheme=scheme)
    document = site.service.documents()[1].doc_id
    paths = {
        "start": "/",
        "conflict": "/?q=火山引擎的份额是多少？",
        "fact": "/?q=2024年快手的线上营销服务收入是多少？",
        "refusal": "/?q=腾讯云的份额是多少？&lang=zh-Hant",
        "timeline": "/?q=豆包日均tokens怎么变化的？&lang=en",
        "document": f"/documents/{document}?start=646&end=723",
        "documents": "/documents",
        "coverage": "/coverage",
        "audit": "/audit",
        "market": "/market",
        "figures": "/figures",
    }
    for name, path in paths.items():
        tab.page.goto(path)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width, path
        picture(tab, SCREENS / f"{name}-{width}-{scheme}.png")
    tab.context.close()
    assert tab.complaints == []


def picture(tab: Tab, path: Path) -> None:
    tab.page.screenshot(path=path)
    assert path.stat().st_size > 5000
