"""Lines that a site prints on every page: found by comparing its pages, with no list of words."""

from collections import Counter
from collections.abc import Mapping, Sequence

from index.front_matter import front_matter_of
from index.lines import text_lines
from index.reprints import Groups, members
from index.sources import address_of
from index.values import Document

MIN_PAGES = 3  # a line on fewer pages may be chance
SHARE = 0.5  # of a site's pages that carry the line

SiteLines = Mapping[str, frozenset[str]]  # site → folded lines


def site_of(document: Document) -> str | None:
    """The host of its address, else its publisher; None when it names neither."""
    return address_of(document.url)[0] or document.publisher


def _candidates(document: Document) -> set[str]:
    """The lines of a page that may be furniture: no metadata, no running text, no heading, no row of a table."""
    try:
        block = front_matter_of(document.text)
    except ValueError:
        block = None
    lines = text_lines(document.text[block[1] if block else 0 :])
    return {x.folded for x in lines if x.folded and not x.is_body and x.folded[0] not in "|#" and "：" not in x.folded}


def repeated_lines(documents: Sequence[Document], groups: Groups) -> SiteLines:
    """The lines, folded, that stand on at least half of a site's pages and on at least three.

    Reprints of one text count as one page, or a text printed three times would vanish.
    """
    group_of = members(groups)
    pages: dict[str, list[set[str]]] = {}
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for d in documents:
        site = site_of(d)
        if site is None or d.source_kind == "digest":
            continue
        if d.doc_id in group_of:
            if (site, group_of[d.doc_id]) in seen:
                continue
            seen.add((site, group_of[d.doc_id]))
        pages.setdefault(site, []).append(_candidates(d))
    found: dict[str, frozenset[str]] = {}
    for site, own in pages.items():
        if len(own) < MIN_PAGES:
            continue
        counts = Counter(line for page in own for line in page)
        common = frozenset(line for line, n in counts.items() if n >= max(MIN_PAGES, SHARE * len(own)))
        if common:
            found[site] = common
    return found
