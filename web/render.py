"""Answers and documents as the pages show them: one rendering, with and without JavaScript."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from index.fold import to_simplified, to_traditional
from index.lookalikes import lookalikes, passing_in
from index.unseen import code_of, name_of, unseen_in
from index.values import Document, Removal
from rag.blocks import answer_blocks
from rag.figure_rows import as_written
from rag.levels import is_name
from rag.progress import STAGES
from rag.values import Answer
from web.chart_words import colon, period_text
from web.labels import Labels, place_label
from web.quoting import figure_line, footnoted, quote_lines, scope_text
from web.urls import audit_url, chat_url, document_url, export_url, panel_url, web_url

T = TypeVar("T")
STATIC = Path(__file__).parent / "static"
MAX_TURNS = 8  # earlier questions a page carries along


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters of a document; `rule` names the cleaning rule that left them out."""

    text: str
    rule: str | None = None
    figures: tuple[Mapping[str, Any], ...] = ()  # that the sentence around them states: rows of the ledger


@dataclass(frozen=True, slots=True)
class SourceView:
    """A document's text around a citation: the three parts joined are the text that is shown."""

    before: tuple[Stretch, ...]
    cited: tuple[Stretch, ...]
    after: tuple[Stretch, ...]
    cut_before: bool  # text was left out at the start
    cut_after: bool
    bad_span: bool  # start..end was given and is not in the text
    span: str  # “start-end” of what is cited, as links name it; empty for none

    @property
    def has_junk(self) -> bool:
        """Whether cleaning left something out of what is shown."""
        return any(stretch.rule is not None for stretch in (*self.before, *self.cited, *self.after))


def headline(answer: Answer) -> Mapping[str, Any] | None:
    """The figure a fact is about: the only one it states, of somebody with a name, in the first sentence it cites."""
    told = {(f["value"], f["as_of"], f["scope"]): f for f in answer.figures}
    if answer.kind != "fact" or len(told) != 1 or not answer.citations:
        return None
    figure, first = next(iter(told.values())), answer.citations[0]
    own = (figure["doc"], figure["start"]) == (first.doc_id, first.start)
    return figure if own and figure["attribute"] and is_name(figure["subject"] or "") else None


def source_view(
    document: Document,
    dropped: Iterable[Removal],
    start: int | None,
    end: int | None,
    around: int | None = None,
    figures: Sequence[Mapping[str, Any]] = (),
) -> SourceView:
    """`document.text`, with what is cited, what cleaning left out and what states figures told apart.

    Args:
        dropped: spans in any order; they may overlap each other and the citation.
        figures: rows of the ledger, of this document.
        start, end: the cited characters; both or neither.
        around: show at most this many characters on either side of the citation; None shows everything.
    """
    size, asked = len(document.text), start is not None or end is not None
    valid = start is not None and end is not None and 0 <= start < end <= size
    first, last = (start or 0, end or 0) if valid else (0, 0)
    low, high = (0, size) if around is None else (max(0, first - around), min(size, last + around))
    spans = sorted(dropped, key=lambda span: span.start)
    stated: dict[tuple[int, int], list[Mapping[str, Any]]] = {}
    for f in figures:
        stated.setdefault((f["start"], f["end"]), []).append(f)
    parts = (_stretches(document.text, a, b, spans, stated) for a, b in ((low, first), (first, last), (last, high)))
    before, cited, after = parts
    named = f"{first}-{last}" if valid else ""
    return SourceView(before, cited, after, low > 0, high < size, asked and not valid, named)


def _stretches(
    text: str,
    start: int,
    end: int,
    dropped: Sequence[Removal],
    stated: Mapping[tuple[int, int], Sequence[Mapping[str, Any]]],
) -> tuple[Stretch, ...]:
    """`text[start:end]`, cut wherever a dropped or figure-bearing span begins or ends."""
    edges = {start, end}
    for a, b in (*((d.start, d.end) for d in dropped), *stated):
        edges |= {p for p in (a, b) if start < p < end}
    stretches: list[Stretch] = []
    spans, sentences = deque(dropped), deque(sorted(stated))
    for a, b in pairwise(sorted(edges)):
        while spans and spans[0].end <= a:
            spans.popleft()
        while sentences and sentences[0][1] <= a:
            sentences.popleft()
        rule = spans[0].rule if spans and spans[0].start <= a else None
        own = tuple(stated[sentences[0]]) if sentences and sentences[0][0] <= a else ()
        stretches.append(Stretch(text[a:b], rule, own))
    return tuple(stretches)


def recent_turns(turns: Sequence[str], max_chars: int) -> list[str]:
    """The last earlier questions that still fit: at most MAX_TURNS of them and `max_chars` characters in all.

    They travel in the address, and a server takes only so long a one.
    """
    kept: list[str] = []
    for turn in reversed([t for t in turns if t.strip()][-MAX_TURNS:]):
        if sum(map(len, kept)) + len(turn) > max_chars:
            break
        kept.insert(0, turn)
    return kept


def exact(text: str) -> Markup:
    """`text` escaped so that the page holds the very same characters: a bare CR would be read as LF.

    What does not show, turns the order of others or passes for a Latin letter is marked by an element around it; its
    code is drawn by the style sheet, so that the text, and what is copied, stays the document's.
    """
    marked = dict.fromkeys(unseen_in(text), "unseen")
    marked |= {n: "lookalike" for start, end in lookalikes(text) for n in passing_in(text, start, end)}
    pieces, done = [], 0
    for n in sorted(marked):
        code = code_of(text[n])
        pieces.append(_escaped(text[done:n]))
        pieces.append(
            f'<span class="{marked[n]}" data-code="{code}" title="{code} {name_of(text[n])}">{_escaped(text[n])}</span>'
        )
        done = n + 1
    return Markup("".join([*pieces, _escaped(text[done:])]))  # noqa: S704  every piece is escaped


def _escaped(text: str) -> str:
    return str(escape(text)).replace("\r", "&#13;")


def part(found: Sequence[T], asked: int, size: int) -> tuple[int, int, Sequence[T]]:
    """The number of a page that exists, that of the last, and what stands on it."""
    last = max(1, -(-len(found) // size))
    number = min(asked, last)
    return number, last, found[(number - 1) * size : number * size]


def script_of(name: str) -> Callable[[str], str]:
    """What shows a document's characters in a script, for reading; its offsets and quotes stay the original's."""
    if name == "zh-Hans":
        return to_simplified
    return to_traditional if name == "zh-Hant" else str


def fragment(template: str, lang: str, /, **values: Any) -> str:
    """Renders a template; `t` inside it is the table of labels."""
    return _TEMPLATES.get_template(template).render(t=Labels(lang), **values)


def page(
    request: Request,
    template: str,
    lang: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    /,
    **values: Any,
) -> HTMLResponse:
    """Renders a whole page; `in_language` inside it is its own address in another language."""

    def in_language(other: str) -> str:
        fields = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
        path = "/" + request.scope["path"].lstrip("/")  # //elsewhere would be another host
        return f"{quote(path)}?{urlencode([*fields, ('lang', other)])}"

    values = {"in_language": in_language, "base": str(request.base_url), **values}
    return HTMLResponse(fragment(template, lang, **values), status, headers)


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals.update(
    answer_blocks=answer_blocks,
    audit_url=audit_url,
    chat_url=chat_url,
    document_url=document_url,
    export_url=export_url,
    figure_line=figure_line,
    footnoted=footnoted,
    headline=headline,
    scope_text=scope_text,
    as_written=as_written,
    colon=colon,
    period_text=period_text,
    quote_lines=quote_lines,
    stages=STAGES,
    labels=Labels,
    panel_url=panel_url,
    place_label=place_label,
    web_url=web_url,
)
_TEMPLATES.filters["exact"] = exact
