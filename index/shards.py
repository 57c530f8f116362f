"""What is encoded, and the one function that encodes a shard of it, here or on another machine."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from index.encode import Encoder

Rows = npt.NDArray[Any]
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Encodable:
    """What is encoded for a passage, and where its sentences stand in that."""

    text: str
    sentences: Spans

    @property
    def key(self) -> bytes:
        """What the vectors are known by."""
        return hashlib.sha256(f"{self.sentences}\n{self.text}".encode("utf-8", "replace")).digest()


Shard = Sequence[Encodable]


def encode_shard(encoder: Encoder, shard: Shard) -> tuple[Rows, Rows]:
    """The rows of the passages, float32, and those of all their sentences one behind the other, float16.

    Every engine calls this, so that all make the same bytes of the same shard.
    """
    rows, parts = encoder.encode_parts([p.text for p in shard], [p.sentences for p in shard])
    return rows, parts.astype(np.float16)
