"""Answer or refuse, and why. The threshold is learned (weights.json); the rest are named rules about the question."""

import re
from collections.abc import Callable, Mapping, Sequence

from rag.asked_figure import WIDELY, WITHIN, asks_for_place, is_about, is_asked_for, is_read, stating
from rag.evidence import FEATURES, Scored
from rag.understand import Question, asks_for_advice, asks_for_junk, orders_only

SHOWN = 0.5  # of the threshold is enough where the ledger surely has the figure, or the page lists as many: set by hand
_AT = {name: n for n, name in enumerate(FEATURES)}


def decide(
    question: Question,
    ranked: Sequence[Scored],
    support: float,
    junk: Callable[[], Mapping[str, str]],
    threshold: float,
    *,
    telling: Sequence[Scored] | None = None,
    known: bool = False,
    sure: bool = False,
    elsewhen: bool = False,
    listed: bool = False,
) -> str | None:
    """The reason to refuse, one of REASONS, or None to answer.

    Args:
        support: calibrated probability that the corpus answers.
        junk: per document, the folded text of the lines cleaning dropped.
        threshold: support below which there is no answer: the learned one, or what a user set.
        telling: of `ranked`, those the ledger does not know to tell of another time or somebody else; all when None.
        known: the ledger has what is asked for.
        sure: … as one figure that is of the asked subject, measure, kind and period.
        listed: where the best sentence stands, the page lists as many things as are asked for.
        elsewhen: the ledger has the figure asked for, of other periods only.
    """
    if orders_only(question.folded):
        return "instruction"
    if asks_for_advice(question.folded):
        return "advice"
    if not ranked or not question.words:
        return "not_in_corpus"
    if asks_for_junk(question.folded) or _asks_for_junk(question, ranked, junk):
        return "page_junk"
    within = WIDELY if asks_for_place(question.folded) else WITHIN
    near = [c for c in ranked if c.score >= ranked[0].score - within]
    able = near if telling is None else [c for c in near if c in telling]
    lacks_figure = not known and (not able or (is_asked_for(question) and not stating(question, able)))
    if lacks_figure and elsewhen:
        return "other_period"
    lacks_figure = lacks_figure and not (ranked[0] in able and is_read(question, ranked[0]))

    def none_has(feature: str) -> bool:
        return max(c.features[_AT[feature]] for c in near) == 0

    if support < threshold * (SHOWN if listed or sure else 1.0):
        if max(c.features[_AT["pair_passage"]] for c in ranked[:10]) < 0.2 and question.lang != "en":
            return "off_topic"
        if question.periods and none_has("period_match"):
            return "other_period"
        if (question.entities and none_has("entity_cover")) or (question.names and none_has("name_cover")):
            return "other_subject"
        return "figure_not_stated" if lacks_figure else "not_in_corpus"
    if known:
        return None
    if question.periods and none_has("period_match"):
        return "other_period"
    if question.entities and not any(is_about(question.entities, c) for c in near):
        known = any(is_about(question.entities, c) for c in ranked)
        return "figure_not_stated" if known and lacks_figure else "other_subject"
    return "figure_not_stated" if lacks_figure else None


def _asks_for_junk(question: Question, ranked: Sequence[Scored], junk: Callable[[], Mapping[str, str]]) -> bool:
    """Whether what is quoted or named stands only among the lines that were dropped."""
    quoted = re.findall(r"[「“『《\"]([^」”』》\"]{2,20})[」”』》\"]", question.folded)
    if not quoted:
        return False
    kept = " ".join(c.passage.folded for c in ranked)
    return all(q not in kept and any(q in text for text in junk().values()) for q in quoted)
