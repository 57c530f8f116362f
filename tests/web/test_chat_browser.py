"""What one does around an answer in a real browser: wait, stop, lose the server, go on, quote, share, look back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.web.browser import NEEDS_BROWSER, Site, Tab
from tests.web.fake_service import IDC, IDC_CITATION, MESSY, MESSY_CITATION, SHARE_CITATION, FakeService
from web.service import Service
from web.versions import VersionGone

pytestmark = NEEDS_BROWSER
WRITTEN = "慢慢写出来"
LATE = "市场规模？慢"  # the fake service takes 0.3 s for each stage of it


class OldService(FakeService):
    version = "v-old-1"


def reopen(version: str) -> Service:
    if version != "v-old-1":
        raise VersionGone(version)
    return OldService()


@pytest.fixture(scope="module")
def feedback_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("said") / "feedback.jsonl"


@pytest.fixture(scope="module")
def site(feedback_file: Path) -> Iterator[Site]:
    site = Site(reopen=reopen, feedback=feedback_file)
    yield site
    site.stop()


@pytest.fixture
def tab(browser: Any, site: Site) -> Iterator[Tab]:
    tab = Tab(browser, site, viewport={"width": 1400, "height": 860}, permissions=["clipboard-read", "clipboard-write"])
    yield tab
    tab.context.close()
    assert tab.complaints == []


def pasted(tab: Tab) -> str:
    text: str = tab.page.evaluate("navigator.clipboard.readText()")
    return text


def send(tab: Tab, question: str) -> None:
    tab.page.fill("#q", question)
    tab.page.press("#q", "Enter")


# --- while one waits


def test_the_stages_show_while_an_answer_is_worked_on(tab: Tab) -> None:
    tab.page.goto("/")
    tab.page.evaluate("""() => {
        window.seen = [];
        const stages = () => document.querySelectorAll("#log .stages [aria-current]");
        const look = () => stages().forEach((stage) => seen.push(stage.textContent));
        new MutationObserver(look).observe(document.getElementById("log"), { subtree: true, attributes: true });
    }""")
    send(tab, LATE)
    tab.page.locator(".turn[data-asked]").wait_for()
    assert list(dict.fromkeys(tab.page.evaluate("seen"))) == ["理解问题", "检索资料", "阅读原文", "写出答案"]
    assert tab.page.locator(".stages").count() == 0


def test_sentences_that_are_sure_stand_there_before_the_answer_is_whole(tab: Tab) -> None:
    tab.page.goto("/")
    tab.page.evaluate("""() => {
        window.seen = [];
        const look = () => document.querySelectorAll("#log [data-written]").forEach((p) => seen.push(p.textContent));
        new MutationObserver(look).observe(document.getElementById("log"), { subtree: true, childList: true });
    }""")
    send(tab, WRITTEN)
    tab.page.locator(".turn[data-asked]").wait_for()
    assert tab.page.evaluate("seen").count("第一句<b>是</b>这样。[1]") >= 1
    assert "第一句<b>是</b>这样。[1]第二句也是。[1]" in tab.page.evaluate("seen")
    assert tab.page.locator("[data-written]").count() == 0
    assert tab.complaints == []


def test_stop_ends_the_question_and_gives_it_back(tab: Tab, site: Site) -> None:
    tab.page.goto("/")
    send(tab, LATE)
    tab.page.locator(".stages [aria-current]").wait_for()
    tab.page.click("#stop")
    card = tab.page.locator(".failed")
    card.wait_for()
    assert "已停止" in card.inner_text()
    assert tab.page.input_value("#q") == LATE
    assert tab.page.locator("#send").is_visible()
    tab.page.click("[data-retry]")
    tab.page.locator(".turn[data-asked]").wait_for()
    assert len(site.service.asked) == 2


def test_a_second_enter_does_not_ask_twice(tab: Tab, site: Site) -> None:
    tab.page.goto("/")
    send(tab, LATE)
    tab.page.fill("#q", "还没答完就又问")
    tab.page.press("#q", "Enter")
    tab.page.locator(".turn[data-asked]").wait_for()
    assert [asked[0] for asked in site.service.asked] == [LATE]
    assert tab.page.input_value("#q") == "还没答完就又问"


@pytest.mark.parametrize("sent", ["", 'event: stage\ndata: {"stage": "read", "question": ""}\n\n', "event: tur"])
def test_a_connection_lost_on_the_way_is_said_and_nothing_typed_is_lost(tab: Tab, sent: str) -> None:
    tab.page.goto("/")
    tab.page.route("**/ask", lambda route: route.fulfill(body=sent, content_type="text/event-stream"))
    send(tab, "市场规模？")
    tab.page.locator(".failed").wait_for()
    assert "连接断了" in tab.page.locator(".failed").inner_text()
    assert tab.page.input_value("#q") == "市场规模？"
    tab.page.unroute("**/ask")
    tab.page.click("[data-retry]")
    tab.page.locator(".turn[data-asked]").wait_for()
    assert tab.page.locator(".failed").count() == 0


def test_a_slow_network_is_said_to_be(tab: Tab) -> None:
    tab.page.clock.install()
    tab.page.goto("/")
    held: list[Any] = []
    tab.page.route("**/ask", lambda route: held.append(route))
    send(tab, "市场规模？")
    hint = tab.page.locator("[data-slow]")
    hint.wait_for(state="attached")
    assert hint.is_hidden()
    tab.page.clock.fast_forward(9000)
    hint.wait_for()
    held[0].continue_()
    tab.page.locator(".turn[data-asked]").wait_for()


def test_what_is_typed_survives_a_reload_and_the_back_button(tab: Tab) -> None:
    tab.page.goto("/")
    tab.ask("市场规模？")
    tab.page.fill("#q", "写了一半")
    tab.page.reload()
    assert tab.page.input_value("#q") == "写了一半"
    tab.page.goto("/documents")
    tab.page.go_back()
    assert "223亿元" in tab.page.locator(".turn").inner_text()
    assert tab.page.input_value("#q") == "写了一半"


def test_a_question_survives_a_reload_while_it_is_answered(tab: Tab) -> None:
    tab.page.goto("/")
    send(tab, LATE)
    tab.page.locator(".stages [aria-current]").wait_for()
    tab.page.reload()
    assert tab.page.input_value("#q") == LATE
    tab.ask("市场规模？")
    tab.page.reload()
    assert tab.page.input_value("#q") == ""


def test_the_way_back_leads_through_the_answers(tab: Tab) -> None:
    tab.page.goto("/")
    tab.ask("市场规模？")
    tab.ask("那香港呢？")
    tab.page.go_back()
    tab.page.locator(".turn .text", has_text="223亿元").wait_for()
    assert tab.page.locator(".turn").count() == 1
    tab.page.go_back()
    tab.page.locator("#hero").wait_for()


def test_an_address_that_is_not_what_is_shown_is_loaded_again_but_once(tab: Tab, site: Site) -> None:
    tab.page.goto("/")
    tab.ask("市场规模？")
    tab.page.add_init_script("history.replaceState(history.state, '', '/?q=' + encodeURIComponent('那香港呢？'))")
    tab.page.reload()
    tab.page.locator(".turn .text", has_text="3,000億元").wait_for()
    tab.page.goto("/?q=a%00b")  # a page cannot hold that character
    tab.page.wait_for_timeout(800)
    assert [question for question, *_ in site.service.asked].count("a\0b") <= 2


def test_why_a_paste_of_ten_thousand_characters_is_turned_away_can_be_seen(browser: Any, site: Site) -> None:
    tab = Tab(browser, site, viewport={"width": 1000, "height": 700})
    tab.page.goto("/")
    send(tab, "份额" * 5000)
    card = tab.page.locator(".failed")
    card.wait_for()
    tab.page.wait_for_function(  # it scrolls there
        "() => { const y = document.querySelector('.failed').getBoundingClientRect().y; return 0 <= y && y < 600 }"
    )
    assert len(tab.page.input_value("#q")) == 10_000
    tab.context.close()


def test_a_question_written_from_right_to_left_is_shown_so_and_breaks_nothing(tab: Tab) -> None:
    question = "ما هي حصة علي بابا؟ 24.6%"
    tab.page.goto("/")
    asked = tab.ask(question).locator(".asked [dir]")
    assert asked.evaluate("node => getComputedStyle(node).direction") == "rtl"
    assert question in asked.inner_text()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 1400


# --- from an answer


def test_chips_go_on_from_an_answer_and_start_anew_from_a_refusal(tab: Tab, site: Site) -> None:
    tab.page.goto("/")
    turn = tab.ask("市场规模？")
    turn.locator(".more .chip").first.click()
    tab.page.locator(".turn[data-asked]").nth(1).wait_for()
    assert site.service.asked[-1][:2] == ("2025年上半年阿里云占比是多少？", ("市场规模？",))
    refused = tab.ask("推荐股票")
    refused.locator(".more .chip").nth(1).wait_for()  # they come after the answer
    assert "资料里能回答的问题" in refused.inner_text()
    refused.locator(".more .chip").nth(1).click()
    tab.page.locator(".turn[data-asked]").nth(3).wait_for()
    assert site.service.asked[-1][:2] == ("对比两家机构", ())


def test_again_asks_the_same_with_the_same_questions_before_it(tab: Tab, site: Site) -> None:
    tab.page.goto("/")
    tab.ask("第一问")
    turn = tab.ask("第二问")
    turn.locator("[data-again]").click()
    tab.page.locator(".turn[data-asked]").nth(2).wait_for()
    assert site.service.asked[-1][:2] == ("第二问", ("第一问",))


def test_an_answer_is_copied_with_its_footnotes_and_one_line_with_its_source(tab: Tab) -> None:
    tab.page.goto("/")
    turn = tab.ask("市场规模？")
    turn.locator("[data-copy-from]").click()
    turn.locator(".said", has_text="已复制").wait_for()
    copied = pasted(tab)
    assert copied.startswith("2025年上半年，中国AI公有云服务市场规模达223亿元")
    assert f"[1] IDC《{IDC.title}》，2025-10-16" in copied
    turn.locator(".quoting summary").first.click()
    turn.locator(".quoting [data-copy]").first.click()
    line = pasted(tab)
    assert IDC_CITATION.readable in line
    assert "2025-10-16" in line
    assert "https://example.org/idc" in line
    assert "\n" not in line


def test_where_copying_is_not_allowed_the_text_is_there_to_be_taken(browser: Any, site: Site) -> None:
    tab = Tab(browser, site)
    tab.page.goto("/")
    turn = tab.ask("市场规模？")
    tab.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    turn.locator("[data-copy-from]").click()
    shown = turn.locator(".by-hand")
    shown.wait_for()
    assert f"[1] IDC《{IDC.title}》" in shown.input_value()
    turn.locator("[data-share]").click()
    turn.locator(".said", has_text="手动复制").wait_for()
    assert turn.locator(".by-hand").input_value().startswith(f"{site.url}/?q=")
    tab.context.close()


def test_a_shared_link_leads_to_the_answer_of_that_version(tab: Tab) -> None:
    tab.page.goto("/")
    tab.ask("市场规模？")
    turn = tab.ask("那对比呢")
    turn.locator("[data-share]").click()
    turn.locator(".said", has_text="链接已复制").wait_for()
    shared = pasted(tab)
    assert "v=v-fake-1" in shared
    shown = turn.locator(".text").inner_text()
    tab.page.goto(shared)
    assert tab.page.locator(".turn .text").inner_text() == shown
    assert tab.page.locator(".notice").count() == 0
    tab.page.goto(shared.replace("v-fake-1", "v-old-1"))
    assert "旧版本的索引" in tab.page.locator(".notice").inner_text()
    tab.page.goto(shared.replace("v-fake-1", "v-0000"))
    assert "已不保留" in tab.page.locator(".notice").inner_text()
    assert tab.page.locator(".turn .text").inner_text() == shown


def test_a_judgement_is_kept_with_its_note(tab: Tab, feedback_file: Path) -> None:
    tab.page.goto("/")
    tab.ask("市场规模？")
    turn = tab.ask("那香港呢？")
    turn.locator("[data-verdict=down]").click()
    assert turn.locator("[data-verdict=down]").get_attribute("aria-pressed") == "true"
    turn.locator(".note textarea").fill("年份不对")
    turn.locator(".note button:not([type])").click()
    turn.locator(".said", has_text="谢谢").wait_for()
    assert turn.locator("[data-verdict=down]").evaluate("node => node === document.activeElement")
    kept = json.loads(feedback_file.read_text().splitlines()[-1])
    assert (kept["verdict"], kept["question"], kept["turns"]) == ("down", "那香港呢？", ["市场规模？"])
    assert (kept["note"], kept["index_version"]) == ("年份不对", "v-fake-1")


def test_a_judgement_that_is_not_kept_says_so_and_keeps_the_note(browser: Any, site: Site) -> None:
    tab = Tab(browser, site)
    tab.page.goto("/")
    turn = tab.ask("市场规模？")
    tab.page.route("**/api/feedback", lambda route: route.abort())
    turn.locator("[data-verdict=up]").click()
    turn.locator(".note textarea").fill("很好")
    turn.locator(".note button:not([type])").click()
    turn.locator(".said", has_text="连不上").wait_for()
    assert turn.locator(".note textarea").input_value() == "很好"
    tab.context.close()


def test_history_is_kept_in_the_browser_and_can_be_cleared(tab: Tab, site: Site) -> None:
    tab.page.goto("/")
    tab.ask("市场规模？")
    tab.ask("那香港呢？")
    tab.page.goto("/")
    tab.page.click("#history-open")
    links = tab.page.locator("#history-list a")
    assert links.all_inner_texts() == ["那香港呢？", "市场规模？"]
    links.first.click()
    assert "3,000億元" in tab.page.locator(".turn .text").inner_text()
    assert site.service.asked[-1][:2] == ("那香港呢？", ("市场规模？",))
    tab.page.click("#history-open")
    tab.page.click("#history-clear")
    assert "还没有问过" in tab.page.locator("#history-list").inner_text()
    tab.page.keyboard.press("Escape")
    assert tab.page.locator("#history").is_hidden()


# --- documents


def test_a_deep_link_marks_the_characters_it_names_with_nothing_but_the_fragment(tab: Tab) -> None:
    for document, citation in ((IDC, SHARE_CITATION), (MESSY, MESSY_CITATION)):
        tab.page.goto(f"/documents/{quote(document.doc_id, safe='')}#{citation.start}-{citation.end}")
        cited = tab.page.locator("mark.cited")
        cited.wait_for()
        assert cited.evaluate("node => node.textContent") == citation.quote
        assert cited.is_visible()
    tab.page.goto(f"/documents/{IDC.doc_id}#5-99999")
    tab.page.locator(".notice").wait_for()
    assert tab.page.locator("mark").count() == 0


def test_reading_in_another_script_changes_no_citation(tab: Tab) -> None:
    tab.page.goto("/")
    mark = tab.ask("香港呢？").locator(".text .mark").first
    mark.click()
    panel = tab.page.locator("#panel")
    panel.locator(".cited").wait_for()
    panel.locator("a", has_text="简体").click()
    panel.locator(".notice", has_text="只供阅读").wait_for()
    assert "中国(guó)的云端市场正在成长" in (panel.locator(".cited").text_content() or "")
    panel.locator("a", has_text="原文").click()
    panel.locator(".notice", has_text="只供阅读").wait_for(state="detached")
    assert panel.locator(".cited").evaluate("node => node.textContent") == MESSY_CITATION.quote
    tab.page.keyboard.press("Escape")
    assert mark.evaluate("node => node === document.activeElement")


def test_sentences_that_state_figures_say_which_and_are_listed_below(tab: Tab) -> None:
    tab.page.goto(f"/documents/{IDC.doc_id}")
    figured = tab.page.locator(".figured").nth(1)
    assert "阿里云占比 24.6%（2025年上半年；口径：=IDC）" in (figured.get_attribute("title") or "")
    tab.page.locator("#figures ~ .wide a", has_text="24.6%").click()
    assert tab.page.locator("mark.cited").text_content() == IDC.text[54:69]


# --- everyone


def test_the_language_of_the_page_changes_and_what_is_shown_stays(tab: Tab) -> None:
    tab.page.goto("/")
    tab.ask("市场规模？")
    tab.page.locator(".languages a", has_text="EN").click()
    assert tab.page.locator("html").get_attribute("lang") == "en"
    assert "223亿元" in tab.page.locator(".turn .text").inner_text()
    tab.page.locator(".languages a", has_text="繁").click()
    assert "出處" in tab.page.locator(".turn").inner_text()
    assert tab.page.locator(".languages [aria-current]").inner_text() == "繁"


def test_the_keyboard_alone_asks_reads_a_source_and_comes_back(tab: Tab) -> None:
    tab.page.goto("/documents")
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.className") == "skip"
    tab.page.goto("/")
    tab.page.keyboard.type("市场规模？")  # the box has the focus
    tab.page.keyboard.press("Enter")
    tab.page.locator(".turn[data-asked] .more").wait_for()
    for _ in range(60):
        tab.page.keyboard.press("Shift+Tab")
        if tab.page.evaluate("document.activeElement.matches('.text .mark')"):
            break
    tab.page.keyboard.press("Enter")
    tab.page.locator("#panel .cited").wait_for()
    tab.page.keyboard.press("Escape")
    assert tab.page.evaluate("document.activeElement.matches('.text .mark')")


def test_on_paper_there_is_the_answer_with_its_sources_and_no_buttons(tab: Tab) -> None:
    tab.page.goto("/")
    turn = tab.ask("市场规模？")
    tab.page.emulate_media(media="print")
    assert turn.locator("blockquote").first.is_visible()
    for gone in (".composer", ".top", ".actions", ".more"):
        assert tab.page.locator(gone).first.is_hidden(), gone


@pytest.mark.alone
def test_the_start_page_is_light_and_quick(browser: Any, site: Site) -> None:
    tab = Tab(browser, site)
    sizes: list[int] = []
    tab.page.on(
        "requestfinished",
        lambda r: sizes.append(sum(r.sizes()[k] for k in ("responseBodySize", "responseHeadersSize"))),
    )
    tab.page.goto("/")
    tab.page.wait_for_timeout(300)
    paint = tab.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 1000
    assert 5_000 < sum(sizes) <= 200_000
    tab.context.close()


def test_nothing_moves_for_those_who_ask_for_it(browser: Any, site: Site) -> None:
    tab = Tab(browser, site, reduced_motion="reduce")
    tab.page.goto("/")
    assert tab.page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    running = tab.page.evaluate("document.getAnimations().length")
    assert running == 0
    tab.context.close()
