"""A question → what the corpus has on it: retrieved, read and weighed. The same steps for every door."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.encode import Encoder
from index.errors import EncoderUnavailable, IndexMismatch
from index.settings import Settings
from index.snapshot import Snapshot
from index.tokenize import fingerprint, pairs, words
from index.values import Hit
from rag.asked_figure import is_named
from rag.copies import Copies
from rag.evidence import Scored, rank_sentences
from rag.progress import begin, tell
from rag.reader.read import Reader, Reading
from rag.reading import can_read, ranked_hits, read
from rag.reading import support_features as read_features
from rag.rendering import in_chinese
from rag.retrieve import Retrieved, retrieve
from rag.support import rarities, support_features, support_of, threshold
from rag.understand import Question

NEAR = 50  # passages that say which Chinese words an English question means
UNIT = 1e-3  # how far a vector's length may be from 1


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a question, before anything is decided."""

    retrieved: Retrieved
    ranked: list[Scored]
    readings: tuple[Reading, ...]
    support: float
    threshold: float
    was_read: bool


class Finder:
    """Finds in one version of the index."""

    def __init__(
        self, snapshot: Snapshot, encoder: Encoder, settings: Settings, reader: Reader | None, copies: Copies
    ) -> None:
        """Raises: IndexMismatch when the index was made with another encoder or tokenizer than the ones at hand."""
        made = snapshot.recipe
        if made.encoder_fingerprint != encoder.fingerprint:
            raise IndexMismatch(
                f"索引用编码器 {made.encoder} 建成,现在用的是 {encoder.name} (index built with another encoder)。",
                "请运行: yuntu rebuild --full,或把 YUNTU_ENCODER 设回原来的",
            )
        if made.tokenizer != fingerprint():
            raise IndexMismatch(
                "索引用另一套分词或词典建成 (index built with another tokenizer or dictionary)。",
                "请运行: yuntu rebuild --full",
            )
        self._snapshot = snapshot
        self._encoder = encoder
        self._settings = settings
        self._reader = reader
        self._copies = copies

    def check(self) -> None:
        """Whether the encoder encodes. Raises: EncoderUnavailable."""
        try:
            length = float(np.linalg.norm(self._encoder.encode_query(f"{time.monotonic()}")))
        except Exception as e:
            raise EncoderUnavailable("编码器不能用了 (the encoder fails)。", "请重启 yuntu serve") from e
        if not abs(length - 1) <= UNIT:  # also when it is no number
            raise EncoderUnavailable("编码器给出的向量不对 (the encoder gives wrong vectors)。", "请重启 yuntu serve")

    def find(self, asked: Question, top_k: int) -> Found:
        """Retrieves, reads and weighs."""
        among = "en" if asked.lang == "en" and not asked.cross else None
        tell("retrieve", asked.understood)
        own = self._documents_for(asked, among)
        retrieved = self.retrieved(asked, top_k, own)
        copied = self._copies.sentences
        skip = copied if own is None else {s for s, original in copied.items() if original in own}
        ranked = rank_sentences(asked, retrieved, self._snapshot, skip)
        was_read = self._reader is not None and can_read(asked)
        limit = threshold(asked, read=was_read) if self._settings.threshold is None else self._settings.threshold
        if not ranked:
            return Found(retrieved, [], (), 0.0, limit, was_read)
        if self._reader is None or not was_read:
            features = support_features(asked, retrieved, ranked, rarities(asked, self._snapshot))
            support = support_of(asked, features)
            begin("decide")
            return Found(retrieved, ranked, (), support, limit, was_read)
        tell("read", asked.understood)
        seen = read(asked, ranked, self._snapshot, self._reader)
        support = support_of(asked, read_features(retrieved, seen), read=True)
        begin("decide")
        return Found(retrieved, seen.ranked, seen.readings, support, limit, was_read)

    def in_chinese(self, asked: Question) -> Question:
        """An English question in the words that Chinese pages near to it write."""
        hits = self.retrieved(asked, 2 * NEAR).hits
        near = [h.passage.folded for h in hits if self._snapshot.languages[h.passage.doc_id] != "en"]
        return in_chinese(asked, near[:NEAR], self._snapshot)

    def hits(self, asked: Question, top_k: int) -> tuple[list[Hit], float]:
        """The best passages as they are read, and the support of the question."""
        found = self.find(asked, top_k)
        if not found.was_read:
            return list(found.retrieved.hits), found.support
        return ranked_hits(asked, found.retrieved, found.readings), found.support

    def _documents_for(self, asked: Question, lang: str | None) -> frozenset[str] | None:
        """The documents a question may be answered from: in its language, and naming the source it asks for."""
        if lang is None and not asked.sources:
            return None
        own = frozenset(k for k, written in self._snapshot.languages.items() if lang is None or written == lang)
        return own & self._naming(asked.sources) or own

    def _naming(self, sources: Sequence[tuple[str, ...]]) -> set[str]:
        """The documents that name one of these."""
        found = set()
        for form in (form for forms in sources for form in forms):
            for row in self._snapshot.search.holding(pairs(form) or words(form)):
                passage = self._snapshot.passages[int(row)]
                if passage.doc_id not in found and is_named(sources, passage.folded):
                    found.add(passage.doc_id)
        return found

    def retrieved(self, asked: Question, top_k: int, among: frozenset[str] | None = None) -> Retrieved:
        """The `top_k` best passages; `among`: only of these documents."""
        return retrieve(asked, self._snapshot, self._encoder, top_k=top_k, among=among, copies=self._copies.rows)
