"""An answer in plain text, for pasting: with footnotes, or one figure or sentence as one line that names its source."""

import re
from collections.abc import Mapping
from typing import Any

from rag.figure_rows import as_written
from rag.values import Answer, Citation
from web.chart_words import colon, period_text
from web.labels import Labels, place_label
from web.urls import document_url

_REMARK = "未注明|只写"  # index.attribution writes these where the text names no source


def footnoted(answer: Answer, t: Labels, base: str = "") -> str:
    """The answer's text, then every source it cites with its words, then which index it comes from.

    Args:
        base: our own address, for sources that have none.
    """
    notes = [
        f"[{c.marker}] {source_line(c, t, base, answer.index_version)}\n    {quoted(c.readable, t)}"
        for c in answer.citations
    ]
    return "\n\n".join(
        [
            answer.text,
            *(["\n".join(notes)] if notes else []),
            f"{t('brand')} · {t('index_version')} {answer.index_version}",
        ]
    )


def quote_lines(answer: Answer, citation: Citation, t: Labels, base: str = "") -> list[str]:
    """The figures of the answer that this citation bears, one line each; without any, its words."""
    source = source_line(citation, t, base, answer.index_version)
    own = [f for f in answer.figures if (f["doc"], f["start"]) == (citation.doc_id, citation.start)]
    if not own:
        return [f"{quoted(citation.readable, t)}{_dash(t)}{source}"]
    return list(dict.fromkeys(f"{figure_line(f, t)}{_dash(t)}{source}" for f in own))


def figure_line(figure: Mapping[str, Any], t: Labels) -> str:
    """`火山引擎份额 14.8%（2025年上半年；口径：Omdia）`: whose, what, how much, when and in which 口径."""
    english = t.lang == "en"
    period = period_text(figure["as_of"], t)
    told = [period or t("no_period"), f"{t('scope')}{colon(t)}{scope_text(figure['scope'], t)}"]
    what = (
        f"{figure['subject'] or ''} {figure['attribute'] or ''}".strip()
        if english
        else (figure["subject"] or "") + (figure["attribute"] or "")
    )
    value = as_written(figure["value"], figure["hedge"], figure["number"], figure["unit"])
    return f"{what} {value} ({'; '.join(told)})" if english else f"{what} {value}（{'；'.join(told)}）"


def scope_text(scope: str | None, t: Labels) -> str:
    """A 口径 as the ledger has it, in words; remarks that it is not stated are said in one way."""
    parts = [p for p in (scope or "").split(";") if p and not re.search(_REMARK, p)]
    return ("; " if t.lang == "en" else "；").join(parts) or t("no_scope")


def source_line(c: Citation, t: Labels, base: str = "", version: str | None = None, *, address: bool = True) -> str:
    """Publisher, title, date, kind where it is our digest, place in the file, address; ours where it has none."""
    parts = [
        f"{c.publisher or ''}《{c.title}》"
        if t.lang != "en"
        else f"{c.publisher + ', ' if c.publisher else ''}“{c.title}”",
        c.published or t("undated"),
        t("source.digest") if c.source_kind == "digest" else "",
        place_label(c.place, t.lang),
        (c.url or (base.rstrip("/") + document_url(c.doc_id, c.start, c.end, version=version))) if address else "",
    ]
    return (", " if t.lang == "en" else "，").join(p for p in parts if p)


def quoted(text: str, t: Labels) -> str:
    """In the quotation marks of the language."""
    return f"“{text}”" if t.lang != "zh-Hant" else f"「{text}」"


def _dash(t: Labels) -> str:
    return " - " if t.lang == "en" else "——"
