"""Ranked sentences → the windows worth reading → sentences weighed again by what the reader found.

The weights are fitted on questions of cmrc_train that the reader was not trained on, by
`python -m bench.fit_reader`, and lie in reader/weights.json.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from index.fold import fold_text
from index.snapshot import Snapshot
from index.values import Hit
from rag.evidence import FEATURES, Scored, model_for, weights
from rag.lists import asked_count
from rag.reader.read import NEVER, Reader, Reading
from rag.reader.windows import Window, window_around
from rag.retrieve import Retrieved
from rag.understand import Question, kind_of

WINDOWS = 3  # read for a question: of eight, the others changed next to nothing (docs/reader.md)
PER_PASSAGE = 2
READ_FEATURES = ("answers", "span", "likeliest", "unread")
SUPPORT_READ_FEATURES = (
    "retrieval",
    "sentence_score",
    "sentence_margin",
    "top_answers",
    "top_span",
    "top_unread",
    "best_answers",
    "next_answers",
    "best_is_top",
    "agreeing",
)
ALONE = 3.0  # log odds by which the only passage leads the one that is not there
_FLOOR = -12.0  # log probability of a span below which one is as bad as another


@dataclass(frozen=True, slots=True)
class Read:
    """What reading adds: the sentences in their new order, and the readings behind it."""

    ranked: list[Scored]
    readings: tuple[Reading, ...]


def can_read(question: Question) -> bool:
    """Whether the reader was trained for such a question: in the language of the pages, and answered in one place.

    It was trained on Chinese and reads English as well (docs/reader.md), but not across both. Questions that compare
    sources or look for contradictions it has hardly seen (11 in 1,500); and a list of so many items is a section of a
    page, longer than a window.
    """
    kind = kind_of(question)
    several = kind in ("compare", "conflict") or (kind == "list" and asked_count(question.folded) is not None)
    return not question.cross and not several


def windows_for(ranked: Sequence[Scored], snapshot: Snapshot) -> list[Window]:
    """The windows around the best sentences, best first, none twice."""
    found: list[Window] = []
    for c in ranked:
        if len(found) == WINDOWS:
            break
        own = [w for w in found if w.row == c.row]
        if len(own) < PER_PASSAGE and not any(c.place in w for w in own):
            found.append(window_around(snapshot.documents[c.sentence.doc_id], c.passage, c.row, c.place))
    return found


def read(question: Question, ranked: Sequence[Scored], snapshot: Snapshot, reader: Reader) -> Read:
    """Reads the windows around the best sentences and ranks all of them again."""
    readings = readings_of(question, ranked, snapshot, reader)
    return weighed(ranked, readings, weights(read=True)[model_for(question)]["sentence"])


def readings_of(
    question: Question, ranked: Sequence[Scored], snapshot: Snapshot, reader: Reader
) -> tuple[Reading, ...]:
    """The windows around the best sentences, read."""
    return tuple(reader.read(question.understood, windows_for(ranked, snapshot)))


def weighed(ranked: Sequence[Scored], readings: tuple[Reading, ...], model: Mapping[str, float]) -> Read:
    """The sentences scored by `model` over FEATURES and READ_FEATURES, best first."""
    featured = [with_reading(c, readings) for c in ranked]
    w = np.array([model[name] for name in (*FEATURES, *READ_FEATURES)])
    scores = np.array([c.features for c in featured]) @ w
    found = [replace(c, score=float(s)) for c, s in zip(featured, scores, strict=True)]
    return Read(sorted(found, key=lambda c: (-c.score, c.row, c.place)), readings)


def with_reading(candidate: Scored, readings: Sequence[Reading]) -> Scored:
    """The sentence with READ_FEATURES behind its features, and its likeliest answer."""
    own = [r for r in readings if r.window.row == candidate.row and candidate.place in r.window]
    if not own:
        return replace(candidate, features=(*candidate.features, 0.0, 0.0, 0.0, 1.0))
    reading = max(own, key=lambda r: r.answers)
    span = next((s for s in reading.spans if s.place == candidate.place), None)
    score = max(_FLOOR, span.score) if span else _FLOOR
    likeliest = float(span is not None and span is reading.spans[0])
    return replace(candidate, features=(*candidate.features, reading.answers, score, likeliest, 0.0), span=span)


def answers_of(candidate: Scored) -> float:
    """Log odds that the window around a sentence answers; far below zero where it was not read."""
    read = len(candidate.features) > len(FEATURES) and candidate.span is not None
    return candidate.features[len(FEATURES) + READ_FEATURES.index("answers")] if read else NEVER


def support_features(retrieved: Retrieved, read: Read) -> list[float]:
    """What says that the corpus answers, in the order of SUPPORT_READ_FEATURES.

    The sentence score holds what words, names and periods say; given one by one as well, they fitted the training
    corpus better and other corpora worse (docs/reader.md).
    """
    best = read.ranked[0]
    top = dict(zip((*FEATURES, *READ_FEATURES), best.features, strict=True))
    other = next((c.score for c in read.ranked[1:] if c.row != best.row), best.score - ALONE)
    by_row: dict[int, float] = {}
    for r in read.readings:
        by_row[r.window.row] = max(r.answers, by_row.get(r.window.row, r.answers))
    most, *others = sorted(by_row.values(), reverse=True)
    return [
        retrieved.hits[0].score,
        best.score,
        best.score - other,
        top["answers"],
        top["span"],
        top["unread"],
        most,
        max(others, default=-8.0),
        float(by_row.get(best.row) == most),
        float(len(agreeing(read.ranked))),
    ]


def agreeing(ranked: Sequence[Scored]) -> list[Scored]:
    """The sentences of other passages that give the same words as the best one, where the reader says they answer."""
    best = ranked[0]
    said = fold_text(best.sentence.text[best.span.start : best.span.end]) if best.span else ""
    found: dict[int, Scored] = {}
    for c in ranked[1:20]:
        if said and c.row != best.row and answers_of(c) > 0 and said in c.sentence.folded:
            found.setdefault(c.row, c)
    return list(found.values())


def ranked_hits(question: Question, retrieved: Retrieved, readings: Sequence[Reading]) -> list[Hit]:
    """The passages in the order of retrieval and reading together; their `score` says so, still 0..1."""
    model = weights(read=True)[model_for(question)]["passage"]
    return reordered(retrieved, readings, **model)


def reordered(retrieved: Retrieved, readings: Sequence[Reading], *, weight: float, softness: float) -> list[Hit]:
    """Retrieval's score and, `weight` times, the chance that the passage answers: its log odds by `softness`."""
    answers: dict[int, float] = {}
    for r in readings:
        answers[r.window.row] = max(r.answers, answers.get(r.window.row, r.answers))
    found = []
    for hit, row in zip(retrieved.hits, retrieved.rows, strict=True):
        chance = 1 / (1 + math.exp(-answers[row] / softness)) if row in answers else 0.0
        found.append(replace(hit, score=(hit.score + weight * chance) / (1 + weight)))
    return sorted(found, key=lambda h: -h.score)
