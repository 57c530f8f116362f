"""Questions as people put them, over 24 invented pages, and over 12 more whose questions nobody had seen when the code
was first measured on them (.56 of 80).
"""

import json
import random
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from index.encode import Encoder
from index.fold import fold_text, to_simplified, to_traditional
from rag.assistant import Assistant
from tests.conftest import ROOT, SHARED, assistant_over

pytestmark = pytest.mark.slow
HERE = ROOT / "tests" / "quality" / "understanding"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the articles and question sets are not here")

# floor ← measured when it was set
RIGHT = {"dev": 0.75, "frozen": 0.65}  # judged here, more strictly than a reader would
UNSEEN = 0.50
SAME_CITATIONS = 0.97  # 1.00 of 60
ALIKE_AFTER_OTHERS = 0.97  # 1.00


@pytest.fixture(scope="module")
def over_pages(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Assistant:
    return assistant_over(HERE / "pages", tmp_path_factory.mktemp("understanding"), encoder)


def questions(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / f"{name}.jsonl").open(encoding="utf-8")]


def is_right(question: dict[str, Any], assistant: Assistant) -> bool:
    answer = assistant.ask(question["question"], question["turns"])
    if not question["answerable"]:
        return answer.refused
    said = re.sub(r"\s", "", fold_text(answer.text))[:400]
    cited = {c.doc_id[:2] for c in answer.citations}
    held = all(any(re.sub(r"\s", "", fold_text(g)) in said for g in group) for group in question["gold"])
    return not answer.refused and held and bool(cited & set(question["docs"]))


def is_right_over(name: str, over_pages: Assistant) -> dict[str, list[bool]]:
    right = defaultdict(list)
    for question in questions(name):
        right[question["type"]].append(is_right(question, over_pages))
    return right


def test_questions_nobody_had_seen(tmp_path: Path, encoder: Encoder) -> None:
    right = is_right_over("unseen/questions", assistant_over(HERE / "unseen" / "pages", tmp_path, encoder))
    told = [r for group in right.values() for r in group]
    assert sum(told) / len(told) >= UNSEEN, {t: f"{sum(r)}/{len(r)}" for t, r in right.items()}


@pytest.mark.parametrize("name", ["dev", "frozen"])
def test_questions_as_people_put_them(over_pages: Assistant, name: str) -> None:
    right = is_right_over(f"questions_{name}", over_pages)
    told = [r for group in right.values() for r in group]
    assert sum(told) / len(told) >= RIGHT[name], {t: f"{sum(r)}/{len(r)}" for t, r in right.items()}


def _full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@needs_shared
def test_the_script_and_width_of_a_question_change_no_citation(tmp_path: Path, encoder: Encoder) -> None:
    assistant = assistant_over(SHARED / "articles", tmp_path, encoder)
    rows = [json.loads(line) for line in (SHARED / "data" / "market_dev.jsonl").open(encoding="utf-8")]
    picked = random.Random(5).sample([r for r in rows if r["lang"] != "en" and not r.get("turns")], 12)
    same = []
    for question in (r["question"] for r in picked):
        cited = [(c.doc_id, c.start) for c in assistant.ask(question).citations]
        for change in (to_simplified, to_traditional, _full_width):
            same.append([(c.doc_id, c.start) for c in assistant.ask(change(question)).citations] == cited)
    assert sum(same) / len(same) >= SAME_CITATIONS


def test_a_question_that_stands_alone_is_answered_alike_after_others(over_pages: Assistant) -> None:
    alone = [
        q["question"]
        for name in RIGHT
        for q in questions(f"questions_{name}")
        if not q["turns"]
        and q["type"] != "multi"  # several questions in one are asked part by part, each after the other
    ]
    chance = random.Random(11)
    same = []
    for question in chance.sample(alone, 40):
        earlier = chance.sample([q for q in alone if q != question], 2)
        same.append(over_pages.ask(question, earlier).text == over_pages.ask(question).text)
    assert sum(same) / len(same) >= ALIKE_AFTER_OTHERS
