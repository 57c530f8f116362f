"""A sentence passes when what it cites bears it out, however it is worded, and not when one thing of it is changed."""

from collections import Counter

import pytest

from index.aliases import known_names
from index.fold import fold_text
from index.values import Document, Sentence
from rag.assistant import Assistant
from rag.grounding import fault_in
from rag.stated import Evidence
from tests.rag.ledger_sentences import balanced, true_cases, wrong_cases

CASES = 300


def fault(said: str, *sources: str, lang: str = "zh-Hans") -> str | None:
    evidence = {
        n: Evidence(n, Sentence("d", 0, len(s), s, fold_text(s)), Document("d", "", s), ())
        for n, s in enumerate(sources, 1)
    }
    return fault_in(said, evidence, lang, {})


SHARES = "2025年上半年火山引擎的份额为49.2%，阿里云为27%；2024年火山引擎的份额为30%。"
SALES = "2024年阿里云营收482.4亿元，同比增长超11%，高于腾讯云，不包括广告收入。"


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("火山引擎2025H1的份额为49.2%[1]。", SHARES),
        ("2025年上半年，火山引擎、阿里云的份额分别为49.2%、27%[1]。", SHARES),
        ("2024年，阿里云营收为0.04824万亿元，增长逾11%[1]。", SALES),
        ("阿里云营收高于腾讯云[1]。", SALES),
        ("腾讯云的营收低于阿里云[1]。", SALES),
    ],
)
def test_what_is_said_in_other_words_passes(said: str, source: str) -> None:
    assert fault(said, source) is None


@pytest.mark.parametrize(
    ("said", "source", "why"),
    [
        ("火山引擎2025H1的份额为49.3%[1]。", SHARES, "other_figure"),
        ("火山引擎2025H1的份额为49.2个百分点[1]。", SHARES, "other_figure"),
        ("阿里云2025H1的份额为49.2%[1]。", SHARES, "other_subject"),
        ("火山引擎2024年的份额为49.2%[1]。", SHARES, "other_period"),
        ("火山引擎2023年的份额为49.2%[1]。", SHARES, "other_period"),
        ("2025年上半年，阿里云、火山引擎的份额分别为49.2%、27%[1]。", SHARES, "other_subject"),
        ("2024年阿里云营收482.4万元[1]。", SALES, "other_figure"),
        ("2024年阿里云营收482.4亿美元[1]。", SALES, "other_figure"),
        ("2024年阿里云营收下降超11%[1]。", SALES, "other_direction"),
        ("2024年阿里云营收增长不到11%[1]。", SALES, "other_bound"),
        ("2024年阿里云营收没有达到482.4亿元[1]。", SALES, "negated"),
        ("腾讯云营收高于阿里云[1]。", SALES, "other_comparison"),
        ("2024年阿里云营收482.4亿元，包括广告收入[1]。", SALES, "negated"),
        ("2024年阿里云营收482.4亿元", SALES, "no_marker"),
        ("2024年阿里云营收482.4亿元[2]。", SALES, "unknown_marker"),
    ],
)
def test_one_thing_changed_does_not(said: str, source: str, why: str) -> None:
    assert fault(said, source) == why


def test_a_marker_that_bears_nothing_is_a_fault() -> None:
    assert fault("2024年阿里云营收482.4亿元[1][2]。", SALES, "通义千问开放了模型。") == "idle_marker"


@pytest.mark.slow
def test_sentences_of_the_ledger_pass_when_true_and_fail_when_subtly_wrong(shipped: Assistant) -> None:
    snapshot = shipped._snapshot
    with known_names(snapshot.names):
        true, wrong = balanced(true_cases(snapshot), CASES), balanced(wrong_cases(snapshot), CASES)
        faults = {c: fault_in(c.text, {1: c.evidence}, c.lang, snapshot.translations) for c in (*true, *wrong)}
    assert (len(true), len(wrong)) == (CASES, CASES)
    assert min(Counter(c.kind for c in wrong).values()) >= CASES // 8
    dropped = [(c.text, faults[c]) for c in true if faults[c]]
    missed = [(c.kind, c.text) for c in wrong if not faults[c]]
    print(f"true dropped {len(dropped)} of {CASES}, wrong missed {len(missed)} of {CASES}")
    assert len(dropped) <= 0.03 * CASES, dropped
    assert len(missed) <= 0.02 * CASES, missed
