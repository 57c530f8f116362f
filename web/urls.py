"""The addresses of our own pages, and which of others' may be followed."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode, urlsplit

from web.labels import DEFAULT_LANG


def chat_url(question: str, turns: Sequence[str] = (), lang: str = "auto", version: str | None = None) -> str:
    """The address of the page that answers `question`; by one version of the index, if it is named."""
    fields = [("q", question), *(("turn", turn) for turn in turns)]
    fields += [("lang", lang)] if lang != "auto" else []
    return "/?" + urlencode(fields + ([("v", version)] if version else []))


def export_url(question: str, turns: Sequence[str], lang: str, version: str, form: str) -> str:
    """The address of the conversation that ends with `question`, as a file."""
    return chat_url(question, turns, lang, version).replace("/?", "/api/export?", 1) + f"&format={form}"


def document_url(
    doc_id: str,
    start: int | None = None,
    end: int | None = None,
    lang: str = DEFAULT_LANG,
    version: str | None = None,
    script: str = "original",
) -> str:
    """The address of a document's page, at a citation if one is given. A doc_id may hold any character."""
    address = _source_url("documents", doc_id, start, end, lang, version, script)
    return address if start is None else f"{address}#{start}-{end}"


def audit_url(doc_id: str, lang: str = DEFAULT_LANG) -> str:
    """The address of what cleaning did to a document."""
    return _source_url("audit", doc_id, None, None, lang)


def panel_url(
    doc_id: str,
    start: int,
    end: int,
    lang: str = DEFAULT_LANG,
    version: str | None = None,
    script: str = "original",
) -> str:
    """The address of the fragment that the side panel shows."""
    return _source_url("panel", doc_id, start, end, lang, version, script)


def _source_url(
    route: str,
    doc_id: str,
    start: int | None,
    end: int | None,
    lang: str,
    version: str | None = None,
    script: str = "original",
) -> str:
    fields = {} if start is None else {"start": str(start), "end": str(end)}
    if lang != DEFAULT_LANG:
        fields["lang"] = lang
    if version:
        fields["v"] = version
    if script != "original":
        fields["script"] = script
    return f"/{route}/{quote(doc_id, safe='', errors='replace')}" + (f"?{urlencode(fields)}" if fields else "")


def web_url(url: str | None) -> str | None:
    """`url` if following it can only open a web page: a source could name a javascript: address."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None
