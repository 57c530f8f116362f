"""Figures in brackets behind the name they are of: “高于甲(12.5%)和乙(14.7%)的增速”."""

import re

from index.aliases import entity_at
from index.data import lexicon
from index.grammar import MARKS, NAMED, NOMINAL, Tokens, figure_words, is_measure, joined, tagged_words, word_set
from index.quantities import NEAR
from index.subjects import SUBJECT_CHARS, with_kind

_LISTED_AFTER = re.compile(  # …)和乙(14.7%)的增速
    r"\)(?:(?:、|和|与|及|以及)[^,，。;；()]{1,20}\([^()]*\))*(?:等[^,，。;；()的]{0,10})?的(?P<what>[^,，。;；()]{2,12})"
)
_BARE = re.compile(r"(?:占比?|份额)?[约近超逾达为]*\d")  # nothing but the figure
_ITEM_BEFORE = re.compile(r"\d[^()]*\)(?:、|和|与|及|以及)?$")
_ITEM_AFTER = re.compile(r"\)(?:、|和|与|及|以及)[^,，。;；、()]{1,12}\(")
ITEM_CHARS = 12


def is_list(folded: str) -> bool:
    """Whether a folded clause lists names with a figure in brackets behind each: it tells of none of them alone."""
    return re.search(r"\d[^()]*\)(?:、|和|与|及|以及)[^,，。;；、()]{1,12}\([^()]*\d", folded) is not None


def named_before(folded: str, bracket: int) -> tuple[str | None, str | None]:
    """Whose a figure in brackets is, and what the list it stands in is of: “高于甲(12.5%)和乙(14.7%)的增速”.

    Args:
        bracket: where the bracket opens. Before it stands a known name, one in Latin letters, or an item of a list.
    """
    start = max(folded.rfind(mark, max(0, bracket - NEAR), bracket) for mark in '，,。;；:：、()《》“”"') + 1
    start = max(start, bracket - NEAR, 0)
    piece = re.split(rf"和|与|以及|及|{figure_words()['against']}", folded[start:bracket])[-1].strip()
    taken: Tokens = []
    for word, tag in reversed(tagged_words(piece)):
        if not (NOMINAL.match(tag) or re.fullmatch(r"[a-z\d.\- ]+", word)) or word in MARKS or tag[0] == "t":
            break
        taken.insert(0, (word, tag))
    known = bool(piece) and (end := entity_at(piece)) > 0 and with_kind(piece, end) == len(piece)
    closes = folded.find(")", bracket)
    bare = closes >= 0 and _BARE.match(folded, bracket + 1)
    beside = bare and (_ITEM_BEFORE.search(folded, max(0, start - NEAR), start) or _ITEM_AFTER.match(folded, closes))
    listed = beside and len(piece) <= ITEM_CHARS and "的" not in piece
    name = piece if known or listed else joined(taken).strip()
    if not 1 < len(name) <= SUBJECT_CHARS or is_measure(name) or name in word_set("regions") | word_set("kinds"):
        return None, None
    if name in lexicon("index", "figures")["names"]["generic"]:
        return None, None
    if not (known or listed or NAMED.match(taken[-1][1])):
        return None, None
    after = _LISTED_AFTER.match(folded, closes) if closes >= 0 else None
    return name, after.group("what") if after and is_measure(after.group("what")) else None
