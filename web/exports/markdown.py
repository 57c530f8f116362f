"""A conversation as Markdown, with footnotes as GitHub, Pandoc and most editors read them: [^1]."""

import re

from rag.blocks import Block, Line
from web.chart_words import colon
from web.exports.conversation import Conversation, Note, Turn
from web.exports.xml_text import xml_text
from web.labels import Labels

_MARKS = re.compile(r"([\\`*_\[\]<>|~&$^])")
_AT_THE_START = re.compile(r"^(\s*)([#+=-]|\d{1,9}(?=[.)]))")  # a heading, a list, a rule


def as_markdown(told: Conversation) -> str:
    """Rendered, it says what the page says: nothing in a document is read as markup."""
    turns = "\n\n".join(_turn(turn) for turn in told.turns)
    notes = "\n".join(_note(note) for note in told.notes)
    return f"{turns}\n\n{notes}\n" if notes else f"{turns}\n"


def _turn(turn: Turn) -> str:
    t = Labels(turn.answer.lang)
    rest = "".join(f"[^{n}]" for n in turn.unmentioned)
    parts = [
        f"## {_escaped(turn.answer.question)}",
        *(f"*{_escaped(remark)}*" for remark in turn.remarks),
        *(_block(block, turn) for block in turn.blocks),
        *([f"{t('citations')}{colon(t)}{rest}"] if rest else []),
        f"*{_escaped(turn.closing)}*",
    ]
    return "\n\n".join(parts)


def _block(block: Block, turn: Turn) -> str:
    if block.shape == "table":
        width = max(map(len, (block.head, *block.rows)))
        head = block.head or ((),) * width  # a table has a head, if an empty one
        rows = [head, *block.rows]
        lines = [f"| {' | '.join(_line(cell, turn) for cell in row)} |" for row in rows]
        return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])
    lines = [_line(line, turn) for row in block.rows for line in row]
    if block.shape == "bullets":
        return "\n".join(f"- {line}" for line in lines)
    return "\\\n".join(_started(line) for line in lines)


def _line(line: Line, turn: Turn) -> str:
    text = ""
    for piece in line:
        if piece.citation is not None:
            text += f"[^{turn.numbers[piece.citation.marker]}]"
            continue
        written = _escaped(piece.text, start=False)
        # a bracket behind a footnote would make a link of it, a colon a definition
        text += f"\\{written}" if text.endswith("]") and written[:1] in ("(", ":") else written
    return text


def _note(note: Note) -> str:
    address = f" <{xml_text(note.address)}>" if note.address and not re.search(r"[<>\s]", note.address) else ""
    also = f" {_escaped(note.also, start=False)}" if note.also else ""
    about, words = (_escaped(text, start=False) for text in (note.about, note.words))
    return f"[^{note.number}]: {about}{address} {words}{also}"


def _escaped(text: str, *, start: bool = True) -> str:
    line = _MARKS.sub(r"\\\1", " ".join(xml_text(text).splitlines()))
    return _started(line) if start else line


def _started(line: str) -> str:
    """What would begin a heading or a list does not."""
    return _AT_THE_START.sub(lambda m: f"{m[1]}{m[2]}\\" if m[2].isdigit() else f"{m[1]}\\{m[2]}", line)
