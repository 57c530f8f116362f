"""What is exported: answers one after another, and their citations as footnotes that are numbered through."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.blocks import Block, Line, answer_blocks
from rag.values import Answer, Citation
from web.chart_words import colon
from web.labels import Labels
from web.quoting import quoted, source_line
from web.urls import document_url, web_url

MAX_NAME_CHARS = 60
MAX_NAME_BYTES = 180  # of a file's name: most file systems take 255
_UNSAFE = '/\\:*?"<>|'


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote: `about。words`, with the address apart so that it can be a link."""

    number: int
    about: str  # publisher, title, date, “摘要,非原文”, place in the file; and where, if there is no address
    address: str | None
    words: str  # the cited sentence, in quotation marks
    also: str = ""  # who prints the same


@dataclass(frozen=True, slots=True)
class Turn:
    """One question with its answer; `numbers` leads from the marks of its text to the footnotes of the whole."""

    answer: Answer
    remarks: tuple[str, ...]  # what the page shows above the text: why it was refused, how it was understood
    blocks: tuple[Block, ...]
    numbers: dict[int, int]
    unmentioned: tuple[int, ...]  # footnotes that no mark of the text leads to
    closing: str  # which index answered, how new the evidence is


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything a file holds. Never empty."""

    turns: tuple[Turn, ...]
    notes: tuple[Note, ...]  # numbered 1, 2, 3 …

    @property
    def title(self) -> str:
        """The question it ends with."""
        return self.turns[-1].answer.question

    @property
    def lang(self) -> str:
        """Of the last answer."""
        return self.turns[-1].answer.lang


def conversation(answers: Sequence[Answer], base: str = "") -> Conversation:
    """Numbers the citations in the order in which the texts first name them, as a word processor will.

    Args:
        answers: oldest first, at least one.
        base: our own address, for sources that have none; empty: they have none.
    """
    turns: list[Turn] = []
    notes: list[Note] = []
    for answer in answers:
        t = Labels(answer.lang)
        blocks = tuple(answer_blocks(answer))
        named = list(dict.fromkeys(c.marker for b in blocks for line in lines_of(b) for c in _cited(line)))
        rest = [c.marker for c in answer.citations if c.marker not in named]
        numbers = {marker: len(notes) + n for n, marker in enumerate([*named, *rest], 1)}
        by_marker = {c.marker: c for c in answer.citations}
        notes += [_note(number, by_marker[marker], t, base, answer.index_version) for marker, number in numbers.items()]
        unmentioned = tuple(numbers[marker] for marker in rest)
        turns.append(Turn(answer, _remarks(answer, t), blocks, numbers, unmentioned, _closing(answer, t)))
    return Conversation(tuple(turns), tuple(notes))


def asked_through(ask: Callable[[str, Sequence[str]], Answer], question: str, turns: Sequence[str]) -> list[Answer]:
    """The answers to the earlier questions, each with those before it, and then to the question."""
    asked = [*turns, question]
    return [ask(one, asked[:n]) for n, one in enumerate(asked)]


def lines_of(block: Block) -> list[Line]:
    """Every line or cell, as one reads them."""
    return [*block.head, *(line for row in block.rows for line in row)]


def file_name(title: str, ending: str) -> str:
    """A name for a file that any system takes, whatever the question is."""
    plain = "".join("-" if c in _UNSAFE or not c.isprintable() else c for c in " ".join(title.split()))
    short = plain[:MAX_NAME_CHARS].encode("utf-8", "replace")[:MAX_NAME_BYTES].decode("utf-8", "ignore")
    return f"{short.strip(' .') or 'yuntu'}.{ending}"


def _cited(line: Line) -> list[Citation]:
    return [piece.citation for piece in line if piece.citation is not None]


def _remarks(answer: Answer, t: Labels) -> tuple[str, ...]:
    reason = t(f"reason.{answer.reason}", answer.reason) if answer.refused and answer.reason else ""
    understood = answer.understood_as if answer.understood_as != answer.question else ""
    return (
        *([f"{t(f'kind.{answer.kind}', answer.kind)}{colon(t)}{reason}"] if reason else []),
        *([f"{t('understood_as')}{colon(t)}{understood}"] if understood else []),
    )


def _closing(answer: Answer, t: Labels) -> str:
    newest = [f"{t('newest')} {answer.newest_evidence}"] if answer.newest_evidence else []
    return " · ".join([t("brand"), *newest, f"{t('index_version')} {answer.index_version}"])


def _note(number: int, c: Citation, t: Labels, base: str, version: str) -> Note:
    own = base.rstrip("/") + document_url(c.doc_id, c.start, c.end, version=version) if base else None
    place = [] if c.url or own else [f"{c.doc_id}:{c.start}-{c.end}"]
    about = (", " if t.lang == "en" else "，").join([source_line(c, t, address=False), *place])
    also = (", " if t.lang == "en" else "、").join(s.publisher or f"《{s.title}》" for s in c.also_in)
    told = f"{t('also_in')}{colon(t)}{also}" if also else ""
    if c.url and not web_url(c.url):  # shown, and not to be followed
        about, own = f"{about}, {c.url}", None
    return Note(number, about, web_url(c.url) or own, quoted(c.readable, t), told)
