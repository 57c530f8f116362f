"""Does the corpus answer the question? One calibrated probability from features of the best evidence.

Fitted on cmrc_train by `python -m bench.fit`: questions with their passage in the corpus, the same with it taken out,
and the same about another subject or year. The weights and the threshold lie in weights.json.
"""

import math
from collections.abc import Sequence

import numpy as np

from index.aliases import forms_of
from index.snapshot import Snapshot
from rag.evidence import FEATURES, Scored, model_for, weights
from rag.retrieve import Retrieved
from rag.understand import Question

# of the best sentence; where it stands among the others says nothing about whether it answers
_TOP = tuple(f for f in FEATURES if f not in {"retrieval", "rank", "any_shape", "copy", "length", "first"})
SUPPORT_FEATURES = (
    *(f"top_{name}" for name in _TOP),
    "retrieval",
    "retrieval_margin",
    "sentence_score",
    "sentence_margin",
    "rarest_missing",
    "best_dense_z",
    "best_word_cover_passage",
    "missing_mass",
)


def support_features(
    question: Question, retrieved: Retrieved, ranked: Sequence[Scored], rarity: dict[str, float]
) -> list[float]:
    """Features of the question with its best evidence, in the order of SUPPORT_FEATURES.

    Args:
        rarity: idf of every content word of the question.
    """
    best = ranked[0]
    top = dict(zip(FEATURES, best.features, strict=True))
    scores = [h.score for h in retrieved.hits]
    other = next((c.score for c in ranked[1:] if c.row != best.row), best.score - 3.0)
    text = best.passage.folded + " " + best.passage.heading
    total = sum(rarity.values()) or 1.0
    missing = {w: r for w, r in rarity.items() if not any(form in text for form in forms_of(w))}
    covers = [
        sum(r for w, r in rarity.items() if any(form in h.passage.folded for form in forms_of(w))) / total
        for h in retrieved.hits[:5]
    ]
    return [
        *(top[name] for name in _TOP),
        scores[0],
        scores[0] - (scores[1] if len(scores) > 1 else 0.0),
        best.score,
        best.score - other,
        max(missing.values(), default=0.0) / 10,
        max(c.features[FEATURES.index("dense_z")] for c in ranked[:20]),
        max(covers, default=0.0),
        sum(missing.values()) / 20,
    ]


def rarities(question: Question, snapshot: Snapshot) -> dict[str, float]:
    """The idf of every content word of the question."""
    return {w: snapshot.terms.idf(w) for w in question.words}


def support_of(question: Question, features: Sequence[float], *, read: bool = False) -> float:
    """Calibrated probability, 0..1, that the corpus answers the question.

    Args:
        features: in the order of SUPPORT_FEATURES; with `read`, of rag.reading's SUPPORT_READ_FEATURES.
    """
    model = weights(read=read)[model_for(question)]["support"]
    x = (np.array(features) - np.array(model["mean"])) / np.array(model["scale"])
    z = float(x @ np.array(model["weights"]) + model["bias"])
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, z))))


def threshold(question: Question, *, read: bool = False) -> float:
    """Support below which a question is refused.

    Few answerable training questions fall under it: 5% without the reader (bench/fit.py), 4% with it
    (bench/fit_reader.py).
    """
    return float(weights(read=read)[model_for(question)]["support"]["threshold"])
