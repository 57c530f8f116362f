"""rebuild: documents → clean → split → encode → a new version, reusing what has not changed."""

import hashlib
import inspect
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version as version_of
from importlib.resources import files
from pathlib import Path

import numpy as np

from index import snapshot, tokenize
from index.aliases import known_names
from index.aligned import Aligned
from index.bilingual import stems, translations
from index.clean import RULES, Cleaned, clean
from index.encode import Encoder, fingerprint_of, precision_of
from index.engines.engine import Engine
from index.engines.local import HERE
from index.errors import BadSettings, CorpusUnreadable, YuntuError
from index.figures import figures_of
from index.fold import fold_text, to_simplified
from index.lexical import Lexical
from index.load import Loaded, limits_of, load
from index.names import names_in
from index.publish import Content, Part, corpus_hash, write, writer_lock
from index.repeated import repeated_lines, site_of
from index.reprints import Groups, reprints
from index.settings import Settings
from index.shards import Encodable
from index.snapshot import Recipe, Snapshot
from index.split import split
from index.stores.store import store_of
from index.values import Document, Passage
from index.vectors import Known, encoded, forget


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
    """What is encoded for a passage: where it stands, then what it says, in simplified characters as queries are.

    Vectors are taken over from an old version by this text.
    """
    title = "" if passage.folded.startswith(document.title.lower()[:12]) else document.title
    return to_simplified("\n".join(part for part in (title, passage.heading, passage.text.strip()) if part))


def encodable(document: Document, passage: Passage) -> Encodable:
    """… and where its sentences stand in that, one behind the other."""
    text = embedded_text(document, passage)
    at = len(text) - len(passage.text.strip())
    own, spans, after = passage.text.strip(), [], 0
    for sentence in passage.sentences:
        after = max(own.find(sentence.text, after), after)
        spans.append((at + after, at + after + len(sentence.text)))
        after += len(sentence.text)
    return Encodable(text, tuple(spans))


def embedded_form() -> str:
    """The code of the two functions above in a hash: vectors made by other code are not taken over."""
    code = inspect.getsource(embedded_text) + inspect.getsource(encodable)
    return hashlib.sha256(code.encode()).hexdigest()[:12]


def searched_terms(document: Document, passage: Passage) -> list[str]:
    """What BM25 counts for a passage: its own terms, and once those of the title and headings above it."""
    return tokenize.tokenize(passage.folded) + tokenize.tokenize(fold_text(f"{document.title}\n{passage.heading}"))


def cleaned(document: Document, site: Collection[str] = (), keep: Collection[str] = ()) -> Cleaned:
    """One document, cleaned; `site`: the folded lines that its site prints on every page; `keep`: rules not applied."""
    return clean(document.text, {*document.keep, *keep}, marked=document.marked, site=site)


def rules_kept(settings: Settings) -> tuple[str, ...]:
    """The cleaning rules that are switched off for all. Raises: BadSettings for a name that is none."""
    keep = tuple(sorted({rule.strip() for rule in settings.keep.split(",") if rule.strip()}))
    if unknown := set(keep) - set(RULES):
        raise BadSettings(f"YUNTU_KEEP: 没有规则 {', '.join(sorted(unknown))}。", f"可用: {', '.join(RULES)}")
    return keep


def cleaned_corpus(
    documents: Sequence[Document], keep: Collection[str] = (), engine: Engine = HERE
) -> tuple[dict[str, Cleaned], Groups]:
    """Every document cleaned, by doc_id, and which of them are one text; `keep`: rules not applied.

    Reprints are told from cleaned texts; then what a site repeats on its pages can be told and goes too.
    """
    one = partial(cleaned, keep=frozenset(keep))
    found = engine.over_all(one, documents, "清洗 clean", documents)
    texts = {d.doc_id: text for d, text in zip(documents, found, strict=True)}
    groups = reprints(documents, {doc_id: text.folded for doc_id, text in texts.items()})
    sites = repeated_lines(documents, groups)
    for d in documents:
        if (common := sites.get(site_of(d) or "")) is not None:
            texts[d.doc_id] = cleaned(d, common, keep)
    return texts, groups


def passages_of(document: Document, readable: Aligned | None = None, *, max_chars: int) -> tuple[Passage, ...]:
    """Splits one document, cleaned alone unless `readable` says how; one with nothing readable has no passages."""
    readable = cleaned(document).readable if readable is None else readable
    return split(document, readable, max_chars=max_chars) if readable.text.strip() else ()


def text_fingerprint() -> str:
    """The code and the word lists of this package in one hash: when one is edited, an unchanged corpus is built again.

    More than lies between a document and its passages, on purpose: what is read anew needs no encoding anew.
    """
    digest = hashlib.sha256(version_of("opencc").encode())
    package = Path(str(files("index")))
    for part in sorted([*package.glob("*.py"), *package.glob("formats/*.py"), *package.glob("lexicon/*")]):
        digest.update(part.name.encode() + part.read_bytes())
    return digest.hexdigest()[:12]


def rebuild(
    paths: Sequence[Path],
    settings: Settings,
    load_encoder: Callable[[], Encoder],
    *,
    full: bool = False,
    strict: bool = False,
    engine: Engine = HERE,
) -> Rebuilt:
    """Replaces what the index holds by the documents under `paths`; the old version serves until the new one is sound.

    Args:
        load_encoder: called only when something has to be encoded.
        full: encode everything again, trusting nothing of the old version.
        strict: a file that cannot be read stops the rebuild instead of being skipped.
        engine: who cleans, splits and encodes. Every engine makes the same version.
    Raises: CorpusUnreadable, IndexBusy, IndexUnwritable, StoreUnavailable, StoreUnfit, and what the engine raises; the
        version in use is untouched then.
    """
    started = time.perf_counter()
    loaded = load(paths, limits_of(settings))
    documents = {d.doc_id: d for d in loaded.documents}
    if loaded.unreadable and strict:
        why = "; ".join(f"{u.where} ({u.why})" for u in loaded.unreadable[:5])
        raise CorpusUnreadable(f"{len(loaded.unreadable)} 处读不了 (unreadable): {why}。", "改好它们,或去掉 --strict")
    if not documents:
        raise CorpusUnreadable(
            "没有一篇读得出来的文档 (no readable document)。",
            "; ".join(f"{u.where}: {u.why}" for u in loaded.unreadable[:5]),
        )
    keep = rules_kept(settings)
    recipe = Recipe(
        settings.encoder,
        fingerprint_of(settings),
        precision_of(settings),
        tokenize.fingerprint(),
        settings.max_chars,
        "+".join([text_fingerprint(), *keep]),
        embedded_form(),
    )

    def done(version: str, passages: int, reused: int, *, unchanged: bool = False) -> Rebuilt:
        return Rebuilt(
            version, len(documents), passages, reused, loaded, unchanged, took_s=time.perf_counter() - started
        )

    store = store_of(settings)
    store.ready()
    with writer_lock(settings.index):
        old = None if full else _usable(settings.index, recipe)
        if old is not None and old.recipe == recipe and old.manifest["corpus"] == corpus_hash(loaded.documents):
            forget(settings.index)
            store.publish(old.version, settings.keep_versions)
            return done(old.version, len(old.passages), len(documents), unchanged=True)
        names = names_in(loaded.documents)
        texts, groups = cleaned_corpus(loaded.documents, keep, engine)
        work = partial(part_of, names=names, max_chars=settings.max_chars)
        given = [(d, texts[d.doc_id]) for d in loaded.documents]
        made = engine.over_all(work, given, "切分 split", loaded.documents)
        parts = [part for part, _ in made]
        passages = [p for part in parts for p in part.passages]
        if not passages:
            raise CorpusUnreadable(
                "清洗之后没有剩下正文 (nothing left after cleaning)。", "用 yuntu audit 看去掉了什么"
            )
        lexical = Lexical.build([terms for _, own in made for terms in own])
        passage_vectors, sentence_vectors, fresh = encoded(
            [encodable(documents[p.doc_id], p) for p in passages],
            _vectors_of(old),
            settings.index,
            f"{recipe.encoder_fingerprint} {recipe.precision} {recipe.form}",
            load_encoder,
            engine,
        )
        vocabulary = lexical.terms.vocabulary()
        english = translations(frozenset(vocabulary).__contains__, _english_stems(loaded.documents, vocabulary))
        sources = tuple(map(str, paths))
        version = write(
            settings.index,
            Content(recipe, sources, parts, names, groups, english, passage_vectors, sentence_vectors, lexical),
            time.perf_counter() - started,
        )
        forget(settings.index)
        if old is not None and old.held is not None:
            old.held.close()  # what was taken over of it is mapped: it may go
        store.publish(version, settings.keep_versions)
    changed = {p.doc_id for p, new in zip(passages, fresh, strict=True) if new}
    return done(version, len(passages), len(documents) - len(changed))


def part_of(given: tuple[Document, Cleaned], *, names: Groups, max_chars: int) -> tuple[Part, list[list[str]]]:
    """What one cleaned document gives an index, and the search terms of each of its passages."""
    document, text = given
    with known_names(names):
        passages = passages_of(document, text.readable, max_chars=max_chars)
        figures = figures_of(document, [s for p in passages for s in p.sentences], text.damaged)
    part = Part(document, passages, tuple(figures), text.removals)
    return part, [searched_terms(document, p) for p in passages]


def _english_stems(documents: Sequence[Document], vocabulary: Sequence[str]) -> frozenset[str]:
    """The English words a corpus with English pages writes, without their endings."""
    if all(d.lang != "en" for d in documents):
        return frozenset()
    return frozenset(stem for term in vocabulary if term.isascii() for stem, _, _ in stems(term))


def _usable(root: Path, recipe: Recipe) -> Snapshot | None:
    """The current version when its vectors can be taken over: sound, by the same encoder, of texts of the same form."""
    try:
        old = snapshot.open_version(root, snapshot.current_version(root), thorough=True)
    except YuntuError:
        return None
    ours, theirs = ((r.encoder_fingerprint, r.precision, r.form) for r in (recipe, old.recipe))
    return old if ours == theirs else None


def _vectors_of(old: Snapshot | None) -> Known:
    """The vectors an index holds."""
    if old is None:
        return {}
    rows = old.search.vectors(np.arange(len(old.passages)))
    first = old.layout.sentence
    return {
        encodable(old.documents[p.doc_id], p).key: (rows[n], old.sentence_vectors[first[n] : first[n + 1]])
        for n, p in enumerate(old.passages)
    }
