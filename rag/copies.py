"""Reprints at answer time: what stands word for word in an original is one piece of evidence, with all who print it."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from index.reprints import originality
from index.snapshot import Snapshot
from index.values import Sentence

_NUMBER = re.compile(r"\d[\d.,]*")
Spot = tuple[str, int]  # doc_id, start


@dataclass(frozen=True, slots=True)
class Copies:
    """What of an index is printed more than once. The first of a group of reprints is the original."""

    sentences: Mapping[Spot, str] = field(default_factory=dict)  # of a reprint → the original's doc_id
    rows: Mapping[int, str] = field(default_factory=dict)  # passages made of such sentences alone → the same
    elsewhere: Mapping[Spot, tuple[Sentence, ...]] = field(default_factory=dict)  # original's → the reprints'


def copies_in(snapshot: Snapshot) -> Copies:
    """The reprinted sentences and passages of an index. A sentence that a reprint changed is no copy."""
    original_of = {doc_id: group[0] for group in snapshot.reprints for doc_id in group[1:]}
    copied: dict[Spot, str] = {}
    elsewhere: dict[Spot, list[Sentence]] = {}
    copied_rows: dict[int, str] = {}
    for doc_id, original in original_of.items():
        says = {_said(s): s for n in snapshot.passages_of(original) for s in snapshot.passages[n].sentences}
        for n in snapshot.passages_of(doc_id):
            same = [(s, says.get(_said(s))) for s in snapshot.passages[n].sentences]
            for s, there in same:
                if there is not None:
                    copied[s.doc_id, s.start] = original
                    elsewhere.setdefault((original, there.start), []).append(s)
            if all(there is not None for _, there in same):
                copied_rows[n] = original
    return Copies(copied, copied_rows, {place: tuple(found) for place, found in elsewhere.items()})


def originals_first(sentences: Sequence[Sentence], snapshot: Snapshot) -> list[int]:
    """An order: of sentences that differ in nothing but their numbers, the one that was there first goes first.

    The others copy it, and a copy with another figure must not pass for the source. All else keeps its place.
    """
    moulds: dict[str, list[int]] = defaultdict(list)
    for n, sentence in enumerate(sentences):
        moulds[_NUMBER.sub("#", _said(sentence))].append(n)
    order = list(range(len(sentences)))
    for places in moulds.values():
        if len(places) > 1:
            by_age = sorted(places, key=lambda n: originality(snapshot.documents[sentences[n].doc_id]))
            for place, n in zip(places, by_age, strict=True):
                order[place] = n
    return order


def _said(sentence: Sentence) -> str:
    return "".join(sentence.folded.split())
