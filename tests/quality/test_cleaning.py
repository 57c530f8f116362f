"""What cleaning drops and keeps: on the five real articles, and on labelled pages it was and was not made with."""

import json
import re
import time
from pathlib import Path

import pytest

from index.build import cleaned, cleaned_corpus, passages_of
from index.clean import FURNITURE
from index.load import load
from index.values import Document
from tests.quality.labelled_pages import PAGES, labelled, recalls

SHARED = Path(__file__).parents[3] / "shared"
# (junk recall, kept-text recall) by line; docs/quality.md has the figures measured
FLOORS = {"dev": (0.98, 0.99), "second": (0.85, 0.985), "final": (0.9, 0.975)}


@pytest.mark.parametrize("half", FLOORS)
def test_labelled_pages_lose_their_junk_and_keep_their_text(half: str) -> None:
    pages = [p for p in sorted((PAGES / half).iterdir()) if p.suffix in (".txt", ".html")]
    assert len(pages) >= 20
    parts = [part for page in pages for part in labelled(page)]
    found = recalls(parts)
    junk, kept = FLOORS[half]
    assert found["junk_lines"] >= junk, found
    assert found["kept_lines"] >= kept, found


@pytest.fixture(scope="module")
def articles() -> dict[str, Document]:
    if not (SHARED / "articles").is_dir():
        pytest.skip("the five articles are not here")
    return {d.doc_id[:3]: d for d in load([SHARED / "articles"]).documents}


GONE = {  # what the articles' own notes call junk
    "000": ["首发原创文章", "如若转载"],
    "001": ["澳门堵场", "澎湃Logo", "下載客戶端", "登錄", "+1", "字號", "2% >", "報料", "ICP備", "許可證", "反饋"],
    "002": ["特別聲明", "Notice: The content"],
    "003": ["↩"],
    "004": ["免責聲明", "並非投資建議", "熱議股票", "10. 10"],
}  # fmt: skip


def test_the_articles_lose_every_line_that_is_junk(articles: dict[str, Document]) -> None:
    for name, lines in GONE.items():
        text = cleaned(articles[name]).readable.text
        assert not [line for line in lines if line in text], name
    first = cleaned(articles["001"])
    assert sum(r.rule == "stray_pinyin" for r in first.removals) == 476
    assert not re.search(r"[\u4e00-\u9fff]\([a-zǎ-ǜ]*[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ][a-z]*\)", first.readable.text)
    assert "火山引擎(字節)" in first.readable.text  # a real bracket
    assert "火山引擎總裁譚待" in first.readable.text  # mended
    assert "damaged" in {r.rule for r in first.removals}  # “全?!斌w系”


IN_THE_FRAME = {"mf-000-048", "mf-001-001", "mf-004-001", "mf-004-092"}  # author, two dates, a disclaimer


def test_no_figure_of_the_articles_is_lost(articles: dict[str, Document]) -> None:
    """Quotes of bylines are metadata, and one quote is of a disclaimer: all others stay, span by span."""
    dropped = {
        name: {n for r in cleaned(d).removals if r.rule in FURNITURE for n in range(r.start, r.end)}
        for name, d in articles.items()
    }
    facts = [json.loads(line) for line in (SHARED / "data" / "market_facts.jsonl").open(encoding="utf-8")]
    assert len(facts) == 320
    lost = set()
    for fact in facts:
        start = articles[fact["doc"]].text.index(fact["quote"])
        if dropped[fact["doc"]] & set(range(start, start + len(fact["quote"]))):
            lost.add(fact["id"])
    assert lost == IN_THE_FRAME
    assert articles["001"].published == "2025-10-18"
    assert articles["004"].published == "2025-07-23"


def test_clean_pages_lose_nothing() -> None:
    """Our own corpus and the invented pages of other tests have no furniture, and none is found."""
    root = Path(__file__).parents[2]
    pages = [*(root / "corpus").glob("0*.md"), *(root / "tests" / "quality" / "understanding").rglob("pages/*.*")]
    assert len(pages) > 30
    for page in pages:
        text = page.read_text(encoding="utf-8")
        rules = {r.rule for r in cleaned(Document("d", "", text)).removals} & set(FURNITURE)
        assert rules <= {"byline"}, page


def test_a_hundred_pages_are_cleaned_and_split_in_their_share_of_a_minute() -> None:
    """1,000 pages of 5 kB may take 60 seconds of two cores: a hundred, 12 seconds of one; it takes 3 to 4."""
    lines = [
        line[2:]
        for page in sorted((PAGES / "dev").glob("*.txt"))
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    documents = []
    for n in range(100):
        text, at = "", n * 7
        while len(text.encode()) < 5000:
            text += lines[at % len(lines)] + "\n"
            at += 1
        documents.append(Document(f"d{n}", "题", text))
    began = time.process_time()
    texts, _ = cleaned_corpus(documents)
    passages = [p for d in documents for p in passages_of(d, texts[d.doc_id].readable, max_chars=350)]
    assert len(passages) > 100
    assert time.process_time() - began < 12
