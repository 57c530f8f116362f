"""make bench-quality: retrieval and answer quality, and speed, on the question sets in ../shared/data, as one table.

    python -m bench.quality [--data ../shared/data] [--most 200] [--full]

Without --full, `--most` questions of each set are asked over a part of its corpus: what they need and as much again.
Indexes are kept under var/bench and reused while the corpus and the settings stay the same.
"""

import argparse
import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.fit import read
from index.build import rebuild
from index.encode import Encoder, load_encoder
from index.settings import Settings
from index.snapshot import open_current
from rag.assistant import Assistant
from rag.evaluate import judge, read_questions, summary
from rag.reader.read import Reader, load_reader

DATA = Path(__file__).parents[2] / "shared" / "data"


def sample(folder: Path, most: int | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The first `most` questions on passages spread evenly over the set, and those passages with as many others."""
    passages, queries = read(folder / "corpus.jsonl"), read(folder / "queries.jsonl")
    if most is None or most >= len(queries):
        return passages, queries
    step = max(1, len(queries) // most)
    asked = {p["id"] for p in passages[::step]}
    chosen = [q for q in queries if set(q["relevant"]) <= asked][:most]
    needed = {d for q in chosen for d in q["relevant"]}
    others = [p["id"] for p in passages if p["id"] not in needed]
    needed |= set(others[:: max(1, len(others) // len(needed))][: len(needed)])
    return [p for p in passages if p["id"] in needed], chosen


def rank_metrics(ranked: Sequence[Sequence[str]], relevant: Sequence[Sequence[str]]) -> dict[str, float]:
    """hit@1, hit@5 and nDCG@10 over documents, the mean over queries."""
    hit_1, hit_5, ndcg = [], [], []
    for docs, gold in zip(ranked, relevant, strict=True):
        unique = list(dict.fromkeys(docs))[:10]
        hit_1.append(bool(set(unique[:1]) & set(gold)))
        hit_5.append(bool(set(unique[:5]) & set(gold)))
        gain = sum(1 / math.log2(i + 2) for i, d in enumerate(unique) if d in gold)
        ndcg.append(gain / sum(1 / math.log2(i + 2) for i in range(min(10, len(gold)))))
    return {"hit@1": float(np.mean(hit_1)), "hit@5": float(np.mean(hit_5)), "ndcg@10": float(np.mean(ndcg))}


def measure(folder: Path, root: Path, encoder: Encoder, reader: Reader | None, most: int | None) -> dict[str, Any]:
    """Builds (or reuses) the index of one set and asks its questions."""
    passages, queries = sample(folder, most)
    corpus = root / f"{folder.name}-{len(passages)}.jsonl"
    root.mkdir(parents=True, exist_ok=True)
    corpus.write_text("".join(json.dumps(p, ensure_ascii=False) + "\n" for p in passages), encoding="utf-8")
    settings = Settings.from_env({}).model_copy(update={"index": root / corpus.stem})
    built = rebuild([corpus], settings, lambda: encoder)
    assistant = Assistant(open_current(settings.index), encoder, settings, reader)
    ranked, took_ms = [], []
    for q in queries:
        began = time.perf_counter()
        hits, _ = assistant.run(q["question"], 10)
        took_ms.append((time.perf_counter() - began) * 1000)
        ranked.append([h.passage.doc_id for h in hits])
    metrics = rank_metrics(ranked, [q["relevant"] for q in queries])
    return {
        "set": folder.name,
        "passages": built.passages,
        "questions": len(queries),
        **metrics,
        "rebuild_s": None if built.unchanged else built.took_s,
        "p50_ms": float(np.median(took_ms)),
    }


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--most", type=int, default=200)
    parser.add_argument("--full", action="store_true", help="every question over the whole corpus")
    args = parser.parse_args()
    if not args.data.is_dir():
        raise SystemExit(
            f"{args.data} is not there: the question sets are not part of this repository; name them with --data"
        )
    root = Path("var/bench")
    settings = Settings.from_env(os.environ)  # YUNTU_READER=off measures without
    encoder, reader = load_encoder(settings, progress=True), load_reader(settings)
    rows = [
        measure(args.data / name, root, encoder, reader, None if args.full else args.most)
        for name in ("drcd_dev", "cmrc_dev")
    ]
    print("| set | passages | questions | hit@1 | hit@5 | nDCG@10 | rebuild s | p50 ms |\n|" + " --- |" * 8)
    for r in rows:
        took = "reused" if r["rebuild_s"] is None else f"{r['rebuild_s']:.0f}"
        metrics = " | ".join(f"{r[name]:.3f}" for name in ("hit@1", "hit@5", "ndcg@10"))
        print(f"| {r['set']} | {r['passages']} | {r['questions']} | {metrics} | {took} | {r['p50_ms']:.0f} |")
    articles, questions = args.data.parent / "articles", args.data / "market_dev.jsonl"
    if articles.is_dir() and questions.is_file():
        settings = Settings.from_env({}).model_copy(update={"index": root / "articles"})
        rebuild([articles], settings, lambda: encoder)
        assistant = Assistant(open_current(settings.index), encoder, settings, reader)
        texts = {d.doc_id: d.text for d in assistant.documents()}
        judged = [
            judge(q, assistant.ask(q["question"], q.get("turns") or []), texts) for q in read_questions(questions)
        ]
        print(json.dumps(summary(judged), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
