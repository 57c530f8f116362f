"""Lines that a site prints on every page: found by comparing its pages, with no list of words."""

from collections import Counter
from collections.abc import Mapping, Sequence

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
        pages.setdefault(site, []).append({line.folded for line in text_lines(d.text) if line.folded})
    found: dict[str, frozenset[str]] = {}
    for site, own in pages.items():
        if len(own) < MIN_PAGES:
            continue
        counts = Counter(line for page in own for line in page)
        common = frozenset(line for line, n in counts.items() if n >= max(MIN_PAGES, SHARE * len(own)))
        if common:
            found[site] = common
    return found
