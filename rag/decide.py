"""Answer or refuse, and why. The threshold is learned (weights.json); the rest are named rules about the question."""

import re
from collections.abc import Mapping, Sequence

from rag.evidence import FEATURES, Scored
from rag.support import threshold
from rag.understand import Question, asks_for_advice

_COVER = FEATURES.index("pair_cover_passage")
_WORDS = FEATURES.index("word_cover_context")


def decide(
    question: Question, ranked: Sequence[Scored], support: float, junk: Mapping[str, str], setting: float | None
) -> str | None:
    """The reason to refuse, one of REASONS, or None to answer.

    Args:
        support: calibrated probability that the corpus answers.
        junk: per document, the folded text of the lines cleaning dropped.
        setting: the threshold a user set; None for the learned one.
    """
    if asks_for_advice(question.folded):
        return "advice"
    if not ranked or not question.words:
        return "off_topic" if ranked else "not_in_corpus"
    if _asks_for_junk(question, ranked, junk):
        return "page_junk"
    if support >= (threshold() if setting is None else setting):
        return None
    best = dict(zip(FEATURES, ranked[0].features, strict=True))
    if max(c.features[_WORDS] for c in ranked[:10]) < 0.25:
        return "off_topic"
    if question.years and best["year_cover"] < 1:
        return "other_period"
    if question.names and best["name_cover"] < 1:
        return "other_subject"
    if question.wants & {"percent", "money", "multiple", "count"} and best["best_shape"] < 1:
        return "figure_not_stated"
    return "not_in_corpus"


def _asks_for_junk(question: Question, ranked: Sequence[Scored], junk: Mapping[str, str]) -> bool:
    """Whether what is quoted or named stands only among the lines that were dropped."""
    quoted = re.findall(r"[「“『《\"]([^」”』》\"]{2,20})[」”』》\"]", question.folded)
    if not quoted:
        return False
    kept = " ".join(c.passage.folded for c in ranked)
    return all(q not in kept and any(q in text for text in junk.values()) for q in quoted)
