"""The embedded encoder as a sentence-transformers folder in float32, so that every system runs the same weights.

python -m bench.peers.export FOLDER          # 470 MB
"""

import sys
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, Pooling, Transformer
from transformers import PreTrainedTokenizerFast

from index.e5_torch import bert_of
from index.embedded_e5 import MAX_TOKENS, shipped_file, tokenizer_of


def export(folder: Path) -> None:
    """Writes the folder."""
    file = shipped_file()
    bert = bert_of(file)
    table = torch.nn.Embedding(file.rows, file.hidden, padding_idx=file.pad)
    table.weight.data = torch.from_numpy(file.floats("emb.word", file.rows, file.hidden))
    bert.embeddings.word_embeddings = table
    parts = folder / "parts"
    bert.save_pretrained(parts)
    tokenizer = tokenizer_of(file)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    names = {name: file.piece(getattr(file, short)) for name, short in (("bos_token", "bos"), ("eos_token", "eos"))}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **names,
        cls_token=names["bos_token"],
        sep_token=names["eos_token"],
        pad_token=file.piece(file.pad),
        unk_token=file.piece(file.unk),
        model_max_length=MAX_TOKENS,
    ).save_pretrained(parts)
    transformer = Transformer(str(parts), max_seq_length=MAX_TOKENS)
    modules = [transformer, Pooling(file.hidden, "mean"), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder / "model"))


if __name__ == "__main__":
    export(Path(sys.argv[1]))
