"""rebuild: documents → clean → split → encode → a new version, reusing what has not changed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from index import snapshot, tokenize
from index.clean import clean
from index.encode import Encoder, fingerprint_of
from index.errors import CorpusUnreadable, YuntuError
from index.lexical import Lexical
from index.load import Loaded, load
from index.settings import Settings
from index.snapshot import Recipe, Snapshot
from index.split import split
from index.values import Document, Passage


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did."""

    version: str
    documents: int
    passages: int
    reused: int  # documents whose vectors were taken over
    loaded: Loaded
    unchanged: bool  # the current version already held exactly this corpus
    took_s: float


def embedded_text(document: Document, passage: Passage) -> str:
    """What is encoded for a passage: where it stands, then what it says."""
    title = "" if passage.folded.startswith(document.title.lower()[:12]) else document.title
    return "\n".join(part for part in (title, passage.heading, passage.text.strip()) if part)


def searched_terms(document: Document, passage: Passage) -> list[str]:
    """What BM25 counts for a passage: its own terms, and once those of the title and headings above it."""
    from index.fold import fold_text

    return tokenize.tokenize(passage.folded) + tokenize.tokenize(fold_text(f"{document.title}\n{passage.heading}"))


def passages_of(document: Document, *, max_chars: int) -> tuple[Passage, ...]:
    """Cleans and splits one document; one with nothing readable has no passages."""
    readable = clean(document.text, document.keep).readable
    return split(document, readable, max_chars=max_chars) if readable.text.strip() else ()


def rebuild(
    paths: Sequence[Path],
    settings: Settings,
    load_encoder: Callable[[], Encoder],
    *,
    full: bool = False,
    strict: bool = False,
) -> Rebuilt:
    """Replaces what the index holds by the documents under `paths`; the old version serves until the new one is sound.

    Args:
        load_encoder: called only when something has to be encoded.
        full: encode everything again, trusting nothing of the old version.
        strict: a file that cannot be read stops the rebuild instead of being skipped.
    Raises: CorpusUnreadable, IndexBusy; the current version is untouched then.
    """
    started = time.perf_counter()
    loaded = load(paths)
    if loaded.unreadable and strict:
        names = "; ".join(f"{u.where} ({u.why})" for u in loaded.unreadable[:5])
        raise CorpusUnreadable(f"{len(loaded.unreadable)} 处读不了 (unreadable): {names}。", "改好它们,或去掉 --strict")
    if not loaded.documents:
        raise CorpusUnreadable("没有一篇读得出来的文档 (no readable document)。", "; ".join(f"{u.where}: {u.why}" for u in loaded.unreadable[:5]))
    recipe = Recipe(settings.encoder, fingerprint_of(settings), tokenize.fingerprint(), settings.max_chars)
    with snapshot.writer_lock(settings.index):
        old = None if full else _usable(settings.index, recipe)
        if old is not None and old.manifest["corpus"] == snapshot.corpus_hash(loaded.documents):
            return Rebuilt(
                old.version, len(old.documents), len(old.passages), len(old.documents), loaded, True, time.perf_counter() - started
            )
        passages: list[Passage] = []
        for document in tqdm(loaded.documents, desc="清洗切分 clean, split", unit="篇", disable=None):
            passages += passages_of(document, max_chars=settings.max_chars)
        if not passages:
            raise CorpusUnreadable("清洗之后没有剩下正文 (nothing left after cleaning)。", "用 yuntu audit 看去掉了什么")
        lexical = Lexical.build(
            [
                searched_terms(document_of[p.doc_id], p)
                for document_of in ({d.doc_id: d for d in loaded.documents},)
                for p in tqdm(passages, desc="分词 tokenize", unit="段", disable=None)
            ]
        )
        vectors, sentence_vectors, reused = _encoded(loaded.documents, passages, old, load_encoder)
        took_s = time.perf_counter() - started
        version = snapshot.write(
            settings.index, recipe, loaded.documents, passages, vectors, sentence_vectors, lexical, [str(p) for p in paths], took_s
        )
        snapshot.prune(settings.index, settings.keep_versions)
    return Rebuilt(version, len(loaded.documents), len(passages), reused, loaded, False, time.perf_counter() - started)


def _usable(root: Path, recipe: Recipe) -> Snapshot | None:
    """The current version when its vectors can be taken over: sound, and made the same way."""
    try:
        old = snapshot.open_current(root)
    except YuntuError:
        return None
    return old if old.recipe == recipe else None


def _encoded(
    documents: Sequence[Document], passages: Sequence[Passage], old: Snapshot | None, load_encoder: Callable[[], Encoder]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float16], int]:
    """Vectors of the passages and of their sentences, those of unchanged documents taken from the old version."""
    by_id = {d.doc_id: d for d in documents}
    known = {} if old is None else {snapshot.document_hash(d): d.doc_id for d in old.documents.values()}
    old_rows: dict[str, list[int]] = {}
    for n, p in enumerate(old.passages if old else ()):
        old_rows.setdefault(p.doc_id, []).append(n)
    source = {d.doc_id: known.get(snapshot.document_hash(d)) for d in documents}
    taken = {d: old_rows.get(o, []) for d, o in source.items() if o is not None}

    fresh = [n for n, p in enumerate(passages) if p.doc_id not in taken]
    passage_rows: npt.NDArray[np.float32] | None = None
    sentence_rows: list[npt.NDArray[np.float16]] = [np.empty((0, 0), np.float16)] * len(passages)
    if fresh:
        encoder = load_encoder()
        vectors = encoder.encode_passages([embedded_text(by_id[passages[n].doc_id], passages[n]) for n in fresh])
        passage_rows = np.empty((len(passages), vectors.shape[1]), np.float32)
        passage_rows[fresh] = vectors
        texts = [s.text for n in fresh for s in passages[n].sentences]
        sentence_vectors = encoder.encode_passages(texts).astype(np.float16)
        done = 0
        for n in fresh:
            sentence_rows[n] = sentence_vectors[done : done + len(passages[n].sentences)]
            done += len(passages[n].sentences)
    if old is not None:
        if passage_rows is None:
            passage_rows = np.empty((len(passages), old.passage_vectors.d), np.float32)
        seen: dict[str, int] = {}
        for n, p in enumerate(passages):
            if p.doc_id in taken:
                row = taken[p.doc_id][seen.get(p.doc_id, 0)]
                seen[p.doc_id] = seen.get(p.doc_id, 0) + 1
                passage_rows[n] = old.passage_vectors.reconstruct(row)
                sentence_rows[n] = np.asarray(old.sentence_vectors[old.first_sentence[row] : old.first_sentence[row + 1]])
    assert passage_rows is not None  # every passage is fresh or taken over
    return passage_rows, np.concatenate(sentence_rows), len(taken)
