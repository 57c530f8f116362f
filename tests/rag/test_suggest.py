"""Questions that the corpus answers: near to what was asked, each asked before it is shown."""

from pathlib import Path

import pytest

from index.aliases import known_names
from index.settings import Settings
from index.snapshot import Snapshot, open_current
from rag.assistant import Assistant
from rag.suggest import MOST, candidates_of
from tests.fakes import FakeEncoder
from tests.index.small import build, write_corpus

TEXTS = {
    "one.md": """---
title: 两家公司的上半年
published: 2025-08-01
examples:
  - 衡山云靠什么增长？
---
2025年上半年，阿里云的营收为300亿元，靠什么增长？衡山云靠低价增长。

2025年上半年，腾讯云的营收为120亿元。

截至2025年6月，豆包的月活跃用户为9000万。
""",
    "two.md": "---\ntitle: 天气\n---\n今天下雨，明天天晴，后天多云。\n",
}


@pytest.fixture
def assistant(tmp_path: Path, fake_encoder: FakeEncoder) -> Assistant:
    build(write_corpus(tmp_path / "corpus", TEXTS), tmp_path / "index")
    settings = Settings.from_env({}).model_copy(update={"index": tmp_path / "index", "threshold": 0.0})
    return Assistant(open_current(tmp_path / "index"), fake_encoder, settings)


def snapshot_of(assistant: Assistant) -> Snapshot:
    return assistant._snapshot


def test_candidates_name_whose_what_and_when_and_take_what_documents_say(assistant: Assistant) -> None:
    with known_names(snapshot_of(assistant).names):
        asked = {c.question for c in candidates_of(snapshot_of(assistant))}
    assert "2025年上半年阿里云的营收是多少？" in asked
    assert "衡山云靠什么增长？" in asked
    assert "What was Alibaba Cloud's revenue in 2025H1?" in asked


def test_what_is_suggested_is_answered_near_to_the_question_and_not_what_was_just_said(assistant: Assistant) -> None:
    answer = assistant.ask("2025年上半年阿里云的营收是多少？")
    suggestions = assistant.suggestions(answer, budget_s=60)
    assert 0 < len(suggestions) <= MOST
    assert suggestions[0] == "2025年上半年腾讯云的营收是多少？"
    assert answer.question not in suggestions
    for question in suggestions:
        assert not assistant.ask(question).refused
    assert assistant.suggestions(answer, suggestions[:1], budget_s=60)[:1] != suggestions[:1]


@pytest.mark.parametrize(("lang", "asked"), [("zh-Hant", "騰訊雲"), ("en", "Tencent Cloud")])
def test_suggestions_come_in_the_language_of_the_answer(assistant: Assistant, lang: str, asked: str) -> None:
    answer = assistant.ask("2025年上半年阿里云的营收是多少？", lang=lang)
    assert asked in assistant.suggestions(answer, budget_s=60)[0]


def test_no_time_gives_what_was_found_so_far_and_no_figures_gives_none(
    assistant: Assistant, tmp_path: Path, fake_encoder: FakeEncoder
) -> None:
    answer = assistant.ask("2025年上半年阿里云的营收是多少？")
    assert len(assistant.suggestions(answer, budget_s=0)) == 1
    build(write_corpus(tmp_path / "bare", {"two.md": TEXTS["two.md"]}), tmp_path / "bare-index")
    bare = Assistant(open_current(tmp_path / "bare-index"), fake_encoder, Settings.from_env({}))
    assert bare.suggestions(bare.ask("天气怎么样？")) == []
