"""Passages → the sentences that answer: features of a (question, sentence) pair and a learned linear score over them.

The weights are fitted on cmrc_train by `python -m bench.fit` and lie in weights.json.
"""

import json
import math
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from index.aliases import forms_of
from index.fold import fold_text
from index.lookalikes import lookalikes
from index.periods import match, periods_in
from index.snapshot import Snapshot
from index.values import Passage, Sentence
from rag.reader.read import Span
from rag.retrieve import Retrieved
from rag.understand import Question

NUMERIC = frozenset({"percent", "money", "multiple", "count", "date"})  # wants that a number answers
_DIGIT = r"(?:\d[\d.,]*|[一二两三四五六七八九十百千数几]+)"
SHAPES = {  # what the answer to a want looks like, in folded text
    "percent": re.compile(
        r"\d\s?%|\d\s?per\s?cent|百分之|[一二两三四五六七八九]成|百分点|一半|过半|[二三四五六七八九十]分之"
    ),
    "money": re.compile(
        rf"{_DIGIT}\s?[万亿千百]*\s?(?:多|余)?(?:元|美元|人民币|美金|欧元|日元|港元|英镑|块)|[¥$€]\s?\d"
        r"|(?:rmb|cny|usd|hk\$|nt\$)\s?\d|\d[\d.,]*\s?(?:million|billion|trillion)?\s?(?:yuan|dollars|rmb|usd)\b"
    ),
    "multiple": re.compile(rf"{_DIGIT}\s?(?:多|余)?倍|翻番|翻倍|\d/\d|分之"),
    "count": re.compile(
        r"\d|[一二两三四五六七八九十百千万数]+(?:多|余|几)?(?:个|家|款|种|名|人|位|所|次|项|座|条|只|台|部|篇|辆|艘|岁|年|天|倍|公里|米)"
    ),
    "date": re.compile(
        r"\d{1,4}\s?(?:年|月|日|号|世纪|小时|分钟|天)|(?:19|20)\d\d|年代|[一二三四五六七八九十]+(?:年|月|日)|去年|今年|上半年|下半年|q[1-4]"
    ),
    "person": re.compile(
        r"总裁|董事长|创始人|ceo|教授|主席|先生|女士|博士|院士|总统|皇帝|导演|作者|[\u4e00-\u9fff]·[\u4e00-\u9fff]|团队|率领|由[\u4e00-\u9fff]{2,4}[创编主导]"
    ),
    "place": re.compile(r"[\u4e00-\u9fff](?:国|省|市|县|区|州|镇|村|岛|湾|山|河|路|街|港|洲|站)|位于|地处|坐落"),
    "name": re.compile(r"[《“「『\"]|[a-z]{3,}|名为|称为|叫做|又称|简称|即"),
    "reason": re.compile(
        r"因为|由于|因此|所以|导致|使得|为了|从而|原因|之所以|源于|得益于|归功|以致|意味着|有助于|决定了|关键|受.{1,12}影响|缺乏|难以"
    ),
    "method": re.compile(
        r"通过|采用|利用|借助|以.{1,10}方式|使用|依托|依靠|方法|策略|先.{1,30}再|把.{1,20}[成为]|并|将"
    ),
    "list": re.compile(r"、[^、]{1,20}(?:、|和|及|与|等)|包括|分为|分别|第[一二三]|[一二三]是|其一|\(1\)|首先"),
    "define": re.compile(r"是指|指的是|所谓|即|是.{0,20}的(?:一种|总称|单元|单位)|意思|定义|称为|又称"),
}
FEATURES = (
    "dense",
    "dense_z",
    "passage_z",
    "retrieval",
    "rank",
    "word_cover",
    "pair_cover",
    "word_before",
    "pair_before",
    "word_around",
    "pair_around",
    "pair_passage",
    "name_cover",
    "entity_cover",
    "number_cover",
    "period_match",
    "best_shape",
    "any_shape",
    "new_number",
    "copy",
    "length",
    "first",
)
OPENING_CHARS = 20  # a shorter first sentence is a heading or a byline
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate sentence with where it stands and what was found about it."""

    sentence: Sentence
    passage: Passage
    row: int  # passage row in the snapshot
    place: int  # sentence's place in its passage
    context: str  # folded: title, headings, the two sentences above and the sentence itself
    features: tuple[float, ...]  # in the order of FEATURES
    score: float  # log odds that this sentence answers, given that one does
    opening: str = ""  # folded: the first sentence of its document
    span: Span | None = None  # the likeliest answer in it, where the reader has read it


@cache
def weights(*, read: bool = False) -> dict[str, Any]:
    """The fitted weights, with how they were fitted; `read`: those that go with the reader."""
    path = files("rag") / ("reader/weights.json" if read else "weights.json")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def model_for(question: Question) -> str:
    """Which weights fit: `same` language as the corpus, or `cross`: names, numbers and the dense leg speak."""
    return "cross" if question.cross else "same"


def _covers(rarity: Mapping[tuple[str, ...], float], *texts: str) -> list[float]:
    """Rarity-weighted share of the parts (any form will do) that each text holds and none before it; 0 for no parts."""
    total = sum(rarity.values()) or 1.0
    found = [0.0] * len(texts)
    for forms, weight in rarity.items():
        for n, text in enumerate(texts):
            if any(form in text for form in forms):
                found[n] += weight / total
                break
    return found


def _share(found: Sequence[bool]) -> float:
    """Share of what is asked for that is there; one half when nothing is asked for."""
    return sum(found) / len(found) if found else 0.5


def candidates(
    question: Question, retrieved: Retrieved, snapshot: Snapshot, skip: Container[tuple[str, int]] = ()
) -> list[Scored]:
    """Every sentence of the retrieved passages with its features, not yet scored, by passage rank, then place.

    Args:
        skip: sentences (doc_id, start) that are left out.
    """
    rarity = snapshot.terms.idf
    word_rarity = {forms_of(w): rarity(w) for w in question.words}
    pair_rarity: dict[tuple[str, ...], float] = {(p,): rarity(p) for p in question.pairs}
    shapes = [SHAPES[w] for w in sorted(question.wants) if w in SHAPES]
    mean, deviation = retrieved.background
    top = retrieved.hits[0].score if retrieved.hits else 0.0
    found: list[Scored] = []
    for rank, (hit, row) in enumerate(zip(retrieved.hits, retrieved.rows, strict=True)):
        dense = snapshot.sentences_of(row) @ retrieved.query_vector
        document = snapshot.documents[hit.passage.doc_id]
        around = fold_text(f"{document.title} {hit.passage.heading}")
        opening = _opening(snapshot, row)
        for place, sentence in enumerate(hit.passage.sentences):
            if (sentence.doc_id, sentence.start) in skip or any(lookalikes(sentence.text)):
                continue  # a name in other letters is nobody's: what is said of it is said of nobody
            before = _before(snapshot, row, place)
            context = f"{around} {before} {sentence.folded}"
            # each context counts only what it adds, or the sentence after the answer would look as good as the answer
            by_word = _covers(word_rarity, sentence.folded, before, around)
            by_pair = _covers(pair_rarity, sentence.folded, before, around)
            shaped = [bool(s.search(sentence.folded)) for s in shapes]
            own_numbers = set(re.findall(r"\d+(?:\.\d+)?", sentence.folded)) - set(question.numbers)
            features = (
                float(dense[place]),
                (float(dense[place]) - mean) / deviation,
                (hit.dense - mean) / deviation,
                hit.score - top,
                math.log1p(rank),
                by_word[0],
                by_pair[0],
                by_word[1],
                by_pair[1],
                by_word[2],
                by_pair[2],
                _covers(pair_rarity, hit.passage.folded)[0],
                _share([n in context for n in question.names]),
                _share([any(form in context for form in forms) for forms in question.entities]),
                _share([n in context for n in question.numbers]),
                match(question.periods, periods_in(sentence.folded) or periods_in(context)),
                _share(shaped),
                float(any(shaped)) if shaped else 0.5,
                float(bool(own_numbers)) if question.wants & NUMERIC else 0.5,
                float(by_pair[0] > 0.85 and len(sentence.folded) < 1.3 * len(question.folded)),
                math.log(len(sentence.folded) + 1) / 5,
                float(place == 0),
            )
            found.append(Scored(sentence, hit.passage, row, place, context, features, 0.0, opening))
    return found


def _before(snapshot: Snapshot, row: int, place: int) -> str:
    """The two sentences above, also when they end the passage before: what “其中” and “该公司” point at."""
    above = snapshot.passages[row].sentences[max(0, place - 2) : place]
    if len(above) < 2 and row and snapshot.passages[row - 1].doc_id == snapshot.passages[row].doc_id:
        above = (*snapshot.passages[row - 1].sentences[len(above) - 2 :], *above)
    return " ".join(s.folded for s in above)


def _opening(snapshot: Snapshot, row: int) -> str:
    """The first sentence of the document of a passage: whom “公司” and “the company” mean further down."""
    first = snapshot.passages_of(snapshot.passages[row].doc_id)[0]
    return next((s.folded for s in snapshot.passages[first].sentences if len(s.folded) > OPENING_CHARS), "")


def rank_sentences(
    question: Question, retrieved: Retrieved, snapshot: Snapshot, skip: Container[tuple[str, int]] = ()
) -> list[Scored]:
    """The sentences of the retrieved passages, the likeliest to answer first; headings and `skip` are left out."""
    found = [c for c in candidates(question, retrieved, snapshot, skip) if not is_heading(c)]
    if not found:
        return []
    model = weights()[model_for(question)]["sentence"]
    scores = np.array([c.features for c in found]) @ np.array([model[name] for name in FEATURES])
    ranked = [replace(c, score=float(s)) for c, s in zip(found, scores, strict=True)]
    return sorted(ranked, key=lambda c: (-c.score, c.row, c.place))


def is_heading(candidate: Scored) -> bool:
    """A heading says where an answer may stand; it is not one."""
    text = candidate.sentence.text
    if text in candidate.passage.heading.split(" › "):
        return True
    return len(text) <= 40 and re.search(r"[\w”」』》）)]$", text) is not None and re.search(r"\d|，|,", text) is None
