"""Readable text → sentences (what is cited) → passages (what is embedded and ranked).

A cut never falls inside a word, a number with its unit, a bracket or a quotation that could be kept whole. Sentences
joined are the readable text, and so are passages: nothing lost, nothing twice.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from index.aligned import Aligned
from index.fold import fold
from index.tokenize import word_ends
from index.values import Document, Passage, Sentence

MAX_QUOTE_CHARS = 200  # of the original: a citation is one sentence or less
MAX_HEADING_CHARS = 40
_LOOK_AHEAD = 1000  # how far a bracket may close and still be kept whole; without a limit, long lines take forever

_CLOSERS = "”’」』》）)\\]】\"'"
_ENGLISH_STOP = r"(?<=[a-z0-9%)\]\"”])\.(?=\s+[A-Z\"“(\[]|\s*$)"
_SENTENCE_END = re.compile(rf"(?:[。！？!?…]+|{_ENGLISH_STOP})[{_CLOSERS}]*[ \t\u3000]*")
_ITEM_NUMBER = re.compile(r"(?:^|[。！？!?])\s*\d{1,3}\.\s*$")  # “1. SEO …” opens an item, it is no sentence
# “全?!斌w系”: a character lost in conversion shows as ? or ?!, and a lone Latin letter among Chinese ones follows
_DAMAGED = re.compile(r"[?!][\u3400-\u9fff]{1,3}[a-z][\u3400-\u9fff]")
_GOES_ON = frozenset("，,、；;：:。！？!?…的地得等了")  # after a closing quote: the sentence is not over
_CLAUSE_END = re.compile(rf"(?:[；;，、：:]|,(?!\d)|——)[{_CLOSERS}]*[ \t\u3000]*")
_PAIRS = {"“": "”", "‘": "’", "「": "」", "『": "』", "《": "》", "（": "）", "(": ")", "【": "】", "[": "]"}
_QUANTITY = re.compile(
    r"(?:[A-Za-z]{1,4}\s?)?\d[\d.,]*(?:\s?[-—–~～至到]\s?\d[\d.,]*)?\s*"
    r"(?:%|％|[万亿千百]{0,3}[元美金个倍次家款种名项年月日季度毫秒分年底人点]*|[A-Za-z]+)"
)
_MARKDOWN_HEADING = re.compile(r"^[ \t]*(#{1,6})[ \t]+\S")
_NOT_A_HEADING = re.compile(r"[。；;…]|[！？!?，,：:、]$|[，,].*[，,]")
_LIST_MARK = re.compile(r"^[ \t]*(?:[-*+•·]|\d+[.、)])[ \t]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of readable text with its line break; `level` > 0 makes it a heading (1 the outermost)."""

    start: int
    end: int
    level: int


def _protected(text: str) -> list[tuple[int, int]]:
    """Stretches a cut should not fall into: matched brackets and quotation marks. An unclosed one protects nothing."""
    stack: deque[tuple[str, int]] = deque(maxlen=20)  # deeper than anyone reads
    found: list[tuple[int, int]] = []
    for i, c in enumerate(text):
        if c in _PAIRS:
            stack.append((_PAIRS[c], i))
        elif any(c == closer for closer, _ in stack):
            while stack:
                closer, opened = stack.pop()
                if closer == c:
                    found.append((opened, i + 1))
                    break
    return found


def _inside(length: int, stretches: Iterable[tuple[int, int]]) -> list[bool]:
    """For every place in a text, whether it lies within one of the stretches; in one pass, however many there are."""
    steps = [0] * (length + 2)
    for a, b in stretches:
        steps[a + 1] += 1
        steps[b] -= 1
    return [depth > 0 for depth in accumulate(steps)]


def _sentence_cuts(text: str) -> list[int]:
    protected = _inside(len(text), _protected(text))
    cuts = [m.end() for m in _SENTENCE_END.finditer(text) if not protected[m.end()]]
    return [
        c
        for c in cuts
        if 0 < c < len(text)
        and text[c] not in _GOES_ON
        and not _DAMAGED.match(text, c - 1)
        and not _ITEM_NUMBER.search(text, max(0, c - 16), c)
    ]


def _last_cut(text: str, limit: int) -> int:
    """Where to cut a stretch that is too long: the best place at or before `limit`, at least 1."""
    protected = _inside(len(text), _protected(text))
    quantities = _inside(len(text), (m.span() for m in _QUANTITY.finditer(text) if m.start() < limit))
    ends = [m.end() for m in _SENTENCE_END.finditer(text) if m.end() <= limit]
    clauses = [m.end() for m in _CLAUSE_END.finditer(text) if m.end() <= limit and not quantities[m.end()]]
    semicolons = [c for c in clauses if text[:c].rstrip(_CLOSERS + " \t\u3000")[-1:] in "；;"]
    free = [c for c in clauses if not protected[c]]
    # in order of preference; a cut in the first third would leave a stump
    for cuts in ([c for c in semicolons if not protected[c]], free, ends, clauses):
        usable = [c for c in cuts if c > limit / 3]
        if usable:
            return usable[-1]
    words = [end for end in word_ends(text[: limit + 32]) if end <= limit and not quantities[end]]
    return words[-1] if words else limit


def _pieces(readable: Aligned, start: int, end: int, max_chars: int) -> Iterator[tuple[int, int]]:
    """One sentence, or the clauses it must be cut into so that each piece's original is at most MAX_QUOTE_CHARS."""
    while True:
        # the last place whose original is still short enough
        first = int(readable.starts[start])
        fits = start + 1
        low, high = start + 1, end
        while low <= high:
            middle = (low + high) // 2
            if int(readable.ends[middle - 1]) - first <= MAX_QUOTE_CHARS and middle - start <= max_chars:
                fits, low = middle, middle + 1
            else:
                high = middle - 1
        if fits >= end:
            yield start, end
            return
        ahead = readable.text[start : min(end, fits + _LOOK_AHEAD)]
        # a single character may stand for hundreds (a mended run): no need to look for the best place in it
        cut = start + max(1, _last_cut(ahead, fits - start)) if fits - start > 1 else fits
        yield start, cut
        start = cut


def lines_of(readable: Aligned, original: str) -> list[Line]:
    """The lines, and which are headings: marked so in the original, or short, unpunctuated and above a longer one."""
    bounds: list[tuple[int, int]] = []
    start = 0
    for piece in readable.text.splitlines(keepends=True):
        bounds.append((start, start + len(piece)))
        start += len(piece)
    texts = [readable.text[a:b].strip() for a, b in bounds]
    lines: list[Line] = []
    below = _next_filled(texts)
    done = 0  # how far the line above reaches in the original
    for n, (a, b) in enumerate(bounds):
        level = 0
        if texts[n]:
            begin = max(done, original.rfind("\n", done, int(readable.starts[a]) + 1) + 1)
            source_line = original[begin : int(readable.ends[b - 1])]
            following = below[n]
            marked = _MARKDOWN_HEADING.match(source_line)
            if marked and len(texts[n]) <= MAX_QUOTE_CHARS:  # a longer one is a text with a mark before it
                level = len(marked.group(1))
            elif (
                2 <= len(texts[n]) <= MAX_HEADING_CHARS
                and not _NOT_A_HEADING.search(texts[n])
                and not _LIST_MARK.match(source_line)
                and len(following) > len(texts[n])
                and (len(following) > MAX_HEADING_CHARS or _SENTENCE_END.search(following) or following[-1] in ":：")
            ):
                level = 2
        lines.append(Line(a, b, level))
        done = int(readable.ends[b - 1])
    return lines


def _next_filled(texts: Sequence[str]) -> list[str]:
    """For each of several lines the next one that is not blank; empty where none follows."""
    found, following = [], ""
    for text in reversed(texts):
        found.append(following)
        following = text or following
    return found[::-1]


def split(document: Document, readable: Aligned, *, max_chars: int) -> tuple[Passage, ...]:
    """The passages of a cleaned document, each of at most `max_chars` readable characters, with their sentences.

    Args:
        document: whose `text` the readable text is aligned to.
        readable: what cleaning kept.
        max_chars: longest passage, in readable characters; a heading starts a new passage.
    Returns: passages in reading order; their texts joined are `readable.text`.
    """
    folded, to_folded = fold(readable.text)
    sentences: list[tuple[int, int]] = []
    stack: list[tuple[int, str]] = []  # the headings in force, (level, text)
    passages: list[Passage] = []
    heading_of: list[str] = []
    starts_section: list[bool] = []
    whole = len(readable.text) <= max_chars
    pending_heading = False
    for line in lines_of(readable, document.text):
        text = readable.text[line.start : line.end]
        if line.level:
            while stack and stack[-1][0] >= line.level:
                stack.pop()
            above = " › ".join(t for _, t in stack)
            stack.append((line.level, text.strip()))
            sentences.append((line.start, line.end))
            heading_of.append(above)
            starts_section.append(not pending_heading)
            pending_heading = True
            continue
        above = " › ".join(t for _, t in stack)
        begin = line.start
        for cut in [*(line.start + c for c in _sentence_cuts(text)), line.end]:
            for a, b in _pieces(readable, begin, cut, max_chars) if cut > begin else ():
                sentences.append((a, b))
                heading_of.append(above)
                starts_section.append(False)
            begin = cut
        if text.strip():
            pending_heading = False
    sentences, heading_of, starts_section = _attach_blank(readable.text, sentences, heading_of, starts_section)

    groups = [list(range(len(sentences)))] if whole and sentences else _grouped(sentences, starts_section, max_chars)
    for n, group in enumerate(groups):
        inside = [
            Sentence(
                document.doc_id,
                *_trimmed_span(readable, a, b),
                readable.text[a:b].strip(),
                folded[to_folded[a] : to_folded[b]].strip(),
            )
            for a, b in (sentences[i] for i in group)
            if readable.text[a:b].strip()
        ]
        a, b = sentences[group[0]][0], sentences[group[-1]][1]
        start, end = readable.span(a, b)
        passages.append(
            Passage(
                passage_id=f"{document.doc_id}#{n}",
                doc_id=document.doc_id,
                start=start,
                end=end,
                text=readable.text[a:b],
                folded=folded[to_folded[a] : to_folded[b]],
                heading=heading_of[group[-1]],
                sentences=tuple(inside),
            )
        )
    return tuple(passages)


def _attach_blank(
    text: str, sentences: list[tuple[int, int]], heading_of: list[str], starts_section: list[bool]
) -> tuple[list[tuple[int, int]], list[str], list[bool]]:
    """Blank lines belong to the sentence before them (at the very top: to the one after)."""
    kept: list[tuple[int, int]] = []
    headings: list[str] = []
    sections: list[bool] = []
    lead: int | None = None
    for (a, b), heading, section in zip(sentences, heading_of, starts_section, strict=True):
        if text[a:b].strip():
            kept.append((a if lead is None else lead, b))
            headings.append(heading)
            sections.append(section)
            lead = None
        elif kept:
            kept[-1] = (kept[-1][0], b)
        elif lead is None:
            lead = a
    return kept, headings, sections


def _grouped(sentences: list[tuple[int, int]], starts_section: list[bool], max_chars: int) -> list[list[int]]:
    """Sentences → passages: sections apart, and inside a section stretches of about equal length within `max_chars`."""
    sections: list[list[int]] = []
    for i in range(len(sentences)):
        if starts_section[i] or not sections:
            sections.append([])
        sections[-1].append(i)
    groups: list[list[int]] = []
    for section in sections:
        total = sentences[section[-1]][1] - sentences[section[0]][0]
        target = total / max(1, -(-total // max_chars))  # equal shares: no stump at the end
        group: list[int] = []
        for i in section:
            begin = sentences[group[0]][0] if group else sentences[i][0]
            length = sentences[i][1] - begin
            grown = (sentences[i][0] - begin) if group else 0
            if group and (length > max_chars or (grown >= target * 0.85 and length > target * 1.1)):
                groups.append(group)
                group = []
            group.append(i)
        groups.append(group)
    return groups


def _trimmed_span(readable: Aligned, start: int, end: int) -> tuple[int, int]:
    text = readable.text[start:end]
    return readable.span(start + len(text) - len(text.lstrip()), start + len(text.rstrip()))
