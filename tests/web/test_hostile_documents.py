"""Documents that carry markup wherever one can be carried: all of it inert on every page, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from index.settings import Settings
from index.snapshot import open_current
from rag.assistant import Assistant
from tests.fakes import FakeEncoder
from tests.index.small import build, write_corpus
from tests.web.browser import NEEDS_BROWSER, Site, Tab
from web.urls import document_url

pytestmark = NEEDS_BROWSER

RUN = "window.hit=(window.hit||0)+1"
PAYLOADS = [
    f"<script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</template><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"</svg><script>{RUN}</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<SCRIPT SRC=data:text/javascript,{RUN}></SCRIPT>",
    f"<script type=module>{RUN}</script>",
    "<script src=/static/chat.js></script>",
    f"<img src=x onerror={RUN}>",
    f"<img src=x onerror='{RUN}'>",
    f'"><img src=x onerror="{RUN}">',
    f"'><img src=x onerror='{RUN}'>",
    f'" autofocus onfocus="{RUN}" x="',
    f"' onmouseover='{RUN}' x='",
    f"` onclick=`{RUN}`",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>",
    f"<svg><use href='data:image/svg+xml,<svg onload={RUN}/>'/></svg>",
    f"<svg><a xlink:href='javascript:{RUN}'><text y=20>按</text></a></svg>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}></style></table></math>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<audio src=x onerror={RUN}>",
    f"<marquee onstart={RUN}>",
    f"<iframe src='javascript:parent.{RUN}'></iframe>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<object data='javascript:{RUN}'></object>",
    f"<embed src='javascript:{RUN}'>",
    f"<a href='javascript:{RUN}'>按</a>",
    f"<a href='JaVaScRiPt:{RUN}'>按</a>",
    f"<a href='java\tscript:{RUN}'>按</a>",
    f"<form action='javascript:{RUN}'><button>按</button></form>",
    f"<button formaction='javascript:{RUN}'>按</button>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<p style='background:url(https://evil.example/x)'>",
    f"<div style=animation-name:x onanimationstart={RUN}>",
    f"{{{{ ''.__class__ }}}}{{% raw %}}<script>{RUN}</script>",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"\u2028<script>{RUN}</script>\u2029",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"<!--><script>{RUN}</script-->",
    f"]]><script>{RUN}</script><![CDATA[",
    f"[按](javascript:{RUN})",
    f"data:text/html,<script>{RUN}</script>",
    f"\u202e<script>{RUN}</script>\u2066",
    f"\u2069\u200b<img src=x onerror={RUN}>\u202c",
]
URLS = [f"javascript:{RUN}", f"JAVASCRIPT:{RUN}", f"data:text/html,<script>{RUN}</script>", f"vbscript:{RUN}"]


def texts() -> dict[str, str]:
    found = {}
    for n, payload in enumerate(PAYLOADS):
        about = {
            "title": f"{payload} 第{n}篇",
            "publisher": payload,
            "author": payload,
            "url": URLS[n % len(URLS)] if n % 2 else payload,
            "examples": [f"{payload}是什么？"],
        }
        front = yaml.safe_dump(about, allow_unicode=True, width=1000)
        body = (
            f"2025年上半年，阿里云的营收为{300 + n}亿元，{payload}也这样说。\n\n"
            f"2024年，腾讯云的营收为{100 + n}亿元。\n\n关于{payload}的说明到此为止，没有别的内容了。\n\n{payload}\n"
        )
        name = payload.replace("/", "∕").replace("\t", " ")[:40]  # a file's name becomes its doc_id
        found[f"d{n:02}{name}.md"] = f"---\n{front}---\n{body}"
    return found


@pytest.fixture
def site(tmp_path: Path, fake_encoder: FakeEncoder) -> Iterator[Site]:
    build(write_corpus(tmp_path / "corpus", texts()), tmp_path / "index")
    settings = Settings.from_env({}).model_copy(update={"index": tmp_path / "index", "threshold": 0.0})
    site = Site(Assistant(open_current(tmp_path / "index"), fake_encoder, settings), feedback=tmp_path / "said.jsonl")
    yield site
    site.stop()


def test_fifty_payloads_are_inert_on_every_page(browser: Any, site: Site) -> None:
    assert len(PAYLOADS) >= 50
    tab = Tab(browser, site)
    documents = site.service.documents()
    assert len(documents) == len(PAYLOADS)
    answers = [
        "/?q=2025年上半年阿里云的营收是多少",
        "/?q=腾讯云2024年的营收&lang=en",
        "/?q=<script>window.hit=1</script>",
    ]
    pages = ["/", *answers, "/documents", "/coverage", "/audit", "/figures", "/market", "/market?page=2"]
    pages += [document_url(d.doc_id, 0, 20) for d in documents]
    pages += [document_url(d.doc_id, script="zh-Hant") for d in documents[:5]]
    for path in pages:
        assert tab.page.goto(path).status == 200, path
        inert(tab, path)
    tab.page.goto("/")
    for question in ("2025年上半年阿里云的营收是多少", PAYLOADS[0]):  # what scripts put into the page
        turn = tab.ask(question)
        turn.locator(".text .mark").first.click()
        tab.page.locator("#panel .panel-title").wait_for()
        inert(tab, question)
        tab.page.keyboard.press("Escape")
        turn.locator("[data-verdict=up]").click()
    tab.page.click("#history-open")
    inert(tab, "history")
    tab.context.close()
    assert tab.complaints == []  # not even a violation of the policy that would have stopped it


def test_what_does_not_show_is_marked_and_turns_nothing_around_it(browser: Any, site: Site) -> None:
    tab = Tab(browser, site)
    document = next(d for d in site.service.documents() if "\u202e" in d.text)
    tab.page.goto(document_url(document.doc_id, 0, 20))
    marks = tab.page.locator(".source-text .unseen")
    drawn = marks.evaluate_all("nodes => nodes.map((n) => getComputedStyle(n, '::before').content)")
    assert {'"U+202E"', '"U+2066"'} == set(drawn)
    last = tab.page.locator("h1").evaluate(  # a title that opens with an override still ends at its right
        """node => {
            const text = node.lastChild, range = document.createRange();
            const left = (n) => {
                range.setStart(text, n);
                range.setEnd(text, n + 1);
                return range.getBoundingClientRect().left;
            };
            return left(text.length - 2) < left(text.length - 1);
        }"""
    )
    assert last
    tab.context.close()
    assert tab.complaints == []


def inert(tab: Tab, where: str) -> None:
    assert tab.page.evaluate("window.hit") is None, where
    wrong = tab.page.evaluate(
        """() => [...document.querySelectorAll('*')].filter((e) =>
            [...e.attributes].some((a) => a.name.startsWith('on'))
            || ['href', 'src', 'action', 'formaction', 'xlink:href'].some((n) =>
                /^\\s*(java|vb)script:|^data:/i.test(e.getAttribute(n) ?? ''))
            || ['IFRAME', 'OBJECT', 'EMBED', 'BASE', 'MARQUEE'].includes(e.tagName)
            || (e.tagName === 'SCRIPT' && !e.src.startsWith(location.origin + '/static/'))
        ).map((e) => e.outerHTML.slice(0, 200))"""
    )
    assert wrong == [], where


def test_the_documents_are_shown_in_their_very_characters(browser: Any, site: Site) -> None:
    tab = Tab(browser, site)
    for document in site.service.documents()[::7]:
        tab.page.goto(document_url(document.doc_id))
        assert tab.page.locator(".source-text").evaluate("node => node.textContent") == document.text
        assert tab.page.locator("h1").inner_text().split() == document.title.split()
    tab.context.close()
    assert tab.complaints == []
