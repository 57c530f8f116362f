"""What the MCP tools take and give: the descriptions are what an agent reads before it calls one."""

from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, Field, create_model

from index.values import Document, Hit
from rag.coverage import Coverage
from rag.values import Answer
from web.api import Lang, Words

MOST_CHARS = 8_000  # of a document in one answer: what an agent reads fills its memory
MOST_FIGURES = 100

# The same fields and types as the value that goes out of every door.
_own: dict[str, Any] = {name: (kind, ...) for name, kind in get_type_hints(Answer).items()}
AnswerSchema = create_model("Answer", __doc__=Answer.__doc__, **_own)


class Source(BaseModel, frozen=True):
    """A document, without its text."""

    doc_id: str
    title: str
    publisher: str | None
    published: str | None
    url: str | None
    source_kind: str = Field(description="digest: 我们的摘要，非原文 (our own summary of a source)")

    @classmethod
    def of(cls, d: Document) -> "Source":
        """The source that a document is."""
        return cls(
            doc_id=d.doc_id,
            title=d.title,
            publisher=d.publisher,
            published=d.published,
            url=d.url,
            source_kind=d.source_kind,
        )


class Found(BaseModel, frozen=True):
    """A passage: document.text[start:end] is where it stands."""

    source: Source
    start: int
    end: int
    text: str
    score: float

    @classmethod
    def of(cls, document: Document, hit: Hit) -> "Found":
        """A hit in `document`."""
        p = hit.passage
        return cls(source=Source.of(document), start=p.start, end=p.end, text=p.text, score=hit.score)


class FoundAll(BaseModel, frozen=True):
    """Passages, best first."""

    query: str
    index_version: str
    hits: list[Found]


class Figures(BaseModel, frozen=True):
    """Rows of the ledger, each with the sentence that bears it (doc, start, end, quote)."""

    index_version: str
    total: int = Field(description="符合的共几行；figures 里最多是前 100 行 (that fit; figures holds the first 100)")
    figures: list[dict[str, Any]]


class Excerpt(BaseModel, frozen=True):
    """A stretch of a document's original text."""

    source: Source
    index_version: str
    start: int
    end: int
    chars: int = Field(description="全文几个字符；end 小于它就从 end 接着读 (of the whole; go on from end)")
    text: str


class Covered(BaseModel, frozen=True):
    """Who × what × when the corpus has figures of."""

    index_version: str
    coverage: Coverage


Question = Annotated[Words, Field(description="问题，简体、繁體或 English (the question)")]
History = Annotated[
    list[Words] | None, Field(description="同一位用户先前的问题，从早到晚 (the user's earlier questions, oldest first)")
]
Language = Annotated[Lang, Field(description="回答用的语言；auto 随问题 (language of the answer)")]
Query = Annotated[Words, Field(description="要找的词或问题 (words or a question to look for)")]
TopK = Annotated[int, Field(ge=1, le=50, description="几段 (how many passages)")]
Subject = Annotated[Words | None, Field(description="谁的，名字的一部分即可，认得别名 (whose; part of a name will do)")]
Attribute = Annotated[Words | None, Field(description="什么指标，如 份额、营收 (which measure, in Chinese)")]
Period = Annotated[Words | None, Field(description="时期，如 2025、2025H1、2025Q2、2025-06 (period)")]
DocPrefix = Annotated[Words | None, Field(description="文档的 doc_id，可只写开头 (doc_id or its beginning)")]
DocId = Annotated[Words, Field(description="引用或列表里的 doc_id (as citations and the list have it)")]
Start = Annotated[int, Field(ge=0, description="从第几个字符起 (first character)")]
End = Annotated[int | None, Field(description=f"到第几个字符止，一次最多 {MOST_CHARS} 个 (at most so many at once)")]
