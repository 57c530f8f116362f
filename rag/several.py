"""Several questions in one → its parts; each is asked by itself and leans on the one before."""

import re

from index.data import lexicon
from index.fold import fold_text

MOST = 4  # parts: more are one long question
_END = re.compile(r"[?？]+\s*|[;；]\s*|(?<=[呢吗])[,，]\s*")


def parts_of(text: str) -> list[str]:
    """The questions a text puts, in order; the text alone when it puts one, or when they are about one another.

    What only introduces a question stays with it. Parts that compare, or doubt the one before, belong to it.
    """
    pieces = [p for p in _split(text) if p.strip()]
    asked: list[str] = []
    opening = ""
    for piece in pieces:
        if _asks(fold_text(piece)):
            asked.append(f"{opening}{piece}".strip())
            opening = ""
        else:
            opening = f"{opening}{piece}"
    if opening.strip() or not 2 <= len(asked) <= MOST or any(_belongs(fold_text(p)) for p in asked):
        return [text]
    return asked


def _split(text: str) -> list[str]:
    pieces, start = [], 0
    for m in _END.finditer(text):
        pieces.append(text[start : m.end()])
        start = m.end()
    return [*pieces, text[start:]]


def _asks(folded: str) -> bool:
    return re.search(lexicon("rag", "question")["several"]["asks"], folded) is not None


def _belongs(folded: str) -> bool:
    return re.search(lexicon("rag", "question")["several"]["belongs"], folded) is not None
