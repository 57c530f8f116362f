"""python -m bench.stores milvus://127.0.0.1:19530: what a store finds and answers, beside this machine.

    [--data ../shared] [--corpus F] [--most 1500] [--work var/bench/stores]

Overlap of the ten best passages with the exact search of this machine, by vectors alone and fused, for the questions
of drcd_dev over its corpus, or over another one; and how many answers to market_dev are the same: text, refusal and
citations.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.fit import read
from index.build import rebuild
from index.encode import Encoder, load_encoder
from index.fold import to_simplified
from index.settings import Settings
from index.snapshot import Snapshot, current_version
from index.stores.store import store_of
from rag.assistant import Assistant
from rag.reader.read import Reader, load_reader
from rag.understand import understand

TOP = 10


def both(corpus: Path, work: Path, store: Settings, encoder: Encoder) -> tuple[Snapshot, Snapshot]:
    """One index, searched by this machine and by the store."""
    here = store.model_copy(update={"index": work / "index", "store": ""})
    rebuild([corpus], here, lambda: encoder)
    version = current_version(here.index)
    there = store_of(store.model_copy(update={"index": here.index}))
    there.publish(version, 1)
    return store_of(here).open(version), there.open(version)


def overlaps(here: Snapshot, there: Snapshot, encoder: Encoder, questions: list[str]) -> dict[str, Any]:
    """Shares of the ten best that are the same, and milliseconds of a search, the mean over questions."""
    dense, fused, took = [], [], {"here": 0.0, "there": 0.0}
    settings = Settings()
    ours, theirs = (Assistant(opened, encoder, settings) for opened in (here, there))
    everything = here.search.vectors(np.arange(len(here.passages)))
    for question in questions:
        vector = encoder.encode_query(to_simplified(understand(question).understood))
        exact = set(np.argsort(-(everything @ vector), kind="stable")[:TOP].tolist())
        found = there.search.candidates(vector, [], TOP)
        dense.append(len(exact & set(found.rows.tolist())) / TOP)
        ids = []
        for name, assistant in (("here", ours), ("there", theirs)):
            start = time.perf_counter()
            ids.append({h.passage.passage_id for h in assistant.search(question, TOP)})
            took[name] += time.perf_counter() - start
        fused.append(len(ids[0] & ids[1]) / TOP)
    return {
        "passages": len(here.passages),
        "questions": len(questions),
        "dense_overlap": float(np.mean(dense)),
        "fused_overlap": float(np.mean(fused)),
        "search_ms_here": 1000 * took["here"] / len(questions),
        "search_ms_there": 1000 * took["there"] / len(questions),
    }


def same_answers(
    here: Snapshot, there: Snapshot, encoder: Encoder, reader: Reader | None, questions: list[dict[str, Any]]
) -> dict[str, Any]:
    """How many are answered word for word alike, and the ids of those that are not."""
    ours, theirs = (Assistant(opened, encoder, Settings(), reader) for opened in (here, there))
    other = []
    for q in questions:
        a, b = (one.ask(q["question"], tuple(q.get("turns", ()))) for one in (ours, theirs))
        if (a.text, a.refused, a.reason, a.citations) != (b.text, b.refused, b.reason, b.citations):
            other.append(q["id"])
    return {"asked": len(questions), "same": len(questions) - len(other), "other": other}


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared")
    parser.add_argument("--corpus", type=Path, help="instead of drcd_dev's; over 20,000 passages Milvus has a graph")
    parser.add_argument("--most", type=int, default=1500)
    parser.add_argument("--work", type=Path, default=Path("var/bench/stores"))
    args = parser.parse_args()
    store = Settings.from_env(os.environ).model_copy(update={"store": args.store})
    encoder, reader = load_encoder(store), load_reader(store)
    asked = [q["question"] for q in read(args.data / "data" / "drcd_dev" / "queries.jsonl")][: args.most]
    corpus = args.corpus or args.data / "data" / "drcd_dev" / "corpus.jsonl"
    found = overlaps(*both(corpus, args.work / corpus.parent.name, store, encoder), encoder, asked)
    market = both(args.data / "articles", args.work / "market", store, encoder)
    questions = list(read(args.data / "data" / "market_dev.jsonl"))
    print(
        json.dumps(found | {"market": same_answers(*market, encoder, reader, questions)}, ensure_ascii=False, indent=1)
    )


if __name__ == "__main__":
    main()
