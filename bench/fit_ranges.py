"""Measures how far the inputs of linear layers reach, which the 8-bit networks must know. Also the reader's.

    make fit-ranges             # with cmrc_train in ../shared/data; a minute
    python -m bench.fit_ranges [--data FOLDER] [--most 200]

On passages and questions of cmrc_train in float32. Writes index/e5_ranges.safetensors, and the ranges in
rag/reader/reader.safetensors. Run it again when the reader was trained again.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from openvino import opset13 as op
from safetensors import safe_open
from safetensors.numpy import save_file

from bench.fit import read
from index import e5_network
from index.build import passages_of
from index.compiled import compiled
from index.e5_network import Floats, TokenEmbeddings, input_of, linear
from index.embedded_e5 import PASSAGE_PROMPT, QUERY_PROMPT, E5File, model_path, shipped_tokenizer, weights_digest
from index.load import load
from index.settings import Settings
from rag.reader.adapter import FORMAT, RANGE, Adapter
from rag.reader.tokens import PairTokenizer
from rag.reader.windows import window_around

DATA = Path(__file__).parents[2] / "shared" / "data" / "cmrc_train"
ENCODER = Path(__file__).parents[1] / "index" / "e5_ranges.safetensors"
READER = Path(__file__).parents[1] / "rag" / "reader" / "reader.safetensors"


def measured(file: E5File, change: Any, texts: Iterable[list[int]]) -> dict[str, tuple[Floats, Floats]]:
    """Least and greatest value of each channel of each input, over the token ids of all texts."""
    inputs: dict[str, Any] = {}

    def watched(name: str, x: Any, weight: Floats, bias: Floats) -> Any:
        inputs.setdefault(input_of(name), x)
        return linear(name, x, weight, bias)

    body = e5_network.body(file, watched, change)
    over = op.constant(np.array([0, 1]))
    outputs = [reduce(x, over) for x in inputs.values() for reduce in (op.reduce_min, op.reduce_max)]
    request = compiled(lambda: openvino.Model(outputs, [body.embeddings, body.mask], "measured"), exact=True)
    embed = TokenEmbeddings(file)
    found: dict[str, tuple[Floats, Floats]] = {}
    for ids in texts:  # one at a time, without padding: nothing but what is read counts
        values = list(request([embed(np.array([ids])), np.ones((1, len(ids)), np.float32)]).values())
        for n, name in enumerate(inputs):
            least, most = values[2 * n].ravel(), values[2 * n + 1].ravel()
            known = found.get(name, (least, most))
            found[name] = np.minimum(known[0], least), np.maximum(known[1], most)
    return found


def main() -> None:
    """Measures and writes both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with corpus.jsonl.gz and queries.jsonl.gz")
    parser.add_argument("--most", type=int, default=200, help="passages and questions")
    args = parser.parse_args()
    if not (args.data / "corpus.jsonl.gz").is_file():
        raise SystemExit(f"{args.data} holds no corpus.jsonl.gz: name a folder with training data: --data")
    file, tokenizer = E5File.read(model_path()), shipped_tokenizer()
    documents = {d.doc_id: d for d in load([args.data / "corpus.jsonl.gz"]).documents[: 3 * args.most]}
    passages = {d: passages_of(document, max_chars=Settings().max_chars)[0] for d, document in documents.items()}
    queries = [q for q in read(args.data / "queries.jsonl.gz") if q["relevant"][0] in passages][: args.most]

    def texts() -> Iterator[list[int]]:
        for passage in list(passages.values())[: args.most]:
            yield tokenizer.encode(PASSAGE_PROMPT + passage.text).ids
        for q in queries:
            yield tokenizer.encode(QUERY_PROMPT + q["question"]).ids

    e5_network.write_ranges(measured(file, lambda _: 0.0, texts()), ENCODER)
    ENCODER.chmod(0o644)  # made readable by its writer alone

    adapter, pair = Adapter.read(READER), PairTokenizer(file, tokenizer).pair

    def pairs() -> Iterator[list[int]]:
        others = list(passages)
        for n, q in enumerate(queries):
            for doc_id in (q["relevant"][0], others[-n]):  # one that answers, one that does not
                passage = passages[doc_id]
                window = window_around(documents[doc_id], passage, 0, n % len(passage.sentences))
                yield pair(q["question"], window.heading, window.text)[0]

    ranges = measured(file, adapter.change, pairs())
    with safe_open(str(READER), framework="np") as f:
        kept = {name: f.get_tensor(name) for name in f.keys() if not name.startswith(RANGE)}  # noqa: SIM118
        metadata = {**f.metadata(), "format": FORMAT, "encoder": weights_digest()}
    kept |= {RANGE + name: np.stack(rows).astype(np.float16) for name, rows in ranges.items()}
    save_file(kept, str(READER.with_suffix(".tmp")), metadata=metadata)
    READER.with_suffix(".tmp").chmod(0o644)  # made readable by its writer alone
    READER.with_suffix(".tmp").replace(READER)
    print(f"{len(ranges)} inputs each, from {args.most} passages and {len(queries)} questions")


if __name__ == "__main__":
    main()
