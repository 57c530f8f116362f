"""The values the index is made of: frozen, small, no I/O. All offsets count characters of `Document.text`."""

from dataclasses import dataclass, field

LANGS = ("zh-Hans", "zh-Hant", "en")
PLACE_KINDS = ("page", "slide", "paragraph", "row", "cell", "chapter")
SOURCE_KINDS = ("official", "research", "press", "self-media", "seo", "digest")


@dataclass(frozen=True, slots=True)
class Removal:
    """`document.text[start:end]` was left out of the readable text, or replaced in it, by this rule."""

    start: int
    end: int
    rule: str
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its file a stretch of a document stands, from `start` on to where the next place begins."""

    start: int
    kind: str  # one of PLACE_KINDS
    name: str  # page, slide or paragraph: its number; row: table.row; cell: sheet!B5; chapter: its title


@dataclass(frozen=True, slots=True)
class Document:
    """One source as it was read. `text` is the decoded original, never edited.

    Of a format with layout, `text` is every line that a reader of the file sees, in order: what stands around the text
    is in it too, and `marked`.
    """

    doc_id: str  # the source file's stem (or a JSON line's id): the same after every rebuild
    title: str
    text: str
    publisher: str | None = None
    author: str | None = None
    published: str | None = None  # ISO date, or as much of it as the source names (`2025-07`)
    url: str | None = None
    lang: str = "zh-Hans"  # one of LANGS
    source_kind: str = "press"  # one of SOURCE_KINDS; digest = our own summary of a source
    keep: tuple[str, ...] = ()  # names of cleaning rules this document switches off
    examples: tuple[str, ...] = ()  # questions it answers, shown on the start page
    kind_reason: str = ""  # what `source_kind` was told from, with the words that told it
    places: tuple[Place, ...] = ()  # pages, rows … in the order of the text, where the format has them
    marked: tuple[Removal, ...] = ()  # what the file's own structure says is not text


@dataclass(frozen=True, slots=True)
class Sentence:
    """A citable stretch: `document.text[start:end]` is at most 200 characters."""

    doc_id: str
    start: int
    end: int
    text: str  # readable: junk and stray pinyin left out, original script
    folded: str  # searched: NFKC, simplified, lower case


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive sentences of one document, the unit that is embedded and ranked.

    A document's passages joined (`"".join(p.text …)`) are its readable text: no gap, no overlap.
    """

    passage_id: str  # "<doc_id>#<ordinal>"
    doc_id: str
    start: int
    end: int
    text: str
    folded: str
    heading: str = ""  # the headings above it, outermost first, joined by " › "
    sentences: tuple[Sentence, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage with its scores; higher is better in all three."""

    passage: Passage
    score: float  # fused, 0..1
    dense: float  # cosine similarity, -1..1
    lexical: float  # BM25, >= 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity as one sentence states it; `document.text[start:end]` is that sentence."""

    figure_id: str  # "<doc_id>:<ordinal>"
    doc_id: str
    subject: str | None  # whose; None: the text does not say, and nothing is answered from it
    attribute: str | None  # what is measured
    value: str  # as written, without the hedge, original script
    number: float | tuple[float, float]  # base units: 49.2% → 0.492, 30万亿 → 3e13; a range: its ends
    unit: str | None
    hedge: str | None  # 超, 近, 约 … as written
    as_of: str | None  # 2025H1, 2024-12, 2024-05 至 2025-09, or the words of the text
    scope: str | None  # 口径: whose count, which market, what is left out
    said_by: str | None  # who the text says it from; else its author or publisher
    start: int
    end: int
