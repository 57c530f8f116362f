"""Learns what goes with the reader: sentence score, passage order, support with its threshold.

Writes rag/reader/weights.json.

    make train-reader           # trains the reader, then runs this
    python -m bench.fit_reader [--data FOLDER] [--most 330]

On the questions of cmrc_train that training held aside: on its own training questions the reader is surer than it will
ever be again. Each is asked as it stands and in other words, over the whole part of the corpus and over the passages
nearest to its own; with its passage taken out, and changed so that nothing answers it.
"""

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.fit import Bench, Case, auroc, fit_sentences, fit_support, predict, read, reworded
from bench.reader_data import Material, changed_question
from index.build import rebuild
from index.encode import load_encoder
from index.fold import fold_text
from index.settings import Settings
from index.snapshot import open_current
from rag.evidence import FEATURES, candidates, is_heading, weights
from rag.reader.read import Reading, load_reader
from rag.reading import READ_FEATURES, SUPPORT_READ_FEATURES, Read, readings_of, reordered, weighed
from rag.reading import support_features as read_features
from rag.understand import Question, understand

DATA = Path(__file__).parents[2] / "shared" / "data" / "cmrc_train"
OUT = Path(__file__).parents[1] / "rag" / "reader" / "weights.json"
ALLOWED_FALSE_REFUSALS = 0.04  # of the answerable questions above; on other corpora it has come to 3-6%
PASSAGES = 900  # of the corpus the questions are put to
DRAWN = 0.5, 0.25, 0.25  # how much answerable questions, absent answers and near misses weigh


class RememberingReader:
    """A reader that reads a window for a question once, however many corpora hold it."""

    def __init__(self, reader: Any) -> None:
        self.fingerprint = reader.fingerprint
        self._reader = reader
        self._known: dict[tuple[str, str, str], Reading] = {}

    def read(self, question: str, windows: Any) -> list[Reading]:
        """See Reader."""
        new = [w for w in windows if (question, w.heading, w.text) not in self._known]
        for window, reading in zip(new, self._reader.read(question, new) if new else [], strict=True):
            self._known[question, window.heading, window.text] = reading
        return [replace(self._known[question, w.heading, w.text], window=w) for w in windows]


def cases(bench: Bench, material: Material, queries: list[dict[str, Any]]) -> Iterator[Case]:
    """Every way each question is asked."""
    rng = random.Random(5)
    everything = np.arange(len(bench.doc_ids))
    documents = bench.snapshot.documents

    def as_asked(text: str, title: str) -> Question:
        """The question; its article's title is taken for a known name, as companies are in an alias list."""
        question = understand(text)
        known = fold_text(title)
        return replace(question, entities=((known,),)) if len(known) > 1 and known in question.folded else question

    for n, q in enumerate(queries):
        document = documents[q["relevant"][0]]
        answers = tuple(fold_text(a) for a in q["answers"])
        texts = dict.fromkeys([q["question"], reworded(q["question"], material.synonyms, rng)])
        other = changed_question(material, q, rng)
        for rows in (everything, bench.around(document.doc_id)):
            rest = rows[bench.doc_ids[rows] != document.doc_id]
            for text in texts:
                question = as_asked(text, document.title)
                yield Case(question, bench.retrieve(question, rows), answers, tuple(q["relevant"]), "whole", n)
                yield Case(question, bench.retrieve(question, rest), (), (), "half", n)
            if other is not None:
                title = next((t for t in material.titles if len(t) > 1 and t in other and t not in q["question"]), "")
                question = as_asked(other, title or document.title)
                yield Case(question, bench.retrieve(question, rows), (), (), "near", n)


def fit(bench: Bench, material: Material, queries: list[dict[str, Any]], reader: Any) -> dict[str, Any]:
    """The fitted models, with what they reach on questions held out of each fold."""
    plain = np.array([weights()["same"]["sentence"][name] for name in FEATURES])
    gathered = []
    for case in cases(bench, material, queries):
        found = [c for c in candidates(case.question, case.found, bench.snapshot) if not is_heading(c)]
        if found:
            ranked = sorted(
                (replace(c, score=float(np.array(c.features) @ plain)) for c in found),
                key=lambda c: (-c.score, c.row, c.place),
            )
            gathered.append((case, ranked, readings_of(case.question, ranked, bench.snapshot, reader)))
    bench.save()

    groups, held = [], []
    zero = dict.fromkeys((*FEATURES, *READ_FEATURES), 0.0)
    for case, ranked, readings in gathered:
        if case.kind == "whole":
            featured = weighed(ranked, readings, zero).ranked
            right = np.array(
                [
                    c.sentence.doc_id in case.relevant and any(a in c.sentence.folded for a in case.answers)
                    for c in featured
                ]
            )
            if right.any():
                (held if case.number % 5 == 0 else groups).append((np.array([c.features for c in featured]), right))
    w = fit_sentences(groups)
    sentence = dict(zip((*FEATURES, *READ_FEATURES), map(float, w), strict=True))
    report: dict[str, Any] = {
        "best_sentence_holds_answer": round(float(np.mean([y[np.argmax(x @ w)] for x, y in held])), 4),
        "without_reader": round(float(np.mean([y[np.argmax(x[:, : len(FEATURES)] @ plain)] for x, y in held])), 4),
    }
    passage = fit_order(gathered, report)

    rows, kinds, folds = [], [], []
    for case, ranked, readings in gathered:
        seen: Read = weighed(ranked, readings, sentence)
        rows.append(read_features(case.found, seen))
        kinds.append(case.kind)
        folds.append(case.number % 5)
    x, kind, fold = np.array(rows), np.array(kinds), np.array(folds)
    y = kind == "whole"
    share = dict(zip(("whole", "half", "near"), DRAWN, strict=True))
    weight = np.array([share[k] / np.mean(kind == k) for k in kind])
    out_of_fold = np.zeros(len(y))
    for part in range(5):
        train = fold != part
        out_of_fold[~train] = predict(fit_support(x[train], y[train], weight[train]), x[~train])
    cut = float(np.quantile(out_of_fold[y], ALLOWED_FALSE_REFUSALS))
    for k in ("half", "near"):
        report[k] = {
            "auroc": round(auroc(out_of_fold[y], out_of_fold[kind == k]), 4),
            "refused_at_5pct_false": round(float(np.mean(out_of_fold[kind == k] < cut)), 4),
        }
    support = fit_support(x, y, weight) | {
        "threshold": round(cut, 4),
        "features": list(SUPPORT_READ_FEATURES),
    }
    print(report, sentence, passage, sep="\n")
    print({f: round(v, 2) for f, v in zip(support["features"], support["weights"], strict=True)}, support["threshold"])
    np.savez(Path("var/fit_reader/support.npz"), x=x, y=y, kind=kind, fold=fold, predicted=out_of_fold)
    return {"sentence": sentence, "passage": passage, "support": support, "held_out": report}


def fit_order(gathered: list[Any], report: dict[str, Any]) -> dict[str, float]:
    """How much the reader counts beside retrieval: by hit@1, then by reciprocal rank, over a grid."""
    whole = [(case, readings) for case, _, readings in gathered if case.kind == "whole"]

    def reached(weight: float, softness: float) -> tuple[float, float]:
        ranks = []
        for case, readings in whole:
            docs = [h.passage.doc_id for h in reordered(case.found, readings, weight=weight, softness=softness)]
            ranks.append(next((n for n, d in enumerate(dict.fromkeys(docs), 1) if d in case.relevant), 99))
        return float(np.mean([r == 1 for r in ranks])), float(np.mean([1 / r for r in ranks]))

    grid = [(weight, softness) for weight in (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2) for softness in (1.0, 2.0, 4.0)]
    best = max(grid, key=lambda g: reached(*g))
    report["hit@1"] = {"retrieval": round(reached(0.0, 1.0)[0], 4), "read": round(reached(*best)[0], 4)}
    return {"weight": best[0], "softness": best[1]}


def main() -> None:
    """Fits and writes the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with corpus.jsonl.gz and queries.jsonl.gz")
    parser.add_argument("--most", type=int, default=330, help="questions")
    parser.add_argument("--reader-work", type=Path, default=Path("var/reader"), help="as in bench.train_reader")
    parser.add_argument("--work", type=Path, default=Path("var/fit_reader"), help="where index and vectors are kept")
    args = parser.parse_args()
    if not (args.data / "corpus.jsonl.gz").is_file():
        raise SystemExit(f"{args.data} holds no corpus.jsonl.gz: name a folder with training data: --data")
    rng = random.Random(1)
    args.work.mkdir(parents=True, exist_ok=True)
    material = Material(args.data, args.reader_work)
    queries = list(material.held)
    rng.shuffle(queries)
    queries = queries[: args.most]
    needed = {q["relevant"][0] for q in queries}
    others = rng.sample([d for d in material.rows if d not in needed], max(0, PASSAGES - len(needed)))
    needed |= set(others)
    part = args.work / "passages.jsonl"
    chosen = [p for p in read(args.data / "corpus.jsonl.gz") if p["id"] in needed]
    part.write_text("".join(json.dumps(p, ensure_ascii=False) + "\n" for p in chosen), encoding="utf-8")
    settings = Settings.from_env({}).model_copy(update={"index": args.work / "index"})
    rebuild([part], settings, lambda: load_encoder(settings, progress=True))
    bench = Bench(open_current(settings.index), args.work / "queries.npz")
    reader = RememberingReader(load_reader(settings))
    fitted_on = f"cmrc_train: {len(queries)} questions held out of training; python -m bench.fit_reader"
    found = {"fitted_on": fitted_on, "same": fit(bench, material, queries, reader)}
    OUT.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
