"""Where a text comes from: which kind of source, and what told so. The signs are in lexicon/sources.toml."""

import re
from functools import cache
from urllib.parse import urlsplit

from index.data import lexicon
from index.fold import fold_text

_KINDS = ("seo", "self-media", "official", "research")  # the first whose words stand on the page
_EDGE = 1500  # characters at either end of a text where a page says what it is


@cache
def _patterns(kind: str, where: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(p, re.MULTILINE) for p in lexicon("index", "sources")[kind][where])


def is_research(name: str) -> bool:
    """Whether a folded name is of those who count and publish: IDC, 艾瑞咨询."""
    return any(p.search(name) for p in _patterns("research", "publishers"))


def address_of(url: str | None) -> tuple[str, str]:
    """Host and path of an address; empty for none, and for one that is malformed."""
    try:
        parts = urlsplit(url or "")
        return (parts.hostname or "").lower(), parts.path
    except ValueError:
        return "", ""


def kind_of(publisher: str | None, url: str | None, text: str) -> tuple[str, str]:
    """The kind of a source (one of SOURCE_KINDS, never `digest`) and the reason, with the words that told it.

    What nothing gives away is taken for `press`, and says so.
    """
    address, at = address_of(url)
    for kind in lexicon("index", "sources"):
        for host in lexicon("index", "sources")[kind]["hosts"]:
            name, _, path = host.partition("/")
            if (address == name or address.endswith("." + name)) and at.startswith("/" + path):
                return kind, f"网址在 {host} (address)"
    folded = fold_text(publisher or "")
    for kind in lexicon("index", "sources"):
        if folded and any(p.search(folded) for p in _patterns(kind, "publishers")):
            return kind, f"发布者「{publisher}」(publisher)"
    edges = fold_text(text if len(text) <= 2 * _EDGE else f"{text[:_EDGE]}\n{text[-_EDGE:]}")
    for kind in _KINDS:
        for pattern in _patterns(kind, "words"):
            if m := pattern.search(edges):
                return kind, f"页面写着「{' '.join(m.group().split())[:40]}」(words on the page)"
    return "press", "没有别的迹象 (nothing says otherwise)"
