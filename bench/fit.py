"""Learns what the product must not guess: the weight of the lexical leg, the sentence score, and support with its threshold.

    python -m bench.fit --index INDEX_OF_A_TRAINING_CORPUS --queries QUERIES.jsonl [--most 2000]

The index is one of `yuntu rebuild --corpus` on training passages (cmrc_train; never a development set). Writes
rag/weights.json. Questions about what the corpus does not say are made from the same data: the passage taken out of the
ranking, and the question asked about another year or another title.
"""

import argparse
import gzip
import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from index.encode import load_encoder
from index.fold import fold_text
from index.settings import Settings
from index.snapshot import Snapshot, open_current
from rag import retrieve as retrieving
from rag.evidence import FEATURES, Scored, candidates
from rag.retrieve import Retrieved, retrieve
from rag.support import SUPPORT_FEATURES, rarities, support_features
from rag.understand import Question, understand

OUT = Path(__file__).parents[1] / "rag" / "weights.json"
ALLOWED_FALSE_REFUSALS = 0.05


def read(path: Path) -> list[dict[str, Any]]:
    """JSON lines, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def near_miss(question: str, text: str, title: str, titles: list[str], rng: random.Random) -> str | None:
    """The question about another year, or another subject, than its passage has; None when it names neither."""
    if (year := re.search(r"(?<!\d)(1[89]|20)\d\d(?=年)", question)) is not None:
        other = str(int(year.group()) + rng.choice([-7, -5, -3, -2, 2, 3, 4, 6]))
        return question[: year.start()] + other + question[year.end() :] if other not in text else None
    if len(title) >= 2 and title in question:
        other = rng.choice(titles)
        return question.replace(title, other) if other not in text and other not in title and title not in other else None
    return None


def without(found: Retrieved, doc_id: str, top_k: int) -> Retrieved:
    """The ranking as it would be if the document were not in the corpus."""
    kept = [i for i, h in enumerate(found.hits) if h.passage.doc_id != doc_id][:top_k]
    return replace(found, hits=tuple(found.hits[i] for i in kept), rows=tuple(found.rows[i] for i in kept))


def fit_sentences(groups: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, float]:
    """Softmax over each question's sentences: the chance of the ones that hold the answer is made large."""
    w = torch.zeros(len(FEATURES), dtype=torch.float64, requires_grad=True)
    data = [(torch.tensor(x), torch.tensor(y)) for x, y in groups]
    optimizer = torch.optim.LBFGS([w], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = sum(torch.logsumexp(x @ w, 0) - torch.logsumexp((x @ w)[y], 0) for x, y in data) / len(data)
        loss = loss + 1e-4 * (w**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return w.detach().numpy(), 0.0


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


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Chance that a positive outranks a negative."""
    return float(np.mean(positive[:, None] > negative[None, :]) + 0.5 * np.mean(positive[:, None] == negative[None, :]))


def main() -> None:
    """Fits and writes the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--most", type=int, default=2000)
    parser.add_argument("--top-k", type=int, default=10)
    parser.add_argument("--cache", type=Path, help="keep query vectors here between runs")
    args = parser.parse_args()
    snapshot = open_current(args.index)
    settings = Settings()
    rng = random.Random(7)  # noqa: S311
    queries = read(args.queries)[: args.most]
    titles = sorted({d.title for d in snapshot.documents.values() if 2 <= len(d.title) <= 12})

    vectors = dict(np.load(args.cache)) if args.cache and args.cache.exists() else {}
    encoder = None

    class Cached:
        name = fingerprint = ""
        dim = 384

        def encode_query(self, query: str) -> np.ndarray:
            nonlocal encoder
            if query not in vectors:
                encoder = encoder or load_encoder(settings)
                vectors[query] = encoder.encode_query(query)
            return vectors[query]

        def encode_passages(self, texts: object) -> np.ndarray:
            raise NotImplementedError

    cached = Cached()
    choose_lexical_weight(queries, snapshot, cached)

    asked: list[tuple[Question, Retrieved, dict[str, Any]]] = []
    misses: list[tuple[Question, Retrieved]] = []
    for q in queries:
        question = understand(q["question"])
        asked.append((question, retrieve(question, snapshot, cached, top_k=args.top_k * 3), q))
        document = snapshot.documents[q["relevant"][0]]
        if (other := near_miss(q["question"], document.text, document.title, titles, rng)) is not None:
            missed = understand(other)
            misses.append((missed, retrieve(missed, snapshot, cached, top_k=args.top_k)))
    if args.cache:
        np.savez(args.cache, **vectors)

    groups, held = [], []
    for n, (question, found, q) in enumerate(asked):
        answers = [fold_text(a) for a in q["answers"]]
        cands = candidates(question, top(found, args.top_k), snapshot)
        x = np.array([c.features for c in cands])
        y = np.array([c.sentence.doc_id in q["relevant"] and any(a in c.sentence.folded for a in answers) for c in cands])
        if y.any():
            (held if n % 5 == 0 else groups).append((x, y))
    w, bias = fit_sentences(groups)
    print("sentence weights", {f: round(float(v), 2) for f, v in zip(FEATURES, w, strict=True)})
    print("held out: best sentence holds the answer", np.mean([y[np.argmax(x @ w)] for x, y in held]), len(held))
    print("in the first two", np.mean([y[np.argsort(-(x @ w))[:2]].any() for x, y in held]))
    for drop in ("dense", "word_cover_context", "any_shape"):
        i = FEATURES.index(drop)
        print("  without", drop, np.mean([y[np.argmax(x @ w - x[:, i] * w[i])] for x, y in held]))

    def features_of(question: Question, found: Retrieved) -> list[float] | None:
        cands = candidates(question, found, snapshot)
        if not cands:
            return None
        scores = np.array([c.features for c in cands]) @ w
        ranked = sorted((replace(c, score=float(s)) for c, s in zip(cands, scores, strict=True)), key=by_score)
        heads = " ".join({fold_text(snapshot.documents[h.passage.doc_id].title) for h in found.hits[:5]})
        return support_features(question, found, ranked, rarities(question, snapshot), heads)

    rows = [(features_of(q, top(f, args.top_k)), 1, "whole", n) for n, (q, f, _) in enumerate(asked)]
    rows += [(features_of(q, without(f, r["relevant"][0], args.top_k)), 0, "half", n) for n, (q, f, r) in enumerate(asked)]
    rows += [(features_of(q, f), 0, "near", n) for n, (q, f) in enumerate(misses)]
    rows = [r for r in rows if r[0] is not None]
    x, y = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    kind, fold = np.array([r[2] for r in rows]), np.array([r[3] % 5 for r in rows])
    share = {k: np.mean(kind == k) for k in ("whole", "half", "near")}
    weight = np.array([{"whole": 0.5, "half": 0.25, "near": 0.25}[k] / share[k] for k in kind])
    held_scores = np.zeros(len(y))
    for part in range(5):
        model = fit_support(x[fold != part], y[fold != part], weight[fold != part])
        held_scores[fold == part] = predict(model, x[fold == part])
    for k in ("half", "near"):
        cut = np.quantile(held_scores[kind == "whole"], ALLOWED_FALSE_REFUSALS)
        print(k, "AUROC", round(auroc(held_scores[kind == "whole"], held_scores[kind == k]), 4),
              "refused at 5% false", round(float(np.mean(held_scores[kind == k] < cut)), 3), "cut", round(float(cut), 3))
    model = fit_support(x, y, weight)
    print({f: round(v, 2) for f, v in zip(SUPPORT_FEATURES, model["weights"], strict=True)})
    model["threshold"] = round(float(np.quantile(held_scores[kind == "whole"], ALLOWED_FALSE_REFUSALS)), 4)
    model["features"] = list(SUPPORT_FEATURES)
    OUT.write_text(json.dumps({
        "fitted_on": f"cmrc_train, {len(asked)} questions over {len(snapshot.documents)} passages, by bench/fit.py",
        "sentence": {"weights": {f: float(v) for f, v in zip(FEATURES, w, strict=True)}, "bias": bias},
        "support": model,
    }, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def by_score(c: Scored) -> tuple[float, int, int]:
    """Best first, then reading order."""
    return -c.score, c.row, c.place


def top(found: Retrieved, top_k: int) -> Retrieved:
    """The first `top_k` hits."""
    return replace(found, hits=found.hits[:top_k], rows=found.rows[:top_k])


def predict(model: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """Probabilities of a fitted model."""
    z = (x - np.array(model["mean"])) / np.array(model["scale"]) @ np.array(model["weights"]) + model["bias"]
    return 1 / (1 + np.exp(-z))


def choose_lexical_weight(queries: list[dict[str, Any]], snapshot: Snapshot, encoder: Any) -> None:
    """Prints hit@1 by weight, so that the constant in rag/retrieve.py can be checked."""
    everything = snapshot.passage_vectors.reconstruct_n(0, len(snapshot.passages))
    doc_ids = np.array([p.doc_id for p in snapshot.passages])
    legs = []
    for q in queries:
        question = understand(q["question"])
        legs.append((everything @ encoder.encode_query(question.understood), snapshot.lexical.scores(question.terms),
                     snapshot.lexical.ceiling(question.terms), q["relevant"][0]))
    for weight in (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0):
        retrieving.LEXICAL_WEIGHT = weight
        right = [doc_ids[np.argmax(retrieving.fuse(d, lex, c))] == gold for d, lex, c, gold in legs]
        print("lexical weight", weight, "hit@1", round(float(np.mean(right)), 4))
    retrieving.LEXICAL_WEIGHT = 0.5


if __name__ == "__main__":
    main()
