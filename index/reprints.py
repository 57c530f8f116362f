"""Which documents are one text: reprints, and copies with a line more or less. They count as one source.

MinHash finds candidates, exact sets of shingles decide. Two texts of one mould with other numbers (last quarter's
report and this one's) are two texts.
"""

import re
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from index.values import SOURCE_KINDS, Document

SHINGLE = 5  # characters
MIN_SHINGLES = 40  # a shorter text is one only with its equal
CANDIDATE = 0.5  # Jaccard similarity that MinHash looks for
CONTAINED = 0.85  # share of the shorter text's shingles that the longer holds
SAME_NUMBERS = 0.8  # share of the numerals of either that the other holds too
_PERMUTATIONS = 64
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_TRUST = {kind: n for n, kind in enumerate(SOURCE_KINDS)}

Groups = tuple[tuple[str, ...], ...]


def reprints(documents: Sequence[Document], folded: Mapping[str, str]) -> Groups:
    """Groups of doc_ids that are one text, the original first: the earliest, then the kind of source trusted most.

    Args:
        folded: the folded readable text of each document.
    """
    texts = {d.doc_id: "".join(folded[d.doc_id].split()) for d in documents}
    shingles = {doc_id: _shingles(text) for doc_id, text in texts.items()}
    leader = {doc_id: doc_id for doc_id in texts}

    def leads(doc_id: str) -> str:
        while leader[doc_id] != doc_id:
            doc_id = leader[doc_id]
        return doc_id

    for a, b in _candidates(texts, shingles):
        if leads(a) != leads(b) and _one_text(shingles[a], shingles[b], texts[a], texts[b]):
            leader[leads(b)] = leads(a)
    groups: dict[str, list[Document]] = {}
    for d in documents:
        groups.setdefault(leads(d.doc_id), []).append(d)
    return tuple(tuple(d.doc_id for d in sorted(group, key=originality)) for group in groups.values() if len(group) > 1)


def originality(document: Document) -> tuple[str, int, str]:
    """What sorts an original before what copies it: the earliest, then the kind of source trusted most."""
    return document.published or "9999", _TRUST[document.source_kind], document.doc_id


def _shingles(text: str) -> frozenset[int]:
    """The hashes of all stretches of SHINGLE characters."""
    raw = text.encode("utf-32-le", "replace")
    return frozenset(zlib.crc32(raw[4 * i : 4 * (i + SHINGLE)]) for i in range(max(0, len(text) - SHINGLE + 1)))


def _candidates(texts: Mapping[str, str], shingles: Mapping[str, frozenset[int]]) -> set[tuple[str, str]]:
    equal: dict[str, list[str]] = {}
    for doc_id, text in texts.items():
        if text:
            equal.setdefault(text, []).append(doc_id)
    found = {(same[0], other) for same in equal.values() for other in same[1:]}
    long = {same[0]: shingles[same[0]] for same in equal.values() if len(shingles[same[0]]) >= MIN_SHINGLES}
    if len(long) < 2:
        return found
    from datasketch import MinHash, MinHashLSH  # here: it takes 0.3 s, and answering needs none of it

    index = MinHashLSH(threshold=CANDIDATE, num_perm=_PERMUTATIONS)
    for doc_id, marks in long.items():
        sketch = MinHash(num_perm=_PERMUTATIONS, hashfunc=int)
        sketch.update_batch(np.fromiter(marks, np.uint64, len(marks)))
        found |= {(other, doc_id) for other in index.query(sketch)}
        index.insert(doc_id, sketch)
    return found


def _one_text(a: frozenset[int], b: frozenset[int], text_a: str, text_b: str) -> bool:
    if text_a == text_b:
        return True
    return len(a & b) >= CONTAINED * min(len(a), len(b)) and _share_numbers(text_a, text_b)


def _share_numbers(a: str, b: str) -> bool:
    x, y = set(_NUMBER.findall(a)), set(_NUMBER.findall(b))
    return len(x & y) >= SAME_NUMBERS * min(len(x), len(y))


def members(groups: Groups) -> dict[str, tuple[str, ...]]:
    """doc_id → its group."""
    return {doc_id: group for group in groups for doc_id in group}
