"""Words that point back at what was said before: whose subject, whose time. From lexicon/anaphors.toml."""

import re
from functools import cache

from index.data import lexicon


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(lexicon("index", "anaphors")[name])


def opens_back(folded: str) -> bool:
    """Whether a folded sentence opens with a word for a subject named above (其, 该公司)."""
    return _pattern("subject").match(folded) is not None


def mentions_above(folded: str) -> bool:
    """Whether a folded sentence speaks anywhere of a subject named above: 拾帧起诉它."""
    return _pattern("inside").search(folded) is not None


def points_back(folded: str) -> bool:
    """Whether a folded sentence points at what stands above it: its subject, or its time (同年)."""
    return opens_back(folded) or _pattern("time").search(folded) is not None
