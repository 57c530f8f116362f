"""Measures one system in a process of its own; runs in the environment where that system is installed.

python measure.py NAME --corpus CORPUS.jsonl... --queries QUERIES.jsonl... --model FOLDER --out RESULT.json
"""

import argparse
import importlib
import json
import resource
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WARM_UP, TIMED, TOP_K, CLIENTS = 20, 200, 10, 16


def main() -> None:
    """Builds, asks every question once for quality, then some of them for time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--queries", type=Path, nargs="*", default=[])
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    system = importlib.import_module(args.name)
    documents = [json.loads(line) for path in args.corpus for line in path.open(encoding="utf-8")]
    queries = [json.loads(line) for path in args.queries for line in path.open(encoding="utf-8")]

    began = time.perf_counter()
    search = system.build(documents, args.model)
    found = {"system": args.name, "documents": len(documents), "rebuild_s": time.perf_counter() - began}
    if queries:
        asked = [q["question"] for q in queries]
        for text in asked[-WARM_UP:]:
            search(text, TOP_K)
        took, hits = [], {}
        for q in queries:
            start = time.perf_counter()
            hits[q["id"]] = search(q["question"], TOP_K)
            took.append(time.perf_counter() - start)
        timed = [f"{text}？" for text in asked[:: max(1, len(asked) // TIMED)][:TIMED]]  # asked for the first time
        start = time.perf_counter()
        for text in timed:
            search(text, TOP_K)
        alone = len(timed) / (time.perf_counter() - start)
        again = [f"{text}?" for text in timed]
        with ThreadPoolExecutor(CLIENTS) as pool:
            start = time.perf_counter()
            list(pool.map(lambda text: search(text, TOP_K), again))
            together = len(again) / (time.perf_counter() - start)
        centiles = statistics.quantiles(took, n=100)
        found |= {
            "query_p50_ms": centiles[49] * 1000,
            "query_p95_ms": centiles[94] * 1000,
            "per_second_1": alone,
            "per_second_16": together,
            "hits": hits,
        }
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    args.out.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
