"""Chosen sentences → the answer's text and citations, through one template per language (templates/*.j2)."""

from collections.abc import Mapping, Sequence
from functools import cache

import jinja2

from index.fold import to_simplified, to_traditional
from index.places import location_of
from index.values import Document, Sentence
from rag.copies import Copies
from rag.english import gloss
from rag.figure_answer import FigureTable
from rag.statements import Statement
from rag.values import Citation, Source

_INNER_BRACKETS = str.maketrans("《》", "〈〉")  # a title inside a title
MAX_SOURCES = 20  # reprints listed with one citation
LANGUAGES = ("zh-Hans", "zh-Hant", "en")


@cache
def _environment() -> jinja2.Environment:
    # plain text goes out, and pages escape what they show
    return jinja2.Environment(  # noqa: S701
        loader=jinja2.PackageLoader("rag"), trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )


def template(name: str) -> jinja2.Template:
    """One of templates/*.j2."""
    return _environment().get_template(name)


def cited(statements: Sequence[Statement], documents: Mapping[str, Document], copies: Copies) -> tuple[Citation, ...]:
    """One citation per sentence, numbered in the order the statements first need them, with all who print it."""
    citations: dict[tuple[str, int, int], Citation] = {}
    for s, d in (source for st in statements for source in st.sources):
        key = (s.doc_id, s.start, s.end)
        if key not in citations:
            citations[key] = Citation(
                marker=len(citations) + 1,
                doc_id=d.doc_id,
                title=d.title,
                publisher=d.publisher,
                published=d.published,
                url=d.url,
                source_kind=d.source_kind,
                start=s.start,
                end=s.end,
                quote=d.text[s.start : s.end],
                readable=s.text,
                place=location_of(d.places, s.start, s.end),
                also_in=tuple(
                    _source(documents[c.doc_id], c) for c in copies.elsewhere.get((s.doc_id, s.start), ())[:MAX_SOURCES]
                ),
            )
    return tuple(citations.values())


def _source(document: Document, sentence: Sentence) -> Source:
    return Source(
        document.doc_id,
        document.title,
        document.publisher,
        document.published,
        document.url,
        document.source_kind,
        sentence.start,
        sentence.end,
    )


def understood_note(instead: Sequence[str], lang: str) -> str:
    """That a word was mistyped, and what it is taken for."""
    if lang == "en":
        return f"(Understood as {', '.join(instead)}.)"
    note = f"（按{''.join(f'「{w}」' for w in instead)}理解）"
    return to_traditional(note) if lang == "zh-Hant" else note


def compose(
    kind: str,
    statements: Sequence[Statement],
    citations: Sequence[Citation],
    *,
    lang: str,
    reason: str | None,
    table: FigureTable | None = None,
    holds: bool | None = None,
) -> str:
    """Renders the answer.

    Args:
        kind: an Answer kind; picks the block of the template.
        statements: what is said, in order; of a refusal: the nearest evidence.
        citations: `cited(statements)`.
        reason: of a refusal.
        holds: whether a claim that was put forward holds; None when none was.
        table: figures side by side; its rows are the statements.
    """
    marker = {(c.doc_id, c.start, c.end): c.marker for c in citations}
    lines = [
        {
            "text": s.text,
            "gloss": gloss(s.text) if lang == "en" else "",
            "marks": "".join(f"[{marker[x.doc_id, x.start, x.end]}]" for x, _ in s.sources),
            "leads": s.leads,
            "document": s.document,
            "source": s.document.publisher or f"《{s.document.title.translate(_INNER_BRACKETS)}》",
            "published": s.document.published,
            "digest": s.document.source_kind == "digest",
        }
        for s in statements
    ]
    words = {"zh-Hant": to_traditional, "zh-Hans": to_simplified}.get(lang, str)
    rows = zip(table.rows, lines, strict=True) if table else ()
    return (
        template("answer.en.j2" if lang == "en" else "answer.zh.j2")
        .render(kind=kind, lines=lines, reason=reason, own=words, table=table, rows=list(rows), holds=holds)
        .strip()
    )
