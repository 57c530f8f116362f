"""make bench: Yuntu beside txtai, LlamaIndex, Haystack and a plain script, with the same weights, in one run.

    python -m bench.compare [--data ../shared/data] [--every 3] [--only NAME...] [--out var/bench/compare]

One corpus of three sets is built by each system and asked the sets' questions: rebuild time, peak memory, time a query,
queries a second with 1 and 16 clients, hit@1 and nDCG@10. Peers run in an environment of their own (var/peers, made
here), each as its documentation sets it up for Chinese: see bench/peers/. `--every 3` takes a third of the passages.
Writes compare.json, compare.md and compare.svg.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.fit import read
from bench.quality import rank_metrics

ROOT = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "peers"
DATA = ROOT.parent / "shared" / "data"
SETS = ("drcd_dev", "cmrc_dev", "rgb_dev")
SYSTEMS = {
    "yuntu": "Yuntu（不读）",
    "yuntu_read": "Yuntu（经阅读器）",
    "plain": "sentence-transformers + FAISS",
    "txtai_hybrid": "txtai",
    "llama_index_hybrid": "LlamaIndex",
    "haystack_hybrid": "Haystack",
}
COLUMNS = {  # of a result → its heading
    "rebuild_s": "重建 s",
    "peak_mb": "峰值内存 MB",
    "query_p50_ms": "查询 p50 ms",
    "query_p95_ms": "p95 ms",
    "per_second_1": "1 客户端 次/s",
    "per_second_16": "16 客户端 次/s",
}


def python_of_peers() -> Path:
    """The interpreter of the peers' environment, made when it is not there (about 2 GB)."""
    folder = ROOT / "var" / "peers"
    python, done = folder / "bin" / "python", folder / ".installed"
    wanted = (PEERS / "requirements.txt").read_text()
    if not done.exists() or done.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "-r", str(PEERS / "requirements.txt")], check=True
        )
        done.write_text(wanted)
    return python


def model_folder() -> Path:
    """The weights as a folder that the peers can load, made when it is not there."""
    folder = ROOT / "var" / "bench" / "e5"
    if not (folder / "model" / "modules.json").exists():
        subprocess.run([sys.executable, "-m", "bench.peers.export", str(folder)], check=True)
    return folder / "model"


def sampled(data: Path, every: int, work: Path) -> tuple[Path, dict[str, list[dict[str, Any]]]]:
    """A corpus of every so-manieth passage of each set, and the questions that it answers."""
    passages, queries = [], {}
    for name in SETS:
        own = read(data / name / "corpus.jsonl")[::every]
        held = {p["id"] for p in own}
        passages += own
        asked = [
            {**q, "relevant": [d for d in q["relevant"] if d in held]} for q in read(data / name / "queries.jsonl")
        ]
        queries[name] = [q for q in asked if q["relevant"]]
    corpus = work / "corpus.jsonl"
    corpus.write_text("".join(json.dumps(p, ensure_ascii=False) + "\n" for p in passages), encoding="utf-8")
    return corpus, queries


def measured(name: str, corpus: Path, queries: Path, work: Path) -> dict[str, Any]:
    """One system in its own process."""
    own = name.startswith("yuntu")
    python = sys.executable if own else str(python_of_peers())
    out = work / f"{name}.json"
    command = [python, str(PEERS / "measure.py"), name, "--corpus", str(corpus), "--queries", str(queries)]
    command += ["--model", str(model_folder()), "--out", str(out)]
    offline = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": str(ROOT) if own else ""}
    subprocess.run(command, check=True, env={**os.environ, **offline}, stderr=(work / f"{name}.log").open("w"))
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def table(results: list[dict[str, Any]], sets: list[str]) -> str:
    """Markdown; times of the others as multiples of ours as well."""
    heads = ["", *COLUMNS.values(), *(f"{name} hit@1 / nDCG@10" for name in sets)]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    ours = results[0]
    for r in results:
        cells = [SYSTEMS[r["system"]]]
        for key in COLUMNS:
            ratio = "" if r is ours else f"（{r[key] / ours[key]:.2g}×）"
            cells.append(f"{r[key]:.3g}{ratio}" if r[key] < 1000 else f"{r[key]:.0f}{ratio}")
        cells += [f"{r['quality'][name]['hit@1']:.3f} / {r['quality'][name]['ndcg@10']:.3f}" for name in sets]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plot(results: list[dict[str, Any]], path: Path) -> None:
    """Rebuild time against nDCG@10, a point a system."""
    import vl_convert

    rows = [
        {
            "system": SYSTEMS[r["system"]],
            "rebuild": r["rebuild_s"],
            "ndcg": sum(q["ndcg@10"] for q in r["quality"].values()) / len(r["quality"]),
        }
        for r in results
    ]
    axes = {
        "x": {"field": "rebuild", "type": "quantitative", "title": "rebuild, s"},
        "y": {"field": "ndcg", "type": "quantitative", "title": "nDCG@10, mean of the sets", "scale": {"zero": False}},
    }
    label = {"type": "text", "align": "left", "dx": 8}
    spec = {
        "data": {"values": rows},
        "width": 520,
        "height": 320,
        "layer": [
            {"mark": {"type": "point", "filled": True, "size": 90}, "encoding": axes},
            {"mark": label, "encoding": {**axes, "text": {"field": "system"}}},
        ],
    }
    path.write_text(vl_convert.vegalite_to_svg(spec), encoding="utf-8")


def main() -> None:
    """Runs every system, one after the other, and writes what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--every", type=int, default=3, help="take every so-manieth passage; 1: all (an hour)")
    parser.add_argument("--only", nargs="+", choices=[*SYSTEMS], default=[*SYSTEMS])
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "bench" / "compare")
    args = parser.parse_args()
    if not (args.data / SETS[0] / "corpus.jsonl").is_file():
        raise SystemExit(f"{args.data} holds no question sets: name their folder with --data")
    args.out.mkdir(parents=True, exist_ok=True)
    corpus, queries = sampled(args.data, args.every, args.out)
    asked = args.out / "queries.jsonl"
    asked.write_text(
        "".join(json.dumps(q, ensure_ascii=False) + "\n" for own in queries.values() for q in own), encoding="utf-8"
    )
    results = []
    for name in args.only:
        print(name, file=sys.stderr, flush=True)
        found = measured(name, corpus, asked, args.out)
        hits = found.pop("hits")
        found["quality"] = {
            s: rank_metrics([hits[q["id"]] for q in own], [q["relevant"] for q in own]) for s, own in queries.items()
        }
        results.append(found)
        (args.out / "compare.json").write_text(json.dumps(results, ensure_ascii=False, indent=1), encoding="utf-8")
    said = table(results, [*queries])
    (args.out / "compare.md").write_text(said, encoding="utf-8")
    plot(results, args.out / "compare.svg")
    print(said)


if __name__ == "__main__":
    main()
