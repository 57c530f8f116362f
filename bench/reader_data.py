"""Pairs (question, window) for training the reader, made of cmrc_train alone.

A question is paired with a window that holds its answer, and with ones that do not: windows that look right (BM25, the
same page, pages on the same subject) and its own window with the question's year, name, number or measure changed. The
last are the ones people fall for. Questions are also asked in other words, or every changed one would give itself away.
"""

import random
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.fit import read, reworded, synonyms
from index.build import embedded_text, passages_of, searched_terms
from index.data import lexicon
from index.encode import load_encoder
from index.fold import fold_text, to_simplified
from index.lexical import Lexical
from index.load import load
from index.settings import Settings
from index.tokenize import pairs, words
from index.values import Document, Passage
from rag.reader.windows import Window, window_around
from rag.understand import understand

HELD_OUT = 10  # every tenth document is kept for choosing when to stop
NEIGHBOURS = 40  # documents on the same subject
YEAR = re.compile(r"(?<!\d)(1[5-9]|20)\d\d(?=年)")
NUMBER = re.compile(r"(?<![\d.])\d{1,4}(?:\.\d+)?(?![\d.年])")


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a window; `span` are the answer's characters in it, None when it does not answer."""

    question: str
    heading: str
    text: str
    span: tuple[int, int] | None
    kind: str  # gold, hard or near


class Material:
    """The training corpus, searchable, and its questions in two parts by document."""

    def __init__(self, folder: Path, work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.documents: dict[str, Document] = {d.doc_id: d for d in load([folder / "corpus.jsonl.gz"]).documents}
        self.passages: list[Passage] = [
            p for d in self.documents.values() for p in passages_of(d, max_chars=Settings.from_env({}).max_chars)
        ]
        self.rows: dict[str, list[int]] = defaultdict(list)
        for row, passage in enumerate(self.passages):
            self.rows[passage.doc_id].append(row)
        self.lexical = Lexical.build([searched_terms(self.documents[p.doc_id], p) for p in self.passages])
        self.subjects = self._subjects(work / "subjects.npy")
        self.position = {doc_id: n for n, doc_id in enumerate(self.rows)}
        self.titles = [self.documents[d].title for d in self.rows]
        tables = lexicon("bench", "reader_words")
        self.same, self.other, self.before = tables["same"], tables["other"], tables["before"]
        self.synonyms = synonyms()
        self.train: list[dict[str, Any]] = []
        self.held: list[dict[str, Any]] = []
        for q in read(folder / "queries.jsonl.gz"):
            gold = self._gold_place(q)
            if gold is not None:
                part = self.held if self.position[q["relevant"][0]] % HELD_OUT == 0 else self.train
                part.append({**q, "gold": gold})
        self.names = self._names()

    def _subjects(self, path: Path) -> np.ndarray:
        """A vector for each document, of its first passage: what lies near is on the same subject."""
        if path.exists():
            return np.load(path)
        encoder = load_encoder(Settings.from_env({}), progress=True)
        first = [self.passages[rows[0]] for rows in self.rows.values()]
        vectors = encoder.encode_passages([embedded_text(self.documents[p.doc_id], p) for p in first])
        np.save(path, vectors)
        return vectors

    def _gold_place(self, q: dict[str, Any]) -> tuple[int, int, str] | None:
        """Where the answer stands: passage row, place of the sentence, the answer's text. None if it was cut apart."""
        asked = set(pairs(fold_text(q["question"])))
        found = []
        for row in self.rows.get(q["relevant"][0], ()):
            for place, sentence in enumerate(self.passages[row].sentences):
                for answer in q["answers"]:
                    if answer in sentence.text:
                        shared = len(asked & set(pairs(sentence.folded)))
                        found.append((-shared, row, place, answer))
        return min(found)[1:] if found else None

    def _names(self) -> dict[str, list[str]]:
        """Names in the training questions by kind of word, as jieba tells kinds."""
        found: dict[str, set[str]] = defaultdict(set)
        for q in self.train:
            for word, flag in named(q["question"]):
                found[flag].add(word)
        return {flag: sorted(ws) for flag, ws in found.items()}

    def neighbours(self, doc_id: str) -> list[str]:
        """The documents nearest in subject, the nearest first, itself left out."""
        vector = self.subjects[self.position[doc_id]]
        order = np.argsort(-(self.subjects @ vector))[1 : NEIGHBOURS + 1]
        keys = list(self.rows)
        return [keys[int(i)] for i in order]


def named(question: str) -> list[tuple[str, str]]:
    """The names in a question, each with jieba's flag."""
    import jieba.posseg

    return [(p.word, p.flag) for p in jieba.posseg.cut(question) if p.flag in _NAME_FLAGS and len(p.word) > 1]


_NAME_FLAGS = {"nr", "ns", "nt", "nz", "nrt", "nrfg", "eng"}


def pairs_of(material: Material, q: dict[str, Any], rng: random.Random) -> list[Pair]:
    """One window that answers and one that does not, each with the question in some wording."""
    row, place, answer = q["gold"]
    gold = _window(material, row, place, rng)
    text = q["question"]
    found = []
    at = gold.text.find(to_simplified(answer), gold.starts[place - gold.first])
    if at >= 0:
        found.append(_pair(_said(material, text, rng), gold, (at, at + len(answer)), "gold", rng))
    changed = _changed(material, q, gold, rng) if rng.random() < 0.5 else None
    if changed is not None:
        found.append(_pair(_said(material, changed, rng), gold, None, "near", rng, keep_heading=True))
    elif (other := _looks_right(material, q, rng)) is not None:
        found.append(_pair(_said(material, text, rng), other, None, "hard", rng))
    return found


def _window(material: Material, row: int, place: int, rng: random.Random) -> Window:
    passage = material.passages[row]
    limit = rng.choice((100, 160, 200, 240, 240))
    return window_around(material.documents[passage.doc_id], passage, row, place, max_chars=limit, before=rng.random())


def _pair(
    question: str,
    window: Window,
    span: tuple[int, int] | None,
    kind: str,
    rng: random.Random,
    *,
    keep_heading: bool = False,
) -> Pair:
    heading = window.heading if keep_heading or rng.random() < 0.7 else ""
    return Pair(question, heading, window.text, span, kind)


def _looks_right(material: Material, q: dict[str, Any], rng: random.Random) -> Window | None:
    """A window without the answer that shares words, page or subject with the question."""
    answers = [fold_text(a) for a in q["answers"]]
    doc_id = q["relevant"][0]
    question = fold_text(q["question"])
    source = rng.random()
    if source < 0.25:
        rows = np.array(material.rows[doc_id])
    elif source < 0.5:
        rows = np.array([r for d in material.neighbours(doc_id) for r in material.rows[d]])
    else:
        rows = np.arange(len(material.passages))
    scores = material.lexical.scores(words(question) + pairs(question))[rows]
    asked = set(pairs(question))
    best = [int(rows[i]) for i in np.argsort(-scores, kind="stable")[:8]]
    rng.shuffle(best)
    for row in best:
        sentences = material.passages[row].sentences
        shared = [len(asked & set(pairs(s.folded))) for s in sentences]
        places = sorted(range(len(sentences)), key=lambda i: -shared[i])[:3]
        rng.shuffle(places)
        for place in places:
            window = _window(material, row, place, rng)
            folded = fold_text(window.text)
            if not any(a in folded for a in answers):
                return window
    return None


def _said(material: Material, question: str, rng: random.Random) -> str:
    """The question in other words, or as it is."""
    if rng.random() < 0.3:
        question = reworded(question, material.synonyms, rng)
    for group in material.same:
        if rng.random() < 0.4 and (word := next((w for w in group if w in question), None)) is not None:
            question = question.replace(word, rng.choice(group), 1)
    if rng.random() < 0.1:
        question = rng.choice(material.before) + question
    return question.rstrip("？?") if rng.random() < 0.15 else question


def changed_question(material: Material, q: dict[str, Any], rng: random.Random) -> str | None:
    """The question about another year, name, number or measure than the window around its answer has."""
    row, place, _ = q["gold"]
    return _changed(material, q, _window(material, row, place, rng), rng)


def _changed(material: Material, q: dict[str, Any], gold: Window, rng: random.Random) -> str | None:
    """The question about another year, name, number or measure than its window has."""
    question, doc_id = q["question"], q["relevant"][0]
    there = fold_text(gold.heading + gold.text)
    ways = [_other_year, _other_number, _other_name, _other_title, _other_measure, _transplanted]
    rng.shuffle(ways)
    for way in ways:
        changed = way(material, question, doc_id, there, rng)
        if changed is not None and changed != question:
            return changed
    return None


def _other_year(material: Material, question: str, doc_id: str, there: str, rng: random.Random) -> str | None:
    if (year := YEAR.search(question)) is None:
        return None
    other = str(int(year.group()) + rng.choice([-9, -5, -3, -2, -1, 1, 2, 3, 4, 6, 8]))
    return question[: year.start()] + other + question[year.end() :] if other not in there else None


def _other_number(material: Material, question: str, doc_id: str, there: str, rng: random.Random) -> str | None:
    found = [m for m in NUMBER.finditer(question) if m.group() in there]
    if not found:
        return None
    m = rng.choice(found)
    value = float(m.group())
    other = str(int(value) + rng.choice([1, 2, 3, 5, 10])) if value.is_integer() else f"{value + rng.random() * 9:.1f}"
    return question[: m.start()] + other + question[m.end() :] if other not in there else None


def _other_name(material: Material, question: str, doc_id: str, there: str, rng: random.Random) -> str | None:
    found = [(w, f) for w, f in named(question) if fold_text(w) in there and len(material.names.get(f, ())) > 20]
    if not found:
        return None
    word, flag = rng.choice(found)
    other = rng.choice(material.names[flag])
    return question.replace(word, other) if fold_text(other) not in there else None


def _other_title(material: Material, question: str, doc_id: str, there: str, rng: random.Random) -> str | None:
    title = material.documents[doc_id].title
    if len(title) < 2 or title not in question or fold_text(title) not in there:
        return None
    near = [material.documents[d].title for d in material.neighbours(doc_id)]
    other = rng.choice(near if rng.random() < 0.6 else material.titles)
    fine = len(other) >= 2 and fold_text(other) not in there and title not in other and other not in title
    return question.replace(title, other) if fine else None


def _other_measure(material: Material, question: str, doc_id: str, there: str, rng: random.Random) -> str | None:
    groups = [(w, g) for g in material.other for w in g if w in question and (len(w) > 1 or rng.random() < 0.1)]
    if not groups:
        return None
    word, group = rng.choice(groups)
    other = rng.choice([w for w in group if w != word])
    return question.replace(word, other, 1) if other not in there else None


def _transplanted(material: Material, question: str, doc_id: str, there: str, rng: random.Random) -> str | None:
    """What is asked of another document, asked of this one: another measure of the same subject."""
    title = material.documents[doc_id].title
    if len(title) < 2:
        return None
    for _ in range(6):
        other = rng.choice(material.train)
        its = material.documents[other["relevant"][0]].title
        if len(its) >= 2 and its in other["question"] and its not in title:
            rest = understand(other["question"].replace(its, "")).words  # without asking words
            missing = [w for w in rest if len(w) > 1 and w not in there]
            if len(missing) >= max(2, 0.6 * len(rest)):
                return str(other["question"]).replace(its, title)
    return None
