"""A passage to cut windows from, and an adapter that changes little but something everywhere."""

import numpy as np

from index.clean import clean
from index.embedded_e5 import E5File
from index.split import split
from index.values import Document, Passage
from rag.reader.adapter import Adapter

TEXT = (
    "孟郊,字東野,湖州武康人。他四十六歲才考中進士,寫下了《登科後》。後來他做過溧陽縣尉,常常因為作詩耽誤公事。"
    "韓愈很看重他的詩,說他“橫空盤硬語”。晚年住在洛陽,貧病而終,享年六十四歲。"
)


def passage(text: str = TEXT, title: str = "孟郊") -> tuple[Document, Passage]:
    """One document of one passage."""
    document = Document("d", title, text)
    (found,) = split(document, clean(text).readable, max_chars=2000)
    return document, found


def adapter(file: E5File, seed: int = 1) -> Adapter:
    """Random factors on every linear layer of the backbone, and random heads."""
    rng = np.random.default_rng(seed)
    hidden, factors = file.hidden, {}
    for n in range(file.layers):
        for name in ("attention.self.query", "attention.output.dense", "intermediate.dense", "output.dense"):
            wide, tall = (file.ffn if name == "output.dense" else hidden), (file.ffn if name[:5] == "inter" else hidden)
            layer = f"encoder.layer.{n}.{name}"
            factors[f"{layer}.lora_A.weight"] = rng.normal(0, 0.05, (4, wide)).astype(np.float32)
            factors[f"{layer}.lora_B.weight"] = rng.normal(0, 0.02, (tall, 4)).astype(np.float32)
    heads = rng.normal(0, 0.2, (3, hidden)).astype(np.float32)
    return Adapter(factors, heads, np.zeros(3, np.float32), 2.0, {}, "seed")
