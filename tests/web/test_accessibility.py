"""Every page, light and dark, under axe-core: nothing serious or critical."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import pytest

from tests.web.browser import NEEDS_BROWSER, Site, Tab
from tests.web.fake_market import MarketService
from tests.web.fake_service import DIGEST, IDC, MESSY, FakeService

pytestmark = NEEDS_BROWSER

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = [
    "/",
    "/?q=规模",
    "/?q=对比&turn=规模&v=v-gone",
    "/?q=推荐股票&lang=en",
    "/?q=那香港呢&lang=zh-Hant",
    "/documents",
    f"/documents/{IDC.doc_id}?start=26&end=55",
    f"/documents/{quote(DIGEST.doc_id, safe='')}?start=1&end=9999",
    f"/documents/{MESSY.doc_id}?script=zh-Hans",
    "/coverage",
    "/audit",
    f"/audit/{MESSY.doc_id}",
    "/figures",
    "/market",
    "/market?subject=nobody",
    "/nowhere",
]


class EveryService(FakeService):
    """Answers like the one, charts like the other."""

    def board(self, subject: str | None = None) -> Any:
        return MarketService().board(subject)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site(EveryService())
    yield site
    site.stop()


def violations(tab: Tab) -> list[str]:
    """What axe calls serious or critical, each with the elements it means."""
    tab.page.evaluate(AXE)
    options = {"runOnly": {"type": "tag", "values": RULES}}
    found = tab.page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        f"{v['id']} ({v['impact']}): {[node['html'][:120] for node in v['nodes'][:3]]}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_nothing_serious(browser: Any, site: Site, path: str, scheme: str) -> None:
    tab = Tab(browser, site, viewport={"width": 1280, "height": 800}, color_scheme=scheme, bypass_csp=True)
    tab.page.goto(path)
    assert violations(tab) == []
    tab.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nor_have_its_parts_that_open(browser: Any, site: Site, scheme: str, width: int) -> None:
    tab = Tab(browser, site, viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    tab.page.goto("/")
    turn = tab.ask("对比两家机构")
    turn.locator(".more").wait_for()
    turn.locator(".quoting summary").first.click()
    turn.locator("[data-verdict=down]").click()
    assert violations(tab) == []
    turn.locator(".text .mark").first.click()
    tab.page.locator("#panel .cited").wait_for()
    assert violations(tab) == []
    tab.page.keyboard.press("Escape")
    tab.page.click("#history-open")
    assert violations(tab) == []
    tab.context.close()
