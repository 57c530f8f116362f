"""The embedded e5 as an Encoder: token states → vectors of passages, of the sentences in them, and of queries.

A passage's vector is the mean of its tokens' states, a sentence's the mean of those of its own tokens: read once,
within its passage ("late chunking", arXiv 2409.04701), instead of a second time on its own.

Only texts of one padded length run together: the vector of a text is the same, to the last bit, whatever else is
encoded with it and by how many threads. A sum over more padding is rounded otherwise (14 rows of 300 differed by 3e-8).
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from index.e5_network import TOKEN_STEP, Floats, padded
from index.embedded_e5 import PASSAGE_PROMPT, QUERY_PROMPT, E5File, without_surrogates

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Span = tuple[int, int]  # characters of a text
States = Callable[[npt.NDArray[np.int64], Floats], Floats]  # ids and mask (texts, tokens) → (texts, tokens, hidden)
BATCH_TOKENS = 2048  # of one batch, padding counted: larger ones were no faster
REMEMBERED = 1024  # queries


class _Waiting:
    """A query in the line for the network, and its vector once there is one."""

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = ids
        self.row: Floats | None = None


class E5Encoder:
    """An Encoder (index.encode). Threads may share one: a batch at a time runs, on all cores.

    Queries that wait meanwhile run together in the next batch, those of one padded length: a vector does not depend on
    what else is asked.
    """

    def __init__(
        self,
        file: E5File,
        tokenizer: "Tokenizer",
        states: States,
        *,
        name: str,
        fingerprint: str,
        precision: str,
        progress: bool = False,
    ) -> None:
        """`progress`: a bar on stderr while passages are encoded, silent off a terminal."""
        self.name = name
        self.fingerprint = fingerprint
        self.precision = precision
        self.dim = file.hidden
        self._tokenizer = tokenizer
        self._states = states
        self._progress = progress
        self._network = threading.Lock()
        self._line: deque[_Waiting] = deque()
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._query)

    def encode_parts(self, texts: Sequence[str], parts: Sequence[Sequence[Span]]) -> tuple[Floats, Floats]:
        """See Encoder. Of a text longer than the model reads, what lies behind its limit gets the text's vector."""
        encodings = self._tokenizer.encode_batch([PASSAGE_PROMPT + without_surrogates(text) for text in texts])
        lengths = [sum(e.attention_mask) for e in encodings]
        first = np.cumsum([0, *map(len, parts)])
        rows, part_rows = np.empty((len(texts), self.dim), np.float32), np.empty((first[-1], self.dim), np.float32)
        # Longest first, so that memory peaks, or fails, at once.
        order = sorted(range(len(texts)), key=lambda i: (-lengths[i], i))
        with tqdm(total=len(order), desc="编码", unit="段", disable=None if self._progress else True) as bar:
            at = 0
            while at < len(order):
                padded_length = _padded_length(lengths[order[at]])
                most = order[at : at + max(1, BATCH_TOKENS // padded_length)]
                batch = [i for i in most if _padded_length(lengths[i]) == padded_length]
                ids, mask = padded([encodings[i].ids[: lengths[i]] for i in batch])
                with self._network:
                    states = self._states(ids, mask)
                rows[batch] = _means(states, mask[:, None, :])[:, 0]
                for n, i in enumerate(batch):
                    if parts[i]:
                        own = _tokens_of(encodings[i], parts[i], mask[n])
                        part_rows[first[i] : first[i + 1]] = _means(states[n], own)
                at += len(batch)
                bar.update(len(batch))
        return rows, part_rows

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """See Encoder."""
        return self.encode_parts(texts, [()] * len(texts))[0]

    def encode_query(self, query: str) -> Floats:
        """See Encoder. The last queries are remembered."""
        return self._remembered(query)

    def _query(self, query: str) -> Floats:
        own = _Waiting(self._tokenizer.encode(QUERY_PROMPT + without_surrogates(query)).ids)
        self._line.append(own)
        with self._network:
            if own.row is None:
                self._run_with(own)
        assert own.row is not None
        return own.row

    def _run_with(self, own: _Waiting) -> None:
        """Runs every query in the line, `own` in any case: it may have left the line with a batch that failed."""
        line = [own]
        while self._line:
            if (waiting := self._line.popleft()) is not own:
                line.append(waiting)
        by_length: dict[int, list[_Waiting]] = {}
        for waiting in line:
            by_length.setdefault(padded([waiting.ids])[0].shape[1], []).append(waiting)
        for length, same in by_length.items():
            size = max(1, BATCH_TOKENS // length)
            for at in range(0, len(same), size):
                batch = same[at : at + size]
                ids, mask = padded([w.ids for w in batch])
                rows = _means(self._states(ids, mask), mask[:, None, :])[:, 0]
                rows.setflags(write=False)  # callers share them
                for waiting, row in zip(batch, rows, strict=True):
                    waiting.row = row


def _padded_length(tokens: int) -> int:
    return -(-tokens // TOKEN_STEP) * TOKEN_STEP


def _means(states: Floats, tokens: Floats) -> Floats:
    """Weighted sums of states (…, tokens, hidden) by (…, parts, tokens), scaled to length 1: (…, parts, hidden)."""
    rows = tokens @ states
    found: Floats = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), np.finfo(np.float32).tiny)
    return found


def _tokens_of(encoding: "Encoding", parts: Sequence[Span], mask: Floats) -> Floats:
    """Which tokens make up each part, (parts, tokens): those of its characters, or all where none was read."""
    skip = len(PASSAGE_PROMPT)
    found = np.zeros((len(parts), len(mask)), np.float32)
    starts = np.array([a for a, _ in encoding.offsets]) - skip
    ends = np.array([b for _, b in encoding.offsets]) - skip
    for n, (a, b) in enumerate(parts):
        inside = np.flatnonzero((starts < b) & (ends > a) & (ends > starts))
        found[n, inside[inside < len(mask)]] = 1
        if not found[n].any():
            found[n] = mask
    return found
