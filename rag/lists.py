"""Lists as pages write them: the items of a section, found by their marks, ordinal words or the colon above them."""

import re
from dataclasses import dataclass

from index.snapshot import Snapshot
from index.values import Sentence

_MARK_BEFORE = re.compile(r"(?:^|\n|[。！？!?；;])[ \t\u3000]*(?:[-*+•·]|\d{1,2}[.、)])[ \t\u3000]*$")
_ORDINAL = re.compile(
    r"^(?:首先|其次|再次|再者|最后|此外|第[一二三四五六七八九十]|[一二三四五六]是|其[一二三四]|\d{1,2}[.、)]|[（(][一二三四五六\d][)）])"
)
_COUNT = re.compile(
    r"(?:哪|这|有)?(?P<n>[两二三四五六七八九十]|\d{1,2})(?:个|大|项|点|种|条|招|家|款|步|类|层|方面|方向|维度|阶段|板块|因素|趋势)"
)
_NUMERAL = {c: n for n, c in enumerate("一二三四五六七八九十", 1)} | {"两": 2}
_ENGLISH = {w: n for n, w in enumerate(("two", "three", "four", "five", "six", "seven", "eight"), 2)}


@dataclass(frozen=True, slots=True)
class Section:
    """The sentences under one heading, and those that open a list item."""

    sentences: tuple[Sentence, ...]
    items: tuple[Sentence, ...]


def asked_rank(folded: str) -> int | None:
    """How far down a ranking a folded question asks (“前三名”), if it does."""
    m = re.search(r"(?<![目此之以])前(?P<n>[两二三四五六七八九十]|\d{1,2})|\btop (?P<top>\d{1,2})\b", folded)
    written = m.group("n") or m.group("top") if m else None
    return _NUMERAL.get(written) or int(written) if written else None


def asked_count(folded: str) -> int | None:
    """How many things a folded question asks for, if it says so."""
    if m := _COUNT.search(folded):
        return _NUMERAL.get(m.group("n")) or int(m.group("n"))
    return next((n for w, n in _ENGLISH.items() if re.search(rf"\b{w}\b", folded)), None)


def lists_as_many(folded: str, row: int, snapshot: Snapshot) -> bool:
    """Whether the section of a passage lists exactly as many things as a folded question asks for."""
    count = asked_count(folded)
    return count is not None and len(section_of(row, snapshot).items) == count


def section_of(row: int, snapshot: Snapshot) -> Section:
    """The section that passage `row` belongs to, with its list items (none: fewer than two)."""
    passages = snapshot.passages
    home = passages[row]
    first = last = row
    while first > 0 and (passages[first - 1].doc_id, passages[first - 1].heading) == (home.doc_id, home.heading):
        first -= 1
    while last + 1 < len(passages) and (passages[last + 1].doc_id, passages[last + 1].heading) == (
        home.doc_id,
        home.heading,
    ):
        last += 1
    sentences = tuple(s for p in passages[first : last + 1] for s in p.sentences)
    text = snapshot.documents[home.doc_id].text
    marked = tuple(
        s for s in sentences if _MARK_BEFORE.search(text[max(0, s.start - 8) : s.start]) or _ORDINAL.match(s.text)
    )
    return Section(sentences, marked if len(marked) > 1 else _after_colon(sentences, text))


def _after_colon(sentences: tuple[Sentence, ...], text: str) -> tuple[Sentence, ...]:
    """The lines below a sentence that ends in a colon, up to the first line that is no parallel to them."""
    for n, opening in enumerate(sentences):
        if not re.search(r"[:：]$", opening.text):
            continue
        items: list[Sentence] = []
        for before, sentence in zip(sentences[n:], sentences[n + 1 :], strict=False):
            if "\n" not in text[before.end : sentence.start]:
                continue
            items.append(sentence)
            if re.search(r"[。.]$", _line_end(sentence, text)):  # a list of clauses ends with the first full stop
                break
        if 2 <= len(items) <= 8:
            return tuple(items)
    return ()


def _line_end(sentence: Sentence, text: str) -> str:
    end = text.find("\n", sentence.end)
    return text[sentence.start : len(text) if end < 0 else end].rstrip()
