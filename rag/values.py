"""What an answer is made of. The names are the JSON contract: `Answer` goes out of every door unchanged."""

from dataclasses import asdict, dataclass
from typing import Any

from index.places import Location

KINDS = (
    "fact",
    "list",
    "explain",
    "compare",
    "conflict",
    "timeline",
    "correction",
    "several",
    "clarify",
    "refusal",
)
REASONS = (
    "off_topic",
    "not_in_corpus",
    "figure_not_stated",
    "other_period",
    "other_subject",
    "page_junk",
    "instruction",
    "advice",
)
NOTICES = (  # why the templated answer stands where a language model was to write, or not all it wrote is shown
    "llm_timeout",
    "llm_unreachable",
    "llm_private",
    "llm_status",
    "llm_bad_output",
    "llm_refused",
    "llm_unsupported",
    "llm_partial",
)


@dataclass(frozen=True, slots=True)
class Source:
    """Another document that prints the cited sentence word for word, and where."""

    doc_id: str
    title: str
    publisher: str | None
    published: str | None
    url: str | None
    source_kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Citation:
    """What one mark [n] stands for; `document.text[start:end] == quote`, always."""

    marker: int  # the n of “[n]” in Answer.text, counted from 1
    doc_id: str
    title: str
    publisher: str | None
    published: str | None
    url: str | None
    source_kind: str  # `digest`: our own summary, shown as “摘要,非原文”
    start: int
    end: int
    quote: str  # verbatim, original script, at most 200 characters
    readable: str  # the quote without stray pinyin, footnote digits and other residue
    place: Location | None = None  # the page, cells or paragraphs, where the format has them
    also_in: tuple[Source, ...] = ()  # reprints: the same evidence, not more of it


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer as every door gives it out."""

    question: str
    understood_as: str  # the question as it was searched, with what earlier turns add
    kind: str  # one of KINDS
    text: str  # plain text with marks [1], [2]
    refused: bool
    reason: str | None  # one of REASONS when refused
    citations: tuple[Citation, ...]  # of the answer; of a refusal: the nearest evidence
    figures: tuple[dict[str, Any], ...]
    newest_evidence: str | None  # the latest `published` among the citations
    index_version: str
    mode: str  # full, no-reader or llm
    timings_ms: dict[str, float]
    support: float  # calibrated probability, 0..1, that the corpus answers the question
    lang: str  # zh-Hans, zh-Hant or en: the language of `text`
    notice: str | None = None  # one of NOTICES

    def as_json(self) -> dict[str, Any]:
        """The answer as JSON-ready data."""
        return asdict(self)

    def _repr_html_(self) -> str:
        from rag.notebook import as_html

        return as_html(self)
