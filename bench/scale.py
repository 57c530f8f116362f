"""Curves over the size of a corpus: rebuild, memory, disk, opening, searching, recall. Writes scale.json and scale.md.

    python -m bench.scale [--data ../shared/data] [--sizes 1000 10000] [--synthesised 100000] [--vectors 1000000]

Passages are made of the sentences of the question sets' corpora, shuffled: about 80 characters each, no two alike, so
that every one is really cleaned, split, searched for figures and encoded. For `--synthesised` the texts are made the
same way, but their vectors lie around real ones (a real one and noise of a third of its length), and reading figures
and telling reprints is left out: what is measured is search. `--vectors`: the dense leg alone, with such vectors.
Queries are questions of the sets.
"""

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.fit import read
from index import snapshot
from index.aligned import Aligned
from index.build import passages_of, rebuild, searched_terms
from index.dense import Dense
from index.encode import fingerprint_of, load_encoder, precision_of
from index.lexical import Lexical
from index.pool import over_all
from index.publish import Content, Part, write, writer_lock
from index.settings import Settings
from index.stores.local import LocalSearch
from index.tokenize import fingerprint
from index.values import Document
from rag.assistant import Assistant

DATA = Path(__file__).parents[2] / "shared" / "data"
WORK = Path("var/bench/scale")
SETS = ("drcd_dev", "cmrc_dev", "rgb_dev")
CHARS, QUERIES, NOISE, REAL = 80, 300, 1 / 3, 5000


def texts(data: Path, count: int, seed: int = 1) -> list[str]:
    """Shuffled sentences, joined until they are long enough."""
    rng = random.Random(seed)
    sentences = sorted(
        {
            f"{s}。"
            for name in SETS
            for p in read(data / name / "corpus.jsonl")
            for s in p["text"].replace("\n", "。").split("。")
            if 8 < len(s) < CHARS
        }
    )
    found: dict[str, None] = {}
    while len(found) < count:
        rng.shuffle(sentences)
        made = ""
        for sentence in sentences:
            made += sentence
            if len(made) >= CHARS:
                found[made] = None
                made = ""
    return list(found)[:count]


def searched(root: Path, queries: list[str], encoder: Any) -> dict[str, float]:
    """Opening and searching an index, in this process."""
    start = time.perf_counter()
    opened = snapshot.open_current(root)
    took = {"open_s": time.perf_counter() - start}
    assistant = Assistant(opened, encoder, Settings(index=root))
    for query in queries[:20]:
        assistant.search(query, 10)
    times = []
    for query in queries:
        start = time.perf_counter()
        assistant.search(f"{query}？", 10)  # its vector is not remembered
        times.append(time.perf_counter() - start)
    centiles = statistics.quantiles(times, n=100)
    took |= {"search_p50_ms": centiles[49] * 1000, "search_p95_ms": centiles[94] * 1000}
    searched_in = opened.search
    assert isinstance(searched_in, LocalSearch)
    vectors = searched_in.vectors(np.arange(len(opened.passages)))
    found_10, found_100, dense_ms = [], [], []
    for query in queries[:100]:
        vector = encoder.encode_query(query)
        exact = np.argsort(-(vectors @ vector), kind="stable")[:100]
        start = time.perf_counter()
        near = searched_in.dense.nearest(vector, 100)
        dense_ms.append((time.perf_counter() - start) * 1000)
        scored = near[np.argsort(-(vectors[near] @ vector), kind="stable")]
        found_10.append(np.isin(exact[:10], scored[:10]).mean())
        found_100.append(np.isin(exact, near).mean())
    return took | {
        "recall_at_10": float(np.mean(found_10)),
        "recall_at_100": float(np.mean(found_100)),
        "dense_ms": statistics.median(dense_ms),
    }


def really(data: Path, count: int, work: Path) -> dict[str, float]:
    """Builds an index of so many passages the way `yuntu rebuild` does."""
    corpus = work / "corpus.jsonl"
    with corpus.open("w", encoding="utf-8") as f:
        for n, text in enumerate(texts(data, count)):
            f.write(json.dumps({"id": f"p{n:07}", "title": "", "text": text}, ensure_ascii=False) + "\n")
    settings = Settings(index=work / "index")
    start = time.perf_counter()
    rebuild([corpus], settings, lambda: load_encoder(settings), full=True)
    return {"rebuild_s": time.perf_counter() - start}


def _uncleaned(given: tuple[int, str]) -> tuple[Part, list[list[str]]]:
    document = Document(f"p{given[0]:07}", "", given[1])
    passages = passages_of(document, Aligned.of(document.text), max_chars=Settings().max_chars)
    return Part(document, passages, (), ()), [searched_terms(document, p) for p in passages]


def synthesised(data: Path, count: int, work: Path) -> dict[str, float]:
    """Writes an index of so many passages with made-up vectors around real ones."""
    settings, rng = Settings(index=work / "index"), np.random.default_rng(1)
    encoder = load_encoder(settings)
    written = texts(data, count)
    real = encoder.encode_passages(written[:REAL])
    start = time.perf_counter()
    vectors = around(real, count, rng)
    made = over_all(_uncleaned, list(enumerate(written)), "split", processes=True)
    parts = [part for part, _ in made]
    lexical = Lexical.build([terms for _, own in made for terms in own])
    sentences = sum(len(p.sentences) for part in parts for p in part.passages)
    recipe = snapshot.Recipe(
        settings.encoder, fingerprint_of(settings), precision_of(settings), fingerprint(), settings.max_chars, "", ""
    )
    content = Content(recipe, (), parts, (), (), {}, vectors, np.zeros((sentences, encoder.dim), np.float16), lexical)
    with writer_lock(settings.index):
        write(settings.index, content, 0.0)
    return {"rebuild_s": time.perf_counter() - start}


def vectors_only(data: Path, count: int, work: Path) -> dict[str, float]:
    """The dense leg over so many made-up vectors around real ones."""
    encoder, rng = load_encoder(Settings()), np.random.default_rng(1)
    queries = [q["question"] for s in SETS for q in read(data / s / "queries.jsonl")]
    random.Random(2).shuffle(queries)
    asked = np.array([encoder.encode_query(q) for q in queries[:100]])
    vectors = around(encoder.encode_passages(texts(data, REAL)), count, rng)
    start = time.perf_counter()
    Dense.build(vectors).save(work)
    found = {"rebuild_s": time.perf_counter() - start}
    exact = [np.argsort(-(vectors @ vector), kind="stable")[:100] for vector in asked]
    start = time.perf_counter()
    dense = Dense.open(work)
    found["open_s"] = time.perf_counter() - start
    times, near_10, near_100 = [], [], []
    for vector, nearest in zip(asked, exact, strict=True):
        start = time.perf_counter()
        near = dense.nearest(vector, 100)
        times.append((time.perf_counter() - start) * 1000)
        near_10.append(np.isin(nearest[:10], near[:10]).mean())
        near_100.append(np.isin(nearest, near).mean())
    centiles = statistics.quantiles(times, n=100)
    return found | {
        "dense_p50_ms": centiles[49],
        "dense_p95_ms": centiles[94],
        "recall_at_10": float(np.mean(near_10)),
        "recall_at_100": float(np.mean(near_100)),
    }


def around(real: Any, count: int, rng: np.random.Generator) -> Any:
    """Unit vectors (count, dim) around real ones."""
    vectors = real[rng.integers(0, len(real), count)]
    for at in range(0, count, 100_000):
        part = vectors[at : at + 100_000]
        part += rng.normal(0, NOISE / np.sqrt(part.shape[1]), part.shape).astype(np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def one(data: Path, count: int, make: Callable[[Path, int, Path], dict[str, float]]) -> dict[str, float]:
    """Everything about one size; building and searching in processes of their own, so that each has its own memory."""
    work = WORK / str(count)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    found: dict[str, float] = {"passages": count}
    for step in (make.__name__, "searched"):
        code = "import sys; from bench import scale; scale.step(*sys.argv[1:])"
        command = [sys.executable, "-c", code, step, str(data), str(count), str(work)]
        found |= json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    version = work / "index" / snapshot.current_version(work / "index")
    found["disk_mb"] = sum(p.stat().st_size for p in version.rglob("*") if p.is_file()) / 1e6
    return found


def step(name: str, data: str, count: str, work: str) -> None:
    """One step, in this process: what it found as JSON on stdout."""
    if name == "searched":
        encoder = load_encoder(Settings())
        queries = [q["question"] for s in SETS for q in read(Path(data) / s / "queries.jsonl")]
        random.Random(2).shuffle(queries)
        found = searched(Path(work) / "index", queries[:QUERIES], encoder)
    else:
        found = {"really": really, "synthesised": synthesised}[name](Path(data), int(count), Path(work))
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    found[f"{'search' if name == 'searched' else 'rebuild'}_peak_mb"] = (
        max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, children) / 1024
    )
    print(json.dumps(found))


def main() -> None:
    """Measures every size, the small ones first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--synthesised", type=int, nargs="*", default=[100_000])
    parser.add_argument("--vectors", type=int, nargs="*", default=[1_000_000])
    args = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `yuntu` does
    results = []
    for count, make in [*((n, really) for n in args.sizes), *((n, synthesised) for n in args.synthesised)]:
        results.append({**one(args.data, count, make), "synthesised": make is synthesised})
        print(results[-1], file=sys.stderr, flush=True)
        WORK.joinpath("scale.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    names = [name for name in results[0] if name != "synthesised"] if results else []
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(f"{r[name]:.4g}" for name in names) + " |" for r in results]
    WORK.joinpath("scale.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    for count in args.vectors:
        work = WORK / f"vectors-{count}"
        work.mkdir(parents=True, exist_ok=True)
        print(count, vectors_only(args.data, count, work))


if __name__ == "__main__":
    main()
