"""An answer as a notebook shows it: a piece of HTML that needs nothing else and runs nothing."""

from html import escape
from urllib.parse import urlsplit

from rag.blocks import Block, Line, answer_blocks
from rag.values import Answer, Citation

_CELL = "border:1px solid #9996;padding:.2em .5em;text-align:left;vertical-align:top"
_DIGEST = {"zh-Hant": "摘要,非原文", "en": "摘要,非原文 · digest"}
_UNDATED = {"zh-Hant": "日期不詳", "en": "undated"}


def as_html(answer: Answer) -> str:
    """The text, then its sources with the words that are cited. Every character of the corpus is escaped."""
    blocks = "".join(_block(b) for b in answer_blocks(answer))
    sources = "".join(f'<li value="{c.marker}">{_source(c, answer.lang)}</li>' for c in answer.citations)
    return (
        f'<div lang="{escape(answer.lang)}" style="max-width:46em;line-height:1.6">'
        f"<p><b>{escape(answer.question)}</b></p>{blocks}"
        + (f'<ol style="font-size:.9em;opacity:.85">{sources}</ol>' if sources else "")
        + f"<small>{escape(answer.kind)} · {escape(answer.index_version)}</small></div>"
    )


def _block(block: Block) -> str:
    if block.shape == "bullets":
        return f"<ul>{''.join(f'<li>{_line(line)}</li>' for row in block.rows for line in row)}</ul>"
    if block.shape == "lines":
        return f"<p>{'<br>'.join(_line(line) for row in block.rows for line in row)}</p>"
    rows = [("th", block.head)] if block.head else []
    rows += [("td", row) for row in block.rows]
    cells = ("".join(f'<{tag} style="{_CELL}">{_line(line)}</{tag}>' for line in row) for tag, row in rows)
    return f'<table style="border-collapse:collapse">{"".join(f"<tr>{row}</tr>" for row in cells)}</table>'


def _line(line: Line) -> str:
    return "".join(f"<sup>{escape(p.text)}</sup>" if p.citation else escape(p.text) for p in line)


def _source(c: Citation, lang: str) -> str:
    about = [
        f"{c.publisher or ''}《{c.title}》",
        c.published or _UNDATED.get(lang, "日期不详"),
        *([_DIGEST.get(lang, "摘要,非原文")] if c.source_kind == "digest" else []),
        f"{c.doc_id}:{c.start}-{c.end}",
    ]
    told = escape(" · ".join(about))
    if _is_web(c.url):
        told = f'<a href="{escape(c.url or "")}" target="_blank" rel="noopener noreferrer">{told}</a>'
    return f"{told}<br><q>{escape(c.readable)}</q>"


def _is_web(url: str | None) -> bool:
    """A source could name a javascript: address."""
    try:
        return urlsplit(url or "").scheme in ("http", "https")
    except ValueError:
        return False
