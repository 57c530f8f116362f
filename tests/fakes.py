"""Stand-ins for models, small enough that a test can say what they will answer."""

import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt


class FakeEncoder:
    """Encoder by hashed character bigrams: texts that share bigrams are similar, the same in every process."""

    name = "fake"
    fingerprint = "fake-bigrams-1"
    dim = 64

    precision = "float32"

    def encode_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Each stretch as if it stood alone."""
        stretches = [text[a:b] for text, own in zip(texts, parts, strict=True) for a, b in own]
        return self.encode_passages(texts), FakeEncoder.encode_passages(self, stretches)

    def encode_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(len(texts), 64) float32, unit rows."""
        return np.stack([self._vector(text) for text in texts]) if texts else np.empty((0, self.dim), np.float32)

    def encode_query(self, query: str) -> npt.NDArray[np.float32]:
        """(64,) float32, unit length."""
        return self._vector(query)

    def _vector(self, text: str) -> npt.NDArray[np.float32]:
        vector = np.zeros(self.dim, np.float32)
        padded = f"\x02{text}\x03"  # the ends count, so that even one character, or none, has a bigram
        for bigram in map("".join, pairwise(padded)):
            code = zlib.crc32(bigram.encode("utf-8", "replace"))  # not hash(): it differs from process to process
            vector[code % self.dim] += 1.0 if code & 0x10000 else -1.0
        length = float(np.linalg.norm(vector))
        if length == 0.0:  # bigrams that cancel out exactly
            vector[0] = length = 1.0
        return vector / np.float32(length)
