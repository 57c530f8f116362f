"""A figure answers only when its sentence has the asked shape, subject, period and measure."""

import pytest

from index.fold import fold_text
from index.values import Passage, Sentence
from rag.asked_figure import stating
from rag.evidence import FEATURES, Scored
from rag.periods import match, periods_in
from rag.understand import understand


def candidate(text: str, above: str, asked: str) -> Scored:
    question = understand(asked)
    folded = fold_text(text)
    s = Sentence("d", 0, len(text), text, folded)
    known = {"period_match": match(question.periods, periods_in(folded))}
    passage = Passage("d#0", "d", 0, len(text), text, folded, "", (s,))
    features = tuple(known.get(name, 0.5) for name in FEATURES)
    return Scored(s, passage, 0, 0, fold_text(f"{above} {text}"), features, 0.0)


ASKED = "2025年上半年火山引擎的份额是多少?"


@pytest.mark.parametrize(
    ("text", "above", "states"),
    [
        pytest.param("2025年上半年火山引擎的份额为49.2%。", "", True, id="all-in-the-sentence"),
        pytest.param("其中，份额为49.2%。", "2025年上半年的火山引擎：", True, id="subject-above-and-no-other-named"),
        pytest.param("其份额高达46.4%，超过阿里云。", "火山引擎的模型", True, id="goes-on-about-the-subject-above"),
        pytest.param("阿里云的份额为27%。", "火山引擎的份额为49.2%。", False, id="another-companys-figure"),
        pytest.param("2024年火山引擎的份额为20%。", "", False, id="another-year"),
        pytest.param("2025年上半年火山引擎的营收增长60%。", "", False, id="another-measure"),
        pytest.param("2025年上半年火山引擎的份额领先。", "", False, id="no-figure"),
    ],
)
def test_states_the_asked_figure(text: str, above: str, states: bool) -> None:
    assert bool(stating(understand(ASKED), [candidate(text, above, ASKED)])) is states


def test_a_question_for_no_figure_is_not_held_to_one() -> None:
    asked = "谁是火山引擎的总裁?"
    assert stating(understand(asked), [candidate("总裁是谭待。", "", asked)]) == []
