"""A question in the words of the other language. The corpus is invented."""

from dataclasses import replace
from pathlib import Path

import pytest

from index import snapshot
from index.encode import Encoder
from index.snapshot import Snapshot
from rag.rendering import in_chinese, in_english
from rag.understand import understand
from tests.conftest import assistant_over

pytestmark = pytest.mark.slow
PAGES = {
    "zh.txt": "松木云（Pinewood Cloud）2025年第三季度裁员900名员工。公司的月费为88元，付费商家中海外占12%。\n",
    "en.txt": "Pinewood Cloud (松木云) reported capital expenditure of RMB 7.1 billion for the third quarter of 2025."
    "\n",
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for name, text in PAGES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def opened(corpus: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Snapshot:
    root = tmp_path_factory.mktemp("index")
    assistant_over(corpus, root, encoder)
    return next(snapshot.open_current(p) for p in (root, root / "index") if (p / "CURRENT").exists())


@pytest.mark.parametrize(
    ("english", "held"),
    [
        ("How many employees is Pinewood Cloud laying off?", ["多少", "员工", "裁员"]),
        ("What share of paying merchants is overseas?", ["付费", "商家", "海外", "占比多少"]),
        ("What is the monthly fee?", ["什么", "月费"]),
        ("Did it lay off staff in the third quarter of 2025?", ["裁员", "2025年第三季度"]),
    ],
)
def test_an_english_question_in_the_words_of_the_pages(opened: Snapshot, english: str, held: list[str]) -> None:
    question = understand(english)
    rendered = in_chinese(question, [p.folded for p in opened.passages], opened)
    assert all(word in rendered.understood for word in held), rendered.understood
    assert rendered.wants == question.wants
    assert not rendered.cross


def test_what_no_dictionary_has_is_kept(opened: Snapshot) -> None:
    rendered = in_chinese(understand("Does Zzyzx2000 use RMB 5?"), [], opened)
    assert "zzyzx2000" in rendered.understood


def test_a_chinese_question_in_the_words_of_english_pages(opened: Snapshot) -> None:
    question = understand("松木云2025年第三季度资本开支是多少?")
    rendered = in_english(question, opened)
    assert {"capital", "expenditure"} & set(rendered.words)
    assert rendered.periods == question.periods
    assert rendered.lang == "en"


def test_each_language_finds_the_other_s_pages(corpus: Path, tmp_path: Path, encoder: Encoder) -> None:
    assistant = assistant_over(corpus, tmp_path, encoder)
    english = assistant.ask("How many employees is Pinewood Cloud laying off?")
    assert not english.refused
    assert "900" in english.text
    chinese = assistant.ask("松木云2025年第三季度资本开支是多少?")
    assert not chinese.refused
    assert "7.1 billion" in chinese.text


def test_without_translations_an_english_question_is_asked_as_it_is(opened: Snapshot) -> None:
    bare = replace(opened, translations={})
    assert "pinewood" in in_chinese(understand("Who runs Pinewood?"), [], bare).understood


def test_one_english_page_is_found_among_many_chinese_ones(tmp_path: Path, encoder: Encoder) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    for n in range(120):  # more than the candidates of a retrieval
        (pages / f"{n:03}.txt").write_text(
            f"第{n}号机房2025年第三季度上架率为{n}%，资本开支没有公布。\n", encoding="utf-8"
        )
    (pages / "en.txt").write_text(PAGES["en.txt"], encoding="utf-8")
    answer = assistant_over(pages, tmp_path / "index", encoder).ask("松木云2025年第三季度资本开支是多少?")
    assert not answer.refused
    assert "7.1 billion" in answer.text
