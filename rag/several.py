"""Several questions in one → its parts; each is asked by itself and leans on the one before."""

import re

from index.data import lexicon
from index.fold import fold_text

MOST = 4  # parts: more are one long question
_END = re.compile(r"[?？]+\s*|[;；]\s*|(?<=[呢吗])[,，]\s*")


def parts_of(text: str) -> list[str]:
    """The questions a text puts, in order; the text alone when it puts one, or when they are about one another.

    What only introduces a question stays with it. Parts that compare, or doubt the one before, belong to it; one that
    asks who counted the figure before it is left out: every figure names its source and its way of counting.
    """
    pieces = [p for whole in _split(text) if whole.strip() for p in _clauses(whole)]
    asked: list[str] = []
    opening = ""
    for piece in pieces:
        if _asks(fold_text(piece)):
            asked.append(f"{opening}{piece}".strip())
            opening = ""
        else:
            opening = f"{opening}{piece}"
    asked = [p for n, p in enumerate(asked) if n == 0 or not _asks_for_source(fold_text(p))]
    if len(asked) == 1 and len(pieces) > 1 and not opening.strip():
        return asked
    if opening.strip() or not 2 <= len(asked) <= MOST or any(_belongs(fold_text(p)) for p in asked):
        return [text]
    return asked


def _split(text: str) -> list[str]:
    pieces, start = [], 0
    for m in _END.finditer(text):
        pieces.append(text[start : m.end()])
        start = m.end()
    return [*pieces, text[start:]]


def _clauses(text: str) -> list[str]:
    """The clauses of one question where more than one asks (簽了幾年、多少錢); the question alone otherwise."""
    pieces, start = [], 0
    for m in re.finditer(r"[,，、]\s*", text):
        pieces.append(text[start : m.end()])
        start = m.end()
    pieces.append(text[start:])
    asking = lexicon("rag", "question")["several"]["clause"]
    complement = lexicon("rag", "question")["several"]["complement"]
    asked = [p for p in map(fold_text, pieces) if re.search(asking, p)]
    if len(asked) < 2 or any(re.match(complement, p) for p in asked[1:]):
        return [text]
    joined: list[str] = []
    opening = ""
    for piece in pieces:  # what only introduces a clause stays with it
        opening += piece
        if re.search(asking, fold_text(piece)):
            joined.append(opening)
            opening = ""
    return [*joined[:-1], joined[-1] + opening]


def _asks(folded: str) -> bool:
    return re.search(lexicon("rag", "question")["several"]["asks"], folded) is not None


def _asks_for_source(folded: str) -> bool:
    return re.fullmatch(rf"(?:{lexicon('rag', 'question')['several']['source']})[?？。\s]*", folded) is not None


def _belongs(folded: str) -> bool:
    return re.search(lexicon("rag", "question")["several"]["belongs"], folded) is not None
